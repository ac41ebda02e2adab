#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Parts of the runs: each run in one part, several parts at once in one folder, and the same results
# as one process that trains all. test_kills.sh kills parts.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > log 2>&1 && "$REGMIX" sample -C exp -q --set sample.runs=7 > log 2>&1
settings="--set proxy.tokens=16k --set proxy.checkpoint_s=0 --set sample.runs=7"
# shellcheck disable=SC2086
train() { "$REGMIX" train -C exp $settings "$@"; }
numbers() {
  for f in exp/runs/*/result.json; do grep -v -E '"(wall_s|tokens_per_s|threads)"' "$f"; done
  cat exp/metrics.csv exp/metrics-half.csv
}
done_runs() { mkdir -p exp/runs; (cd exp/runs && for f in */result.json; do [ -e "$f" ] && echo "${f%/result.json}"; done); }
list() { done_runs | tr '\n' ' ' | sed 's, $,,'; }

# ---- what a part is
try "all in one process" 0 "7 runs done" train
numbers > straight
rm -rf exp/runs exp/metrics*.csv
for i in 0 1 2; do
  done_runs > before
  try "part $i of 3" 0 "" train --slice $i/3
  done_runs | comm -13 before - | tr '\n' ' ' > "part$i"
done
same "part 0 is every third run" "0001 0004 0007 " "$(cat part0)"
same "part 1 too" "0002 0005 " "$(cat part1)"
same "and part 2" "0003 0006 " "$(cat part2)"
same "the last one wrote the tables" "$(cat straight)" "$(numbers)"
rm -rf exp/runs/0002 exp/runs/0006 exp/metrics.csv
try "a part whose runs are done trains none" 0 "all 3 runs are done" train --slice 0/3
try "and says what others have to do" 0 "2 of 7 runs of the experiment are not done yet" train --slice 0/3
if [ -e exp/metrics.csv ]; then not_ok "no tables before all are done"; else ok "no tables before all are done"; fi
try "a part beyond the runs has none" 0 "part 9 of 10 has no run" train --slice 9/10
try "part 1 trains what it had" 0 "1 run done" train --slice 1/3
same "and that is its own" "0001 0002 0003 0004 0005 0007" "$(list)"
try "a list of runs" 0 "1 run done" sh -c "printf '0006\n0001\n' > mine.txt && \"$REGMIX\" train -C exp $settings --runs mine.txt"
same "all done again" "$(cat straight)" "$(numbers)"
rm -rf exp/runs
printf '0005\n0002\n0001\n' > mine.txt
try "a part of a list" 0 "2 runs done" train --runs mine.txt --slice 0/2
same "in its order" "0001 0005" "$(list)"
for bad in 3/3 1 1/ /3 -1/3 0/0 1/2/3 0.5/2 a/b ' 0/2' ''; do
  try "refused: --slice '$bad'" 2 "--slice" train --slice "$bad"
done
printf '0001\nother\n' > wrong.txt
try "a list of other mixtures" 1 'wrong.txt:2: no run "other"' train --runs wrong.txt
try "a list that is not there" 1 "none.txt" train --runs none.txt
printf '\r\n\n' > none
try "a list of no run" 1 "it names no run; wanted one name a line, such as 0001" train --runs none
printf '0002\r\n0001\r\n' > windows.txt
try "a list with the line ends of Windows" 0 "would train 1 of 2 runs" train --runs windows.txt --dry-run
try "no part at all" 2 "there must be at least one part" train --slice 0/0
try "two parts for one process" 2 "--slice is given 2 times" train --slice 0/2 --slice 1/2
try "a dry run of a part" 0 "would train 2 of 3 runs (1 is done)" train --slice 0/3 --dry-run

# ---- a failed run
cat > unlucky.sh << 'END'
[ "$REGMIX_RUN" != 0002 ] || { echo no luck today; exit 3; }
python3 -c 'import json; d = json.load(open("run.json")); json.dump({"loss_nats": {n: 1 + d["mixture"].get("a", 0) for n in d["domains"]}}, open("result.json", "w"))'
END
for order in "0 1" "1 0"; do
  rm -rf exp/runs exp/metrics*.csv
  for i in $order; do
    "$REGMIX" train -C exp $settings --redo --set "proxy.command=sh $SCRATCH/unlucky.sh" --slice "$i/2" > log 2>&1
    echo "$i: $?" >> codes
  done
  same "a failed run, parts in the order $order: the tables have the others" "run 0001 0003 0004 0005 0006 0007 " "$(cut -d, -f1 exp/metrics.csv | tr '\n' ' ')"
done
same "the part with the failed run ends with 1" "0: 0 1: 1 1: 1 0: 0 " "$(tr '\n' ' ' < codes)"
try "and says where the others are" 1 "1 of 7 runs of the experiment is not done; metrics.csv has the others" train --redo --set "proxy.command=sh $SCRATCH/unlucky.sh" --slice 1/2
rm -rf exp/runs

# ---- a worker that alone is asked to stop
cat > slow.sh << 'END'
touch ../../../started
[ "$REGMIX_TRY" = 2 ] || exec sleep 60
echo '{"status": "failed", "error": "none"}' > result.json
END
"$REGMIX" train -C exp --redo --slice 1/7 --set "proxy.command=sh $SCRATCH/slow.sh" > log 2>&1 &
pid=$!
for _ in $(seq 500); do [ -e started ] && break; sleep 0.02; done
kill -TERM "$(pgrep -P $pid regmix)"
wait $pid
if grep -q 'run 000. was stopped; trying again$' log; then ok "a stopped worker"; else not_ok "a stopped worker" "$(cat log)"; fi

# ---- all parts at once, in one folder
rm -rf exp/runs exp/metrics*.csv
pids=
for i in 0 1 2; do train --slice $i/3 --jobs 1 > "log$i" 2>&1 & pids="$pids $!"; done
wrong=0
for pid in $pids; do wait "$pid" || wrong=$((wrong + 1)); done
if [ $wrong = 0 ]; then ok "three parts at once end well"; else not_ok "three parts at once end well" "$(cat log0 log1 log2)"; fi
same "with the same results" "$(cat straight)" "$(numbers)"

# ---- all of them, by two processes in one folder
rm -rf exp/runs exp/metrics*.csv
train --jobs 2 > log0 2>&1 & pid=$!
train --jobs 2 > log1 2>&1
wait $pid
same "each run is counted once" 7 "$(cat log0 log1 | sed -n 's/.*train: \([0-9]*\) runs* done in .*/\1/p' | awk '{ n += $1 } END { print n }')"
same "a worker begins no finished run" 0 "$("$REGMIX" worker exp/runs/0001 | grep -c '^+ 0001')"
rm exp/runs/0001/result.json
same "but one that is not" 1 "$("$REGMIX" worker exp/runs/0001 | grep -c '^+ 0001')"

# ---- asked to stop before a time limit
rm -rf exp/runs exp/metrics*.csv
# shellcheck disable=SC2086
"$REGMIX" train -C exp $settings --slice 0/3 --set proxy.tokens=40M > log 2>&1 & pid=$!
n=0
while [ -z "$(find exp/runs -name checkpoint.safetensors 2> /dev/null)" ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
kill -s USR1 $pid
wait $pid
same "USR1 ends it with the code that requeues" 75 $?
if grep -q "continues from here" log && [ -n "$(find exp/runs -name checkpoint.safetensors)" ]; then
  ok "with checkpoints"
else
  not_ok "with checkpoints" "$(cat log)"
fi

done_testing
