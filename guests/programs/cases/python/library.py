# Modules of the library, most of them written in C.
import array
import ast
import binascii
import bz2
import collections
import datetime
import difflib
import hashlib
import hmac
import heapq
import itertools
import json
import lzma
import pickle
import random
import re
import sqlite3
import struct
import sys
import textwrap
import unicodedata
import zlib
from xml.etree import ElementTree

source = random.Random(2024)
sys.set_int_max_str_digits(0)


def show(name, value):
    data = value if isinstance(value, bytes) else value.encode()
    print(name, len(data), hashlib.sha256(data).hexdigest())


data = source.randbytes(100_000) + b"the same text again and again " * 5000
for name in sorted(hashlib.algorithms_guaranteed):
    h = hashlib.new(name)
    for size in range(0, 300, 7):
        h.update(data[:size])
    print(name, h.hexdigest(32) if name.startswith("shake") else h.hexdigest())
print(hmac.digest(b"key", data, "sha256").hex(), hashlib.pbkdf2_hmac("sha1", b"pw", b"salt", 3000).hex(), hashlib.scrypt(b"pw", salt=b"salt", n=256, r=4, p=2).hex())
print(zlib.crc32(data), zlib.adler32(data), binascii.crc_hqx(data, 0))
for level in range(10):
    show(f"zlib{level}", zlib.compress(data, level))
show("bz2", bz2.compress(data))
show("lzma", lzma.compress(data, preset=1))
assert data == zlib.decompress(zlib.compress(data)) == bz2.decompress(bz2.compress(data)) == lzma.decompress(lzma.compress(data, preset=0))

print(source.getstate()[1][:3], [source.random() for _ in range(3)], [source.gauss(0, 1) for _ in range(3)], source.sample(range(10**6), 5))
for name, arguments in dict(betavariate=(2, 3), expovariate=(1.5,), gammavariate=(0.7, 2), lognormvariate=(0, 1), vonmisesvariate=(1, 2), weibullvariate=(1, 2), triangular=(0, 5, 1)).items():
    print(name, [getattr(source, name)(*arguments).hex() for _ in range(20)])

tree = {f"k{i}": [source.random(), source.randint(-9**9, 9**9), None, True, "text é \u4e2d \U0001f600" * (i % 3), {"n": [i] * (i % 5)}] for i in range(2000)}
text = json.dumps(tree, sort_keys=True)
show("json", text)
assert json.loads(text) == tree and json.loads(json.dumps(tree, indent=2, ensure_ascii=False)) == tree
for protocol in range(6):
    show(f"pickle{protocol}", pickle.dumps(tree, protocol))
    assert pickle.loads(pickle.dumps(tree, protocol)) == tree

prose = " ".join(source.choice("alpha beta gamma delta 12 3.5 2024-02-29 user@example.org foo_bar (nested (brackets)) \u00e9t\u00e9".split()) for _ in range(8000))
for pattern in (r"\b(\w)(\w*)\1\b", r"(\d{4})-(\d\d)-(\d\d)", r"[a-z_]+@[a-z.]+", r"(?P<a>al\w+) (?=beta)", r"(?i)G\w*?A\b", r"(a|b|g)+.{3,9}?\)", r"[^\W\d_]{4,}", r"(?<!o)b.*?r"):
    found = [m.span() for m in re.finditer(pattern, prose)]
    print(pattern, len(found), hashlib.md5(repr(found).encode()).hexdigest(), hashlib.md5(re.sub(pattern, r"<\g<0>>", prose).encode()).hexdigest())
show("wrapped", textwrap.fill(prose, 60))
show("unicode", "".join(unicodedata.normalize(form, chr(c)) for form in ("NFC", "NFKD") for c in range(0xA0, 0x3000)))
show("case", "".join(chr(c).upper() + chr(c).casefold() for c in range(0x20, 0x3000)))
show("codecs", b"".join("étude \u20ac \u4e2d\u6587".encode(c, "replace") for c in "utf-8 utf-16 utf-32 utf-7 cp1252 latin-1 shift_jis gb18030 euc-kr big5 koi8-r cp037".split()))
show("diff", "\n".join(difflib.unified_diff(prose.split()[:600], prose.split()[30:620], lineterm="")))

words = collections.Counter(prose.split())
print(words.most_common(4), heapq.nsmallest(3, words.items()), list(itertools.islice(itertools.permutations("abcd", 3), 5)))
for code in "bBhHiIlLqQfd":
    values = array.array(code, [source.randint(0, 100) for _ in range(50)])
    values.byteswap()
    show("array " + code, values.tobytes())
print(struct.pack(">bBhHiIqQefd", -1, 2, -3, 4, -5, 6, -7, 8, 0.1, 0.1, 0.1).hex(), struct.calcsize("@cPq?"))
day = datetime.datetime(2024, 2, 29, 23, 59, 59, 999999, datetime.timezone.utc)
print([(day + datetime.timedelta(days=d, microseconds=d)).isoformat() for d in range(0, 4000, 999)], day.timestamp(), day.isocalendar())
root = ElementTree.fromstring("<a>" + "".join(f'<b n="{i}">t{i}<c/></b>' for i in range(2000)) + "</a>")
show("xml", ElementTree.tostring(root))
show("ast", ast.dump(ast.parse(open(ast.__file__).read())))
a, b = source.getrandbits(30000), source.getrandbits(12000)
show("integers", f"{a * b:x} {a // b:x} {a % b:x} {pow(b, 65537, b // 3):x} {b} {a ^ b:x} {-a >> 77:x} {int(str(b)) == b}")
table = sqlite3.connect(":memory:")
table.execute("create table t(a integer, b real, c text)")
table.executemany("insert into t values(?, ?, ?)", ((i, source.random(), f"text {i % 17}") for i in range(20000)))
print(table.execute("select c, count(*), sum(b), avg(a * b), max(a) from t group by c order by c").fetchall())
