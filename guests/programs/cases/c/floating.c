// float, double, long double, complex numbers and 128-bit floats: arithmetic, conversions, comparisons, functions, rounding modes and
// exceptions. TYPE-independent parts are macros.
#include <complex.h>
#include <fenv.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#pragma STDC FENV_ACCESS ON

static uint64_t state = 88172645463325252u, sum = 14695981039346656037u;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void mix(const void *value, size_t size) {
    for (size_t i = 0; i < size; i++)
        sum = (sum ^ ((const unsigned char *)value)[i]) * 1099511628211u;
}

static void show(const char *name) {
    printf("%s %016" PRIx64 "\n", name, sum);
    sum = 14695981039346656037u;
}

static void mix_float(float x) {
    mix(&x, sizeof x);
}

static void mix_double(double x) {
    mix(&x, sizeof x);
}

static void mix_long(long double x) {
    mix(&x, 10);
}

// The x87 instructions behind functions of long double, in 32-bit code of double too, are good to the last bit but one: of their results
// only what all processors agree in is looked at.
static void mix_coarse(long double x) {
    mix_float((float)x);
}

static void mix_result(double x) {
#ifdef __i386__
    mix_coarse(x);
#else
    mix_double(x);
#endif
}

static void mix_integer(int64_t x) {
    mix(&x, sizeof x);
}

static const double edges[] = {0, -0.0, 1, -1, 0.5, 1.5, 2.5, -2.5, 1e-310, 5e-324, DBL_MIN, DBL_MAX, FLT_MIN, FLT_MAX, 1e-40, 2147483647.5, -2147483648.5, 4294967296.0, 9.3e18, 1.9e19, 0.1, 3.7, 1e22, INFINITY, -INFINITY, NAN};
enum { EDGES = sizeof edges / sizeof *edges };

#define ARITHMETIC(T, name, mixer, root, rounded, fused, remainder)                                                                                  \
    __attribute__((noinline)) static void name(T a, T b, T c) {                                                                                      \
        mixer(a + b), mixer(a - b), mixer(a * b), mixer(a / b), mixer(root(a)), mixer(-a), mixer(a * b + c), mixer(fused(a, b, c)), mixer(a < b ? a : b); \
        mixer(rounded(a)), mixer(remainder(a, b)), mixer((T)(float)a), mixer((T)(double)a), mixer((T)(long double)a);                               \
        mix_integer(a < b), mix_integer(a <= b), mix_integer(a == b), mix_integer(a != b), mix_integer(isunordered(a, b)), mix_integer(isless(a, b)); \
        if (a > -2e9 && a < 2e9)                                                                                                                     \
            mix_integer((int)a), mix_integer((int64_t)a), mix_integer((short)(int)a);                                                                \
        if (a >= 0 && a < 1.8e19)                                                                                                                    \
            mix_integer((uint64_t)a);                                                                                                                \
        mixer((T)(int32_t)next()), mixer((T)(int64_t)next()), mixer((T)(uint64_t)next()), mixer((T)(uint32_t)next()), mixer((T)(short)next());       \
        mix_integer(fpclassify(a)), mix_integer(signbit(a) != 0);                                                                                    \
    }
ARITHMETIC(float, floats, mix_float, sqrtf, rintf, fmaf, fmodf)
ARITHMETIC(double, doubles, mix_double, sqrt, rint, fma, fmod)
ARITHMETIC(long double, longs, mix_long, sqrtl, rintl, fmal, fmodl)

static double random_double(void) {
    uint64_t bits = next();
    double x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

static double reasonable(void) {
    return ldexp((double)(int64_t)next(), (int)(next() % 120) - 120);
}

static void arithmetic(void) {
    static const int modes[] = {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO};
    for (int mode = 0; mode < 4; mode++) {
        char name[40];
        fesetround(modes[mode]);
        feclearexcept(FE_ALL_EXCEPT);
        for (int i = 0; i < EDGES; i++)
            for (int j = 0; j < EDGES; j++)
                floats(edges[i], edges[j], edges[(i + j) % EDGES]), doubles(edges[i], edges[j], edges[(i + j) % EDGES]), longs(edges[i], edges[j], edges[(i + j) % EDGES]);
        for (int i = 0; i < 3000; i++) {
            double a = reasonable(), b = reasonable(), c = reasonable();
            floats(a, b, c), doubles(a, b, c), longs(a, b, c);
        }
        for (int i = 0; i < 1000; i++) {
            double a = random_double(), b = random_double(), c = random_double();
            floats(a, b, c), doubles(a, b, c), longs(a, b, c);
        }
        int exceptions = fetestexcept(FE_ALL_EXCEPT);
        fesetround(FE_TONEAREST);
        sprintf(name, "mode %d %x", mode, exceptions);
        show(name);
    }
}

static void exceptions(void) {
    volatile double zero = 0, one = 1, huge = DBL_MAX, tiny = DBL_MIN, third = 3;
    volatile double result;
    static const char *const names[] = {"1/0", "0/0", "huge*huge", "tiny*tiny", "1/3", "sqrt(-1)", "(int)huge", "nan<1"};
    for (int i = 0; i < 8; i++) {
        feclearexcept(FE_ALL_EXCEPT);
        switch (i) {
        case 0: result = one / zero; break;
        case 1: result = zero / zero; break;
        case 2: result = huge * huge; break;
        case 3: result = tiny * tiny; break;
        case 4: result = one / third; break;
        case 5: result = sqrt(-one); break;
        case 6: result = lrint(huge); break;
        default: result = NAN < one;
        }
        int raised = fetestexcept(FE_ALL_EXCEPT);
        printf("%s %x\n", names[i], raised);
    }
}

#define FUNCTIONS(F)                                                                                                                                          \
    F(sin) F(cos) F(tan) F(asin) F(acos) F(atan) F(sinh) F(cosh) F(tanh) F(asinh) F(acosh) F(atanh) F(exp) F(exp2) F(expm1) F(log) F(log2) F(log10) F(log1p) F(cbrt) \
        F(erf) F(erfc) F(tgamma) F(lgamma) F(floor) F(ceil) F(round) F(trunc) F(nearbyint) F(logb)

static void functions(void) {
#define TRY(name)                                                                    \
    for (int i = 0; i < 400; i++) {                                                  \
        double x = i < EDGES ? edges[i] : i < 200 ? (i - 100) * 0.37 : reasonable(); \
        mix_float(name##f(x)), mix_result(name(x)), mix_coarse(name##l(x));          \
    }                                                                                \
    show(#name);
    FUNCTIONS(TRY)
    for (int i = 0; i < 1000; i++) {
        double x = reasonable(), y = reasonable();
        int e;
        long double whole;
        mix_result(pow(fabs(x), y / 1000)), mix_coarse(powl(fabs(x), y / 1000)), mix_result(atan2(x, y)), mix_coarse(atan2l(x, y)), mix_result(hypot(x, y)), mix_long(remainderl(x, y));
        mix_long(frexpl(x, &e)), mix_integer(e), mix_long(modfl(x, &whole)), mix_long(whole), mix_double(nextafter(x, y)), mix_long(nextafterl(x, y)), mix_long(scalbnl(x, e & 63));
    }
    show("two arguments");
    for (int i = 0; i < 300; i++) {
        double complex z = reasonable() + I * reasonable(), w = reasonable() - I;
        double complex values[] = {z * w, z / w, csqrt(z), cexp(z / 1e9), clog(z), cpow(z, 0.3 + I), csin(w / 1e9)};
        for (int k = 0; k < 7; k++)
            mix_result(creal(values[k])), mix_result(cimag(values[k]));
        mix_result(cabs(z)), mix_result(carg(z));
    }
    show("complex");
}

static void text(void) {
    for (int i = 0; i < 2000; i++) {
        char buffer[400];
        double x = random_double();
        long double y = x * (long double)reasonable();
        mix(buffer, sprintf(buffer, "%.17g %a %e %.3f", x, x, x, reasonable()));
        mix(buffer, sprintf(buffer, "%.21Lg %La", y, y));
        mix_double(strtod(buffer, NULL)), mix_long(strtold(buffer, NULL));
    }
    show("text");
}

#ifdef __SIZEOF_FLOAT128__
static void quads(void) {
    __float128 total = 0, product = 1;
    for (int i = 1; i < 3000; i++) {
        __float128 x = reasonable();
        total += x / i, product *= 1 + x / 1e20, total -= (__float128)(int64_t)x;
        mix(&total, sizeof total), mix(&product, sizeof product), mix_integer(total < product), mix_double(total), mix_long(product);
    }
    show("128 bits");
}
#endif

static void loops(void) {
    static double a[40][40], b[40][40], c[40][40];
    static float f[1000], g[1000];
    double energy = 0, s = 0;
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 40; j++)
            a[i][j] = 1.0 / (i + j + 1), b[i][j] = i - j * 0.3;
    for (int turn = 0; turn < 5; turn++)
        for (int i = 0; i < 40; i++)
            for (int j = 0; j < 40; j++)
                for (int k = 0; k < 40; k++)
                    c[i][j] += a[i][k] * b[k][j];
    mix(c, sizeof c);
    for (int i = 0; i < 1000; i++)
        f[i] = i * 0.01f;
    for (int turn = 0; turn < 50; turn++)
        for (int i = 1; i < 999; i++)
            g[i] = f[i] * 0.5f + (f[i - 1] + f[i + 1]) * 0.25f - sqrtf(fabsf(f[i])) * 0.001f, f[i] = g[i] > 3 ? g[i] - 1 : g[i] + 0.01f;
    mix(f, sizeof f);
    double x = 1, y = 0, vx = 0, vy = 0.9;
    for (int i = 0; i < 100000; i++) {
        double r = sqrt(x * x + y * y), k = 1e-4 / (r * r * r);
        vx -= k * x, vy -= k * y, x += vx * 1e-4, y += vy * 1e-4, s += r;
        energy = (vx * vx + vy * vy) / 2 - 1 / r;
    }
    printf("%a %a %a %a\n", x, y, s, energy);
    show("loops");
}

int main(void) {
    arithmetic();
    exceptions();
    functions();
    text();
#ifdef __SIZEOF_FLOAT128__
    quads();
#endif
    loops();
    return 0;
}
