# cpu: max qemu64
# RSA, EC, Edwards and DH keys made of fixed numbers: sign, verify, encrypt, derive. What has a random part is only verified.
python3 /cases/python/data.py 100000 3 >data
openssl dgst -sha256 -binary data >digest
for bits in 768 1024 2048; do
    python3 /cases/python/rsa.py $bits >rsa.conf
    openssl asn1parse -genconf rsa.conf -noout -out rsa.der
    openssl rsa -inform DER -in rsa.der -out rsa.pem -check
    openssl rsa -in rsa.pem -pubout -out rsa.pub
    openssl pkey -pubin -in rsa.pub -text
    for digest in sha1 sha256 sha512; do
        openssl dgst -$digest -sign rsa.pem -out signature data && openssl dgst -sha256 -r signature
        openssl dgst -$digest -verify rsa.pub -signature signature data
    done
    openssl pkeyutl -sign -inkey rsa.pem -in digest -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss -pkeyopt rsa_pss_saltlen:0 -out pss && openssl dgst -sha256 -r pss
    openssl pkeyutl -verify -pubin -inkey rsa.pub -in digest -pkeyopt digest:sha256 -pkeyopt rsa_padding_mode:pss -sigfile pss
    openssl pkeyutl -encrypt -pubin -inkey rsa.pub -in digest -out secret && openssl pkeyutl -decrypt -inkey rsa.pem -in secret | cmp - digest && echo decrypted
done
curves='prime256v1 secp384r1 secp521r1 secp256k1 secp224r1 brainpoolP256r1 brainpoolP384r1 brainpoolP512r1 sect283k1 sect571r1'
for curve in $curves; do
    for number in 1234567890abcdef1234567890abcdef1234567890abcdef12345678 13579bdf02468ace13579bdf02468ace13579bdf02468ace13579bdf; do
        printf 'asn1=SEQUENCE:ec\n[ec]\nversion=INTEGER:1\nkey=FORMAT:HEX,OCT:%s\ncurve=EXP:0,OID:%s\n' "$number" "$curve" >ec.conf
        openssl asn1parse -genconf ec.conf -noout -out ec.der
        openssl ec -inform DER -in ec.der -out ec.$number.pem
        openssl ec -in ec.$number.pem -pubout -out ec.$number.pub
        openssl pkey -pubin -in ec.$number.pub -text
    done
    openssl dgst -sha256 -sign ec.$number.pem -out signature data && openssl dgst -sha256 -verify ec.$number.pub -signature signature data
    openssl pkeyutl -derive -inkey ec.$number.pem -peerkey ec.1234567890abcdef1234567890abcdef1234567890abcdef12345678.pub | openssl dgst -sha256
done
seed=9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60
for name in ed25519 x25519; do
    [ $name = ed25519 ] && id=1.3.101.112 || id=1.3.101.110
    printf 'asn1=SEQUENCE:k\n[k]\nversion=INTEGER:0\nid=SEQUENCE:i\nkey=OCTWRAP,FORMAT:HEX,OCT:%s\n[i]\noid=OID:%s\n' $seed $id >k.conf
    openssl asn1parse -genconf k.conf -noout -out k.der && openssl pkey -inform DER -in k.der -out $name.pem && openssl pkey -in $name.pem -text -noout
    openssl pkey -in $name.pem -pubout -out $name.pub
done
openssl pkeyutl -sign -rawin -inkey ed25519.pem -in digest -out signature && openssl dgst -sha256 -r signature
openssl pkeyutl -verify -rawin -pubin -inkey ed25519.pub -in digest -sigfile signature
openssl pkeyutl -derive -inkey x25519.pem -peerkey x25519.pub | openssl dgst -sha256
openssl prime -generate -bits 256 -hex | wc -c
openssl prime 170141183460469231731687303715884105727 170141183460469231731687303715884105729
openssl req -x509 -new -key rsa.pem -subj /CN=emu -set_serial 1 -days 1 -out certificate 2>&1 && openssl verify -CAfile certificate certificate
openssl genpkey -algorithm DH -pkeyopt group:ffdhe2048 -out dh.pem && openssl pkey -in dh.pem -pubout -out dh.pub && openssl pkeyutl -derive -inkey dh.pem -peerkey dh.pub | wc -c
openssl genrsa 1024 2>/dev/null | openssl rsa -check -noout
openssl ecparam -name prime256v1 -genkey -noout | openssl ec -check -noout
