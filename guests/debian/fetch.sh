#!/bin/sh
# Gets the Debian test guest into guests/debian/image/: vmlinuz (the cloud kernel as Debian ships it) and initrd.img
# (busybox and the init script beside this file). Needs apt and dpkg, no root. Once done it needs no network: a stamp of
# the inputs makes a second run end at once; --refresh asks the archive for newer packages.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
image=$here/image
debs=$image/debs
work=$image/work.$$

say() { printf 'guests/debian: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

stamp_of_inputs() { cat "$here/fetch.sh" "$here/init" | cksum; }

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

# The newest file of package $1 among those already here.
cached() { find "$debs" -name "$1_*.deb" | sort | tail -n 1; }

# Downloads package $1 unless it is here already.
get() {
    [ -z "$(cached "$1")" ] || return 0
    say "downloading $1"
    # _apt, the user apt downloads as when it is root, cannot write here; that is only worth a warning to apt.
    (cd "$debs" && apt-get download -q "$1" >"$work/apt.log" 2>&1) || {
        cat "$work/apt.log" >&2
        die "cannot download $1; is the package list there (apt-get update)?"
    }
}

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
mkdir -p "$root/bin" "$root/sbin" "$root/usr/bin" "$root/usr/sbin" "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/root" "$root/etc"
cp "$busybox" "$root/bin/busybox"
"$busybox" --list-full | while read -r applet; do
    case $applet in
        bin/* | sbin/* | usr/bin/* | usr/sbin/*) [ -e "$root/$applet" ] || ln -s /bin/busybox "$root/$applet" ;;
    esac
done
cp "$here/init" "$root/init"
chmod 755 "$root/init" "$root/bin/busybox"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
# A file whose contents the tests know: 1 MiB of numbered lines.
"$busybox" seq -w 1 131072 >"$root/root/known.txt"

# The same input gives the same archive: names sorted, times and owners fixed. Device nodes come from devtmpfs.
find "$root" -exec touch -h -d '2024-01-01 00:00:00 UTC' {} +
(cd "$root" && find . | LC_ALL=C sort | "$busybox" cpio -o -H newc -R 0:0 2>/dev/null) | gzip -9n >"$work/initrd.img"

cp "$work"/boot/vmlinuz-* "$work/vmlinuz"
mv -f "$work/vmlinuz" "$work/initrd.img" "$image/"
basename -a "$kernel_deb" "$busybox_deb" >"$image/packages"
stamp_of_inputs >"$image/stamp"
say "ready: $image/vmlinuz, $image/initrd.img"
