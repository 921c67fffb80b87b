// Rows of memory: streams, copies, pointer chasing.
#include "bench.h"
#include <stdlib.h>
#include <string.h>

// Streams over 64 MiB. The offset keeps source and destination from falling on the same entries of a direct-mapped TLB.
#define STREAM_BYTES (64ul << 20)
#define STREAM_OFFSET (37 * 4096)
u64 b_memcpy(void) {
    u8 *a = map_touched(STREAM_BYTES + STREAM_OFFSET), *b = a + STREAM_BYTES / 2 + STREAM_OFFSET;
    start_clock();
    for (long r = SCALED(100); r > 0; r--) {
        memcpy(b, a, STREAM_BYTES / 2);
        a[r]++;
    }
    return b[5];
}

u64 b_memset(void) {
    u8 *a = map_touched(STREAM_BYTES);
    start_clock();
    for (long r = SCALED(90); r > 0; r--) {
        memset(a, r, STREAM_BYTES);
        __asm__ volatile("" ::"r"(a) : "memory");
    }
    return a[7];
}

u64 b_strlen(void) {
    char *a = map_touched(STREAM_BYTES);
    a[STREAM_BYTES - 1] = 0;
    u64 s = 0;
    start_clock();
    for (long r = SCALED(110); r > 0; r--) {
        s += strlen(a);
        a[STREAM_BYTES - 2 - r] = 0;
        __asm__ volatile("" ::"r"(a) : "memory");
    }
    return s;
}

static __attribute__((noinline, optimize("no-tree-loop-distribute-patterns", "no-tree-vectorize"))) void copy8(u64 *d, const u64 *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        d[i] = s[i];
}

u64 b_copy8(void) {
    u64 *a = map_touched(STREAM_BYTES + STREAM_OFFSET), *b = a + (STREAM_BYTES / 2 + STREAM_OFFSET) / 8;
    start_clock();
    for (long r = SCALED(100); r > 0; r--) {
        copy8(b, a, STREAM_BYTES / 16);
        a[r]++;
    }
    return b[5];
}

// The same 32 MiB apart exactly: in a direct-mapped software TLB every access throws the other one out.
u64 b_copy8alias(void) {
    u64 *a = map_touched(STREAM_BYTES), *b = a + STREAM_BYTES / 16;
    start_clock();
    for (long r = SCALED(100); r > 0; r--) {
        copy8(b, a, STREAM_BYTES / 16);
        a[r]++;
    }
    return b[5];
}

u64 b_repmovs(void) {
    u8 *a = map_touched(STREAM_BYTES + STREAM_OFFSET), *b = a + STREAM_BYTES / 2 + STREAM_OFFSET;
    start_clock();
    for (long r = SCALED(10); r > 0; r--) {
        void *d = b, *s = a;
        u64 n = STREAM_BYTES / 2;
        __asm__ volatile("rep movsb" : "+D"(d), "+S"(s), "+c"(n)::"memory");
        d = b;
        s = a;
        n = STREAM_BYTES / 16;
        __asm__ volatile("rep movsq" : "+D"(d), "+S"(s), "+c"(n)::"memory");
        d = b;
        n = STREAM_BYTES / 16;
        __asm__ volatile("rep stosq" : "+D"(d), "+c"(n) : "a"(r) : "memory");
    }
    return b[9];
}

u64 b_chase32m(void) {
    long M = (32l << 20) / 64;
    struct {
        u64 n;
        u64 pad[7];
    } *c = map_touched(32ul << 20);
    u32 *p = malloc(M * 4);
    for (long i = 0; i < M; i++)
        p[i] = i;
    for (long i = M - 1; i > 0; i--) {
        long j = next_random() % i;
        u32 t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
    for (long i = 0; i < M; i++)
        c[p[i]].n = p[(i + 1) % M];
    u64 k = 0;
    start_clock();
    for (long i = SCALED(12000000); i > 0; i--)
        k = c[k].n;
    return k;
}

u64 b_chase_l1(void) {
    long M = 256;
    struct {
        u64 n;
        u64 pad[7];
    } *c = map_touched(M * 64);
    u32 p[256];
    for (long i = 0; i < M; i++)
        p[i] = i;
    for (long i = M - 1; i > 0; i--) {
        long j = next_random() % i;
        u32 t = p[i];
        p[i] = p[j];
        p[j] = t;
    }
    for (long i = 0; i < M; i++)
        c[p[i]].n = p[(i + 1) % M];
    u64 k = 0;
    start_clock();
    for (long i = SCALED(350000000); i > 0; i--)
        k = c[k].n;
    return k;
}
