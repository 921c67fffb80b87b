# cpu: max qemu64
# Perl: regular expressions, sprintf, pack, sort, big numbers.
perl /cases/perl/text.pl
perl /cases/perl/numbers.pl
