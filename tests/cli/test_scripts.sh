#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# The scripts around the program, without a network: TAP on stdout.
#
# shellcheck disable=SC2016  # conditions stand in single quotes: check() evaluates them
set -u
LC_ALL=C
export LC_ALL

root=$(cd "$(dirname "$0")/../.." && pwd) || exit 1
scripts=$root/scripts
work=$(mktemp -d "${TMPDIR:-/tmp}/test-scripts.XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP

n=0
pass() { n=$((n + 1)); echo "ok $n - $1"; }
fail() { n=$((n + 1)); echo "not ok $n - $1"; sed 's/^/#   /' "$work/out" "$work/err"; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
# run STATUS COMMAND...: runs it, output in $work/out and $work/err; fails when the status is another.
run() {
  want=$1
  shift
  "$@" > "$work/out" 2> "$work/err" < /dev/null
  got=$?
  [ $got -eq "$want" ] || { echo "exit status $got, want $want: $*" >> "$work/err"; return 1; }
}
out() { grep -q -e "$1" "$work/out" || { echo "no \"$1\" on stdout" >> "$work/err"; return 1; }; }
err() { grep -q -e "$1" "$work/err" || { echo "no \"$1\" on stderr" >> "$work/err"; return 1; }; }
check() { # check NAME CONDITION...: CONDITION is run by eval
  name=$1
  shift
  if eval "$*"; then pass "$name"; else fail "$name"; fi
}
empty() { # no files, hidden ones included, in these folders
  left=$(find "$@" -mindepth 1 2> /dev/null)
  [ -z "$left" ] || { echo "left behind: $left" >> "$work/err"; return 1; }
}

# ---- fetch-corpus.sh --------------------------------------------------------

# apt-get and apt-cache that never reach a network, and say so when they are asked.
mkdir -p "$work/bin" "$work/cache/debs" "$work/text" "$work/tmp" "$work/packages"
for tool in apt-get apt-cache; do
  printf '#!/bin/sh\necho "E: no network in this test" >&2\nexit 100\n' > "$work/bin/$tool"
  chmod +x "$work/bin/$tool"
done
fetch() { env PATH="$work/bin:$PATH" TMPDIR="$work/tmp" REGMIX_CACHE="$work/cache" sh "$scripts/fetch-corpus.sh" "$@"; }

lists() { for domain; do out "^$domain " || return 1; done; }
check "fetch: --list names every domain" \
  'run 0 fetch --list && lists foldoc gcide faq bible novels pkgdesc c changelog python metamath hol man perldoc \
     bio german japanese fortunes && out "dict-foldoc"'
check "fetch: --help is on stdout" 'run 0 fetch --help && out "usage: .*--into DIR"'
check "fetch: an unknown domain is misuse, with the nearest name" \
  'run 2 fetch foldok --into "$work/text" && err "unknown domain .foldok.*did you mean .foldoc." && empty "$work/text"'
check "fetch: no hint where no name is near" \
  'run 2 fetch wikipedia --into "$work/text" && err "unknown domain" && ! grep -q "did you mean" "$work/err"'
check "fetch: a bad --cap is misuse" 'run 2 fetch foldoc --cap 3x --into "$work/text" && err "3x"'
check "fetch: --into is asked for" 'run 2 fetch foldoc && err "into"'
check "fetch: without network and cache it says which package and what was tried" \
  'run 1 fetch fortunes --into "$work/text" && err "no package: fortunes" && err "no network in this test" &&
   empty "$work/text" "$work/tmp"'

if command -v dpkg-deb > /dev/null; then
  # A package of our own in the place of `fortunes`.
  games=$work/packages/fortunes/usr/share/games/fortunes
  mkdir -p "$games" "$work/packages/fortunes/DEBIAN"
  printf 'Package: fortunes\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: test\n' \
    > "$work/packages/fortunes/DEBIAN/control"
  i=0
  while [ $i -lt 200 ]; do
    printf 'saying number %03d, \344 and a line:   \n\n\n\nits end\n%%\n' $i
    i=$((i + 1))
  done > "$games/wisdom"
  printf 'not a saying' > "$games/wisdom.dat"
  deb=$work/cache/debs/fortunes_1_all.deb
  dpkg-deb --root-owner-group -b "$work/packages/fortunes" "$deb" > /dev/null

  check "fetch: works from the cache alone" \
    'run 0 fetch fortunes --into "$work/text" && err "^fortunes *200 documents" && [ -s "$work/text/fortunes.txt" ]'
  check "fetch: documents end with a line %" '[ "$(grep -c "^%$" "$work/text/fortunes.txt")" -eq 200 ]'
  printf 'saying number 000, \303\244 and a line:\n\nits end\n%%\n' > "$work/expected"
  check "fetch: text is cleaned and UTF-8" 'head -n 4 "$work/text/fortunes.txt" | cmp - "$work/expected" > "$work/out" 2>&1'
  touch -d 2001-01-01 "$work/text/fortunes.txt"
  check "fetch: what is there is left alone" \
    'run 0 fetch fortunes --into "$work/text" && err "already there" && [ "$work/text/fortunes.txt" -ot "$deb" ]'
  check "fetch: --cap keeps an even share" \
    'rm "$work/text/fortunes.txt" && run 0 fetch fortunes --cap 2k --into "$work/text" && err "of 200" &&
     size=$(wc -c < "$work/text/fortunes.txt") && [ "$size" -gt 1800 ] && [ "$size" -lt 2200 ] &&
     grep -q "number 00" "$work/text/fortunes.txt" && grep -q "number 1[789]" "$work/text/fortunes.txt"'

  rm -f "$work/text/fortunes.txt"
  size=$(wc -c < "$deb")
  head -c $((size / 2)) "$deb" > "$work/half" && mv "$work/half" "$deb"
  check "fetch: a broken package leaves nothing half-written" \
    'run 1 fetch fortunes --into "$work/text" && err "fortunes_1_all.deb is broken" && empty "$work/text" "$work/tmp"'
  check "fetch: a broken package is dropped from the cache" '[ ! -e "$deb" ]'

  # One that unpacks but holds no text.
  rm "$games"/*
  dpkg-deb --root-owner-group -b "$work/packages/fortunes" "$deb" > /dev/null
  check "fetch: a package without the text is an error" \
    'run 1 fetch fortunes --into "$work/text" && err "cannot extract" && empty "$work/text" "$work/tmp"'
else
  skip "fetch: packages in the cache" "no dpkg-deb"
fi

# ---- the filters ------------------------------------------------------------

if command -v perl > /dev/null; then
  printf '.TH X 1\n.SH NAME\nx \\- an \\fIexample\\fP\n.SH TEXT\n.B bold\nwords\nfill\n.TP\n\\fB\\-a\\fR\nall\n.nf\na  b\n  c\n.fi\n.if n \\{\\\nno\n.\\}\n.\\" no\nend\n' \
    | gzip > "$work/x.1.gz"
  printf 'NAME\n\nx - an example\n\nTEXT\n\nbold words fill\n\n-a\nall\n\na  b\n  c\n\nend\n%%\n' > "$work/expected"
  check "roff: words, paragraphs and examples" \
    'perl "$scripts/corpus/roff.pl" "$work/x.1.gz" | perl "$scripts/corpus/documents.pl" 0 > "$work/out" 2> "$work/err" &&
     diff "$work/expected" "$work/out" >> "$work/err"'
  printf '# T 1\n\nSome **bold** and _italic_ [link](a(b).md) snake_case.\n\n[\342\200\271 back](x)\n' | awk '{ print } NR == 3 { for (i = 0; i < 20; i++) print "more words of it" }' \
    | gzip > "$work/x.md.gz"
  check "markdown: no markup" \
    'run 0 perl "$scripts/corpus/markdown.pl" "$work/x.md.gz" && out "^Some bold and italic link snake_case" && ! grep -q back "$work/out"'
  printf '=head1 NAME\n\nfoo - C<< a > b >> and L<the B<page>|perlre> E<lt> Z<>x%200s\n\n=cut\n' word > "$work/x.pod"
  check "pod: no codes" 'run 0 perl "$scripts/corpus/pod.pl" "$work/x.pod" && out "foo - a > b and the page < x"'
  printf '%s' 'a $p |- x $= ( proof ) ABC $.' > "$work/x.mm"
  check "metamath: no proofs" \
    'run 0 perl "$scripts/corpus/metamath.pl" "$work/x.mm" && grep -aqF "a \$p |- x \$." "$work/out" &&
     ! grep -aq proof "$work/out"'
  printf 'one\n%%\ntwo\0\0  \0three' > "$work/in"
  printf 'one\n %%\ntwo\n%%\nthree\n%%\n' > "$work/expected"
  check "documents: a line % of the text cannot end a document" \
    'perl "$scripts/corpus/documents.pl" 0 < "$work/in" > "$work/out" 2> "$work/err" && cmp "$work/expected" "$work/out" >> "$work/err"'
else
  skip "filters" "no perl"
fi

# ---- packages.sh ------------------------------------------------------------

# A dpkg-query that knows all packages of the build but jansson and zstd, two by their other names.
KNOWN=$(sed -n 's/^build | \([^ |]*\).*/\1/p' "$scripts/packages.sh" |
  sed '/libjansson-dev\|libzstd-dev/d; s/^pkg-config$/pkgconf/; s/^libopenblas-pthread-dev$/libopenblas-serial-dev/' | tr '\n' ' ')
export KNOWN
cat > "$work/bin/dpkg-query" << 'END'
#!/bin/sh
for p in $KNOWN $EXTRA; do
  echo "ii |$p|"
done
echo 'rc |libjansson-dev|'
END
chmod +x "$work/bin/dpkg-query"
packages() { env PATH="$work/bin:$PATH" REGMIX_NO_INSTALL=1 CI="${CI_-}" REGMIX_BROWSER= EXTRA="${EXTRA-}" sh "$scripts/packages.sh" "$@"; }

check "packages: lists what is missing and installs nothing" \
  'EXTRA= run 1 packages build && err "libjansson-dev  *JSON" && err "libzstd-dev" && err "apt-get install.* libjansson-dev libzstd-dev$"'
check "packages: one of several alternatives is enough" '! grep -qE "openblas|pkg-?conf" "$work/err"'
check "packages: silent when nothing is missing" \
  'EXTRA="libjansson-dev libzstd-dev" run 0 packages && [ ! -s "$work/out" ] && [ ! -s "$work/err" ]'
check "packages: tests want more, a browser only in CI" \
  'EXTRA="libjansson-dev libzstd-dev libsubunit-dev shellcheck" run 1 packages test && err "check  " && ! grep -q chromium "$work/err" &&
   CI_=true run 1 packages test && err chromium'
check "packages: an unknown purpose is misuse" 'run 2 packages tset && err "not one of"'

# ---- test.py ----------------------------------------------------------------

# A build folder as Meson leaves it, and a meson that does nothing but write the log.
if command -v python3 > /dev/null; then
  mkdir -p "$work/build/meson-logs" "$work/build/meson-info"
  touch "$work/build/build.ninja"
  echo '[{"name": "a", "protocol": "tap"}, {"name": "b", "protocol": "tap"}, {"name": "e", "protocol": "exitcode"}]' \
    > "$work/build/meson-info/intro-tests.json"
  # shellcheck disable=SC2016  # for the script to expand
  printf '#!/bin/sh\ncp "$FAKE_LOG" "$3/meson-logs/testlog.json"\nexit "${FAKE_STATUS-0}"\n' > "$work/bin/meson"
  chmod +x "$work/bin/meson"
  # count LOG: runs test.py on it
  count() { env PATH="$work/bin:$PATH" FAKE_LOG="$work/log" FAKE_STATUS="$1" python3 "$scripts/test.py" "$work/build"; }
  last() { [ "$(tail -n 1 "$work/out")" = "$1" ] || { echo "last line is not \"$1\"" >> "$work/err"; return 1; }; }
  good='{"name": "p:unit / a", "result": "OK", "returncode": 0, "stdout": "1..3\nok 1 - x\nok 2 - y # SKIP no shellcheck\nskipped: no data\nok 3 - z\n"}'
  exitcode='{"name": "p:unit / e", "result": "OK", "returncode": 0, "stdout": ""}'
  silent='{"name": "p:unit / b", "result": "ERROR", "returncode": -11, "stdout": ""}'
  bad='{"name": "p:unit / b", "result": "FAIL", "returncode": 1, "stdout": "1..2\nnot ok 1 - broken\nok 2 - w\n"}'

  printf '%s\n' "$good" "$exitcode" > "$work/log"
  check "test.py: counts what passed and what was skipped" \
    'run 0 count 0 && last "2 passed, 0 failed, 2 skipped" && out "a: y: no shellcheck" && out "a: no data"'
  printf '%s\n' "$exitcode" > "$work/log"
  check "test.py: no word of skips where there are none" 'run 0 count 0 && last "1 passed, 0 failed"'
  printf '%s\n' "$good" "$bad" > "$work/log"
  check "test.py: names what failed" 'run 1 count 1 && last "2 passed, 1 failed, 2 skipped" && out "b: broken"'
  printf '%s\n' "$exitcode" "$silent" > "$work/log"
  check "test.py: a crash without output is a failure" 'run 1 count 1 && last "1 passed, 1 failed" && out "no TAP output (killed by SIGSEGV)"'
  : > "$work/log"
  check "test.py: nothing passed is not success" 'run 1 count 0 && last "0 passed, 0 failed"'
else
  skip "test.py" "no python3"
fi

# ---- readme.py and plain.py -------------------------------------------------

if command -v python3 > /dev/null; then
  check "readme.py: numbers, sample output and picture of README.md are of one run" 'run 0 python3 "$scripts/readme.py" --check'
  tree=$work/tree
  mkdir -p "$tree/docs/images" "$tree/docs/results" "$tree/scripts"
  cp "$scripts/readme.py" "$scripts/plain.py" "$tree/scripts"
  cp "$root/docs/images/quickstart.txt" "$root/docs/images/report.png" "$tree/docs/images"
  cp "$root/docs/results/quickstart.md" "$tree/docs/results"
  sed 's/^  optimum  *5\./&9/' "$root/README.md" > "$tree/README.md"
  check "readme.py: another number in README.md is noticed" \
    'run 1 python3 "$tree/scripts/readme.py" --check && err "README.md has other numbers"'
  cp "$root/README.md" "$tree"
  sed -i 's/^  optimum  *5\./&9/' "$tree/docs/images/quickstart.txt"
  check "readme.py: a picture and a table of another run are noticed" \
    'run 1 python3 "$tree/scripts/readme.py" --check && err "report.png was not drawn from" && err "quickstart.md lacks .* of optimum"'

  check "plain.py: documents are plain, links lead to files, versions agree" 'run 0 python3 "$scripts/plain.py"'
  printf 'It stands behind what was told: so: many.\n\n```\nbehind\n```\n\n- `behind` is code, [x](a_behind.md) is a link.\n' > "$work/habits.md"
  check "plain.py: finds habits in prose, not in code" \
    'run 1 python3 "$scripts/plain.py" "$work/habits.md" && out ":1: .behind" && out ":1: .was told" && out ":1: two colons" &&
     [ "$(wc -l < "$work/out")" -eq 4 ]'
  printf '// behind\nputs("%%d files; which of "\n     "them is new");\n' > "$work/habits.c"
  check "plain.py: finds them in the strings of C" \
    'run 1 python3 "$scripts/plain.py" "$work/habits.c" && out ":2: .which of them" && [ "$(wc -l < "$work/out")" -eq 1 ]'
else
  skip "readme.py, plain.py" "no python3"
fi

# ---- all shell scripts ------------------------------------------------------

if command -v shellcheck > /dev/null; then
  check "shellcheck" 'run 0 sh -c "cd \"$root\" && find . -name \"*.sh\" ! -path \"./build*\" ! -path \"./.git/*\" -print | sort | xargs shellcheck -S warning"'
else
  skip "shellcheck" "no shellcheck here"
fi

echo "1..$n"
