# SPDX-License-Identifier: Apache-2.0
# changelog.pl FILE...: the entries of GNU change logs, one document each, without the line of date,
# name and address.
use strict;
use warnings;

for my $file (@ARGV) {
  open my $in, '<', $file or die "$file: $!\n";
  my $text = do { local $/; <$in> };
  for (split /^(?:\d{4}-\d\d-\d\d|(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) )[^\n]*\n/m, $text) {
    s/\fLocal Variables:.*//s;
    s/^[ \t]+[^\n]*<[^\n>]+@[^\n>]+>[ \t]*\n//mg;        # further authors
    s/^\t//mg;
    print "$_\0" if length > 40;
  }
}
