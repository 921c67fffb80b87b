// What the rows of the benchmark share. A row is a function b_NAME that sets up, calls start_clock, works, and returns a checksum.
#pragma once
#include <stddef.h>
#include <stdint.h>

typedef uint64_t u64;
typedef uint32_t u32;
typedef uint8_t u8;

// Length of the run in percent, from the command line.
extern int percent;

// x scaled by percent, at least 1.
#define SCALED(x) ((long)((double)(x) * percent / 100.0) < 1 ? 1 : (long)((double)(x) * percent / 100.0))

// The time that counts begins here; what came before was set-up.
void start_clock(void);

// n bytes of anonymous memory, all touched.
void *map_touched(size_t n);

// xorshift64 with a fixed seed: the same numbers in every run.
static inline u64 next_random(void) {
    static u64 state = 88172645463325252ull;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

#define ROWS(row) \
    row(sieve) row(crc32) row(hash) row(qsort) row(libqsort) row(vm) row(bf) row(fib) row(icall) row(muldiv) row(bignum) row(atomic) \
    row(memcpy) row(memset) row(strlen) row(copy8) row(copy8alias) row(repmovs) row(chase32m) row(chase_l1) \
    row(matmul) row(matmul48) row(nbody) row(mandel) row(fpconv) row(sse2blur) row(sse2int) row(x87) row(x87trig) \
    row(getppid) row(pipe) row(fork) row(forkexec) row(pgfault) row(mprotect) row(signal) \
    row(smc) row(newcode)

#define DECLARE(name) u64 b_##name(void);
ROWS(DECLARE)
