// Rows of floating point: scalar SSE2, packed SSE2, x87.
#include "bench.h"
#include <emmintrin.h>
#include <math.h>
#include <string.h>

static u64 bits(double d) {
    u64 x;
    memcpy(&x, &d, 8);
    return x;
}

// Scalar SSE2, whatever the compiler thinks of vectors.
#define SCALAR __attribute__((noinline, optimize("no-tree-vectorize", "no-tree-slp-vectorize")))
SCALAR u64 b_matmul(void) {
    enum { M = 300 };
    double *a = map_touched(M * M * 8), *b = map_touched(M * M * 8), *c = map_touched(M * M * 8);
    for (int i = 0; i < M * M; i++) {
        a[i] = i % 7;
        b[i] = i % 5 * .5;
    }
    start_clock();
    for (long r = SCALED(36); r > 0; r--)
        for (int i = 0; i < M; i++)
            for (int j = 0; j < M; j++) {
                double s = 0;
                for (int k = 0; k < M; k++)
                    s += a[i * M + k] * b[k * M + j];
                c[i * M + j] = s + a[i * M + j] * 1e-9;
            }
    return bits(c[M * 7 + 3]);
}

SCALAR u64 b_matmul48(void) {
    enum { M = 48 };
    double *a = map_touched(M * M * 8), *b = map_touched(M * M * 8), *c = map_touched(M * M * 8);
    for (int i = 0; i < M * M; i++) {
        a[i] = i % 7;
        b[i] = i % 5 * .5;
    }
    start_clock();
    for (long r = SCALED(6000); r > 0; r--)
        for (int i = 0; i < M; i++)
            for (int j = 0; j < M; j++) {
                double s = 0;
                for (int k = 0; k < M; k++)
                    s += a[i * M + k] * b[k * M + j];
                c[i * M + j] = s + a[i * M + j] * 1e-9;
            }
    return bits(c[M * 7 + 3]);
}

SCALAR u64 b_nbody(void) {
    double x[5][7] = {{0, 0, 0, 0, 0, 0, 39.47},
                      {4.84, -1.16, -.10, .6, 2.8, -.02, .037},
                      {8.34, 4.12, -.4, -1.01, 1.82, .008, .011},
                      {12.89, -15.11, -.22, 1.08, .86, -.01, .0017},
                      {15.37, -25.9, .17, .97, .59, -.03, .002}};
    start_clock();
    for (long n = SCALED(5200000); n > 0; n--) {
        for (int i = 0; i < 5; i++)
            for (int j = i + 1; j < 5; j++) {
                double dx = x[i][0] - x[j][0], dy = x[i][1] - x[j][1], dz = x[i][2] - x[j][2], d2 = dx * dx + dy * dy + dz * dz,
                       m = .001 / (d2 * sqrt(d2));
                for (int k = 0; k < 3; k++) {
                    double d = k == 0 ? dx : k == 1 ? dy : dz;
                    x[i][3 + k] -= d * x[j][6] * m;
                    x[j][3 + k] += d * x[i][6] * m;
                }
            }
        for (int i = 0; i < 5; i++)
            for (int k = 0; k < 3; k++)
                x[i][k] += .001 * x[i][3 + k];
    }
    return bits(x[0][0]);
}

SCALAR u64 b_mandel(void) {
    u64 t = 0;
    long W = SCALED(640);
    start_clock();
    for (long py = 0; py < W; py++)
        for (long px = 0; px < 640; px++) {
            double cr = px * 3.0 / 640 - 2.2, ci = py * 3.0 / W - 1.5, zr = 0, zi = 0;
            int i;
            for (i = 0; i < 1500; i++) {
                double a = zr * zr, b = zi * zi;
                if (a + b > 4)
                    break;
                zi = 2 * zr * zi + ci;
                zr = a - b + cr;
            }
            t += i;
        }
    return t;
}

u64 b_fpconv(void) {
    double s = 0;
    float f = 0;
    int64_t z = 0;
    start_clock();
    for (long i = SCALED(400000000); i > 0; i--) {
        s += (double)i * .5;
        f += (float)(int)i;
        z += (int64_t)s;
        if (s > 1e12)
            s *= 1e-3;
    }
    return bits(s) ^ z ^ bits(f);
}

u64 b_sse2blur(void) {
    enum { W = 1024, H = 512 };
    u8 *a = map_touched(W * H + 64), *b = map_touched(W * H + 64);
    for (int i = 0; i < W * H; i++)
        a[i] = next_random();
    start_clock();
    __m128i z = _mm_setzero_si128(), acc = z;
    for (long r = SCALED(12000); r > 0; r--) {
        for (int y = 1; y < H - 1; y++)
            for (int x = 16; x < W - 16; x += 16) {
                u8 *p = a + y * W + x;
                __m128i c = _mm_loadu_si128((void *)p), l = _mm_loadu_si128((void *)(p - 1)), g = _mm_loadu_si128((void *)(p + 1)),
                        u = _mm_loadu_si128((void *)(p - W)), d = _mm_loadu_si128((void *)(p + W));
                __m128i h = _mm_avg_epu8(l, g), v = _mm_avg_epu8(u, d);
                __m128i o = _mm_avg_epu8(_mm_avg_epu8(h, v), c);
                _mm_storeu_si128((void *)(b + y * W + x), o);
                acc = _mm_add_epi64(acc, _mm_sad_epu8(o, z));
            }
        u8 *t = a;
        a = b;
        b = t;
    }
    return _mm_cvtsi128_si64(acc);
}

u64 b_sse2int(void) {
    enum { L = 4096 };
    int16_t *a = map_touched(L * 2);
    for (int i = 0; i < L; i++)
        a[i] = next_random();
    start_clock();
    __m128i s = _mm_setzero_si128(), k = _mm_set1_epi16(77), m = _mm_set1_epi8(0x0f);
    for (long r = SCALED(600000); r > 0; r--) {
        for (int i = 0; i < L; i += 8) {
            __m128i x = _mm_loadu_si128((void *)(a + i));
            __m128i y = _mm_mullo_epi16(x, k);
            __m128i w = _mm_madd_epi16(x, y);
            __m128i q = _mm_unpacklo_epi8(_mm_and_si128(x, m), y);
            __m128i c = _mm_cmpgt_epi16(x, y);
            s = _mm_add_epi32(s, w);
            s = _mm_xor_si128(s, _mm_shuffle_epi32(q, 0x4e));
            s = _mm_sub_epi16(s, c);
            s = _mm_add_epi32(s, _mm_srli_epi32(w, 7));
            s = _mm_packs_epi32(s, _mm_slli_epi32(s, 1));
        }
    }
    return _mm_cvtsi128_si64(s);
}

u64 b_x87(void) {
    long double s = 0, x = 1.0L, y = 0.5L;
    start_clock();
    for (long i = SCALED(80000000); i > 0; i--) {
        x = x * 1.0000001L + y;
        y = y / 1.00001L + 0.001L;
        if (x > 1e6L)
            x -= 1e6L;
        s += sqrtl(x) - y;
    }
    return (u64)s;
}

u64 b_x87trig(void) {
    double s = 0, x = .1;
    start_clock();
    for (long i = SCALED(11000000); i > 0; i--) {
        double a, b;
        __asm__("fsincos" : "=t"(a), "=u"(b) : "0"(x));
        s += a * b;
        x += .0003;
        __asm__("fld1; fxch; fyl2x" : "=t"(a) : "0"(x));
        s += a;
    }
    return bits(s) >> 24;
}
