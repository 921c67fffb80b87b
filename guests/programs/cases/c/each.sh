# Sourced with MODEL set: compiles program $1 (with the further options) in several ways, prints a digest of the code and runs it.
each() {
    program=$1
    shift
    for options in -O0 -O2 '-O3 -funroll-loops' '-O3 -march=x86-64-v3' '-O2 -m32 -msse2' '-Os -m32 -march=i686'; do
        case $MODEL:$options in
            qemu64:*v3) continue ;;
        esac
        echo "== $program $options"
        gcc $options -w -o program "/cases/c/$program.c" "$@" && objdump -d program | tail -n +4 | sha256sum && ./program
        echo "status $?"
    done
}
