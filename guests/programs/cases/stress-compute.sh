# cpu: max qemu64
# limit: 900
# stress-ng: stressors that compute, with their results verified.
. /cases/stress.inc
stress matrix --matrix-ops 1500 --matrix-size 64
stress matrix-3d --matrix-3d-ops 200 --matrix-3d-size 32
stress str --str-ops 3000
stress wcs --wcs-ops 3000
stress qsort --qsort-ops 2 --qsort-size 65536
stress heapsort --heapsort-ops 2 --heapsort-size 65536
stress mergesort --mergesort-ops 2 --mergesort-size 65536
stress radixsort --radixsort-ops 2 --radixsort-size 65536
stress shellsort --shellsort-ops 2 --shellsort-size 65536
stress bsearch --bsearch-ops 4
stress hsearch --hsearch-ops 4
stress lsearch --lsearch-ops 1 --lsearch-size 2048
stress tsearch --tsearch-ops 2
stress tree --tree-ops 2 --tree-size 20000
stress list --list-ops 10
stress skiplist --skiplist-ops 100
stress sparsematrix --sparsematrix-ops 4
stress hash --hash-ops 600
stress zlib --zlib-ops 10
stress crypt --crypt-ops 100
stress fp --fp-ops 30
stress funccall --funccall-ops 1000
stress funcret --funcret-ops 1000
stress rotate --rotate-ops 1000
stress vecmath --vecmath-ops 500
stress vecfp --vecfp-ops 20
stress vecwide --vecwide-ops 500
stress vecshuf --vecshuf-ops 20
stress regs --regs-ops 2000
stress goto --goto-ops 5000
stress branch --branch-ops 2000
stress jpeg --jpeg-ops 3
stress judy --judy-ops 1 --judy-size 65536
