// Rows that the guest kernel works for: system calls, processes, page faults, signals.
#define _GNU_SOURCE
#include "bench.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

u64 b_getppid(void) {
    u64 a = 0;
    start_clock();
    for (long i = SCALED(3000000); i > 0; i--)
        a += syscall(SYS_getppid) >= 0;
    return a;
}

u64 b_pipe(void) {
    int a[2], b[2];
    if (pipe(a) || pipe(b))
        exit(2);
    char c = 1;
    long n = SCALED(60000);
    start_clock();
    pid_t p = fork();
    if (!p) {
        for (long i = n; i > 0; i--) {
            if (read(a[0], &c, 1) != 1)
                _exit(1);
            if (write(b[1], &c, 1) != 1)
                _exit(1);
        }
        _exit(0);
    }
    for (long i = n; i > 0; i--) {
        if (write(a[1], &c, 1) != 1)
            exit(2);
        if (read(b[0], &c, 1) != 1)
            exit(2);
    }
    waitpid(p, 0, 0);
    return n;
}

u64 b_forkexec(void) {
    long n = SCALED(500), k = 0;
    start_clock();
    for (long i = n; i > 0; i--) {
        pid_t p = fork();
        if (!p) {
            execl("/bin/busybox", "true", (char *)0);
            _exit(9);
        }
        int st;
        waitpid(p, &st, 0);
        k += st == 0;
    }
    return k;
}

u64 b_fork(void) {
    long n = SCALED(2000), k = 0;
    start_clock();
    for (long i = n; i > 0; i--) {
        pid_t p = fork();
        if (!p)
            _exit(0);
        int st;
        waitpid(p, &st, 0);
        k += st == 0;
    }
    return k;
}

u64 b_pgfault(void) {
    size_t L = 32ul << 20;
    u64 c = 0;
    start_clock();
    for (long r = SCALED(30); r > 0; r--) {
        u8 *p = mmap(0, L, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        madvise(p, L, MADV_NOHUGEPAGE);
        for (size_t i = 0; i < L; i += 4096)
            p[i] = i, c++;
        munmap(p, L);
    }
    return c;
}

u64 b_mprotect(void) {
    u8 *p = map_touched(16 * 4096);
    u64 c = 0;
    start_clock();
    for (long i = SCALED(100000); i > 0; i--) {
        mprotect(p + 4096, 4096, PROT_READ);
        c += p[4096];
        mprotect(p + 4096, 4096, PROT_READ | PROT_WRITE);
        p[4096] = i;
    }
    return c;
}

static volatile u64 signals;
static void count_signal(int number) {
    (void)number;
    signals++;
}

u64 b_signal(void) {
    signal(SIGUSR1, count_signal);
    pid_t me = getpid();
    start_clock();
    for (long i = SCALED(500000); i > 0; i--)
        kill(me, SIGUSR1);
    return signals;
}
