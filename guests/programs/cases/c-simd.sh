# cpu: max qemu64
# limit: 900
# SIMD by intrinsics: SSE and SSE2 everywhere; SSE3 to AVX2, FMA, F16C, BMI, AES, PCLMULQDQ and SHA where the options allow them; and loops
. /cases/c/each.sh
each simd
