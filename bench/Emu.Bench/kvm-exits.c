// What an exit from KVM_RUN costs with nothing around it: the yardstick for emu's KVM accelerator.
//   gcc -O2 -o kvm-exits kvm-exits.c && ./kvm-exits pio0|pio3|mmio0|mmio3 [exits]
// Prints nanoseconds an exit. The guest is 64-bit code in a loop of one OUT or one 32-bit store to a hole in memory.
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>

enum { RAM = 1 << 21, PML4 = 0x1000, PDPT = 0x2000, PD = 0x3000, TSS = 0x4000, CODE = 0x8000, HOLE = 0x40000000 };

static void die(const char *what) { perror(what); exit(1); }

static void segment(struct kvm_segment *s, uint16_t selector, int code, int dpl) {
    *s = (struct kvm_segment){.selector = selector | dpl, .limit = ~0u, .type = code ? 11 : 3, .present = 1, .dpl = dpl, .db = !code, .s = 1, .l = code, .g = 1};
}

int main(int argc, char **argv) {
    if (argc < 2) { fprintf(stderr, "usage: kvm-exits pio0|pio3|mmio0|mmio3 [exits]\n"); return 1; }
    int dpl = argv[1][strlen(argv[1]) - 1] - '0', mmio = argv[1][0] == 'm';
    long exits = argc > 2 ? atol(argv[2]) : 20000;
    int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (kvm < 0) die("/dev/kvm");
    int vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vm < 0) die("KVM_CREATE_VM");
    uint8_t *ram = mmap(NULL, RAM, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct kvm_userspace_memory_region slot = {.memory_size = RAM, .userspace_addr = (uint64_t)ram};
    if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &slot)) die("KVM_SET_USER_MEMORY_REGION");

    // Two pages of 2 MiB: RAM at 0, and behind it a hole for MMIO. Both may be used by user mode.
    uint64_t *pml4 = (void *)(ram + PML4), *pdpt = (void *)(ram + PDPT), *pd = (void *)(ram + PD);
    pml4[0] = PDPT | 7; pdpt[0] = PD | 7; pd[0] = 0x87; pd[1] = HOLE | 0x87;
    // mov [rbx], eax; jmp $-2   or   out 80h, al; jmp $-2
    static const uint8_t store[] = {0x89, 0x03, 0xeb, 0xfc}, out[] = {0xe6, 0x80, 0xeb, 0xfc};
    memcpy(ram + CODE, mmio ? store : out, 4);
    // I/O permission bitmap: all ports allowed, the byte behind it set.
    *(uint16_t *)(ram + TSS + 0x66) = 0x68;
    ram[TSS + 0x68 + 0x2000] = 0xff;

    int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0);
    int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
    if (vcpu < 0 || run == MAP_FAILED) die("KVM_CREATE_VCPU");
    struct { struct kvm_cpuid2 head; struct kvm_cpuid_entry2 entries[200]; } cpuid = {.head.nent = 200};
    if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &cpuid) || ioctl(vcpu, KVM_SET_CPUID2, &cpuid)) die("CPUID");
    struct kvm_sregs sregs;
    if (ioctl(vcpu, KVM_GET_SREGS, &sregs)) die("KVM_GET_SREGS");
    sregs.cr0 = 0x80050033; sregs.cr3 = PML4; sregs.cr4 = 0x620; sregs.efer = 0xd01;
    segment(&sregs.cs, 0x10, 1, dpl);
    segment(&sregs.ss, 0x18, 0, dpl);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss;
    sregs.tr = (struct kvm_segment){.base = TSS, .limit = 0x2068, .selector = 0x28, .type = 11, .present = 1};
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs)) die("KVM_SET_SREGS");
    struct kvm_regs regs = {.rip = CODE, .rsp = 0x100000, .rbx = 1 << 21, .rflags = 2};
    if (ioctl(vcpu, KVM_SET_REGS, &regs)) die("KVM_SET_REGS");

    uint32_t expected = mmio ? KVM_EXIT_MMIO : KVM_EXIT_IO;
    struct timespec start, end;
    for (long i = -exits / 10; i < exits; i++) {
        if (i == 0) clock_gettime(CLOCK_MONOTONIC, &start);
        if (ioctl(vcpu, KVM_RUN, 0)) die("KVM_RUN");
        if (run->exit_reason != expected) { fprintf(stderr, "exit reason %u instead of %u\n", run->exit_reason, expected); return 1; }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%.1f\n", ((end.tv_sec - start.tv_sec) * 1e9 + (end.tv_nsec - start.tv_nsec)) / exits);
    return 0;
}
