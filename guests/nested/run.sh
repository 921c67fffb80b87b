#!/bin/bash
# Runs a job beside emu where KVM is real: an outer Linux in QEMU, whose software CPU offers AMD SVM, loads kvm-amd and runs
# the self-contained emu. Any host will do; neither /dev/kvm nor root is needed.
#
#   guests/nested/run.sh [--cpus N] [--memory MIB] [--timeout S] [--no-build] ['shell commands']
#
# The commands run in a folder with emu, vmlinuz and initrd.img (the Debian guest), builtin.bin. Without any: ./emu, the built-in
# guest. The exit code is theirs; 124 when the time is up.
set -eu
here=$(cd -- "$(dirname -- "$0")" && pwd)
root=$(cd -- "$here/../.." && pwd)
image=$here/image
cpus=1 memory=3000 limit=300 build=yes

say() { printf 'guests/nested: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
        --cpus) cpus=$2; shift 2 ;;
        --memory) memory=$2; shift 2 ;;
        --timeout) limit=$2; shift 2 ;;
        --no-build) build=no; shift ;;
        --) shift; break ;;
        -*) die "unknown option '$1'" ;;
        *) break ;;
    esac
done
job=${*:-./emu}

for tool in qemu-system-x86_64:qemu-system-x86 cpio:cpio dotnet:'the .NET SDK'; do
    command -v "${tool%%:*}" >/dev/null || die "${tool%%:*} is missing: install ${tool#*:}"
done
"$root/guests/debian/fetch.sh" || die 'no Debian guest'
debian=$root/guests/debian/image
mkdir -p "$image"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

pack() { (cd "$1" && find . | LC_ALL=C sort | cpio -o -H newc -R 0:0 2>/dev/null); }

# What changes with each build of emu.
publish() {
    say 'publishing emu'
    dotnet publish "$root/src/Cli" -c Release -r linux-x64 --self-contained -nologo -v quiet --artifacts-path "$image/build" -o "$image/app" \
        -p:PublishReadyToRun=true -p:InvariantGlobalization=true -p:DebugType=none -p:RunAnalyzers=false >"$work/log" 2>&1 </dev/null || { cat "$work/log" >&2; die 'publish failed'; }
    mkdir -p "$work/app/emu" "$work/app/lib64" "$work/app/lib/x86_64-linux-gnu"
    # The debugger's half of the runtime stays at home: a fifth of the size.
    (cd "$image/app" && find . -type f ! -name 'libmscordac*' ! -name 'libmscordbi*' ! -name 'libcoreclrtrace*' ! -name createdump ! -name '*.pdb' \
        -exec cp --parents {} "$work/app/emu/" \;)
    cp "$debian/vmlinuz" "$debian/initrd.img" "$root/guests/builtin/builtin.bin" "$work/app/emu/"
    ldd "$image/app/emu" "$image/app/libcoreclr.so" "$image/app/libSystem.Native.so" | sed -n 's/.*=> \(\/[^ ]*\) .*/\1/p' | sort -u | while read -r library; do
        cp -L "$library" "$work/app/lib/x86_64-linux-gnu/"
    done
    cp -L /lib64/ld-linux-x86-64.so.2 "$work/app/lib64/"
    pack "$work/app" >"$image/app.cpio"
}

# What does not: busybox, the modules, the first process.
base() {
    mkdir -p "$work/root/bin" "$work/root/modules" "$work/root/proc" "$work/root/sys" "$work/root/dev" "$work/root/tmp"
    dpkg-deb --fsys-tarfile "$(find "$debian/debs" -name 'linux-image-*.deb' | sort | tail -n 1)" | tar -x -C "$work" --wildcards './lib/modules/*/kernel/arch/x86/kvm/*' './lib/modules/*/irqbypass.ko'
    find "$work/lib" -name '*.ko' -exec cp {} "$work/root/modules/" \;
    gzip -dc "$debian/initrd.img" | (cd "$work/root" && cpio -i --quiet bin/busybox)
    cp "$here/init" "$work/root/init"
    chmod 755 "$work/root/init"
    pack "$work/root" >"$image/base.cpio"
}

[ $build = no ] && [ -s "$image/app.cpio" ] || publish
base
mkdir "$work/job"
printf '%s\n' "$job" >"$work/job/job"
(cat "$image/base.cpio" "$image/app.cpio"; pack "$work/job") >"$work/initrd"

status=0
timeout "$limit" qemu-system-x86_64 -accel tcg -cpu max,+svm -m "$memory" -smp "$cpus" -nographic -no-reboot -nic none \
    -kernel "$debian/vmlinuz" -initrd "$work/initrd" -append 'console=ttyS0 quiet mitigations=off nokaslr rdinit=/init' </dev/null >"$work/out" 2>&1 || status=$?
# The serial line ends its lines with CR LF.
tr -d '\r' <"$work/out" >"$work/text"
if ! grep -q '^NESTED-BEGIN' "$work/text"; then
    tail -n 20 "$work/text" >&2
    die "the outer guest did not come up (QEMU's exit code $status)"
fi
grep '^NESTED: ' "$work/text" >&2 || true
sed -n '/^NESTED-BEGIN/,/^NESTED-END/p' "$work/text" | sed '1d;/^NESTED-END/d'
[ $status -ne 124 ] || { say "the time of $limit s is up"; exit 124; }
exit "$(sed -n 's/^NESTED-END \([0-9]*\)$/\1/p' "$work/text" | tail -n 1)"
