# cpu: max qemu64
# limit: 900
# Control flow that is not a plain call: setjmp, varargs, function pointers, computed goto, nested functions, signals (with the faults the
. /cases/c/each.sh
each control -lm -Wl,--no-warn-execstack
