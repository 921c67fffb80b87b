# cpu: max qemu64
# Digests, MACs and key derivation over lengths around the block sizes and a file of 3 MB.
python3 /cases/python/data.py 3000000 1 >data
for size in 0 1 55 56 63 64 65 111 112 127 128 129 255 1023 4099; do
    head -c $size data >part.$size
done
for digest in $(openssl list -digest-commands) sha512-224 sha512-256 sha3-224 sha3-256 sha3-384 sha3-512 shake128 shake256 sm3 md5-sha1; do
    openssl dgst -"$digest" part.* data
done
for digest in md4 whirlpool; do
    openssl dgst -provider legacy -provider default -"$digest" part.* data
done
for digest in md5 sha1 sha256 sha384 sha512 sha3-256 blake2b512; do
    openssl dgst -"$digest" -hmac 'a key that is known' part.* data
done
key=000102030405060708090a0b0c0d0e0f
for mac in 'CMAC -cipher AES-128-CBC' 'CMAC -cipher DES-EDE3-CBC' 'GMAC -cipher AES-128-GCM' SIPHASH KMAC128 KMAC256 BLAKE2SMAC BLAKE2BMAC POLY1305; do
    case $mac in
        *EDE3*) long=${key}1112131415161718 ;;
        KMAC* | POLY* | BLAKE*) long=$key$key ;;
        *) long=$key ;;
    esac
    case $mac in
        GMAC*) iv='-macopt hexiv:000102030405060708090a0b' ;;
        *) iv= ;;
    esac
    set -- $mac
    name=$1
    shift
    for file in part.0 part.1 part.63 part.64 part.4099 data; do
        openssl mac "$@" -macopt hexkey:$long $iv -in $file "$name"
    done
done
openssl kdf -keylen 64 -kdfopt digest:SHA256 -kdfopt pass:secret -kdfopt salt:salt -kdfopt iter:20000 PBKDF2
openssl kdf -keylen 64 -kdfopt digest:SHA512 -kdfopt pass:secret -kdfopt salt:salt -kdfopt iter:20000 PBKDF2
openssl kdf -keylen 64 -kdfopt pass:secret -kdfopt salt:salt -kdfopt n:1024 -kdfopt r:8 -kdfopt p:2 SCRYPT
openssl kdf -keylen 64 -kdfopt digest:SHA384 -kdfopt key:secret -kdfopt salt:salt -kdfopt info:label HKDF
openssl passwd -6 -salt salt secret
openssl passwd -apr1 -salt salt secret
