# SPDX-License-Identifier: Apache-2.0
# descriptions.pl: the Description-en fields of a list of packages, one document each.
use strict;
use warnings;

local $/ = '';
my %seen;
while (<STDIN>) {
  next unless /^Description-en: (.*\n(?: .*\n?)*)/m;
  $_ = $1;
  s/^ \.$//mg;
  s/^ //mg;
  print "$_\0" unless $seen{$_}++;
}
