# cpu: max qemu64
# Python's library: hashes, compression, text, containers, random numbers, processes, threads.
python3 /cases/python/library.py
python3 /cases/python/processes.py
