// Benchmark rows for guests: `bench` lists them, `bench NAME [percent]` runs one and prints name, checksum and seconds,
// `bench gen [MIB]` writes that much text that compresses like prose with some binary in it (32 if not given).
#define _GNU_SOURCE
#include "bench.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

int percent = 100;
static double started;

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

void start_clock(void) {
    started = now();
}

void *map_touched(size_t n) {
    void *p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }
    memset(p, 1, n);
    return p;
}

#define ENTRY(name) {#name, b_##name},
static const struct {
    const char *name;
    u64 (*run)(void);
} rows[] = {ROWS(ENTRY)};
#define ROW_COUNT (sizeof rows / sizeof *rows)

enum { WORDS = 64 };

static void make_words(char words[WORDS][12]) {
    for (int i = 0; i < WORDS; i++) {
        int length = 2 + next_random() % 9;
        for (int k = 0; k < length; k++)
            words[i][k] = 'a' + next_random() % 26;
    }
}

static int generate(size_t bytes) {
    static char block[1 << 16];
    static char words[WORDS][12];
    make_words(words);
    size_t written = 0, n = 0;
    while (written < bytes) {
        if (n + 64 >= sizeof block) {
            size_t k = bytes - written < n ? bytes - written : n;
            fwrite(block, 1, k, stdout);
            written += k;
            n = 0;
            continue;
        }
        u64 r = next_random();
        // The product of two numbers makes some words much likelier than others.
        const char *word = words[(r & 63) * (r >> 6 & 63) >> 6];
        size_t length = strlen(word);
        memcpy(block + n, word, length);
        n += length;
        block[n++] = (r >> 20) % 12 == 0 ? '\n' : ' ';
        if ((r >> 32) % 9 == 0) {
            memcpy(block + n, &r, 6);
            n += 6;
        }
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 2) {
        for (size_t i = 0; i < ROW_COUNT; i++)
            puts(rows[i].name);
        return 0;
    }
    if (!strcmp(argv[1], "gen"))
        return generate((argc > 2 ? strtoul(argv[2], NULL, 10) : 32) << 20);
    if (argc > 2)
        percent = atoi(argv[2]);
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (!strcmp(argv[1], rows[i].name)) {
            u64 checksum = rows[i].run();
            double seconds = now() - started;
            printf("%s %llx %.6f\n", argv[1], (unsigned long long)checksum, seconds);
            return 0;
        }
    fprintf(stderr, "bench: no row named %s\n", argv[1]);
    return 1;
}
