# cpu: max qemu64
# bc and dc with many digits.
bc -l <<'END'
scale = 400
4 * a(1)
e(1)
sqrt(2)
l(2)
s(1) + c(1)
j(3, 2.5)
scale = 0
2 ^ 4423 - 1
f = 1; for (i = 1; i <= 600; i++) f *= i; f
a = 3 ^ 2000; b = 7 ^ 900; a / b; a % b
define g(a, b) { auto t; while (b) { t = a % b; a = b; b = t; }; return (a); }
g(2 ^ 300 * 3 ^ 100, 6 ^ 150 * 5)
obase = 16; 123456789 ^ 20
ibase = 2; 1011011101111
END
