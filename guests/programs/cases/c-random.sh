# cpu: max qemu64
# limit: 900
# Random programs by csmith, compiled without and with optimisation; each prints a checksum of its variables.
options='-O0 -O2 -O3'
[ "$MODEL" = qemu64 ] || options="$options -march=x86-64-v3"
for seed in 1 2 3 4 5 6; do
    csmith --seed $seed --no-argc --float --max-funcs 6 >program.c
    for option in $options; do
        for bits in -m64 -m32; do
            gcc -w -O1 $option $bits -I/usr/include/csmith -o program program.c -lm && echo "$seed $option $bits $(timeout 100 ./program 2>&1) status $?"
        done
    done
done
