# The functions of math and cmath on a grid: every result bit by bit.
import cmath
import hashlib
import math
import random

source = random.Random(12)
grid = [s * x for s in (1, -1) for x in
        [i / 16 for i in range(200)] + [2.0**e for e in range(-1074, 1024, 13)] + [source.uniform(0, 1) for _ in range(400)] + [source.uniform(0, 800) for _ in range(400)]
        + [math.ldexp(source.random(), source.randint(-60, 60)) for _ in range(400)] + [k * math.pi / 4 for k in range(40)] + [1e22, 1e300, math.inf, math.nan]]


def text(value):
    return value.hex() if isinstance(value, float) else f"{value.real.hex()} {value.imag.hex()}" if isinstance(value, complex) else repr(value)


def tried(function, *arguments):
    try:
        return text(function(*arguments))
    except (ArithmeticError, ValueError) as e:
        return str(e)


names = ("acos acosh asin asinh atan atanh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor frexp gamma lgamma log log10 log1p log2 modf radians sin sinh sqrt tan "
         "tanh trunc ulp").split()
for name in names:
    h = hashlib.sha256()
    for x in grid:
        h.update(tried(getattr(math, name), x).encode())
    print(name, h.hexdigest(), [tried(getattr(math, name), x) for x in (0.7, 1.3, 0.001, 25.0)])
for name in "atan2 copysign fmod hypot nextafter pow remainder ldexp".split():
    h = hashlib.sha256()
    for x in grid[::3]:
        for y in grid[::41]:
            h.update(tried(getattr(math, name), x, int(max(-1100, min(1100, y))) if name == "ldexp" and y == y else y).encode())
    print(name, h.hexdigest())
for name in "acos acosh asin asinh atan atanh cos cosh exp isfinite log log10 phase polar sin sinh sqrt tan tanh".split():
    h = hashlib.sha256()
    for x in grid[::7]:
        for y in grid[::97]:
            h.update(tried(getattr(cmath, name), complex(x, y)).encode())
    print("c" + name, h.hexdigest())
h = hashlib.sha256()
for x in grid[::11]:
    for y in grid[::53]:
        z = complex(x, y)
        for operation in (lambda: z * z, lambda: z / complex(y, x), lambda: z**3, lambda: z**0.3, lambda: abs(z), lambda: 1 / z):
            h.update(tried(operation).encode())
print("complex", h.hexdigest())
print(math.comb(300, 140), math.factorial(200), math.isqrt(10**301), math.gcd(2**200 * 3**50, 6**90))
