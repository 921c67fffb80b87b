# Threads, processes, signals, pipes and shared memory.
import mmap
import multiprocessing
import os
import queue
import signal
import socket
import subprocess
import threading
import time


def square(n):
    return n * n, sum(i * 0.5 for i in range(n))


def main():
    work, done = queue.Queue(), []

    def worker():
        while (n := work.get()) is not None:
            done.append(square(n))

    threads = [threading.Thread(target=worker) for _ in range(6)]
    for thread in threads:
        thread.start()
    for n in [*range(0, 3000, 10), *[None] * 6]:
        work.put(n)
    for thread in threads:
        thread.join()
    print(len(done), sum(a for a, _ in done), sum(sorted(b for _, b in done)))

    with multiprocessing.Pool(3) as pool:
        print(sum(b for _, b in pool.map(square, range(0, 4000, 10))))

    heard = []
    signal.signal(signal.SIGUSR1, lambda number, frame: heard.append(number))
    signal.signal(signal.SIGALRM, lambda number, frame: heard.append(number))
    for _ in range(50):
        os.kill(os.getpid(), signal.SIGUSR1)
    signal.setitimer(signal.ITIMER_REAL, 0.02, 0.02)
    limit = time.monotonic() + 20
    x = 1.0
    while heard.count(signal.SIGALRM) < 10 and time.monotonic() < limit:
        x = x * 1.0000001 + 0.5
    signal.setitimer(signal.ITIMER_REAL, 0)
    print(heard.count(signal.SIGUSR1), heard.count(signal.SIGALRM) >= 10)

    one, other = socket.socketpair()
    if (child := os.fork()) == 0:
        total = 0
        while len(data := other.recv(65536)) and data[-1:] != b"\0":
            total += len(data)
        other.sendall(str(total + len(data) - 1).encode())
        os._exit(7)
    for _ in range(100):
        one.sendall(b"x" * 10007)
    one.sendall(b"\0")
    print(one.recv(100), os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

    shared = mmap.mmap(-1, 1 << 20)
    if (child := os.fork()) == 0:
        shared[: 1 << 19] = bytes(i * 7 & 255 for i in range(1 << 19))
        os._exit(0)
    os.waitpid(child, 0)
    print(sum(shared[i] for i in range(0, 1 << 20, 1001)))

    print([subprocess.run(["sh", "-c", f"echo {i}; exit {i}"], capture_output=True).returncode for i in range(20)])
    print(subprocess.run(["sh", "-c", "kill -SEGV $$"]).returncode, subprocess.run(["sh", "-c", "kill -9 $$"]).returncode)
    print(subprocess.run("seq 1 100000 | sort -rn | tail -n 3", shell=True, capture_output=True).stdout)


if __name__ == "__main__":
    main()
