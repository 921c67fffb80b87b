# Sourced: runs modules of Python's test suite one by one, and prints how many tests ran; of those that fail all of the text.
run() {
    for module; do
        echo "test_$module"
        # test_decimal sets itself up only when it is the program.
        case $module in
            decimal) set -- -m test.test_decimal ;;
            *) set -- -m unittest -q "test.test_$module" ;;
        esac
        PYTHONDONTWRITEBYTECODE=1 python3 "$@" >text 2>&1
        echo "status $?"
        sed -E 's/ in [0-9.]+s$//' text | grep -E '^(Ran|OK)' >summary
        if grep -q '^OK' summary; then
            cat summary
        else
            cat text
        fi
    done
}
