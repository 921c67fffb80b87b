# cpu: max qemu64
# A small project by make, with archives, a shared library, parallel jobs and a second run that has nothing to do.
cp -r /cases/make/. .
make -j3 -s check
make check
rm part3.o
make -n | sort
make -s clean && ls
