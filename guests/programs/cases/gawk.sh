# cpu: max qemu64
# gawk: floats, strings, arrays, regular expressions; -M: numbers of any length.
gawk 'BEGIN {
    srand(5)
    for (i = 0; i < 20000; i++) {
        x = (rand() - 0.5) * exp(i % 80 - 40)
        line = line sprintf("%.17g %s %d %e %g ", x, x, x, sin(x), exp(x / 1e17))
        sum += x; squares += x * x; logs += log(x * x); roots += sqrt(x * x); turns += atan2(x, i + 1) + cos(x) + int(x / 3) % 7
        if (length(line) > 20000) { print length(line), line | "sha256sum"; close("sha256sum"); line = "" }
    }
    printf "%.17g %.17g %.17g %.17g %.17g\n", sum, squares, logs, roots, turns
    print 0.1 + 0.2, 1e300 * 1e300, -log(0), 2 ^ 53 + 1, 2 ^ 0.5, 17 % -5, -17 % 5, 1e6, 1e16, 123456789012, 0x11, "3x" + 4
    printf "%c %5.2f|%-8s|%08.3f|%x %o %i %G\n", 65, 3.14159, "left", -2.5, 255, 8, 1e9, 1e-10
    print and(0xff00, 0x0ff0), or(1, 6), xor(5, 3), lshift(1, 40), rshift(2 ^ 52, 50), compl(0), strtonum("0x1F"), substr("hello", 2, 3), index("hello", "l"), toupper("abc")
}'
python3 /cases/python/data.py 300000 6 | tr -cs 'a-z\n' ' ' >text
gawk '{ for (i = 1; i <= NF; i++) { count[$i]++; n++ } } END { PROCINFO["sorted_in"] = "@val_num_desc"; for (w in count) if (count[w] > 40) m = m w count[w]; print n, length(count), length(m) }' text
gawk '{ n += gsub(/[aeiou]+[^aeiou ]/, "<&>"); t = t gensub(/(\w)(\w)/, "\\2\\1", "g") } END { print n, length(t) }' text
gawk -M 'BEGIN { PREC = 300; printf "%.80f\n", atan2(1, 1) * 4; print 2 ^ 521 - 1, 3 ^ 400 % 1000007; x = 1; for (i = 1; i < 120; i++) x *= i; print x }'
mawk 'BEGIN { for (i = 0; i < 30000; i++) { x += sin(i) * i; s = s (i % 7) } printf "%.17g %d\n", x, length(s) }'
