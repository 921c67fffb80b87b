// Threads: mutexes, conditions, barriers, semaphores, atomics, thread-local storage, once, read-write locks.
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { THREADS = 6, ROUNDS = 5000 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static pthread_barrier_t barrier;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static sem_t slots;
static long plain, times, order, turn, guarded[2];
static atomic_long counter, fetched;
static _Atomic uint8_t byte;
static _Atomic uint64_t wide;
static atomic_flag spin = ATOMIC_FLAG_INIT;
static long spun, torn;
static __thread long own;
static double totals[THREADS];

static void first(void) {
    times++;
}

static void *work(void *argument) {
    long id = (long)argument;
    double total = 0;
    pthread_once(&once, first);
    for (int i = 0; i < ROUNDS; i++) {
        pthread_mutex_lock(&mutex);
        plain++;
        pthread_mutex_unlock(&mutex);
        atomic_fetch_add(&counter, id + 1);
        fetched += 1;
        byte += 3;
        uint64_t seen = wide;
        while (!atomic_compare_exchange_weak(&wide, &seen, seen * 3 % 1000000007 ? seen + 0x100000001 : 0))
            ;
        while (atomic_flag_test_and_set_explicit(&spin, memory_order_acquire))
            sched_yield();
        spun++;
        atomic_flag_clear_explicit(&spin, memory_order_release);
        sem_wait(&slots);
        own += i;
        sem_post(&slots);
        if (i % 8 == id) {
            pthread_rwlock_wrlock(&lock);
            guarded[0]++;
            if (i % 64 == id)
                sched_yield();
            guarded[1]++;
            pthread_rwlock_unlock(&lock);
        } else {
            pthread_rwlock_rdlock(&lock);
            torn += guarded[0] != guarded[1];
            pthread_rwlock_unlock(&lock);
        }
        total += (id + 1) * 0.5 / (i + 1);
    }
    totals[id] = total;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 100; i++) {
        pthread_mutex_lock(&mutex);
        while (turn % THREADS != id)
            pthread_cond_wait(&condition, &mutex);
        turn++;
        order = (order * 10 + id) % 1000003;
        pthread_cond_broadcast(&condition);
        pthread_mutex_unlock(&mutex);
    }
    return (void *)own;
}

int main(void) {
    pthread_t threads[THREADS];
    long sum = 0;
    pthread_barrier_init(&barrier, NULL, THREADS);
    sem_init(&slots, 0, 2);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)i);
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(threads[i], &result);
        sum += (long)result;
    }
    printf("%ld %ld %ld %ld %d %llx %ld %ld %ld %ld %ld\n", plain, (long)counter, (long)fetched, times, byte, (unsigned long long)wide, spun, sum, order, guarded[0], torn);
    for (int i = 0; i < THREADS; i++)
        printf("%a\n", totals[i]);
    return 0;
}
