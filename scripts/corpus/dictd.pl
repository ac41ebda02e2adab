# SPDX-License-Identifier: Apache-2.0
# dictd.pl INDEX < DICTIONARY: the entries of a dictd dictionary, one document each.
#
# The index has a line `headword TAB offset TAB length` for every headword, numbers in base 64;
# entries with several headwords appear several times. Headwords 00-database-* are about the file.
use strict;
use warnings;

my %digit;
@digit{'A' .. 'Z', 'a' .. 'z', 0 .. 9, '+', '/'} = 0 .. 63;
sub number { my $n = 0; $n = $n * 64 + $digit{$_} for split //, $_[0]; $n }

my (%length, %about);
open my $index, '<', $ARGV[0] or die "$ARGV[0]: $!\n";
while (<$index>) {
  chomp;
  my ($word, $offset, $length) = split /\t/;
  $length{number($offset)} = number($length);
  $about{number($offset)} = 1 if $word =~ /^00-?database/;
}

# Accents are written in brackets: ["o] is o with two dots.
my %letter = (
  "['a]" => 0xe1, "[`a]" => 0xe0, "[^a]" => 0xe2, '["a]' => 0xe4, "['e]" => 0xe9, "[`e]" => 0xe8,
  "[^e]" => 0xea, '["e]' => 0xeb, "['i]" => 0xed, "[`i]" => 0xec, "[^i]" => 0xee, '["i]' => 0xef,
  "['o]" => 0xf3, "[`o]" => 0xf2, "[^o]" => 0xf4, '["o]' => 0xf6, "['u]" => 0xfa, "[`u]" => 0xf9,
  "[^u]" => 0xfb, '["u]' => 0xfc, "[~n]" => 0xf1, "[~a]" => 0xe3, "[~o]" => 0xf5, "[,c]" => 0xe7,
  "['E]" => 0xc9, '["A]' => 0xc4, '["O]' => 0xd6, '["U]' => 0xdc, "[ae]" => 0xe6, "[AE]" => 0xc6,
  "[oe]" => 0x153, "[OE]" => 0x152, "[=a]" => 0x101, "[=e]" => 0x113, "[=i]" => 0x12b, "[=o]" => 0x14d,
  "[=u]" => 0x16b, "[deg]" => 0xb0, "[frac12]" => 0xbd, "[frac14]" => 0xbc, "[frac34]" => 0xbe);
my $letters = join '|', map quotemeta, sort keys %letter;

undef $/;
my $text = <STDIN>;
die "empty dictionary\n" unless defined $text && length $text;
binmode STDOUT, ':utf8';
for my $offset (sort { $a <=> $b } keys %length) {
  next if $about{$offset};
  $_ = substr $text, $offset, $length{$offset};
  utf8::decode($_);
  s/^[ \t]*\[[^\[\]]*(?:Webster|WordNet|PJC|Century Dict|RDH)[^\[\]]*\][ \t]*\n//mg;  # where a sense is from
  1 while s/^(\S[^\n\\]*?) *\\[^\\]*\\(,?) */$1$2 /mg;  # the pronunciation behind a headword
  s/^(\S[^\n(]*?) \([^()\n]*[\[`"*?][^()\n]*\)/$1/;      # ... in brackets
  s/\{([^{}]{1,200})\}/$1/g;                           # cross-references
  s/^[ \t]*\(\d{4}-\d\d-\d\d\)[ \t]*\n?//mg;           # date of the last change
  s/^[ \t]*\[\s*Jargon File\s*\][ \t]*\n?//mg;
  s/($letters)/chr $letter{$1}/ge;
  s/^   //mg;
  print "$_\0";
}
