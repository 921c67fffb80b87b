# Text of floats and back, rounding, arithmetic of edge cases, conversions.
import hashlib
import itertools
import math
import random
import struct
import sys

source = random.Random(11)


def digest(name, lines):
    h = hashlib.sha256()
    for count, line in enumerate(lines, 1):
        h.update(line.encode())
    print(name, count, h.hexdigest())


def bits(n):
    return struct.unpack("<d", struct.pack("<Q", n))[0]


edges = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, 1e308, sys.float_info.max, sys.float_info.min, 5e-324, 2.0**-1074 * 3, 2.0**-1022 - 2.0**-1074, 2.0**53, 2.0**53 + 2,
         2.0**63, -(2.0**63), 2.0**64, 0.1, 1 / 3, math.pi, math.e, 1e16, 1e22, 1e23, 123456789.125, math.inf, -math.inf, math.nan]
for x in edges:
    print(repr(x), x.hex(), f"{x:.0f} {x:.17e} {x:g} {x:%}", x.is_integer(), math.frexp(x), math.modf(x))
operations = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b, "%": lambda a, b: a % b, "//": lambda a, b: a // b,
              "fmod": math.fmod, "rem": math.remainder, "pow": math.pow, "atan2": math.atan2, "copysign": math.copysign, "next": math.nextafter, "<": lambda a, b: a < b,
              "max": max, "hypot": math.hypot}
for name, operation in operations.items():
    def results():
        for a, b in itertools.product(edges, edges):
            try:
                yield f"{a!r} {b!r} {operation(a, b)!r}"
            except (ArithmeticError, ValueError) as e:
                yield f"{a!r} {b!r} {e}"
    digest(name, results())

randoms = [bits(source.getrandbits(64)) for _ in range(20000)]
digest("repr", (repr(x) for x in randoms))
digest("hex", (x.hex() for x in randoms if x == x))
assert all(float(repr(x)) == x and float.fromhex(x.hex()) == x for x in randoms if x == x)
for precision in (0, 1, 3, 10, 16, 17, 25, 60):
    digest(f"e{precision}", (f"{x:.{precision}e}" for x in randoms[:3000]))
    digest(f"g{precision}", (f"{x:.{precision}g}" for x in randoms[:3000]))
small = [source.uniform(-1e6, 1e6) for _ in range(5000)]
digest("f", (f"{x:.3f} {x:+12.1f} {x:,.2f} {x:.0%}" for x in small))
digest("round", (f"{round(x)} {round(x, 2)!r} {round(x, -3)!r} {math.floor(x)} {math.ceil(x)} {math.trunc(x)} {int(x * 1e30)}" for x in small))
digest("strtod", (repr(float(f"{source.getrandbits(90)}e{source.randint(-340, 300)}")) for _ in range(10000)))
digest("ratio", (str(x.as_integer_ratio()) for x in randoms if math.isfinite(x)))
digest("halves", (struct.pack("<e", x).hex() for x in small if abs(x) < 65000))
digest("singles", (struct.pack("<f", x).hex() for x in small))
digest("from int", (repr(float(source.getrandbits(source.randint(1, 200)))) for _ in range(10000)))
digest("int division", (repr(source.getrandbits(200) / (source.getrandbits(150) | 1)) for _ in range(10000)))
print(math.fsum(small).hex(), sum(small).hex(), math.prod(x / 5e5 for x in small[:300]).hex(), math.dist(small[:100], small[100:200]).hex())
