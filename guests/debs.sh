# Sourced by the scripts that make guests of Debian packages. The caller sets $debs (folder of the downloads), $work (scratch) and $guest (its name).

say() { printf '%s: %s\n' "$guest" "$*" >&2; }
die() { say "$*"; exit 1; }

# The newest file of package $1 among those already here.
cached() { find "$debs" -name "$1_*.deb" | sort | tail -n 1; }

# Downloads package $1 unless it is here already.
get() {
    [ -z "$(cached "$1")" ] || return 0
    say "downloading $1"
    # _apt, the user apt downloads as when it is root, cannot write here; that is only worth a warning to apt.
    (cd "$debs" && apt-get download -q "$1" >"$work/apt.log" 2>&1) || {
        cat "$work/apt.log" >&2
        die "cannot download $1; is the package list there (apt-get update)?"
    }
}

# Packages $@ and all they depend on, one a line.
closure() {
    apt-cache depends --recurse -i "$@" | grep '^[a-z0-9]' | LC_ALL=C sort -u
}

# Unpacks package $1 into root folder $2; what follows are options of tar.
unpack() {
    unpacked=$1
    into=$2
    shift 2
    get "$unpacked"
    dpkg-deb --fsys-tarfile "$(cached "$unpacked")" | tar -x -C "$into" "$@"
}

# Compiles the library of Python in root folder $1, as the installation of its packages would. Hash-based files do not depend on times,
# which a RAM disk may not keep.
compile_python() {
    libraries=$1/lib/x86_64-linux-gnu:$1/usr/lib/x86_64-linux-gnu
    PYTHONHOME=$1/usr "$1/lib64/ld-linux-x86-64.so.2" --library-path "$libraries" "$1/usr/bin/python3.11" -S -W ignore -c '
import pathlib, py_compile, sys
base = sys.argv[1]
for path in sorted(pathlib.Path(base, "usr/lib/python3.11").rglob("*.py")):
    py_compile.compile(str(path), dfile="/" + str(path.relative_to(base)), invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH, quiet=2)
' "$1"
}

# Puts busybox $2 and a link per applet that is not there yet into root folder $1.
install_busybox() {
    mkdir -p "$1/bin" "$1/sbin" "$1/usr/bin" "$1/usr/sbin"
    cp "$2" "$1/bin/busybox"
    chmod 755 "$1/bin/busybox"
    "$2" --list-full | while read -r applet; do
        case $applet in
            bin/* | sbin/* | usr/bin/* | usr/sbin/*) [ -e "$1/$applet" ] || [ -L "$1/$applet" ] || ln -s /bin/busybox "$1/$applet" ;;
        esac
    done
}

# Writes root folder $1 as a cpio archive. The same input gives the same archive: names sorted, times and owners fixed.
pack() {
    find "$1" -exec touch -h -d '2024-01-01 00:00:00 UTC' {} +
    (cd "$1" && find . | LC_ALL=C sort | bin/busybox cpio -o -H newc -R 0:0 2>/dev/null)
}
