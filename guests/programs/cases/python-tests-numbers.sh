# cpu: max qemu64
# Modules about numbers of Python's own test suite.
. /cases/python/tests.sh
run math cmath float complex long int int_literal decimal fractions statistics struct array binascii zlib hashlib hmac random strtod numeric_tower memoryview
