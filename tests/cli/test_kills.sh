#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Three parts of a swarm train at once in one folder, and their workers, supervisors and groups are
# killed at random moments: the same results as one process. For our trainer, and for PyTorch's where
# it is installed. REGMIX_KILLS=50 (make kills) kills so often each; REGMIX_TEST_SEED=N chooses other
# moments.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > log 2>&1 && "$REGMIX" sample -C exp -q --set sample.runs=7 > log 2>&1
seed=${REGMIX_TEST_SEED:-1}
export REGMIX_DEVICE=cpu OMP_NUM_THREADS=1
[ -x /usr/bin/python3 ] && export REGMIX_PYTHON=/usr/bin/python3
random() { seed=$(((seed * 1103515245 + 12345) % 2147483648)); drawn=$((seed / 65536 % $1)); }
train() { # shellcheck disable=SC2086
  "$REGMIX" train -C exp $settings "$@"
}
start() { # shellcheck disable=SC2086
  setsid env REGMIX_PART="$1" "$REGMIX" train -C exp $settings --slice "$1/3" --jobs 1 > "log$1" 2>&1 &
  eval "pid$1=$!"
}
done_runs() { find exp/runs -name result.json | wc -l; }
ended() { ! kill -s 0 "$1" 2> /dev/null || grep -q '^State:.Z' "/proc/$1/status" 2> /dev/null; }
# Of our trainer the same bits; PyTorch may add in another order where other runs are stacked.
alike() {
  python3 - "$trainer" straight.csv exp/metrics.csv << 'END'
import csv, sys
trainer, straight, got = sys.argv[1], *(list(csv.reader(open(p))) for p in sys.argv[2:])
if trainer == "regmix":
    sys.exit(straight != got)
a, b = ([float(x) for row in t[1:] for x in row[1:]] for t in (straight, got))
sys.exit(straight[0] != got[0] or len(a) != len(b) or any(abs(x - y) > 1e-4 for x, y in zip(a, b)))
END
}
check() { if alike; then ok "$trainer: $1"; else not_ok "$trainer: $1" "$(diff straight.csv exp/metrics.csv | head -n 6)"; fi; }
# kill_one PART: a worker or a command alone, the supervisor alone, or all of the group
kill_one() {
  pid=
  eval "pid=\$pid$1"
  random 3
  case $drawn in
    0) victim=$(grep -lz "^REGMIX_PART=$1\$" /proc/[0-9]*/environ 2> /dev/null | cut -d / -f 3 | grep -v "^$pid\$" | shuf -n 1 --random-source=/dev/zero) ;;
    1) victim=$pid ;;
    *) victim=-$pid ;;
  esac
  [ -n "$victim" ] && kill -s KILL -- "$victim" 2> /dev/null
}
# kills TRAINER SETTINGS COUNT LONGEST: LONGEST ms between two kills
kills() {
  trainer=$1 settings="$2 --set proxy.trainer=$1 --set proxy.checkpoint_s=0 --set sample.runs=7"
  rm -rf exp/runs exp/metrics*.csv
  train -q > log 2>&1
  cp exp/metrics.csv straight.csv
  rm -rf exp/runs exp/metrics*.csv
  killed=0 tried=0 renewed=0
  start 0; start 1; start 2
  while [ $killed -lt "$3" ] && [ $tried -lt $(($3 * 20)) ]; do
    tried=$((tried + 1))
    random "$4"; ms=$((drawn + 20)); sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    random 3; part=$drawn
    kill_one $part && killed=$((killed + 1))
    eval "pid=\$pid$part"
    if ended "$pid"; then
      wait "$pid" 2> /dev/null
      if [ "$(done_runs)" = 7 ]; then
        renewed=$((renewed + 1))
        [ ! -e exp/metrics.csv ] || alike || not_ok "$trainer: the same results, once ended"
        rm -rf exp/runs/0001 exp/runs/0005 exp/runs/0006 exp/metrics*.csv
      fi
      start $part
    fi
  done
  same "$trainer: kills of processes of three parts" "$3" "$killed"
  wait
  for i in 0 1 2; do try "$trainer: part $i is taken up" 0 "" train --slice $i/3; done
  check "the same results"
  same "$trainer: and nothing is left" "" "$(find exp -name 'checkpoint*' -o -name claim -o -name '*.tmp' -o -name '*.pt')"
  echo "# $trainer: the runs were finished and begun anew $renewed times"
}
kills regmix "--set proxy.tokens=16k" "${REGMIX_KILLS:-9}" 120
if "${REGMIX_PYTHON:-python3}" -c 'import torch' 2> /dev/null; then
  kills pytorch "--set proxy.tokens=16k" "${REGMIX_KILLS:-3}" 3000
else
  skip "pytorch: kills of processes of three parts" "no PyTorch in ${REGMIX_PYTHON:-python3}"
fi
done_testing
