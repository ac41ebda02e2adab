# SPDX-License-Identifier: Apache-2.0
# metamath.pl FILE.mm: the statements of a Metamath database with their comments but without the
# proofs; a document is an outermost block ${ ... $}, or a comment with what it is about.
use strict;
use warnings;

undef $/;
my $text = <>;
$text =~ s/\s*\$=[^\$]*\$\./ \$./g;
$text =~ s/^[ \t]+\$d [^\$]*\$\.[ \t]*\n?//mg;           # which variables must be distinct
$text =~ s/^  //mg;
my ($depth, $document) = (0, '');
for (split /\n(?:[ \t]*\n)+/, $text) {
  $document .= "$_\n";
  (my $code = $_) =~ s/\$\(.*?\$\)//gs;
  $depth += () = $code =~ /\$\{/g;
  $depth -= () = $code =~ /\$\}/g;
  next if $depth > 0;
  $document =~ s/^[ \t]*\$[{}][ \t]*\n?//mg;
  $document =~ s/\$\( |\s*\$\)//g;
  $document =~ s/^[#=~*+-]{8,}.*\n//mg;                 # rulers around the headings
  print "$document\0";
  $document = '';
}
