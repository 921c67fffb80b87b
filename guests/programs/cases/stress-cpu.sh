# cpu: max qemu64
# limit: 900
# stress-ng: every method of the cpu stressor, with their results verified.
. /cases/stress.inc
stress cpu --cpu-method all --cpu-ops 240
