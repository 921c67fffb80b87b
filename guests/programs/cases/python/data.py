# Writes SIZE bytes to standard output, which depend on SEED alone: half of them text, so that they can be compressed.
import random
import sys

size, seed = int(sys.argv[1]), int(sys.argv[2])
source = random.Random(seed)
words = [bytes(source.choices(b"etaoinshrdlu", k=source.randint(2, 9))) for _ in range(500)]
out = bytearray()
while len(out) < size:
    out += b" ".join(source.choices(words, k=400)) + b"\n"
    out += source.randbytes(1000)
sys.stdout.buffer.write(out[:size])
