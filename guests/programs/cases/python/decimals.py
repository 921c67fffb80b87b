# decimal (the C library, and the module in Python), fractions and statistics.
import decimal
import fractions
import hashlib
import random
import statistics

import _pydecimal

source = random.Random(13)


def pi(module):
    d = module.Decimal
    three = d(3)
    lasts, t, s, n, na, d_, da = d(0), three, d(3), d(1), d(0), d(0), d(24)
    while s != lasts:
        lasts = s
        n, na = n + na, na + 8
        d_, da = d_ + da, da + 32
        t = (t * n) / d_
        s += t
    return +s


for module, digits in ((decimal, 1000), (_pydecimal, 60)):
    module.getcontext().prec = digits
    d = module.Decimal
    print(pi(module))
    print(d(2).sqrt(), d(2).ln(), d(10).exp(), d(7).log10(), d(2) ** d("0.1"), sep="\n")
for rounding in (decimal.ROUND_HALF_EVEN, decimal.ROUND_HALF_UP, decimal.ROUND_DOWN, decimal.ROUND_CEILING, decimal.ROUND_05UP):
    h = hashlib.sha256()
    with decimal.localcontext(decimal.Context(prec=28, rounding=rounding, traps=[])):
        for _ in range(3000):
            a, b = (decimal.Decimal(source.getrandbits(90)).scaleb(source.randint(-40, 10)) for _ in range(2))
            h.update(f"{a + b} {a - b} {a * b} {a / (b or 1)} {a % (b or 1)} {a.quantize(decimal.Decimal('0.01')) if a < 10**20 else a:,} {a.fma(b, a)}".encode())
    print(rounding, h.hexdigest())
decimal.getcontext().prec = 20000
print(hashlib.sha256(str((decimal.Decimal(3) ** 30000) / decimal.Decimal(7) ** 5000).encode()).hexdigest())
total = fractions.Fraction(0)
for i in range(1, 400):
    total += fractions.Fraction((-1) ** i, i * i)
print(total, float(total).hex(), total.limit_denominator(1000))
data = [source.gauss(10, 3) for _ in range(500)]
other = [x * 2 + source.random() for x in data]
for name in "mean fmean geometric_mean harmonic_mean median pstdev stdev pvariance variance quantiles".split():
    print(name, getattr(statistics, name)([abs(x) + 1 for x in data]))
print(statistics.linear_regression(data, other), statistics.correlation(data, other), statistics.NormalDist(10, 3).inv_cdf(0.975))
