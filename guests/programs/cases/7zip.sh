# cpu: max qemu64
# Archives of a generated tree with every method: what they are, that they are sound, and that the tree comes back.
mkdir tree tree/a tree/b
for i in 1 2 3 4 5; do
    python3 /cases/python/data.py $((i * 40001)) $i >tree/a/$i
    seq $((i * 3000)) >tree/b/$i
done
cp /usr/bin/make tree/program
find tree -exec touch -d '2024-01-01 00:00:00 UTC' {} +
for method in LZMA LZMA2 PPMd BZip2 Deflate 'LZMA2 -m1=BCJ2' 'BCJ -m1=LZMA' 'Delta:4 -m1=LZMA'; do
    name=$(echo "$method" | tr -dc 'A-Za-z0-9')
    7zz a -bso0 -bsp0 -mmt=1 -mx=5 -mtm- -mtr- -m0=$method "$name.7z" tree || echo "status $?"
    sha256sum "$name.7z"
    7zz t -bsp0 "$name.7z" | grep -E '^(Everything|Files|Size|Error)'
    7zz x -bso0 -bsp0 -o"$name" "$name.7z"
    diff -r tree "$name/tree" && echo same
done
for format in zip tar gzip bzip2 xz; do
    case $format in
        zip | tar) what=tree ;;
        *) what=tree/program ;;
    esac
    7zz a -bso0 -bsp0 -mmt=1 -t$format "out.$format" $what
    7zz l -slt "out.$format" | grep -E '^(Path|Size|CRC|Method)' | grep -v out
    7zz t -bsp0 "out.$format" | grep -E '^(Everything|Error)'
done
7zz a -bso0 -bsp0 -mmt=1 -psecret -mhe=on secret.7z tree/a && 7zz t -bsp0 -psecret secret.7z | grep Everything
7zz a -bso0 -bsp0 -mmt=2 threads.7z tree && 7zz t -bsp0 -mmt=2 threads.7z | grep Everything
for sum in CRC32 CRC64 SHA1 SHA256 BLAKE2sp; do
    7zz h -scrc$sum tree | grep tree/ | sort
done
