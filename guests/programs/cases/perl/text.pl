# Regular expressions, strings, hashes, sorting and files.
use strict;
use warnings;
use feature 'fc';
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex sha512_base64);
use Encode qw(encode decode);
use List::Util qw(reduce shuffle sum max first uniq);
use MIME::Base64;
use Storable qw(freeze thaw dclone);
use Data::Dumper;
use POSIX ();

my $state = 42;
sub next_number { return $state = ($state * 1103515245 + 12345) % 2147483648 }
my @syllables = qw(ba do ki lu me na po ru si ta ve wo);
my @words = map { join '', map { $syllables[(next_number() >> 8) % @syllables] } 1 .. 1 + (next_number() >> 8) % 4 } 1 .. 20000;
my $text = join ' ', @words;
print length $text, ' ', sha256_hex($text), "\n";

for my $pattern (qr/\b(\w\w)(\w*)\1\b/, qr/(?<=ba)(do|ki)+(?!lu)/, qr/\b(?:[aeiou]?[^aeiou\s])+?ta\b/, qr/(?<first>\w+) (?<second>\g{first})/, qr/\b\w{8}\b/i, qr/(\w)(?:(?!\1)\w){4,}/,
    qr/\b(?>\w+?ba)\w/, qr/(?:(ba)|(do)|(ki))(?(1)do|(?(2)ki|ba))/) {
    my ($count, $all) = (0, '');
    while ($text =~ /$pattern/g) { $count++; $all .= "$-[0]-$+[0] " }
    print "$pattern $count ", md5_hex($all), "\n";
}
my $balanced = qr/\((?:[^()]++|(?R))*\)/;
print "((a)(b(c)))(" =~ $balanced ? "$&\n" : "none\n";
(my $changed = $text) =~ s/(\w+) (\w+)/\u$2 \U$1/g;
print md5_hex($changed), ' ', ($changed =~ tr/a-z//), ' ', ($changed =~ tr/A-Za-z/N-ZA-Mn-za-m/), ' ', md5_hex($changed), "\n";
(my $evaluated = $text) =~ s/(\w{2})/length($1) + ord($1) % 7/ge;
print md5_hex($evaluated), "\n";
print join(',', (split /(o)\s*/, substr $text, 0, 200)[0 .. 9]), "\n";

my %count;
$count{$_}++ for @words;
my @common = sort { $count{$b} <=> $count{$a} || $a cmp $b } keys %count;
print join(' ', map {"$_=$count{$_}"} @common[0 .. 9]), "\n";
print md5_hex(join ',', sort { lc $a cmp lc $b or $a cmp $b } @words), ' ', (reduce { $a + $b } map {length} @words), ' ', scalar(uniq @words), ' ', (first {/^wo/} @words), "\n";
my $deep = { list => [1 .. 5], hash => { map { $_ => [$_ x 2] } 'a' .. 'e' }, text => "caf\x{e9}" };
$Data::Dumper::Sortkeys = $Data::Dumper::Indent = 1;
print Dumper(dclone($deep)), Dumper(thaw(freeze($deep))) eq Dumper($deep) ? "same\n" : "differs\n";

my $unicode = "Stra\x{df}e \x{3b1}\x{3c9} \x{4e2d}\x{6587} \x{1f600} e\x{301}";
print encode('UTF-8', join '|', uc $unicode, lc $unicode, fc $unicode, ucfirst $unicode, scalar reverse $unicode), "\n";
print length($unicode), ' ', length(encode('UTF-16LE', $unicode)), ' ', scalar(() = $unicode =~ /\p{Lu}|\p{Greek}|\p{Han}/g), ' ', encode_base64(encode('UTF-8', $unicode), ''), "\n";
print sha512_base64($text), ' ', decode_base64(encode_base64($text)) eq $text ? "same\n" : "differs\n";

my @recursive = (sub { my ($n, $self) = @_; $n < 2 ? $n : $self->($n - 1, $self) + $self->($n - 2, $self) });
print $recursive[0]->(20, $recursive[0]), "\n";
for my $code (sub { 1 / (0 * $_[0]) }, sub { die { code => 5 } }, sub { sqrt(-1) }, sub { my @a = (1) x 3; $#a }, sub { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; 1 while 1 }) {
    my $result = eval { $code->(1) };
    print defined $result ? "$result\n" : ref $@ ? "code $@->{code}\n" : $@ =~ s/ at .*//sr . "\n";
}
open my $file, '>', 'lines' or die;
print $file "$_ $words[$_]\n" for 0 .. 4999;
close $file;
open $file, '<', 'lines' or die;
my ($lines, $bytes) = (0, 0);
while (<$file>) { $lines++; $bytes += length; last if eof }
print "$lines $bytes ", -s 'lines', "\n";
print POSIX::strftime('%Y-%m-%d %H:%M:%S %j', gmtime 1709210096), ' ', POSIX::floor(-2.5), ' ', POSIX::fmod(7.5, 2), "\n";
format STDOUT =
@<<<<<<< @>>>>>>> @||||||| @###.###
$common[0], $common[1], $common[2], $count{$common[0]} / 7
.
write;
