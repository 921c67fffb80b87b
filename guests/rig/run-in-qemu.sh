#!/bin/sh
# Runs a guest of this folder in QEMU (tcg), for checking its expectations: run-in-qemu.sh GUEST.asm [QEMU-OPTION...]
# Serial output goes to standard output; ends with QEMU's exit code (124: still running after 20 s, so the guest hangs).
set -e
rig=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
source=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
field() { sed -n "s/^; $1: *//p" "$source" | head -n 1; }
load=$(field load)
memory=$(field memory)
set_eax=$(field set | sed -n 's/.*rax=\([0-9a-fx]*\).*/-DSET_EAX=\1/p')
set_ebx=$(field set | sed -n 's/.*rbx=\([0-9a-fx]*\).*/-DSET_EBX=\1/p')
nasm -f bin -i "$(dirname -- "$source")/" -o "$work/guest.bin" "$source"
nasm -f bin $set_eax $set_ebx -DIMAGE="'$work/guest.bin'" -DLOAD="$load" -o "$work/rom.bin" "$rig/rom.asm"
status=0
timeout "${GUEST_TIMEOUT:-20}" qemu-system-x86_64 -accel tcg -nodefaults -m "${memory:-16M}" -bios "$work/rom.bin" -display none -serial stdio \
    -device isa-debug-exit,iobase=0xf4,iosize=4 -no-reboot "$@" </dev/null || status=$?
echo "exit $status" >&2
exit $status
