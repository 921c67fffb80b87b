# Numbers: text of them and back, integers that overflow, pack, big numbers, functions.
use strict;
use warnings;
no warnings 'overflow', 'portable';
use Digest::MD5 qw(md5_hex);
use Math::BigFloat;
use Math::BigInt;
use Math::Complex ();
use Math::Trig ();

my @numbers = (0, -0.0, 1, -1, 0.1, 1 / 3, 1e15, 1e16, 123456789012345678, 18446744073709551615, -9223372036854775808, 9007199254740993, 1e100, 5e-324, 1.7976931348623157e308, 9**9**9, -9**9**9, 2**0.5);
for my $n (@numbers) {
    print join(' ', $n, map { sprintf $_, $n } '%d', '%s', '%.17g', '%e', '%g', '%.0f', '%+.3f', '%a', '%010.2f'), "\n" if abs($n) < 1e300;
    print join(' ', $n * 3, $n + 1, $n - 0.5, $n / 7, $n <=> 1), "\n";
}
printf "%s\n", join ' ', map { sprintf "%b %o %x %#X %c %5s|%-5s|%05d %vd", $_, $_, $_, $_, 65 + $_ % 26, $_, $_, $_, "1.$_" } 0, 7, 255, 4294967295;
print join(' ', 18446744073709551615 + 1, 9223372036854775807 + 1, 9223372036854775807 * 2, -7 / 2, -7 % 3, 7 % -3, 2**63, 2**64, 1 << 63, ~0, ~0 >> 1, 0xdeadbeef ^ 0x12345678, -17 & 0xff), "\n";
{
    use integer;
    print join(' ', -7 / 2, -7 % 3, 9223372036854775807 + 1, 1 << 63, -1 >> 3), "\n";
}
for my $template ('c C s S l L q Q', 's< s> l< l> q< q>', 'n N v V', 'f d', 'f< f> d< d>', 'w w w', 'A5 a5 Z5', 'H8 h8 b8 B8', 'U U', 'j J', 'F D') {
    my @values = $template =~ /[AaZ]/ ? qw(one two three) : $template =~ /[Hh]/ ? qw(deadbeef 12345678 10101010 11001100) : $template =~ /[fdFD]/ ? (0.1, -1e10, 3.25, 1e-5) : (1, 200, 30000, 4000, 50000, 6, 7, 8);
    no warnings;
    my $packed = pack $template, @values;
    print "$template ", unpack('H*', $packed), ' ', join(',', unpack $template, $packed), "\n";
}
print unpack('%32C*', 'checksum' x 100), ' ', unpack('%64Q*', pack 'Q*', 1 .. 1000), ' ', join(',', unpack 'N/a* n', pack 'N/a* n', 'counted', 77), "\n";

my ($all, $sum, $state) = ('', 0, 1);
for (1 .. 20000) {
    $state = ($state * 69069 + 1) % 4294967296;
    my $x = ($state - 2147483648) / 65536.7;
    $all .= join ' ', sin $x, cos $x, exp($x / 5000), log(abs $x), sqrt abs $x, atan2($x, 3), int $x, abs $x, $x ** 3;
    $sum += $x;
}
print md5_hex($all), " $sum\n";
my $strings = join ' ', map { 0 + ("${_}e" . ($_ % 600 - 300)) } 1 .. 3000;
print md5_hex($strings), "\n";
print Math::BigInt->new(2)->bpow(521)->bsub(1)->bstr, ' ', Math::BigInt->new(100)->bfac->bstr, "\n";
print Math::BigInt->new('123456789' x 8)->bmodpow(65537, '987654321' x 6), ' ', Math::BigInt->new('9' x 60)->bsqrt, "\n";
print Math::BigFloat->bpi(120), ' ', Math::BigFloat->new(2)->bsqrt(80), ' ', Math::BigFloat->new(3)->blog(undef, 50), "\n";
print Math::Trig::great_circle_distance(0.1, 0.2, 1.3, 1.4, 6378), ' ', Math::Complex::sqrt(-2), ' ', Math::Trig::acos(0.3), "\n";
srand 7;
print join(' ', map { sprintf '%.15f', rand } 1 .. 5), "\n";
