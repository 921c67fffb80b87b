# An RSA key of N bits for openssl asn1parse -genconf. The primes depend on N alone.
import random
import sys

bits = int(sys.argv[1])
source = random.Random(bits)
small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]


def is_prime(n):
    if any(n % p == 0 for p in small):
        return False
    s = ((n - 1) & (1 - n)).bit_length() - 1
    for base in small[:8]:
        x = pow(base, (n - 1) >> s, n)
        if x in (1, n - 1):
            continue
        for _ in range(s - 1):
            x = x * x % n
            if x == n - 1:
                break
        else:
            return False
    return True


def prime(bits):
    n = source.getrandbits(bits) | 3 << (bits - 2) | 1
    while n % 65537 == 1 or not is_prime(n):
        n += 2
    return n


p, q = sorted((prime(bits // 2), prime(bits // 2)), reverse=True)
d = pow(65537, -1, (p - 1) * (q - 1))
print("asn1=SEQUENCE:key\n[key]\nversion=INTEGER:0")
for name, value in dict(n=p * q, e=65537, d=d, p=p, q=q, dp=d % (p - 1), dq=d % (q - 1), qinv=pow(q, -1, p)).items():
    print(f"{name}=INTEGER:{value:#x}")
