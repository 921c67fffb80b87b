# cpu: max qemu64
# Modules about the language, its library and threads of Python's own test suite.
# limit: 900
. /cases/python/tests.sh
run bytes bz2 re json sort set dict list tuple operator bisect heapq itertools functools mmap threading thread queue select fork1 generators coroutines exceptions compile marshal \
    pickle unicode codecs datetime time calendar gc weakref sys_settrace posix
