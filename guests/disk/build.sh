#!/bin/sh
# Makes two images that firmware starts, into guests/disk/image/: disk.img (GRUB in the MBR, kernel and initrd of guests/debian on ext2)
# and cd.iso (the same by ISOLINUX). Needs apt, dpkg and mke2fs, no root. Once done it needs no network: a stamp of the inputs
# makes a second run end at once.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
image=$here/image
debs=$image/debs
work=$image/work.$$

guest=guests/disk
. "$here/../debs.sh"

"$here/../debian/fetch.sh"
debian=$here/../debian/image
stamp_of_inputs() { cat "$here/build.sh" "$here/../debs.sh" "$debian/stamp" | cksum; }

if [ -f "$image/stamp" ] && [ "$(cat "$image/stamp")" = "$(stamp_of_inputs)" ] && [ -s "$image/disk.img" ] && [ -s "$image/cd.iso" ]; then
    say 'up to date'
    exit 0
fi
mkdir -p "$debs"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work"
PATH=$PATH:/usr/sbin:/sbin

# The tools are run from where they are unpacked; their libraries come with them.
for package in grub-pc-bin grub-common libdevmapper1.02.1 libefiboot1 libefivar1 isolinux syslinux-common xorriso libisoburn1 libburn4 libisofs6 libjte2; do
    get "$package"
    dpkg-deb -x "$(cached "$package")" "$work/root"
done
libraries=$(find "$work/root" -name '*.so*' -exec dirname {} + | sort -u | tr '\n' ':')
run() { LD_LIBRARY_PATH=$libraries "$work/root/usr/bin/$@"; }

arguments='console=ttyS0 panic=-1'
say 'disk.img: GRUB'
grub=$work/root/usr/lib/grub/i386-pc
cat >"$work/grub.cfg" <<END
serial --unit=0 --speed=115200
terminal_input serial
terminal_output serial
set root=(hd0,msdos1)
echo GRUB-LOADS
linux /boot/vmlinuz $arguments
initrd /boot/initrd.img
boot
END
run grub-mkimage -O i386-pc -d "$grub" -p '(hd0,msdos1)/boot/grub' -c "$work/grub.cfg" -o "$work/core.img" biosdisk part_msdos ext2 serial terminal echo linux
mkdir -p "$work/files/boot"
cp "$debian/vmlinuz" "$debian/initrd.img" "$work/files/boot/"
mke2fs -q -t ext2 -d "$work/files" -L EMU-DISK -U 0d15c000-0000-4000-8000-000000000001 -E hash_seed=0d15c000-0000-4000-8000-000000000002 "$work/part.img" 48M >/dev/null
truncate -s 64M "$work/disk.img"
# One partition: active, of Linux, from sector 2048, 98304 sectors long; then the signature.
printf '\200\376\377\377\203\376\377\377\0\010\0\0\0\200\001\0' | dd of="$work/disk.img" bs=1 seek=446 conv=notrunc status=none
printf '\125\252' | dd of="$work/disk.img" bs=1 seek=510 conv=notrunc status=none
# The MBR's code up to the disk signature, the core from sector 1 on, the file system at 1 MiB.
dd if="$grub/boot.img" of="$work/disk.img" bs=440 count=1 conv=notrunc status=none
dd if="$work/core.img" of="$work/disk.img" bs=512 seek=1 conv=notrunc status=none
dd if="$work/part.img" of="$work/disk.img" bs=1M seek=1 conv=notrunc,sparse status=none

say 'cd.iso: ISOLINUX'
mkdir -p "$work/cd/isolinux" "$work/cd/boot"
cp "$work/root/usr/lib/ISOLINUX/isolinux.bin" "$work/root/usr/lib/syslinux/modules/bios/ldlinux.c32" "$work/cd/isolinux/"
cp "$debian/vmlinuz" "$debian/initrd.img" "$work/cd/boot/"
cat >"$work/cd/isolinux/isolinux.cfg" <<END
serial 0 115200
default emu
label emu
  kernel /boot/vmlinuz
  append initrd=/boot/initrd.img $arguments
END
run xorriso -as mkisofs -quiet -o "$work/cd.iso" -V EMU-CD -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work/cd" 2>"$work/xorriso.log" || { cat "$work/xorriso.log" >&2; die 'xorriso fails'; }

mv -f "$work/disk.img" "$work/cd.iso" "$image/"
stamp_of_inputs >"$image/stamp"
say "ready: $image/disk.img, $image/cd.iso"
