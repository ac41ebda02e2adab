# SPDX-License-Identifier: Apache-2.0
# documents.pl CAP: takes documents that end with a NUL byte, cleans them, and writes them separated by
# lines `%`; on stderr their number and bytes.
#
# Cleaning: UTF-8 (what is not is read as Latin-1), no control characters, no spaces at the end of a
# line, no runs of blank lines; a line of the text that is just `%` gets a space before it. Documents
# longer than 64 kB are cut at blank lines, so that no single one weighs much in a split.
#
# With CAP > 0 about CAP bytes are kept, taken evenly: the next document is kept whenever the share of
# bytes kept so far is not above CAP / total.
use strict;
use warnings;

my $cap = shift;
my $longest = 65536;
my (@documents, $total);

sub cut {  # into parts of at most about $longest bytes
  my $text = shift;
  return $text if length $text <= $longest;
  my @parts = ('');
  for my $paragraph (split /(?<=\n\n)/, $text) {
    push @parts, '' if length $parts[-1] && length($parts[-1]) + length $paragraph > $longest;
    $parts[-1] .= $paragraph;
  }
  @parts;
}

$/ = "\0";
while (<STDIN>) {
  chomp;
  next unless /[^\s\0]/;
  my $utf8 = $_;
  if (!utf8::decode($utf8)) { utf8::upgrade($_); utf8::encode($_) }
  s/\A\xef\xbb\xbf//;
  s/\r\n?/\n/g;
  s/[^\n]\x08//g;                                       # overstriking
  tr/\x00-\x08\x0b-\x1f\x7f//d;
  s/[ \t]+$//mg;
  s/\n{3,}/\n\n/g;
  s/\A\n+//;
  s/\s+\z//;
  s/^%$/ %/mg;
  next if length $_ < 2;
  push @documents, cut($_);
}
$total += length for @documents;
die "no documents found\n" unless $total;

my ($seen, $kept, $n) = (0, 0, 0);
my $share = $cap && $cap < $total ? $cap / $total : 2;
for (@documents) {
  my $keep = $kept <= $seen * $share;
  $seen += length;
  next unless $keep;
  s/\s+\z//;
  print "$_\n%\n";
  $kept += length($_) + 3;
  $n++;
}
close STDOUT or die "writing: $!\n";
printf STDERR "%d documents, %.2f MB%s\n", $n, $kept / 1e6,
  $share < 1 ? sprintf(' (of %d, %.2f MB)', scalar @documents, $total / 1e6) : '';
