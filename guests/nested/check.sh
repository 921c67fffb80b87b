#!/bin/bash
# What emu does on a real KVM, in the nested run (run.sh): the built-in guest is the same under tcg and kvm, and Debian comes up
# to a shell with the interrupt controllers in the kernel, split and in user space, with one CPU and two. Options are run.sh's.
# The last line is "N passed, N failed".
set -u
here=$(cd -- "$(dirname -- "$0")" && pwd)
read -r -d '' job <<'JOB'
passed=0 failed=0
verdict() {
    if [ "$2" = 0 ]; then passed=$((passed + 1)) word=PASS; else failed=$((failed + 1)) word=FAIL; fi
    echo "$word $1 ($(($(date +%s) - start)) s)"
}
# Not before there is a shell: what the line gets earlier is lost when the terminal is opened.
typed() {
    until grep -aq 'emu-guest#' /tmp/out; do sleep 0.2; done
    echo 'echo cpus-$(nproc)-clock-$(cat /sys/devices/system/clocksource/clocksource0/current_clocksource)'
    echo 'poweroff -f'
}
boots() {
    start=$(date +%s)
    : >/tmp/out
    typed | timeout 150 ./emu -accel "kvm,kernel-irqchip=$1" -smp "$2" -m 512 -nographic -no-reboot -kernel vmlinuz -initrd initrd.img \
        -append 'console=ttyS0 quiet' --stats >>/tmp/out 2>&1
    code=$?
    grep -aE '^exits:|^(guest|sys|user) time' /tmp/out | tr -s ' ' | tr '\n' ';'
    [ $code = 0 ] && grep -aq "EMU-GUEST-READY" /tmp/out && grep -aqE "^cpus-$2-clock-kvm-clock" /tmp/out
    result=$?
    [ $result = 0 ] || { echo "exit code $code"; tail -n 20 /tmp/out; }
    verdict "Debian, kernel-irqchip=$1, $2 CPU" $result
}
start=$(date +%s)
./emu doctor
./emu >/tmp/out 2>&1
result=$?
grep -aE '^\| (tcg|kvm)' /tmp/out
[ $result = 0 ] && grep -aqE '^\| kvm .*\| passed .*\| identical' /tmp/out
verdict 'built-in guest, tcg and kvm identical' $?
boots split 1
boots on 1
boots off 1
boots split 2
boots on 2
boots off 2
echo "$passed passed, $failed failed"
[ $failed = 0 ]
JOB
exec "$here/run.sh" --timeout 1200 "$@" "$job"
