# cpu: max qemu64
# limit: 900
# C++: exceptions, virtual calls, templates, containers, threads, iostreams.
for options in -O2 '-O1 -march=x86-64-v3' '-O0 -m32'; do
    case $MODEL:$options in
        qemu64:*v3) continue ;;
    esac
    echo "== $options"
    g++ -std=c++20 $options -w -pthread -o program /cases/c/classes.cc && ./program
    echo "status $?"
done
