#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# fetch-corpus.sh: real text to try regmix on, taken out of Debian packages. The packages are
# downloaded and unpacked, never installed; the project itself ships no text.
#
# A domain's recipe is in extract() below, with the longer filters in scripts/corpus/. A recipe runs in
# the folder the packages were unpacked to and prints documents, each ended by a NUL byte;
# corpus/documents.pl cleans them, keeps an even share of them and writes DIR/<domain>.txt.
set -u
export LC_ALL=C

me=$(basename "$0")
here=$(cd "$(dirname "$0")" && pwd) || exit 1
recipes=$here/corpus

usage() {
  cat << END
usage: $me DOMAIN... --into DIR [--cap BYTES]
       $me --list

Writes the text of each domain to DIR/<domain>.txt, documents separated by lines that are just \`%\`.
What is there already is left alone.

  --into DIR     where the text goes
  --cap BYTES    keep about so much of each domain, taken evenly from all of it (k, M and G may follow)
  --cache DIR    where packages are kept (\$REGMIX_CACHE/debs, else ~/.cache/regmix/debs)
  --list         the domains, their packages and what they are
  --help         this text
END
}

# domain | packages (a pattern where the name carries a version) | text, MB | what
domains() {
  sed 's/ *| */|/g; s/^ *//' << 'END'
foldoc     | dict-foldoc                           | 5.0 | encyclopedia of computing
gcide      | dict-gcide                            | 32  | English dictionary
faq        | anarchism                             | 11  | essays: questions and long answers
bible      | bible-kjv bible-kjv-text              | 4.1 | the King James Bible, by chapter
novels     | r-cran-janeaustenr r-cran-tokenizers  | 5.3 | novels of Jane Austen and Herman Melville, by chapter
pkgdesc    | -                                     | 26  | descriptions of Debian's packages (from apt's lists)
c          | openafs-modules-dkms                  | 5.4 | C source code of a file system
glibc      | glibc-source                          | 37  | C source code of the GNU C library
changelog  | glibc-source                          | 15  | change logs of the GNU C library
python     | libpython3.*-stdlib                   | 4.2 | Python source code of the standard library
sympy      | python3-sympy                         | 15  | Python source code of computer algebra
metamath   | metamath-databases                    | 15  | formal mathematics: statements and comments
hol        | hol-light                             | 33  | proof scripts in OCaml
man        | manpages manpages-dev                 | 6.0 | manual pages of Linux
perldoc    | perl-doc                              | 6.8 | manual of Perl
bio        | r-bioc-go.db                          | 7.5 | definitions of terms of biology
german     | manpages-de                           | 7.6 | manual pages in German
japanese   | manpages-ja                           | 8.9 | manual pages in Japanese
fortunes   | fortunes                              | 2.5 | quotations and jokes
END
}

# The files below FOLDER that match the find(1) expression, each a document, in order of their names.
files() {
  find "$@" -type f -print | sort | tr '\n' '\0' | xargs -0 perl -ne 'print; print "\0" if eof'
}

# Hands the files that find(1) gives, in order of their names, to a filter: filter FILTER find-arguments...
filter() {
  program=$1
  shift
  find "$@" -type f -print | sort | tr '\n' '\0' | xargs -0 perl "$recipes/$program"
}

python() {
  command -v python3 > /dev/null \
    || { echo "this domain needs python3 (apt-get install python3)" >&2; return 1; }
  python3 "$@"
}

glibc_tar() { # the parts of glibc's source that match a pattern
  if command -v xz > /dev/null; then
    xz -dc usr/src/glibc/glibc-*.tar.xz | tar -xf - --wildcards "$@"
  else
    python -c 'import fnmatch, sys, tarfile
with tarfile.open(sys.argv[1]) as t:
  wanted = [m for m in t if m.isfile() and any(fnmatch.fnmatch(m.name, p) for p in sys.argv[2:])]
  t.extractall(members=wanted)' \
      usr/src/glibc/glibc-*.tar.xz "$@"
  fi
}

extract() {
  case $1 in
    foldoc | gcide)
      gzip -dc < usr/share/dictd/"$1".dict.dz | perl "$recipes/dictd.pl" usr/share/dictd/"$1".index
      ;;
    faq) filter markdown.pl usr/share/doc/anarchism/markdown -name '[0-9asv]*.md.gz' ! -name 'a*links*' ;;
    bible) # lines `Gen1:1 In the beginning ...`; the program looks for its data in the current folder
      (cd usr/lib && ../bin/bible -f 'gen1:1-rev22:21') \
        | perl -ne '/^(\w+?\d+):\d+ +(.*)/ or next; print "\0" if $c && $1 ne $c; $c = $1; print "$2\n"'
      ;;
    novels) python "$recipes/novels.py" usr/lib/R/site-library/*/data/Rdata.rdb ;;
    pkgdesc) descriptions | perl "$recipes/descriptions.pl" ;;
    c) files usr/src -name '*.[ch]' ;;
    glibc) glibc_tar '*.[ch]' && files glibc-* -name '*.[ch]' ! -size +200k ;;
    changelog) glibc_tar '*/ChangeLog.old/*' && filter changelog.pl glibc-*/ChangeLog.old ;;
    python | sympy) files usr/lib -name '*.py' ! -size +200k ! -path '*/test*' ! -path '*/pydoc_data/*' \
      ! -name '_sysconfigdata*' ;;
    metamath) perl "$recipes/metamath.pl" usr/share/metamath/databases/set.mm ;;
    hol) files usr/share/hol-light -name '*.ml' ! -name '*database*' ;;
    man) filter roff.pl usr/share/man/man* -name '*.gz' ;;
    perldoc) filter pod.pl usr/share/perl -name '*.pod' ! -name perltoc.pod ! -name perluniprops.pod ;;
    bio) python "$recipes/bio.py" usr/lib/R/site-library/GO.db/extdata/GO.sqlite ;;
    german | japanese) filter roff.pl usr/share/man -name '*.gz' ;;
    fortunes) # a record ends with a line `%`
      find usr/share/games/fortunes -type f ! -name '*.*' ! -name ascii-art -print | sort | xargs cat \
        | perl -pe 's/^%\n/\0/' ;;
  esac
}

say() { printf '%s: %s\n' "$me" "$*" >&2; }
field() { domains | awk -F'|' -v d="$1" -v f="$2" '$1 == d { print $f }'; }

# ---- packages ---------------------------------------------------------------

# apt-get and its relatives on lists of our own below the cache: needs no root, changes nothing of the system.
own_lists() {
  program=$1
  shift
  "$program" -o Dir::State::Lists="$cache/apt/lists" -o Dir::Cache="$cache/apt" -o Dir::Cache::pkgcache= \
    -o Dir::Cache::srcpkgcache= -o Acquire::Languages=en -o Acquire::GzipIndexes=false \
    -o Debug::NoLocking=true -o APT::Sandbox::User= -q "$@"
}

update_own_lists() {
  mkdir -p "$cache/apt/lists/partial" "$cache/apt/archives/partial"
  say "reading the lists of packages"
  own_lists apt-get update > "$work/apt.log" 2>&1
}

# The newest deb in the cache of a package (or pattern); fails when there is none.
cached() {
  # shellcheck disable=SC2012,SC2086  # apt's file names have no spaces; the pattern is meant to expand
  found=$(set +f; cd "$cache" 2> /dev/null && ls -t ${1}_*.deb 2> /dev/null | head -n 1)
  [ -n "$found" ] && printf '%s\n' "$cache/$found"
}

# real_names APT PACKAGE...: the patterns among the names replaced by the newest package that matches.
real_names() {
  apt=$1
  shift
  for package; do
    case $package in
      *\**)
        regex=$(printf '%s' "$package" | sed 's/\./\\./g; s/\*/[0-9]+/g')
        match=$($apt apt-cache search --names-only "^$regex\$" 2> /dev/null \
          | cut -d' ' -f1 | sort -V | tail -n 1)
        printf '%s\n' "${match:-$package}"
        ;;
      *) printf '%s\n' "$package" ;;
    esac
  done
}

# download PACKAGE...: into the cache, first by the system's lists of packages, then (there are none, or they
# are out of date) by fresh ones of our own.
download() {
  fresh=$work/fresh
  mkdir -p "$fresh"
  set -f # the names may be patterns
  tried=no
  # shellcheck disable=SC2046  # names have no spaces
  if command -v apt-get > /dev/null; then
    tried=yes
    (cd "$fresh" && apt-get -q -o APT::Sandbox::User= download $(real_names command "$@")) \
      > "$work/apt.log" 2>&1 \
      || { update_own_lists && (cd "$fresh" && own_lists apt-get download $(real_names own_lists "$@")) \
        > "$work/apt.log" 2>&1; }
  fi
  set +f
  for deb in "$fresh"/*.deb; do
    [ -f "$deb" ] && mv -f "$deb" "$cache/"
  done
  missing=
  for package; do
    cached "$package" > /dev/null || missing="$missing $package"
  done
  [ -z "$missing" ] && return 0
  say "no package:$missing"
  if [ $tried = yes ]; then
    say "not in $cache, and \`apt-get download\` (with the system's lists and with fresh ones) said:"
    sed -n 's/^\([EW]:.*\|Err:.*\)/  \1/p' "$work/apt.log" | sort -u | head -n 6 >&2
  else
    say "not in $cache, and there is no apt-get here"
  fi
  say "to go on without a network, put the .deb files into that folder"
  return 1
}

# Debian's long descriptions: from the system's lists of packages if they are there, else from our own.
descriptions() {
  for lists in "$cache/apt/lists" /var/lib/apt/lists; do
    set -- "$lists"/*_Translation-en*
    [ -f "$1" ] && break
  done
  if ! [ -f "$1" ]; then
    update_own_lists || { sed 's/^/  /' "$work/apt.log" >&2; return 1; }
    set -- "$cache"/apt/lists/*_Translation-en*
  fi
  for list; do
    /usr/lib/apt/apt-helper cat-file "$list" || return 1
    echo
  done
}

# ---- one domain -------------------------------------------------------------

unpack() { # unpack DEB FOLDER
  dpkg-deb -x "$1" "$2" 2> "$work/dpkg.log" && return 0
  sed 's/^/  /' "$work/dpkg.log" >&2
  if ! dpkg-deb --fsys-tarfile "$1" > /dev/null 2>&1; then
    rm -f "$1"
    say "$(basename "$1") is broken (an interrupted download?): removed from the cache; run this again"
  else
    say "cannot unpack $(basename "$1")"
  fi
  return 1
}

# Writes $into/$1.txt whole or not at all. Runs in parallel with its like.
fetch_one() {
  domain=$1
  work=$work/$domain
  root=$work/root
  part=$into/.$domain.part.$$
  trap 'rm -f "$part"; rm -rf "$work"' EXIT
  trap 'exit 130' INT TERM HUP
  mkdir -p "$root" || exit 1
  set -f
  # shellcheck disable=SC2046  # a list of names without spaces
  set -- $(field "$domain" 2)
  set +f
  for package; do
    [ "$package" = - ] && continue
    deb=$(cached "$package") || exit 1
    unpack "$deb" "$root" || exit 1
  done
  # The status of both ends counts: a recipe that broke must not look like a short text.
  (cd "$root" && { extract "$domain" || echo failed > "$work/failed"; }) 2> "$work/extract.log" \
    | perl "$recipes/documents.pl" "$cap" > "$part" 2> "$work/documents.log"
  status=$?
  if [ $status -ne 0 ] || [ -e "$work/failed" ] || ! [ -s "$part" ]; then
    cat "$work/extract.log" "$work/documents.log" >&2
    say "$domain: cannot extract the text (has its package changed?)"
    exit 1
  fi
  mv -f "$part" "$into/$domain.txt" || exit 1
  printf '%-10s %s\n' "$domain" "$(cat "$work/documents.log")" >&2
}

# ---- the arguments ----------------------------------------------------------

misuse() {
  say "$*"
  exit 2
}

nearest() { # the domain whose letters agree best, if it is near enough
  domains | cut -d'|' -f1 | perl -e '
    my ($word, $best, $least) = (shift, "", 3);
    while (my $name = <STDIN>) {
      chomp $name;
      my @d = (0 .. length $name);
      for my $i (1 .. length $word) {
        my @e = ($i);
        for my $j (1 .. length $name) {
          my $c = $d[$j - 1] + (substr($word, $i - 1, 1) ne substr($name, $j - 1, 1));
          for ($d[$j] + 1, $e[$j - 1] + 1) { $c = $_ if $_ < $c }
          push @e, $c;
        }
        @d = @e;
      }
      ($best, $least) = ($name, $d[-1]) if $d[-1] < $least;
    }
    print $best' "$1"
}

bytes() { # 3000000, 500k, 3M, 1G
  case $1 in
    *[!0-9]*k | *[!0-9]*M | *[!0-9]*G | '' | k | M | G) return 1 ;;
    *k) echo $((${1%k} * 1000)) ;;
    *M) echo $((${1%M} * 1000000)) ;;
    *G) echo $((${1%G} * 1000000000)) ;;
    *[!0-9]*) return 1 ;;
    *) echo "$1" ;;
  esac
}

cache=${REGMIX_CACHE:-${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/regmix}/debs
into=
cap=0
wanted=
one=
while [ $# -gt 0 ]; do
  case $1 in
    --into | --cap | --cache | --one)
      [ $# -ge 2 ] || misuse "$1 wants a value; see $me --help"
      case $1 in
        --into) into=$2 ;;
        --cap) cap=$(bytes "$2") || misuse "--cap wants bytes, such as 3000000 or 3M, not \"$2\"" ;;
        --cache) cache=$2 ;;
        --one) one=$2 ;; # one domain, packages in the cache: what the parallel jobs below run
      esac
      shift
      ;;
    --list)
      domains | awk -F'|' 'BEGIN { printf "%-10s %6s  %-56s %s\n", "domain", "MB", "what", "packages" }
                           { printf "%-10s %6s  %-56s %s\n", $1, $3, $4, $2 }'
      exit 0
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    -*) misuse "unknown option $1; see $me --help" ;;
    *)
      if [ -z "$(field "$1" 1)" ]; then
        hint=$(nearest "$1")
        misuse "unknown domain \"$1\"${hint:+; did you mean \"$hint\"?} ($me --list shows all)"
      fi
      wanted="$wanted $1"
      ;;
  esac
  shift
done

if [ -n "$one" ]; then
  work=$REGMIX_FETCH_WORK
  fetch_one "$one"
  exit
fi

[ -n "$wanted" ] || misuse "which domains? ($me --list shows all)"
[ -n "$into" ] || misuse "--into DIR says where the text goes"
for tool in perl dpkg-deb gzip awk xargs; do
  command -v $tool > /dev/null && continue
  say "needs $tool: this script takes text out of Debian packages"
  exit 1
done
mkdir -p "$into" || exit 1
into=$(cd "$into" && pwd) || exit 1

todo=
for domain in $wanted; do
  case " $todo " in *" $domain "*) continue ;; esac
  if [ -s "$into/$domain.txt" ]; then
    printf '%-10s already there\n' "$domain" >&2
  else
    todo="$todo $domain"
  fi
done
[ -n "$todo" ] || exit 0

mkdir -p "$cache" || exit 1
cache=$(cd "$cache" && pwd) || exit 1
work=$(mktemp -d "${TMPDIR:-/tmp}/regmix-fetch.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

set -f
need=
for domain in $todo; do
  for package in $(field "$domain" 2); do
    case " - $need " in *" $package "*) continue ;; esac
    cached "$package" > /dev/null || need="$need $package"
  done
done
set +f
if [ -n "$need" ]; then
  say "downloading$need"
  set -f
  # shellcheck disable=SC2086  # a list of names without spaces
  download $need || exit 1
  set +f
fi

# The jobs go on when one of them fails; xargs then says so with its exit status.
export REGMIX_FETCH_WORK="$work"
# shellcheck disable=SC2086
printf '%s\n' $todo | xargs -P "$(nproc 2> /dev/null || echo 2)" -n 1 \
  sh "$here/$me" --into "$into" --cap "$cap" --cache "$cache" --one || exit 1
