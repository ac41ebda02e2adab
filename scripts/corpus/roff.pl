# SPDX-License-Identifier: Apache-2.0
# roff.pl FILE...: manual pages (man or mdoc macros, gzipped) as plain text, one document each.
#
# Not a formatter: it keeps the words, fills them into paragraphs, and drops the looks.
use strict;
use warnings;

my %glyph = (
  aq => q('), dq => '"', lq => chr 0x201c, rq => chr 0x201d, oq => chr 0x2018, cq => chr 0x2019, bu => chr 0x2022,
  em => chr 0x2014, en => chr 0x2013, hy => '-', mi => '-', pl => '+', rs => '\\', ti => '~', ha => '^', at => '@',
  sh => '#', Do => '$', ga => '`', co => chr 0xa9, rg => chr 0xae, '+-' => chr 0xb1, de => chr 0xb0, mc => chr 0xb5,
  mu => chr 0xd7, '->' => chr 0x2192, '<-' => chr 0x2190, '<=' => chr 0x2264, '>=' => chr 0x2265, '!=' => chr 0x2260,
  '**' => '*', eq => '=', or => '|', sl => '/', ul => '_', ru => '_', la => '<', ra => '>', lB => '[', rB => ']',
  lC => '{', rC => '}', 'Fo' => chr 0xab, 'Fc' => chr 0xbb, 'ss' => chr 0xdf, pd => chr 0x2202, is => chr 0x222b,
  if => chr 0x221e, '*p' => chr 0x3c0, dg => chr 0x2020, bv => '|', '!' => '!', "'e" => chr 0xe9, '`e' => chr 0xe8,
  "'a" => chr 0xe1, "'i" => chr 0xed, "'o" => chr 0xf3, "'u" => chr 0xfa, ':a' => chr 0xe4, ':o' => chr 0xf6,
  ':u' => chr 0xfc, ':A' => chr 0xc4, ':O' => chr 0xd6, ':U' => chr 0xdc, ',c' => chr 0xe7, '~n' => chr 0xf1,
  'oA' => chr 0xc5, 'oa' => chr 0xe5, '/o' => chr 0xf8);
my %string = (Aq => q('), lq => '"', rq => '"', 'L"' => '"', 'R"' => '"', 'C`' => '"', "C'" => '"', '--' => chr 0x2014,
              '-' => '-', Q => '"', U => '"', Lq => '"', Rq => '"', R => chr 0xae, Tm => chr 0x2122, PI => chr 0x3c0);

# Sections that say who translated the page or in which collection it came: the same on every page.
my $boilerplate = qr/^(?:\x{dc}BERSETZUNG|COLOPHON|KOLOPHON|TRANSLATION|\x{3053}\x{306e}\x{6587}\x{66f8}\x{306b}\x{3064}\x{3044}\x{3066})/;

# One character, (xx or [name]: how roff names a font, a register, a string.
my $ref = qr/\[[^\]]*\]|\(..|./s;
my %char = (e => '\\', '\\' => '\\', E => '\\', ' ' => ' ', '~' => ' ', 0 => ' ', '-' => '-', "'" => "'", '`' => '`',
            '.' => '.');

sub plain {  # text without escapes
  local $_ = shift;
  return $_ if index($_, '\\') < 0;
  s{\\(?:
      ["\#].*                                           # a comment
    | [fFmMVYk]$ref | n[-+]?$ref                        # fonts, colours, registers
    | s(?:[-+]?\[[^\]]*\]|[-+]?\d|'[^']*')              # sizes
    | [hvwDlLbxXZoRSAN]'[^']*'                          # moves, lines, widths, devices
    | \[u([0-9A-F]{4,5})(?:_[0-9A-F]+)*\]               # $1 a character by number,
    | \*($ref)                                          # $2 a string,
    | \[([^\]]*)\] | \((..)                             # $3, $4 a glyph by name
    | (.)                                               # $5 the rest, of which most say how to set
  )}{
    defined $1 ? chr hex $1 : defined $2 ? $string{$2 =~ s/^[\[(]|\]$//gr} || ''
      : defined $5 ? $char{$5} || '' : defined $3 ? $glyph{$3} || '' : defined $4 ? $glyph{$4} || '' : ''
  }gesx;
  $_;
}

sub arguments {  # of a macro line: words, or "words in quotes"
  my @a;
  my $line = shift;
  while ($line =~ /\G\s*(?:"((?:[^"]|"")*)"?|((?:\\.|\S)+))/gc) {
    my $a = defined $1 ? $1 : $2;
    $a =~ s/""/"/g;
    push @a, $a;
  }
  @a;
}

# mdoc: what surrounds the arguments of an inline macro; the rest are just words.
my %around = (Fl => ['-', ''], Op => ['[', ']'], Oo => ['[', ''], Oc => ['', ']'], Dq => ['"', '"'], Do => ['"', ''],
  Dc => ['', '"'], Sq => ["'", "'"], Ql => ["'", "'"], Qq => ['"', '"'], Pq => ['(', ')'], Po => ['(', ''],
  Pc => ['', ')'], Bq => ['[', ']'], Brq => ['{', '}'], Aq => ['<', '>'], Ao => ['<', ''], Ac => ['', '>']);
my %inline = map { $_ => 1 } keys %around, qw(Ar Cm Nm Pa Em Sy Li Va Vt Fa Fn Ft Ev Er Dv Ic Ad An Xr Sx No Ns Lk Mt
  Ux Bx Fx Nx Ox At Bsx In St Rv Ex Tn Me Cd Fd It D1 Dl Nd Xo Xc);
my $name = '';

sub mdoc {  # one line of mdoc macros as text
  my ($out, @close, $glue) = ('');
  my ($prev) = ('');
  my @words = @_;
  while (@words) {
    my $w = shift @words;
    if ($w eq 'Ns') { $glue = 1; next }
    if ($w eq 'Xr') {
      my ($page, $section) = splice @words, 0, 2;
      $w = plain($page || '') . (defined $section && $section =~ /^[0-9]/ ? "($section)" : '');
      unshift @words, $section if defined $section && $section !~ /^[0-9]/;
    } elsif ($inline{$w}) {
      if ($w eq 'Nm' && (!@words || $inline{$words[0]} || $words[0] =~ /^[,.;:)]$/)) { $w = $name }
      elsif ($w eq 'Bx') { $w = 'BSD' } elsif ($w eq 'Ux') { $w = 'UNIX' } elsif ($w eq 'At') { $w = 'AT&T UNIX' }
      else {
        my ($open, $close) = @{ $around{$w} || ['', ''] };
        if ($open ne '') { $out .= ' ' if $out ne '' && !$glue; $out .= $open; $glue = 1 }
        if ($close ne '') { if ($open eq '') { $out .= $close } else { push @close, $close } }
        next;
      }
    } else {
      $w = plain($w);
    }
    my $joins = $glue || $out eq '' || $w =~ /^[,.;:)\]?!]+$/ || $prev =~ /^[(\[]$/;
    $out .= ($joins ? '' : ' ') . $w;
    ($glue, $prev) = (0, $w);
  }
  my $tail = $out =~ s/([,.;:]+)$// && @close ? $1 : '';
  $tail = $1 if $tail eq '' && defined $1 && !@close;
  return $out . join('', reverse @close) . $tail;
}

my (@out, $fill, $flowing, $tag);

sub stop { $flowing = 0 }                               # the next text begins a line
sub gap { stop(); push @out, '' }
sub line { stop(); push @out, $_[0] }
sub text {  # words: filled into the paragraph, except between .nf and .fi
  my ($words) = @_;
  return line($words) if !$fill;
  if ($words =~ /^\s*$/) { gap(); return }
  if ($flowing) { $out[-1] .= " $words" } else { push @out, $words }
  $flowing = !$tag || $words =~ /^[\x{2022}*o+-]$/;   # a bullet stands before its text
  $tag = 0;
}

# What each macro does; those not here are dropped with their arguments.
my %does;
$does{$_} = \&gap for qw(PP P LP Pp sp HP Bl El);
$does{$_} = \&stop for qw(br RS RE);
$does{$_} = sub { gap(); $tag = 1 } for qw(TP);
$does{$_} = sub { stop(); $tag = 1 } for qw(TQ);
$does{$_} = sub { gap(); $fill = 0 } for qw(nf EX Vb);
$does{$_} = sub { $fill = 1; gap() } for qw(fi EE Ve Ed);
$does{IP} = sub { gap(); $tag = 1; @_ && $_[0] ne '' ? text(plain($_[0])) : ($tag = 0) };
$does{Bd} = sub { gap(); $fill = 0 if grep { /^-(?:literal|unfilled)$/ } @_ };
$does{$_} = sub { @_ ? text(plain(join ' ', @_)) : () } for qw(B I SM SB R);
$does{$_} = sub { text(plain(join '', @_)) } for qw(BR RB BI IB IR RI);
$does{$_} = sub { text(plain(join ' ', grep { defined } @_[0, 1])) } for qw(UR MT URL MTO);
$does{OP} = sub { text('[' . plain(join ' ', @_) . ']') };
$does{It} = sub { gap(); line(mdoc(@_)) if @_ };
$does{Nd} = sub { text('- ' . plain(join ' ', @_)) };
$does{Nm} = sub {
  $name = plain($_[0]) if @_ && $name eq '' && !$inline{ $_[0] };
  text(mdoc('Nm', @_));
};

sub page {
  my ($source) = @_;
  @out = ();
  ($fill, $flowing, $tag, $name) = (1, 0, 0, '');
  my ($skip, $in_macro, $table, $depth) = (0, 0, 0, 0);
  $source =~ s/\\\n//g;
  for (split /\n/, $source) {
    if ($in_macro) { $in_macro = 0 if /^\.\s*\.\s*$/; next }
    # Conditions: what .if and .ie guard is dropped, \{ blocks \} included, and the blocks of .el.
    my $is_macro = /^[.']/;
    if ($depth || $is_macro && (/^.\s*(?:if|ie|while)\b/ || (s/^.\s*el\b\s*// && /\\\{/))) {
      $depth += () = /\\\{/g;
      $depth -= () = /\\\}/g;
      next;
    }
    if ($table == 1) { $table = 2 if /\.\s*$/; next }      # the format of a table ends with a full stop
    if ($is_macro) {
      next if !/^.\s*([A-Za-z]{1,4}[0-9]?)(?:\s+(.*))?$/ || $table && $1 ne 'TE';
      my ($macro, $rest) = ($1, defined $2 ? $2 : '');
      if ($macro =~ /^(?:de|de1|am|ig)$/) { $in_macro = 1; next }
      my @a = arguments($rest);
      if ($macro =~ /^S[HhSs]$/) {
        my $heading = plain(join ' ', @a);
        $skip = $heading =~ $boilerplate if lc $macro eq 'sh';
        ($fill, $tag) = (1, 0);
        unless ($skip) { gap(); line($heading); gap() }
      } elsif ($skip) {
        next;
      } elsif ($macro =~ /^T[SE]$/) {
        $table = $macro eq 'TS';
        gap();
      } elsif ($does{$macro}) {
        $does{$macro}->(@a);
      } elsif ($inline{$macro}) {
        text(mdoc($macro, @a));
      }
      next;
    }
    next if $skip || /^\\["#]/;
    s/\t+/  /g;
    if ($table) {
      s/^T\}//;
      s/\s*T\{$//;
      line(plain($_)) unless /^[-_=\s]*$/;
    } else {
      stop() if /^ /;
      text(plain($_));
    }
  }
  for (@out) {
    s/^[ \t]+$//;
    s/(.{1,77}\S|\S+)(?:\s+|\z)/$1\n/g if length > 100;
    chomp;
  }
  my $result = join "\n", @out;
  $result =~ s/\n{3,}/\n\n/g;
  $result;
}

binmode STDOUT, ':utf8';
for my $file (@ARGV) {
  open my $in, '-|', 'gzip', '-dc', $file or die "gzip: $!\n";
  my $text = do { local $/; <$in> };
  close $in or die "$file: not a whole gzip file\n";
  next if !defined $text || $text =~ /\A\s*\.so /;      # another name of a page
  utf8::decode($text);
  print page($text), "\0";
}
