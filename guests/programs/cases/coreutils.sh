# cpu: max qemu64
# Programs of coreutils, grep, sed and diff on text.
python3 /cases/python/data.py 800000 5 >data
for sum in md5sum sha1sum sha224sum sha384sum sha512sum b2sum cksum sum; do
    $sum data
done
tr -cs a-z '\n' <data | sort | uniq -c | sort -k1,1nr -k2 | head -n 50
tr -cs a-z '\n' <data | sort -u --parallel=2 | sha256sum
seq 1 200000 | sort -R --random-source=data | sort -n | sha256sum
seq 1 20000 | shuf --random-source=data | sha256sum
seq -f %.17g 0 0.1 1000 | sha256sum
seq 100000000000000000000 100000000000000000050 | factor
seq 1 3000 | factor | sha256sum
factor 1000000016000000063 340282366920938463463374607431768211456
od -A d -t fD -t x8 -N 4000 data | sha256sum
od -t fF -N 4000 data | sha256sum
od -t fL -N 4000 data | sha256sum
base64 data | base64 -d | cmp - data && base32 data | sha256sum
basenc --z85 -w0 <data 2>&1 | sha256sum
numfmt --to=iec-i --format=%.3f 1 1000 123456789 9007199254740993 18446744073709551615
printf '%.30g %a %.10e %s\n' 0.1 0.1 12345.678 end
split -b 100000 data part. && cat part.* | cmp - data && rm part.*
grep -c 'e.*t' data
grep -oaE '[aeiou]{3,}[^aeiou]+' data | sort | uniq -c | sort -nr | head -n 20
grep -oaP '(?<=t)h\w*(?=e)' data | sort | uniq -c | sort -nr | head -n 20
grep -ciaw 'the' data
sed -E 's/([a-z])([a-z]+)/\2\1/g; y/abc/xyz/' data | sha256sum
tr -cs a-z '\n' <data | head -n 3000 >words
sed 's/e/E/' words | diff words - | sha256sum
diff -u words /dev/null | tail -n 1
paste -d , words words | cut -d , -f 1 | cmp - words && echo pasted
fmt -w 60 words | fold -w 40 | nl | tac | expand | sha256sum
ptx -w 60 words | head -n 200 | sha256sum
tsort <<END
a b
b c
d c
a d
END
expr 123456789012345678901234567890 '*' 987654321098765432109876543210
date -u -d '2024-02-29 12:34:56 + 1000 days' +'%F %T %j %U'
