// Rows of code that changes while it runs.
#include "bench.h"
#include <string.h>
#include <sys/mman.h>

// self-modifying: an immediate of a function is patched before every call
u64 b_smc(void) {
    u8 *p = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u8 code[] = {0xb8, 0, 0, 0, 0, 0x83, 0xc0, 1, 0xc3};
    memcpy(p, code, sizeof code);
    u64 s = 0;
    start_clock();
    for (long i = SCALED(1500000); i > 0; i--) {
        u32 v = i;
        memcpy(p + 1, &v, 4);
        __asm__ volatile("" ::: "memory");
        s += ((u32(*)(void))p)();
    }
    return s;
}

// fresh code, as a JIT writes it: a new small function in a rolling buffer of 1 MiB, called 20 times
u64 b_newcode(void) {
    size_t L = 1 << 20;
    u8 *p = mmap(0, L, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    u8 code[] = {0xb8, 0, 0, 0, 0, 0x83, 0xc0, 1, 0x83, 0xf0, 0x55, 0x01, 0xf8, 0xc3};
    size_t o = 0;
    u64 s = 0;
    start_clock();
    for (long i = SCALED(1200000); i > 0; i--) {
        u32 v = i;
        memcpy(code + 1, &v, 4);
        memcpy(p + o, code, sizeof code);
        __asm__ volatile("" ::: "memory");
        u32 (*f)(int) = (u32(*)(int))(p + o);
        for (int k = 0; k < 20; k++)
            s += f(k);
        o += 64;
        if (o >= L)
            o = 0;
    }
    return s;
}
