// Control flow that is not a plain call: setjmp, varargs, function pointers, computed goto, nested functions, signals (with the faults the
// processor raises), alternate stacks, ucontext, alloca, unwinding through a signal.
#define _GNU_SOURCE
#include <alloca.h>
#include <fenv.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile sig_atomic_t heard, code_of;
static void *volatile address;

static long long add_all(const char *kinds, ...) {
    va_list list, copy;
    long long total = 0;
    va_start(list, kinds);
    va_copy(copy, list);
    for (int pass = 0; pass < 2; pass++)
        for (const char *k = kinds; *k; k++) {
            va_list *from = pass ? &copy : &list;
            switch (*k) {
            case 'i': total = total * 3 + va_arg(*from, int); break;
            case 'l': total = total * 5 + va_arg(*from, long long); break;
            case 'd': total += (long long)(va_arg(*from, double) * 100); break;
            case 'L': total += (long long)(va_arg(*from, long double) * 1000); break;
            default: total += strlen(va_arg(*from, char *));
            }
        }
    va_end(list);
    va_end(copy);
    return total;
}

static void on_fault(int number, siginfo_t *info, void *context) {
    code_of = info->si_code;
    address = info->si_addr;
    siglongjmp(back, number);
}

static void on_signal(int number) {
    heard++;
}

static int caught(void (*function)(void)) {
    int number = sigsetjmp(back, 1);
    if (number == 0)
        function();
    return number;
}

static char *page;
static volatile int zero;
static void divide(void) { heard = 5 / zero; }
static void overflow(void) { volatile int least = -2147483647 - 1, minus = -1; heard = least / minus; }
static void no_page(void) { *(volatile int *)(page + 4096 + 16) = 1; }
static void read_only(void) { *(volatile char *)page = 1; }
static void null(void) { *(volatile char *)zero = 1; }
static void undefined(void) { __builtin_trap(); }
static void breakpoint(void) { __asm__ volatile("int3"); }
static void execute(void) { ((void (*)(void))page)(); }
static void float_trap(void) { volatile double z = zero; feenableexcept(FE_DIVBYZERO); volatile double r = 1 / z; (void)r; fegetround(); __asm__ volatile("fwait"); }
static void privileged(void) { __asm__ volatile("hlt"); }

static void faults(void) {
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    static char alternate[65536];
    stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate};
    void (*functions[])(void) = {divide, overflow, no_page, read_only, null, undefined, breakpoint, execute, float_trap, privileged};
    static const char *const names[] = {"divide", "overflow", "no page", "read only", "null", "undefined", "breakpoint", "execute", "float trap", "privileged"};
    sigaltstack(&stack, NULL);
    for (int number = 1; number < 32; number++)
        if (number == SIGFPE || number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGTRAP)
            sigaction(number, &action, NULL);
    page = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    munmap(page + 4096, 4096);
    for (int turn = 0; turn < 3; turn++)
        for (int i = 0; i < 10; i++) {
            int number = caught(functions[i]);
            long where = (char *)address - page;
            printf("%s: signal %d, code %d, %ld\n", names[i], number, code_of, number == SIGSEGV && where >= 0 && where < 8192 ? where : -1);
            fedisableexcept(FE_ALL_EXCEPT);
            feclearexcept(FE_ALL_EXCEPT);
        }
}

static void step_over(int number, siginfo_t *info, void *context) {
    ucontext_t *u = context;
#ifdef __x86_64__
    u->uc_mcontext.gregs[REG_RIP] += 2;
    u->uc_mcontext.gregs[REG_RAX] = 4242;
    u->uc_mcontext.fpregs->_xmm[5].element[0] = 0x12345678;
#else
    u->uc_mcontext.gregs[REG_EIP] += 2;
    u->uc_mcontext.gregs[REG_EAX] = 4242;
#endif
}

static void change_context(void) {
    struct sigaction action = {.sa_sigaction = step_over, .sa_flags = SA_SIGINFO};
    sigaction(SIGILL, &action, NULL);
    unsigned long a = 1;
    unsigned low = 0x12345678;
#ifdef __x86_64__
    __asm__ volatile("pxor %%xmm5,%%xmm5\n ud2\n movd %%xmm5,%1" : "+a"(a), "=r"(low) : : "xmm5");
#else
    __asm__ volatile("ud2" : "+a"(a));
#endif
    printf("context %lu %x\n", a, low);
}

static jmp_buf loop;
static int bounce(int depth) {
    volatile char room[100];
    room[depth % 100] = depth;
    if (depth == 0)
        longjmp(loop, 5);
    return bounce(depth - 1) + room[depth % 100];
}

static ucontext_t main_context, other_contexts[3];
static long order;
static void coroutine(int id, int rounds) {
    for (int i = 0; i < rounds; i++) {
        order = order * 7 % 1000003 + id;
        swapcontext(&other_contexts[id], &main_context);
    }
}

static void coroutines(void) {
    static char stacks[3][65536];
    for (int i = 0; i < 3; i++) {
        getcontext(&other_contexts[i]);
        other_contexts[i].uc_stack.ss_sp = stacks[i];
        other_contexts[i].uc_stack.ss_size = sizeof stacks[i];
        other_contexts[i].uc_link = &main_context;
        makecontext(&other_contexts[i], (void (*)(void))coroutine, 2, i, 2000);
    }
    for (int round = 0; round < 2000; round++)
        for (int i = 0; i < 3; i++)
            swapcontext(&main_context, &other_contexts[i]);
    printf("coroutines %ld\n", order);
}

static int apply(int (*function)(int), int times) {
    int total = 0;
    for (int i = 0; i < times; i++)
        total += function(i);
    return total;
}

static long threaded(const unsigned char *code) {
    static void *const labels[] = {&&add, &&twice, &&negate, &&jump, &&stop};
    long a = 1;
    int budget = 100000;
    goto *labels[*code];
add:
    a += budget;
    goto *labels[*++code];
twice:
    a = a * 2 % 1000003;
    goto *labels[*++code];
negate:
    a = -a;
    goto *labels[*++code];
jump:
    code -= 3;
    if (--budget > 0)
        goto *labels[*code];
    return a;
stop:
    return -1;
}

int main(void) {
    printf("varargs %lld %lld\n", add_all("ildLs", 1, 2LL, 3.5, 4.25L, "five"), add_all("dddddddddiiiiiiiil", .1, .2, .3, .4, .5, .6, .7, .8, .9, 1, 2, 3, 4, 5, 6, 7, 8, 9LL));
    volatile int turns = 0;
    int got = setjmp(loop);
    if (turns++ < 1000)
        bounce(turns % 50);
    printf("setjmp %d %d\n", got, turns);
    int factor = 3;
    int multiply(int x) { return x * factor; }
    printf("nested %d\n", apply(multiply, 1000));
    printf("threaded %ld\n", threaded((const unsigned char[]){0, 1, 2, 3, 4}));
    faults();
    signal(SIGUSR1, on_signal);
    signal(SIGALRM, on_signal);
    heard = 0;
    for (int i = 0; i < 20000; i++)
        raise(SIGUSR1);
    printf("signals %d\n", heard);
    struct itimerval timer = {{0, 1000}, {0, 1000}};
    heard = 0;
    setitimer(ITIMER_REAL, &timer, NULL);
    double x = 0, y = 0;
    for (volatile long i = 0; heard < 200; i++) {
        // Registers must survive whatever interrupts them.
        double a = i & 255, b = a * 3.0 + 1.0;
        long double c = a / 7.0L;
        x += (b - 1.0) / 3.0 - a, y += (double)(c * 7.0L - a) > 1e-12;
    }
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    printf("timer %g %g\n", x, y);
    change_context();
    coroutines();
    int total = 0;
    for (int i = 1; i < 3000; i++) {
        char *block = alloca(i % 200 + 1);
        memset(block, i, i % 200 + 1);
        total += block[i % 200];
        if (i % 100 == 0)
            total += snprintf(NULL, 0, "%*d%s", i % 50, total, block - block ? "" : "x");
    }
    printf("alloca %d\n", total);
    return 0;
}
