# cpu: max qemu64
# limit: 900
# stress-ng: memory, faults, signals, processes and instructions that trap, with their results verified.
. /cases/stress.inc
stress vm --vm-bytes 8m --vm-method all --vm-ops 40000
stress memcpy --memcpy-ops 50
stress memthrash --memthrash-ops 30
stress stream --stream-ops 4
stress malloc --malloc-ops 20000
stress mmap --mmap-ops 10 --mmap-bytes 4m
stress mremap --mremap-ops 2
stress shm --shm-ops 10
stress atomic --atomic-ops 300
stress lockbus --lockbus-ops 100
stress membarrier --membarrier-ops 20
stress icache --icache-ops 100
stress far-branch --far-branch-ops 3
stress longjmp --longjmp-ops 2000
stress fault --fault-ops 500
stress pagemove --pagemove-ops 20
stress madvise --madvise-ops 5
stress bad-altstack --bad-altstack-ops 50
stress sigfpe --sigfpe-ops 10000
stress sigsegv --sigsegv-ops 5000
stress sigtrap --sigtrap-ops 10000
stress sigrt --sigrt-ops 500
stress sigq --sigq-ops 1000
stress priv-instr --priv-instr-ops 2000
stress opcode --opcode-ops 30
stress futex --futex-ops 500
stress switch --switch-ops 20000
stress pipe --pipe-ops 20000
stress fork --fork-ops 100
stress vfork --vfork-ops 100
stress clone --clone-ops 20
stress vdso --vdso-ops 5000
stress x86cpuid --x86cpuid-ops 20
stress tlb-shootdown --tlb-shootdown-ops 20
stress hdd --hdd-ops 400 --hdd-bytes 4m
stress iomix --iomix-ops 400 --iomix-bytes 4m
