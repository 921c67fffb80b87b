# Sourced with MODEL set: compiles program $1 (with the further options) in several ways, prints a digest of the code and runs it.
each() {
    program=$1
    shift
    for options in -O0 -O1 -O2 '-O3 -funroll-loops' '-Os -fno-omit-frame-pointer' '-O2 -march=x86-64-v3' '-O3 -march=x86-64-v3' '-O2 -m32 -msse2' '-O0 -m32 -march=i686' '-O3 -m32 -msse2 -mfpmath=sse'; do
        case $MODEL:$options in
            qemu64:*v3) continue ;;
        esac
        echo "== $program $options"
        gcc $options -w -o program "/cases/c/$program.c" "$@" && objdump -d program | tail -n +4 | sha256sum && ./program
        echo "status $?"
    done
}
