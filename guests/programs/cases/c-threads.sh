# cpu: max qemu64
# limit: 900
# Threads: mutexes, conditions, barriers, semaphores, atomics, thread-local storage, once, read-write locks.
. /cases/c/each.sh
each threads -pthread
