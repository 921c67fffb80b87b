# cpu: max qemu64
# limit: 900
# float, double, long double, complex numbers and 128-bit floats: arithmetic, conversions, comparisons, functions, rounding modes and
. /cases/c/each.sh
each floating -lm
