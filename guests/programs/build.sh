#!/bin/sh
# Makes the guest of guests/programs/check.sh in guests/programs/image/: root.img, an ext4 disk with programs of Debian's packages and all
# they depend on; root/, the same files as a folder, for the native runs; initrd.img, which is the initramfs of guests/debian with the
# first process of this folder and the cases. Needs gcc with the static libc, apt, dpkg and mke2fs, no root. Once done it needs no
# network: stamps of the inputs say what is up to date; --refresh asks the archive for newer packages.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
image=$here/image
debs=$image/debs
work=$image/work.$$
packages='bash bc binutils bzip2 coreutils csmith dash diffutils 7zip g++ g++-multilib gawk gcc gcc-multilib grep guile-3.0 gzip libc6-dev libcsmith-dev libpython3.11-testsuite libsqlite3-0 libssl-dev luajit
    make openssl perl python3.11 sbcl sed sqlite3 stress-ng tar xz-utils'

guest=guests/programs
. "$here/../debs.sh"

"$here/../debian/fetch.sh"
debian=$here/../debian/image
if [ "${1:-}" = --refresh ]; then
    rm -rf "$image"
fi
mkdir -p "$debs"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work"
PATH=$PATH:/usr/sbin:/sbin

# Files that no program here reads; lto1 alone is 30 MiB.
unpack_all() {
    for package in busybox-static $(closure $packages); do
        unpack "$package" "$1" --exclude './usr/share/doc/*' --exclude './usr/share/man/*' --exclude './usr/share/locale/*' --exclude './usr/share/info/*' --exclude '*/lto1'
        basename "$(cached "$package")" >>"$work/packages"
    done
}

build_root() {
    command -v gcc >/dev/null 2>&1 || die 'there is no gcc: install the packages gcc and libc6-dev'
    root=$work/root
    mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/root" "$root/etc" "$root/cases"
    say 'unpacking'
    unpack_all "$root"
    mv "$root/bin/busybox" "$work/busybox"
    ln -sf dash "$root/bin/sh"
    install_busybox "$root" "$work/busybox"
    ln -sf python3.11 "$root/usr/bin/python3"
    say 'compiling the library of Python'
    compile_python "$root"
    gcc -O2 -Wall -Wextra -static -o "$root/bin/agent" "$here/../bench/agent.c"
    echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"
    echo 'root:x:0:' >"$root/etc/group"
    echo '127.0.0.1 localhost' >"$root/etc/hosts"
    find "$root" -exec touch -h -d '2024-01-01 00:00:00 UTC' {} +
    say 'root.img'
    mke2fs -q -t ext4 -d "$root" -L EMU-PROGRAMS -U 0d15c000-0000-4000-8000-000000000003 -E hash_seed=0d15c000-0000-4000-8000-000000000004,root_owner=0:0 \
        "$work/root.img" 1G >/dev/null
    rm -rf "$image/root"
    mv -f "$work/root" "$work/root.img" "$work/packages" "$image/"
    echo "$root_stamp" >"$image/root.stamp"
}

# A later archive of an initramfs replaces the files of an earlier one.
build_initrd() {
    mkdir -p "$work/more/bin"
    cp "$here/init" "$work/more/init"
    cp -r "$here/cases" "$work/more/cases"
    cp "$image/root/bin/busybox" "$work/more/bin/"
    pack "$work/more" | gzip -9n | cat "$debian/initrd.img" - >"$work/initrd.img"
    mv -f "$work/initrd.img" "$image/"
    echo "$initrd_stamp" >"$image/initrd.stamp"
}

# Whether image $1 is there and was made of inputs whose stamp is $2.
same() { [ -s "$image/$1.img" ] && [ "$(cat "$image/$1.stamp" 2>/dev/null)" = "$2" ]; }

root_stamp=$(cat "$here/build.sh" "$here/../debs.sh" "$here/../bench/agent.c" | cksum)
initrd_stamp="$root_stamp $(cat "$debian/stamp") $(cat "$here/init" | cksum) $(cd "$here/cases" && find . -type f -exec cksum {} + | LC_ALL=C sort | cksum)"
if same root "$root_stamp"; then
    say "disk up to date: $(wc -l <"$image/packages") packages"
else
    build_root
fi
if same initrd "$initrd_stamp"; then
    say 'initramfs up to date'
else
    build_initrd
    say "ready: $image/root.img, $image/initrd.img"
fi
