# cpu: max qemu64
# Every cipher of openssl enc: encrypts, prints the digest, decrypts and compares. Then authenticated encryption by the library.
python3 /cases/python/data.py 100007 2 >data
key=000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
iv=f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff
providers='-provider legacy -provider default'
for cipher in $(openssl enc $providers -list | grep '^-'); do
    if openssl enc $providers "$cipher" -K $key -iv $iv -in data -out out 2>errors; then
        echo "$cipher $(sha256sum <out)"
        openssl enc -d $providers "$cipher" -K $key -iv $iv -in out 2>errors | cmp - data
    else
        echo "$cipher refused"
    fi
done
gcc -O2 -o aead /cases/c/aead.c -lcrypto && ./aead
