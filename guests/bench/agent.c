// Runs one command a line from standard input by sh -c, and brackets what it prints:
//   @@START
//   ...
//   @@END rc=STATUS wall=SECONDS user=SECONDS sys=SECONDS
// In a guest it is the first process, on the serial line; natively the comparison talks to it through pipes.
#define _GNU_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec * 1e-9;
}

static double seconds(struct timeval t) {
    return t.tv_sec + t.tv_usec * 1e-6;
}

static void run(const char *command) {
    int status = 0;
    struct rusage usage;
    memset(&usage, 0, sizeof usage);
    printf("@@START\n");
    double started = now();
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)0);
        _exit(127);
    }
    wait4(child, &status, 0, &usage);
    double wall = now() - started;
    printf("@@END rc=%d wall=%.6f user=%.6f sys=%.6f\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), wall,
           seconds(usage.ru_utime), seconds(usage.ru_stime));
}

int main(void) {
    static char line[4096];
    setvbuf(stdout, NULL, _IONBF, 0);
    printf("AGENT-READY\n");
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\r\n")] = 0;
        if (*line)
            run(line);
    }
    return 0;
}
