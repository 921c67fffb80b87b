# cpu: max qemu64
# Round trips of gzip, bzip2 and xz at several levels; what comes out must be the same too.
python3 /cases/python/data.py 1500000 4 >data
try() {
    "$@" <data >packed && "$1" -d <packed | cmp - data && echo "$* $(sha256sum <packed)"
}
for level in 1 6 9; do
    try gzip -n -$level
    try bzip2 -$level
done
try xz -0
try xz -3
try xz -6e
try xz --format=lzma -2
try xz --check=sha256 --delta=dist=2 --lzma2=preset=1
try xz --x86 --lzma2=preset=1,lc=0,pb=0
try xz -T2 --block-size=300000 -1
gzip -n <data >packed && gzip -l packed && gzip -tv packed
xz -lvv <data 2>&1 | head -n 1
tar -C /usr/lib/python3.11 --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf - json email | tee library.tar | sha256sum
tar -xf library.tar && diff -r json /usr/lib/python3.11/json && echo unpacked
