#!/bin/sh
# Gets the Debian test guest into guests/debian/image/: vmlinuz (the cloud kernel as Debian ships it) and initrd.img
# (busybox and the init script beside this file). Needs apt and dpkg, no root. Once done it needs no network: a stamp of
# the inputs makes a second run end at once; --refresh asks the archive for newer packages.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
image=$here/image
debs=$image/debs
work=$image/work.$$

guest=guests/debian
. "$here/../debs.sh"

stamp_of_inputs() { cat "$here/fetch.sh" "$here/../debs.sh" "$here/init" | cksum; }

if [ "${1:-}" = --refresh ]; then
    rm -rf "$image"
fi
if [ -f "$image/stamp" ] && [ "$(cat "$image/stamp")" = "$(stamp_of_inputs)" ] && [ -s "$image/vmlinuz" ] && [ -s "$image/initrd.img" ]; then
    say "up to date: $(cat "$image/packages" | tr '\n' ' ')"
    exit 0
fi
mkdir -p "$debs"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work"

# linux-image-cloud-amd64 only names the current kernel's package. A kernel that is here already is good enough.
kernel_deb=$(find "$debs" -name 'linux-image-*-cloud-amd64_*.deb' | sort | tail -n 1)
if [ -z "$kernel_deb" ]; then
    kernel=$(apt-cache depends linux-image-cloud-amd64 2>/dev/null | sed -n 's/.*Depends: *\(linux-image-[0-9][^ ]*\).*/\1/p' | head -n 1)
    [ -n "$kernel" ] || die 'apt knows no linux-image-cloud-amd64; run apt-get update first'
    get "$kernel"
    kernel_deb=$(cached "$kernel")
fi
get busybox-static
busybox_deb=$(cached busybox-static)

say 'unpacking'
dpkg-deb --fsys-tarfile "$kernel_deb" | tar -x -C "$work" --wildcards './boot/vmlinuz-*' './boot/config-*'
grep -q '^CONFIG_SERIAL_8250_CONSOLE=y' "$work"/boot/config-* || die 'this kernel has no serial console built in'
dpkg-deb --fsys-tarfile "$busybox_deb" | tar -x -C "$work" --wildcards './*bin/busybox'
busybox=$(find "$work" -name busybox -type f | head -n 1)

root=$work/root
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/root" "$root/etc"
install_busybox "$root" "$busybox"
cp "$here/init" "$root/init"
chmod 755 "$root/init"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
# Drivers that this kernel has as modules, for the shell to load: modprobe virtio_blk, modprobe ata_piix.
dpkg-deb --fsys-tarfile "$kernel_deb" | tar -x -C "$work" --wildcards './lib/modules/*'
version=$(ls "$work/lib/modules")
modules=$root/lib/modules/$version
mkdir -p "$modules"
for module in scsi_common scsi_mod sd_mod cdrom sr_mod libata ata_piix isofs virtio virtio_ring virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_mmio virtio_blk virtio-rng virtio_console \
    virtio_balloon failover net_failover virtio_net; do
    find "$work/lib/modules" -name "$module.ko" -exec cp {} "$modules/" \;
done
"$busybox" depmod -b "$root" "$version"
# A file whose contents the tests know: 1 MiB of numbered lines.
"$busybox" seq -w 1 131072 >"$root/root/known.txt"

# Device nodes come from devtmpfs.
pack "$root" | gzip -9n >"$work/initrd.img"

cp "$work"/boot/vmlinuz-* "$work/vmlinuz"
mv -f "$work/vmlinuz" "$work/initrd.img" "$image/"
basename -a "$kernel_deb" "$busybox_deb" >"$image/packages"
stamp_of_inputs >"$image/stamp"
say "ready: $image/vmlinuz, $image/initrd.img"
