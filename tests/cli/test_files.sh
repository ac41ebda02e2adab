#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is written: read alike by other programs, into whatever kind of file a user names, and nothing left behind.
# $2: the program hostile_names.
. "$(dirname "$0")/tap.sh"
hostile_names=${2:?usage: test_files.sh path/to/regmix path/to/hostile_names}
python=/usr/bin/python3

# ---- names and numbers
mkdir "$SCRATCH/names"
try "hostile names: YAML, JSON and CSV are read back as they were written" 0 "" "$hostile_names" "$SCRATCH/names"
if $python -c 'import yaml' 2> /dev/null; then
  try "hostile names: PyYAML, Python's json and csv read the same, and numbers have the fewest digits" 0 "" \
    "$python" "$ROOT/tests/cli/check_names.py" "$SCRATCH/names"
else
  skip "hostile names: PyYAML, Python's json and csv read the same, and numbers have the fewest digits" "no PyYAML (package python3-yaml)"
fi
if command -v jq > /dev/null; then
  jq -r '.strings[] | @json' "$SCRATCH/names/tree.json" > "$SCRATCH/strings"
  jq -r '.weights | keys_unsorted[] | @json' "$SCRATCH/names/tree.json" > "$SCRATCH/keys"
  if [ -s "$SCRATCH/strings" ] && cmp -s "$SCRATCH/strings" "$SCRATCH/keys"; then ok "hostile names: jq reads the same"; else not_ok "hostile names: jq reads the same"; fi
else
  skip "hostile names: jq reads the same" "no jq"
fi

# A fit, an optimum and an export of domains and metrics with such names.
cd "$SCRATCH" || exit 1
cat > m.csv << 'END'
run,NO,12:30,"a, ""b""",3e-05
1,0.7,0.2,0.1,0
2,0.1,0.7,0.1,0.1
3,0.25,0.25,0.25,0.25
4,0.1,0.2,0.3,0.4
5,0.4,0.3,0.2,0.1
6,0.3,0.1,0.5,0.1
7,0.2,0.2,0.2,0.4
8,0.6,0.1,0.1,0.2
END
awk -F, 'NR == 1 { print "run,~,\"x/y: #z\"" } NR > 1 { print $1 "," 3 - $2 + $3 * $3 "," 2 + $4 * $4 - $5 }' m.csv > v.csv
try "a fit of hostile names" 0 "" "$REGMIX" fit --mixtures m.csv --metrics v.csv --regressor ridge --out fit
try "an optimum of hostile names" 0 "" "$REGMIX" optimize --fit fit --target '~' --out optimum.yaml
try "an optimum of hostile names is read back" 0 "3e-05,0" "$REGMIX" export --mixture optimum.yaml --to csv
if $python -c 'import yaml' 2> /dev/null; then
  cat > check.py << 'END'
import sys, yaml
o = yaml.safe_load(open("optimum.yaml"))
names = ["NO", "12:30", 'a, "b"', "3e-05"]
assert list(o["mixture"]) == names, o["mixture"]
assert all(type(x) is float for x in o["mixture"].values()), o["mixture"]
assert list(o["target"]) == ["~"] and list(o["predicted"]) == ["~", "x/y: #z"], o
END
  try "an optimum of hostile names is the same to PyYAML" 0 "" $python check.py
else
  skip "an optimum of hostile names is the same to PyYAML" "no PyYAML (package python3-yaml)"
fi
long=$(printf 'm%.0s' $(seq 300))
awk -F, -v long="$long" 'NR == 1 { print "run," long "1," long "2,abc,ABC" } NR > 1 { print $1 "," $2 "," $3 "," $4 "," $5 }' m.csv > long.csv
awk 'NR == 1 { print "run,p,q,r,s" } NR > 1 { print }' m.csv > plain.csv
try "metrics of 300 characters, and two that differ in case alone, are fitted" 0 "" "$REGMIX" fit --mixtures plain.csv --metrics long.csv --regressor ridge --out long
try "metrics of 300 characters are read back" 0 "${long}2" "$REGMIX" predict --fit long --mixtures plain.csv
if [ "$(find long -name '*.json' | tr '[:upper:]' '[:lower:]' | sort -u | wc -l)" -eq 5 ]; then
  ok "files of metrics differ in more than case"
else
  not_ok "files of metrics differ in more than case" "$(ls long)"
fi
printf '"NO": 0.7\n"12:30": 0.2\n"a, \\"b\\"": 0.1\n"3e-05": 0\n' > given.yaml
try "weights that sum to 1 are written as they were given" 0 '"NO": 0.7' "$REGMIX" export --mixture given.yaml --to yaml
if ! grep -q '0\.25,' fit/fit.json || grep -q '0\.7000000000000001\|0\.69999' fit/fit.json; then
  not_ok "weights that sum to 1 stand in a fit as they were given"
else
  ok "weights that sum to 1 stand in a fit as they were given"
fi

# ---- where a file is written to: links, devices, pipes, what is protected
"$REGMIX" export --mixture given.yaml --to csv > wanted.csv
written() { # written NAME FILE: FILE has what an export writes
  if cmp -s "$2" wanted.csv; then ok "$1"; else not_ok "$1" "$(ls -l "$2" 2>&1; head -n 3 "$2" 2>&1)"; fi
}
export_to() { "$REGMIX" export --mixture given.yaml --to csv --out "$1" > said 2>&1; }
echo mine > thesis.txt
export_to thesis.txt
if [ "$(cat thesis.txt~)" = mine ] && grep -q 'what was in that file is kept in thesis.txt~$' said && grep -q weight thesis.txt; then ok "another file is kept"
else not_ok "another file is kept" "$(cat said)"; fi
cp thesis.txt first.txt
echo more > thesis.txt
export_to thesis.txt
if [ "$(cat thesis.txt~ thesis.txt~2)" = "mine
more" ] && cmp -s thesis.txt first.txt; then ok "under a name of its own"; else not_ok "under a name of its own" "$(cat said)"; fi
sed 's/0\.[0-9]*/0.12345/' thesis.txt > t && mv t thesis.txt
export_to thesis.txt
if [ ! -e thesis.txt~3 ] && cmp -s thesis.txt first.txt && ! grep -q kept said; then ok "its own kind is replaced"; else not_ok "its own kind is replaced" "$(cat said)"; fi

# ---- files of the user's where a command has names of its own
. "$ROOT/tests/cli/synthetic.sh"
kept_with() { # kept_with NAME FILE: what was in FILE is in FILE~, and the command named it
  if [ "$(cat "$2~")" = mine ] && [ "$(cat "$2")" != mine ] && grep -q "what was in that file is kept in $2~\$" said
  then ok "$1"; else not_ok "$1" "$(ls "$(dirname "$2")"; cat said)"; fi
}
make_corpus exp 60
echo mine | tee exp/tokenizer.json exp/resolved.yaml exp/report.html > exp/mixtures.json
"$REGMIX" prepare -C exp > said 2>&1
kept_with "prepare keeps another tokenizer.json" exp/tokenizer.json
"$REGMIX" sample -C exp > said 2>&1
kept_with "sample keeps another mixtures.json" exp/mixtures.json
"$REGMIX" report -C exp > said 2>&1
kept_with "report keeps another report.html, though no option names it" exp/report.html
same "and resolved.yaml is kept" mine "$(cat exp/resolved.yaml~)"
"$REGMIX" prepare -q -C exp; "$REGMIX" sample -q -C exp; "$REGMIX" report -q -C exp
sed -i.bak 's/vocab: 320/vocab: 330/' exp/regmix.yaml
"$REGMIX" prepare -q --redo -C exp > said 2>&1
"$REGMIX" sample -q -C exp
mv exp/regmix.yaml.bak exp/regmix.yaml
"$REGMIX" prepare -q --redo -C exp >> said 2>&1
same "what regmix wrote itself is replaced" "" "$(find exp -name '*~2'; grep kept said)"
mkdir named && cp -r exp/text named/
sed 's/vocab: 320/tokenizer: tokenizer.json/' exp/regmix.yaml > named/regmix.yaml
sed 's/^  */ /' exp/tokenizer.json > own.json; cp own.json named/tokenizer.json
"$REGMIX" prepare -q -C named > said 2>&1
same "a tokenizer.json that the config names stays as it is" "$(cksum < own.json)" "$(cksum < named/tokenizer.json)"
try "so the corpus is up to date" 0 "up to date" "$REGMIX" prepare -C named

# ---- token files
mkdir -p tokens/train
echo mine | tee tokens/tokenizer.json tokens/train/a.bin > tokens/token-files.json
echo mine > precious; ln -s "$SCRATCH/precious" tokens/train/b.bin
tokens() { "$REGMIX" export -C exp --token-files "$1" --out tokens > said 2>&1; }
tokens megatron
for name in token-files.json tokenizer.json train/a.bin train/b.bin; do kept_with "export --token-files keeps another $name" tokens/$name; done
same "and the file that a link names" mine "$(cat precious)"
tokens megatron; tokens npy; tokens megatron
same "its own files are replaced" "" "$(find tokens -name '*~2'; grep kept said)"
sed '/noise/d' exp/regmix.yaml > fewer && mv fewer exp/regmix.yaml
"$REGMIX" prepare -q --redo -C exp > /dev/null 2>&1
tokens megatron
same "files of a domain that is gone are removed, those of another format stay" "tokens/train/noise.npy tokens/valid/noise.npy" \
  "$(find tokens -name 'noise*' | sort | tr '\n' ' ' | sed 's/ $//')"
for i in 1 2 3; do "$REGMIX" export -q -C exp --token-files megatron --out together 2> "told$i" & done; wait
same "three exports at once end well" "" "$(cat told1 told2 told3; cd together && find . -name '*~*' -o -name '*.tmp' -o -name .regmix.lock)"

mkdir real
echo old > real/old.csv
chmod 640 real/old.csv
ln -s old.csv real/link.csv
ln -s real/link.csv chain.csv
export_to chain.csv
written "--out on a link to a link writes what they name" real/old.csv
if [ -L chain.csv ] && [ -L real/link.csv ]; then ok "--out leaves links as they are"; else not_ok "--out leaves links as they are"; fi
if [ "$(stat -c %a real/old.csv)" = 640 ]; then ok "--out keeps the permissions of a file it replaces"; else not_ok "--out keeps the permissions of a file it replaces"; fi
ln -s real/new.csv dangling.csv
export_to dangling.csv
written "--out on a link to nothing makes what it names" real/new.csv
ln -s loop.csv loop.csv
try "--out on a link to itself fails" 1 "loop.csv" "$REGMIX" export --mixture given.yaml --to csv --out loop.csv
"$REGMIX" export --mixture given.yaml --to csv --out /dev/stdout | cat > piped.csv
written "--out /dev/stdout into a pipe" piped.csv
echo before > appended.csv
"$REGMIX" export --mixture given.yaml --to csv --out /dev/stdout >> appended.csv
sed 1d appended.csv > tail.csv
written "--out /dev/stdout behind what a file holds" tail.csv
"$REGMIX" export --mixture given.yaml --to csv --out /dev/fd/7 7> seventh.csv
written "--out /dev/fd/7" seventh.csv
mkfifo fifo
cat fifo > fromfifo.csv &
export_to fifo
wait $!
written "--out into a FIFO" fromfifo.csv
if [ -p fifo ]; then ok "--out leaves a FIFO as it is"; else not_ok "--out leaves a FIFO as it is"; fi
if command -v bash > /dev/null; then
  # shellcheck disable=SC2016  # for the inner shell
  bash -c '"$0" export --mixture given.yaml --to csv --out >(cat > substituted.csv); wait $!' "$REGMIX"
  written "--out into a process substitution" substituted.csv
fi
ln -s /dev/null null
try "--out into a link to /dev/null" 0 "" "$REGMIX" export --mixture given.yaml --to csv --out null
if [ -L null ] && [ -c /dev/null ]; then ok "--out leaves /dev/null as it is"; else not_ok "--out leaves /dev/null as it is"; fi
try "--out into a full device fails" 1 "No space left" "$REGMIX" export --mixture given.yaml --to csv --out /dev/full
try "--out onto a folder fails" 1 "Is a directory" "$REGMIX" export --mixture given.yaml --to csv --out real
mkdir limited
echo old > limited/optimum.yaml
(trap '' XFSZ; ulimit -f 0; "$REGMIX" optimize --fit fit --target '~' --out limited/optimum.yaml > said 2> told)
code=$?
if [ $code -eq 1 ] && [ "$(cat limited/optimum.yaml)" = old ] && [ "$(ls -A limited)" = optimum.yaml ]; then
  ok "a file that cannot be written leaves the old one whole, and nothing beside it"
else
  not_ok "a file that cannot be written leaves the old one whole, and nothing beside it" "exit $code; $(ls -lA limited)"
fi
# As another user, since root may write anywhere.
if command -v setpriv > /dev/null && [ "$(id -u)" -eq 0 ]; then
  chmod 711 .
  mkdir closed open
  cp "$REGMIX" given.yaml open/
  echo old > closed/mine.csv
  echo old > open/readonly.csv
  chmod 777 open
  chmod 666 closed/mine.csv
  chmod 444 open/readonly.csv
  if setpriv --reuid=65534 --clear-groups open/regmix --version > /dev/null 2>&1; then
    try "--out in a folder without write permission says so" 1 "its folder takes none" \
      setpriv --reuid=65534 --clear-groups open/regmix export --mixture open/given.yaml --to csv --out closed/mine.csv
    try "--out onto a read-only file is refused" 1 "Permission denied" \
      setpriv --reuid=65534 --clear-groups open/regmix export --mixture open/given.yaml --to csv --out open/readonly.csv
    if [ "$(cat closed/mine.csv open/readonly.csv)" = "old
old" ]; then ok "what is refused stays whole"; else not_ok "what is refused stays whole"; fi
  fi
fi

# ---- little address space: OpenBLAS would wait for it for ever
hung=
for kb in 100000 200000 300000; do
  # shellcheck disable=SC3045
  (ulimit -v $kb; timeout -k 1 20 "$REGMIX" fit --mixtures m.csv --metrics v.csv --regressor gp --out small > said 2> told)
  code=$?
  if [ $code -gt 1 ] || { [ $code -eq 1 ] && ! grep -q 'address space\|no memory' told; }; then hung="$hung $kb:$code"; fi
done
case $REGMIX in
  *asan* | *tsan*) skip "a fit in little address space ends" "sanitizers need more" ;;
  *) if [ -z "$hung" ]; then ok "a fit in little address space ends"; else not_ok "a fit in little address space ends" "$hung"; fi ;;
esac

# ---- what killed writers leave
mkdir swept
host=$(hostname | tr '/@' '__')+$(cut -c 1-8 /proc/sys/kernel/random/boot_id)-$(readlink /proc/self/ns/pid | tr -dc 0-9)
other=${host%+*}+00000000-${host##*-}  # a container elsewhere that has this host's name
sleep 300 & live=$!
(exit 0) & dead=$!
wait $dead
: > "swept/.regmix.$dead.0@$host.tmp"
: > "swept/.regmix.$live.0@$host.tmp"
: > swept/.regmix.77.0@elsewhere.tmp
: > "swept/.regmix.$dead.0@$other.tmp"
: > swept/.regmix.78.0@elsewhere.tmp
touch -d '2 days ago' swept/.regmix.78.0@elsewhere.tmp
echo mine > swept/x.tmp
echo mine > swept/.regmix.notes.tmp
wanted=".regmix.$live.0@$host.tmp .regmix.$dead.0@$other.tmp .regmix.77.0@elsewhere.tmp .regmix.notes.tmp out.csv x.tmp"
if command -v flock > /dev/null; then
  flock "swept/.regmix.$dead.1@$host.tmp" sleep 300 & locker=$!
  while [ ! -e "swept/.regmix.$dead.1@$host.tmp" ] || flock -n "swept/.regmix.$dead.1@$host.tmp" true; do sleep 0.05; done
  wanted=".regmix.$dead.1@$host.tmp $wanted"
fi
export_to swept/out.csv
# shellcheck disable=SC2012  # names are known
got=$(ls -A swept | LC_ALL=C sort | tr '\n' ' ')
wanted=$(printf '%s\n' $wanted | LC_ALL=C sort | tr '\n' ' ')
if [ "$got" = "$wanted" ]; then ok "the next writer in a folder removes what killed ones left, and nothing else"
else not_ok "the next writer in a folder removes what killed ones left, and nothing else" "left: $got
wanted: $wanted"; fi
kill $live
[ -z "${locker-}" ] || pkill -P $locker
done_testing
