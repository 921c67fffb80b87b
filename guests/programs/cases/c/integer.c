// Integer arithmetic of all widths: edge operands, shifts, divisions, 128 bits, overflow builtins, bit builtins, switches, recursion.
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 88172645463325252u, sum;

static uint64_t next(void) {
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void mix(uint64_t value) {
    sum = (sum ^ value) * 1099511628211u;
}

static void show(const char *name) {
    printf("%s %016" PRIx64 "\n", name, sum);
    sum = 14695981039346656037u;
}

#define OPERATIONS(T, U, name)                                                        \
    __attribute__((noinline)) static void name(T a, T b) {                            \
        int shift = b & (sizeof(T) * 8 - 1);                                          \
        T sum_, difference, product;                                                  \
        mix((U)a + (U)b), mix((U)a - (U)b), mix((U)a * (U)b), mix(a & b), mix(a | b); \
        mix((T)((U)a << shift)), mix(a >> shift), mix((U)a >> shift), mix(-(U)a);     \
        mix((U)a << shift | (U)a >> (-shift & (sizeof(T) * 8 - 1)));                  \
        if (b != 0 && b != (T)-1)                                                     \
            mix(a / b), mix(a % b), mix((U)a / (U)b), mix((U)a % (U)b);               \
        mix(a / 7), mix(a % 10), mix((U)a / 1000), mix(a / -16);                      \
        mix(a < b), mix((U)a < (U)b), mix(a == b), mix(a > b ? a : b);                \
        mix(__builtin_add_overflow(a, b, &sum_)), mix(sum_);                          \
        mix(__builtin_sub_overflow(a, b, &difference)), mix(difference);              \
        mix(__builtin_mul_overflow(a, b, &product)), mix(product);                    \
    }
OPERATIONS(int8_t, uint8_t, bytes)
OPERATIONS(int16_t, uint16_t, words)
OPERATIONS(int32_t, uint32_t, doubles)
OPERATIONS(int64_t, uint64_t, quads)
#ifdef __SIZEOF_INT128__
typedef __int128 int128;
typedef unsigned __int128 uint128;
OPERATIONS(int128, uint128, octets)
#endif

static const int64_t edges[] = {0, 1, -1, 2, 7, 127, 128, -128, 255, 32767, 32768, -32768, 65535, 2147483647, 2147483648, -2147483648, 4294967295, 1L << 40, INT64_MAX, INT64_MIN};
enum { EDGES = sizeof edges / sizeof *edges };

static void bits(uint64_t a) {
    uint32_t low = a;
    mix(__builtin_popcountll(a)), mix(__builtin_parityll(a)), mix(__builtin_bswap64(a)), mix(__builtin_bswap32(low)), mix(__builtin_bswap16(low)), mix(__builtin_ffsll(a));
    if (low)
        mix(__builtin_clz(low)), mix(__builtin_ctz(low)), mix(__builtin_clzll(a)), mix(__builtin_ctzll(a));
    mix(a & -a), mix(a & (a - 1)), mix(a ^ (a - 1)), mix(~a & low), mix(a >> (a & 31) & 255);
}

__attribute__((noinline)) static unsigned interpret(const unsigned char *code, unsigned steps) {
    unsigned a = 1, b = 2, at = 0;
    while (steps--) {
        switch (code[at++ & 1023] % 16) {
        case 0: a += b; break;
        case 1: b ^= a; break;
        case 2: a = a << 3 | a >> 29; break;
        case 3: b -= 77; break;
        case 4: at += a & 3; break;
        case 5: a = b > a ? b : a; break;
        case 6: { unsigned t = a; a = b; b = t; } break;
        case 7: a *= 33; break;
        case 8: b = ~b; break;
        case 9: a = (unsigned char)a; break;
        case 10: b = (int)b >> 2; break;
        case 11: if (a & 1) at ^= 5; break;
        case 12: a = a / (b | 1); break;
        case 13: b = b % (a | 3); break;
        case 14: a = (short)b; break;
        default: a ^= steps;
        }
    }
    return a * 31 + b;
}

static int ackermann(int m, int n) {
    return m == 0 ? n + 1 : n == 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1));
}

static int queens(int n, int row, unsigned columns, unsigned left, unsigned right) {
    int count = 0;
    if (row == n)
        return 1;
    for (unsigned free = ~(columns | left | right) & ((1u << n) - 1); free; free &= free - 1) {
        unsigned bit = free & -free;
        count += queens(n, row + 1, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    }
    return count;
}

static int compare(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

struct packed {
    signed a : 3;
    unsigned b : 11;
    signed long long c : 37;
    unsigned char d;
} __attribute__((packed));

int main(void) {
    static unsigned char code[1024];
    static uint32_t numbers[20000];
    for (int i = 0; i < EDGES; i++)
        for (int j = 0; j < EDGES; j++)
            bytes(edges[i], edges[j]), words(edges[i], edges[j]), doubles(edges[i], edges[j]), quads(edges[i], edges[j]);
    show("edges");
    for (int i = 0; i < 20000; i++) {
        uint64_t a = next() >> (next() & 63), b = next() >> (next() & 63);
        bytes(a, b), words(a, b), doubles(a, b), quads(a, b), bits(a);
    }
    show("random");
#ifdef __SIZEOF_INT128__
    for (int i = 0; i < 20000; i++)
        octets((int128)next() << 64 | next(), ((int128)next() << 64 | next()) >> (next() & 127));
    show("128 bits");
#endif
    for (int i = 0; i < 1024; i++)
        code[i] = next();
    mix(interpret(code, 3000000));
    show("interpreter");
    mix(ackermann(2, 300)), mix(ackermann(3, 6)), mix(queens(8, 0, 0, 0, 0));
    show("recursion");
    for (int i = 0; i < 20000; i++)
        numbers[i] = next();
    qsort(numbers, 20000, sizeof *numbers, compare);
    for (int i = 0; i < 20000; i++)
        mix(numbers[i]);
    show("sorted");
    struct packed packed[100];
    memset(packed, 0, sizeof packed);
    for (int i = 0; i < 10000; i++) {
        struct packed *p = &packed[next() % 100];
        p->a += i, p->b ^= next(), p->c -= next(), p->d++;
        mix(p->a), mix(p->b), mix(p->c), mix(p->d);
    }
    show("bit fields");
    return 0;
}
