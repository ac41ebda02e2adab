# SPDX-License-Identifier: Apache-2.0
# markdown.pl FILE.md.gz...: the sections of Markdown pages, one document each, markup removed.
use strict;
use warnings;

for my $file (@ARGV) {
  open my $in, '-|', 'gzip', '-dc', $file or die "gzip: $!\n";
  local $_ = do { local $/; <$in> };
  close $in or die "$file: not a whole gzip file\n";

  s/^\[(?:\x{e2}\x{80}\x{b9}|up\]).*\z//ms;              # links to the previous page, up, the next page
  s/!\[[^\]]*\]\([^)]*\)//g;                            # pictures
  s/\[((?:[^\[\]]++|\[[^\[\]]*+\])*+)\]\((?:[^()]++|\([^()]*+\))*+\)/$1/g;  # links
  s/^ *(?:\* ){3}\**$//mg;                              # rules
  s/\*\*//g;                                            # emphasis
  s/_+(?![A-Za-z0-9])//g;
  s/(?:^|([^A-Za-z0-9]))_+/$1 || ''/mge;
  s/(?<=\S)[ ]+(?=[,.;:)\]](?:\s|$))//g;                # emphasis leaves `word ,`
  s/\\([\\`*_{}\[\]()#+.!<>-])/$1/g;
  s/[ ]+$//mg;

  for (split /^(?=#{1,2} )/m) {
    s/^#+ *//mg;
    s/^> ?//mg;
    # Tables of contents: most of the lines begin with a bullet.
    my $lines = () = /^.*\S/mg;
    my $bullets = () = /^ *\* /mg;
    print "$_\0" if length > 300 && $bullets < $lines / 3;
  }
}
