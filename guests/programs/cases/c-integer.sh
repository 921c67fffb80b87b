# cpu: max qemu64
# limit: 900
# Integer arithmetic of all widths: edge operands, shifts, divisions, 128 bits, overflow builtins, bit builtins, switches, recursion.
. /cases/c/each.sh
each integer
