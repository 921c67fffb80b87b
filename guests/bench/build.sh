#!/bin/sh
# Makes the benchmark guest in guests/bench/image/: initrd.img for the kernel of guests/debian/image/, and root/, the same files
# as a folder, for the native runs. In it: the rows of bench.c, the agent, busybox, and openssl, python3 and xz with their
# libraries from Debian's packages. Needs gcc with the static libc, apt and dpkg, no root. A second run ends at once when
# nothing changed; --refresh asks the archive for newer packages.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
image=$here/image
debs=$image/debs
work=$image/work.$$
packages='busybox-static openssl libssl3 python3.11-minimal libpython3.11-minimal zlib1g libexpat1 xz-utils liblzma5 libc6'

guest=guests/bench
. "$here/../debs.sh"

stamp_of_inputs() { cat "$here/build.sh" "$here/../debs.sh" "$here/init" "$here/work.py" "$here"/*.[ch] | cksum; }

"$here/../debian/fetch.sh"
if [ "${1:-}" = --refresh ]; then
    rm -rf "$image"
fi
if [ -f "$image/stamp" ] && [ "$(cat "$image/stamp")" = "$(stamp_of_inputs)" ] && [ -s "$image/initrd.img" ]; then
    say "up to date: $(tr '\n' ' ' <"$image/packages")"
    exit 0
fi
command -v gcc >/dev/null 2>&1 || die 'there is no gcc: install the packages gcc and libc6-dev'
mkdir -p "$debs"
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work"

root=$work/root
mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/tmp" "$root/root" "$root/etc"
for package in $packages; do
    unpack "$package" "$root" --exclude './usr/share/*' --exclude '*/gconv/*'
done
busybox=$(find "$root" -name busybox -type f | head -n 1)
mv "$busybox" "$work/busybox"
install_busybox "$root" "$work/busybox"
ln -sf python3.11 "$root/usr/bin/python3"
compile_python "$root"

gcc -O2 -Wall -Wextra -static -o "$root/bin/bench" "$here"/bench.c "$here"/integer.c "$here"/memory.c "$here"/floating.c "$here"/kernel.c "$here"/churn.c -lm ||
    die 'the benchmark does not compile; is libc6-dev installed?'
gcc -O2 -Wall -Wextra -static -o "$root/bin/agent" "$here/agent.c"
cp "$here/init" "$root/init"
cp "$here/work.py" "$root/root/work.py"
chmod 755 "$root/init"
echo 'root:x:0:0:root:/root:/bin/sh' >"$root/etc/passwd"

# Not compressed: unpacking is no row.
pack "$root" >"$work/initrd.img"
rm -rf "$image/root"
mv -f "$work/root" "$work/initrd.img" "$image/"
for package in $packages; do
    basename "$(cached "$package")"
done >"$image/packages"
stamp_of_inputs >"$image/stamp"
say "ready: $image/initrd.img"
