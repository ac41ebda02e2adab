# SPDX-License-Identifier: Apache-2.0
# pod.pl FILE.pod...: the sections (=head1, =head2) of Perl's manual, one document each, markup removed.
use strict;
use warnings;

my %named = (lt => '<', gt => '>', verbar => '|', sol => '/', amp => '&', quot => '"', nbsp => ' ');

sub inside {  # the text of one code, given what stands in its brackets
  my ($code, $text) = @_;
  return '' if $code =~ /[XZ]/;
  if ($code eq 'E') {
    return $named{$text} || ($text =~ /^0x([0-9a-f]+)$/i ? chr hex $1 : $text =~ /^\d+$/ ? chr $text : '');
  }
  if ($code eq 'L') {
    return $1 if $text =~ /^([^|]*)\|/s;
    $text =~ s{^([^/]*)/"?(.*?)"?$}{$2 eq '' ? $1 : $1 eq '' ? $2 : "$2 in $1"}se unless $text =~ m{^\w+://};
  }
  return $text;
}

sub plain {
  local $_ = shift;
  # Innermost first; a code with more brackets, C<< a > b >>, has spaces inside them.
  1 while s/([BCEFILSXZ])<<<?\s+((?:(?!<<)[\s\S])*?)\s+>>>?/inside($1, $2)/ge
       || s/([BCEFILSXZ])<([^<>]*)>/inside($1, $2)/ge;
  $_;
}

binmode STDOUT, ':utf8';
for my $file (@ARGV) {
  open my $in, '<', $file or die "$file: $!\n";
  my $text = do { local $/; <$in> };
  utf8::decode($text);
  my ($skip, $document) = (0, '');
  for (split /\n(?:[ \t]*\n)+/, $text) {
    s/^\n+//;
    if (/^=cut\b/ || /^=(?:pod|encoding|over|back|for)\b/) { next }
    if (/^=begin\b/) { $skip = 1; next }
    if (/^=end\b/) { $skip = 0; next }
    next if $skip;
    if (/^=head[12]\b/) {
      print "$document\0" if length $document > 200;
      $document = '';
    }
    s/^=(?:head\d|item)\s*//;
    s/^\*(?:\s+|\z)//;
    $_ = plain($_) unless /^[ \t]/;                     # an indented paragraph is code
    $document .= "$_\n\n" if /\S/;
  }
  print "$document\0" if length $document > 200;
}
