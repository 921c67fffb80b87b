# cpu: max qemu64
# Python's floating point: text of numbers and back, functions on a grid, decimal and rational numbers.
python3 /cases/python/floats.py
python3 /cases/python/functions.py
python3 /cases/python/decimals.py
