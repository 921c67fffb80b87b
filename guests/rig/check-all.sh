#!/bin/sh
# Checks the expectations of every guest against QEMU (tcg); guests whose header says "qemu:" differ there and are named.
rig=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
bad=0
for source in "$rig"/../builtin/*.asm "$rig"/../tiny/*.asm; do
    name=$(basename "$source" .asm)
    want=$(sed -n 's/^; exit: *//p' "$source")
    differs=$(sed -n 's/^; qemu: *//p' "$source")
    case $want in
        triple-fault) code=0 ;;
        halt | hang) code=124 ;;
        any) code= ;;
        *) code=$want ;;
    esac
    [ -z "$differs" ] || code=${differs#*exit } code=${code%%:*}
    output=$(sh "$rig/run-in-qemu.sh" "$source" 2>/dev/null)
    status=$?
    # The expected text as printf reads it, without the newline that $() takes off.
    text=$(printf '%b' "$(sed -n 's/^; serial: *"\(.*\)"$/\1/p' "$source")")
    if [ -n "$code" ] && [ "$status" -ne "$code" ]; then
        echo "$name: exit $status, expected $code"
        bad=1
    elif [ -z "$differs" ] && [ -n "$text" ] && [ "$output" != "$text" ]; then
        echo "$name: printed '$output', expected '$text'"
        bad=1
    else
        echo "$name: ok${differs:+ (QEMU differs: $differs)}"
    fi
done
exit $bad
