# cpu: max qemu64
# Compilers that put code in memory: SBCL, with a collector that protects pages, and Guile, with a compiler at run time.
sbcl --script /cases/lisp/work.lisp
GUILE_AUTO_COMPILE=0 guile-3.0 -s /cases/lisp/work.scm
