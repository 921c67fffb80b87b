// Rows of integer arithmetic, calls and atomics.
#include "bench.h"
#include <stdlib.h>
#include <string.h>

u64 b_sieve(void) {
    enum { M = 1000000 };
    u8 *s = map_touched(M + 1);
    u64 c = 0;
    start_clock();
    for (long r = SCALED(170); r > 0; r--) {
        memset(s, 1, M + 1);
        for (u32 i = 2; i * i <= M; i++)
            if (s[i])
                for (u32 j = i * i; j <= M; j += i)
                    s[j] = 0;
        for (u32 i = 2; i <= M; i++) {
            c += s[i];
        }
    }
    return c;
}

u64 b_crc32(void) {
    static u32 t[256];
    for (u32 i = 0; i < 256; i++) {
        u32 c = i;
        for (int k = 0; k < 8; k++)
            c = c & 1 ? 0xEDB88320 ^ (c >> 1) : c >> 1;
        t[i] = c;
    }
    enum { L = 65536 };
    u8 *b = map_touched(L);
    for (int i = 0; i < L; i++)
        b[i] = next_random();
    u32 c = ~0u;
    start_clock();
    for (long r = SCALED(5000); r > 0; r--)
        for (int i = 0; i < L; i++)
            c = t[(c ^ b[i]) & 255] ^ (c >> 8);
    return c;
}

u64 b_hash(void) {
    enum { B = 20 };
    u64 *k = map_touched(8ul << B), *v = map_touched(8ul << B);
    u64 acc = 0;
    start_clock();
    for (long r = SCALED(22); r > 0; r--) {
        memset(k, 0, 8ul << B);
        for (int i = 0; i < 500000; i++) {
            u64 x = next_random() | 1;
            u64 h = (x * 0x9E3779B97F4A7C15ull) >> (64 - B);
            while (k[h] && k[h] != x)
                h = (h + 1) & ((1 << B) - 1);
            k[h] = x;
            v[h] += i;
        }
        for (int i = 0; i < 1000000; i++) {
            u64 x = next_random() | 1;
            u64 h = (x * 0x9E3779B97F4A7C15ull) >> (64 - B);
            while (k[h]) {
                if (k[h] == x) {
                    acc += v[h];
                    break;
                }
                h = (h + 1) & ((1 << B) - 1);
                acc++;
            }
        }
    }
    return acc;
}

// Hoare partition, insertion sort for short runs.
static void quicksort(int *a, long n) {
    while (n > 16) {
        int p = a[n / 2];
        long i = 0, j = n - 1;
        for (;;) {
            while (a[i] < p)
                i++;
            while (a[j] > p)
                j--;
            if (i >= j)
                break;
            int t = a[i];
            a[i] = a[j];
            a[j] = t;
            i++;
            j--;
        }
        if (i < n - i) {
            quicksort(a, i);
            a += i;
            n -= i;
        } else {
            quicksort(a + i, n - i);
            n = i;
        }
    }
    for (long i = 1; i < n; i++) {
        int x = a[i];
        long j = i;
        while (j > 0 && a[j - 1] > x) {
            a[j] = a[j - 1];
            j--;
        }
        a[j] = x;
    }
}

u64 b_qsort(void) {
    enum { M = 2000000 };
    int *a = map_touched(4ul * M);
    u64 c = 0;
    start_clock();
    for (long r = SCALED(6); r > 0; r--) {
        for (int i = 0; i < M; i++)
            a[i] = next_random();
        quicksort(a, M);
        for (int i = 1; i < M; i++)
            if (a[i] < a[i - 1])
                exit(3);
        c += (u32)a[M / 3];
    }
    return c;
}

static int compare_ints(const void *x, const void *y) {
    int a = *(const int *)x, b = *(const int *)y;
    return a < b ? -1 : a > b;
}

u64 b_libqsort(void) {
    enum { M = 1000000 };
    int *a = map_touched(4ul * M);
    u64 c = 0;
    start_clock();
    for (long r = SCALED(8); r > 0; r--) {
        for (int i = 0; i < M; i++)
            a[i] = next_random();
        qsort(a, M, 4, compare_ints);
        c += (u32)a[M / 3];
    }
    return c;
}

// switch-dispatched register VM running a collatz loop
enum { LDI, ADD, MUL, ANDI, SHR, JZ, JNZ, JMP, ADDI, LT, HALT, MOV };
struct op {
    u8 o, a, b, c;
    int imm;
};
static u64 __attribute__((noinline)) vm(struct op *p, u64 *R) {
    long pc = 0;
    for (;;) {
        struct op o = p[pc++];
        switch (o.o) {
        case LDI:
            R[o.a] = o.imm;
            break;
        case ADD:
            R[o.a] = R[o.b] + R[o.c];
            break;
        case MUL:
            R[o.a] = R[o.b] * R[o.c];
            break;
        case ANDI:
            R[o.a] = R[o.b] & o.imm;
            break;
        case SHR:
            R[o.a] = R[o.b] >> o.imm;
            break;
        case JZ:
            if (!R[o.a])
                pc = o.imm;
            break;
        case JNZ:
            if (R[o.a])
                pc = o.imm;
            break;
        case JMP:
            pc = o.imm;
            break;
        case ADDI:
            R[o.a] = R[o.b] + o.imm;
            break;
        case LT:
            R[o.a] = R[o.b] < R[o.c];
            break;
        case MOV:
            R[o.a] = R[o.b];
            break;
        case HALT:
            return R[0];
        }
    }
}

u64 b_vm(void) {
    // r1 runs from 1 to r6; r0 counts the steps
    struct op program[] = {{LDI, 0, 0, 0, 0},  {LDI, 1, 0, 0, 1},  {LDI, 7, 0, 0, 3},  {MOV, 2, 1, 0, 0},  {ADDI, 3, 2, 0, -1},
                     {JZ, 3, 0, 0, 13},  {ADDI, 0, 0, 0, 1}, {ANDI, 4, 2, 0, 1}, {JNZ, 4, 0, 0, 11}, {SHR, 2, 2, 0, 1},
                     {JMP, 0, 0, 0, 4},  {MUL, 2, 2, 7, 0},  {JMP, 0, 0, 0, 15}, {ADDI, 1, 1, 0, 1}, {JMP, 0, 0, 0, 17},
                     {ADDI, 2, 2, 0, 1}, {JMP, 0, 0, 0, 4},  {LT, 5, 1, 6, 0},   {JNZ, 5, 0, 0, 3},  {HALT, 0, 0, 0, 0}};
    u64 R[8] = {0};
    R[6] = SCALED(420000);
    start_clock();
    return vm(program, R);
}

// interpreter of a character language: a switch on the source, jumps computed beforehand
u64 b_bf(void) {
    static const char *src = "++++++++[>++++++++<-]>[<++++>-]+<[>-<[>++++<-]>[<++++++++>-]<[>++++++++<-]+>[>++++++++[>+++++<-]>+>++++++++[>++++<-]>[-"
                             "]<<<<-]<]>[-]++++++++[>++++++++[>++++++++[>++++++++[>++++++++[>+++++++[>++++[>+++<-]>[-]<<-]<-]<-]<-]<-]<-]";
    long n = strlen(src);
    int *jm = calloc(n, 4);
    int st[64], sp = 0;
    for (int i = 0; i < n; i++) {
        if (src[i] == '[')
            st[sp++] = i;
        else if (src[i] == ']') {
            int j = st[--sp];
            jm[i] = j;
            jm[j] = i;
        }
    }
    static u8 tape[65536];
    u64 steps = 0;
    start_clock();
    for (long r = SCALED(37); r > 0; r--) {
        memset(tape, 0, sizeof tape);
        long d = 100;
        for (long ip = 0; ip < n; ip++) {
            steps++;
            switch (src[ip]) {
            case '+':
                tape[d]++;
                break;
            case '-':
                tape[d]--;
                break;
            case '>':
                d++;
                break;
            case '<':
                d--;
                break;
            case '[':
                if (!tape[d])
                    ip = jm[ip];
                break;
            case ']':
                if (tape[d])
                    ip = jm[ip];
                break;
            }
        }
    }
    return steps;
}

static u64 fibr(u64 n);
static u64 (*volatile fib_function)(u64) = fibr;
static __attribute__((noinline, optimize("no-optimize-sibling-calls", "O1"))) u64 fibr(u64 n) {
    return n < 2 ? n : fibr(n - 1) + fibr(n - 2);
}

u64 b_fib(void) {
    u64 a = 0;
    start_clock();
    for (long r = SCALED(7); r > 0; r--)
        a += fib_function(36);
    return a;
}

// indirect calls through a table
static __attribute__((noinline)) u64 f0(u64 x) {
    return x + 1;
}

static __attribute__((noinline)) u64 f1(u64 x) {
    return x * 3;
}

static __attribute__((noinline)) u64 f2(u64 x) {
    return x ^ (x >> 3);
}

static __attribute__((noinline)) u64 f3(u64 x) {
    return x - 7;
}

static u64 (*volatile call_table[4])(u64) = {f0, f1, f2, f3};
u64 b_icall(void) {
    u64 x = 1;
    start_clock();
    for (long i = SCALED(400000000); i > 0; i--) {
        x = call_table[(x >> 5) & 3](x);
    }
    return x;
}

u64 b_muldiv(void) {
    u64 a = next_random(), s = 0;
    start_clock();
    for (long i = SCALED(64000000); i > 0; i--) {
        a = a * 6364136223846793005ull + 1442695040888963407ull;
        u64 d = (a >> 40) | 1;
        s += a / d;
        s ^= a % d;
        unsigned __int128 m = (unsigned __int128)a * s;
        s += (u64)(m >> 64);
        u32 e = (u32)a | 1;
        s += (u32)s / e;
    }
    return s;
}

u64 b_bignum(void) {
    enum { L = 64 };
    u64 a[L], b[L];
    for (int i = 0; i < L; i++) {
        a[i] = next_random();
        b[i] = next_random();
    }
    start_clock();
    for (long r = SCALED(16000000); r > 0; r--) {
        u64 n = L, *pa = a, *pb = b, t;
        __asm__ volatile("clc\n1:\tmov (%1),%3\n\tadc (%2),%3\n\tmov %3,(%1)\n\tlea 8(%1),%1\n\tlea 8(%2),%2\n\tdec %0\n\tjnz 1b"
                         : "+r"(n), "+r"(pa), "+r"(pb), "=&r"(t)::"cc", "memory");
    }
    u64 s = 0;
    for (int i = 0; i < L; i++)
        s ^= a[i];
    return s;
}

u64 b_atomic(void) {
    static volatile u64 c;
    start_clock();
    for (long i = SCALED(60000000); i > 0; i--) {
        __atomic_fetch_add(&c, 1, __ATOMIC_SEQ_CST);
        u64 e = c;
        __atomic_compare_exchange_n((u64 *)&c, &e, e + 3, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    }
    return c;
}
