#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Two processes that write one place at once leave the files of one of them there, and nothing else. Who reads meanwhile sees
# one of them, too.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_tables 30
sed '1s/_val_loss/_other/g' l.csv > other.csv
tables=$SCRATCH
fit() { "$REGMIX" fit -q --mixtures "$tables/m.csv" --metrics "$tables/$1.csv" --regressor ridge --out "$2"; }

# many TABLE OUT: one of two writers, of many fits
many() { for _ in $(seq 12); do fit "$1" "$2" > /dev/null 2> "$SCRATCH/writer-$1" || cat "$SCRATCH/writer-$1" >> "$SCRATCH/failed"; done; }
# together NAME FOLDER: two writers and a reader of the fit in FOLDER; its writers give it as OUT, from where they are
together() {
  : > "$SCRATCH/failed"
  (cd "$3" && many l "$4") & first=$!
  (cd "$3" && many other "$4") & second=$!
  reads=0
  while kill -0 $first 2> /dev/null || kill -0 $second 2> /dev/null; do
    [ -e "$2/fit.json" ] || continue
    reads=$((reads + 1))
    "$REGMIX" predict -q --fit "$2" --mixtures m.csv > /dev/null 2> reader || cat reader >> "$SCRATCH/failed"
  done
  wait
  same "$1: all end well, and so does who reads meanwhile" "" "$(cat "$SCRATCH/failed")"
  same "$1: there is one of the two fits" "$(files)" "$(find "$2" . -maxdepth 1 -path "$2/*" -o -name '.regmix*' -o -name '*.tmp*' | sort -u)"
  [ $reads -gt 0 ] || not_ok "$1: something was read"
}
files() { value "$place/fit.json" "'\\n'.join(sorted(['$place/fit.json'] + ['$place/' + x for x in o['hashes'] if x != 'runs']))"; }
place=new
together "a new folder" new . new
mkdir stand
place=stand
together "a folder that somebody stands in, so files are moved one by one" stand stand .

# ---- who writes waits for the lock
make_corpus exp 60
"$REGMIX" prepare -q -C exp 2> /dev/null
waits() { # waits NAME LOCK FILE COMMAND...: while LOCK is held, the command does not write FILE
  name=$1 lock=$2 file=$3
  shift 3
  rm -f "$file"
  : > release
  python3 -c 'import fcntl, os, sys, time
f = open(sys.argv[1], "w")
fcntl.flock(f, fcntl.LOCK_EX)
open("held", "w").close()
while os.path.exists("release"): time.sleep(0.02)' "$lock" & holder=$!
  while [ ! -e held ]; do sleep 0.02; done
  "$@" > /dev/null 2> said & writer=$!
  sleep 0.7
  if [ -e "$file" ]; then before=there; else before=; fi
  rm release
  wait $holder $writer
  if [ -e "$file" ]; then after=there; else after="not there: $(cat said)"; fi
  same "$name waits while another process writes there" "/there" "$before/$after"
  rm -f held
}
waits "fit" .regmix.late.lock late/fit.json fit l late
waits "sample" exp/.regmix.mixtures.csv.lock exp/mixtures.csv "$REGMIX" sample -q -C exp
same "no lock is left" "" "$(find . -name '.regmix*')"
done_testing
