#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who is at a run: file systems without locks, claims of other hosts, holders that give no sign of life. Nothing is waited for without
# a word or without an end. Usage: test_locks.sh regmix locks.so
set -u
here=$(cd "$(dirname "$0")" && pwd)
shim=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
. "$here/tap.sh"
. "$here/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > /dev/null 2>&1
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\nr3,0.2,0.2,0.6\n' > exp/mixtures.csv
told() { if grep -qF -- "$2" "$SCRATCH/stdout" "$SCRATCH/stderr"; then ok "$1"; else not_ok "$1" "no \"$2\" in: $(cat "$SCRATCH/stderr")"; fi; }
# with HOW COMMAND...: its flock is that of locks.c
with() { how=$1; shift; env LD_PRELOAD="$shim" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" REGMIX_TEST_FLOCK="$how" timeout 60 "$@"; }
train() { timeout 100 "$REGMIX" train -C exp "$@"; }

for how in ENOLCK ENOSYS ENOTSUP; do
  rm -rf exp/runs
  try "$how from flock is told at once" 1 "has no working locks" with $how "$REGMIX" train -C exp
done
told "with the file" "exp/runs/r1/claim"
told "and its file system" "mounted at /"
with ENOLCK env true 2> "$SCRATCH/stderr"
if grep -q "cannot be preloaded" "$SCRATCH/stderr"; then not_ok "the locks of this test are in use" "$(cat "$SCRATCH/stderr")"; else ok "the locks of this test are in use"; fi
try "status does not wait either" 0 "3 runs" with ENOLCK "$REGMIX" status -C exp

# ---- locks that do not lock: two supervisors train the same runs at once
numbers() { for r in r1 r2 r3; do grep -v -E '"(wall_s|tokens_per_s)"' "exp/runs/$r/result.json"; done; cat exp/metrics.csv; }
rm -rf exp/runs
try "with locks" 0 "3 runs done" train --set proxy.tokens=200k --set proxy.checkpoint_s=0
numbers > straight
rm -rf exp/runs exp/metrics.csv
double() { with NOTHING "$REGMIX" train -C exp --set proxy.tokens=200k --set proxy.checkpoint_s=0 > "out$1" 2> "err$1"; }
double 1 & first=$!
double 2; second_code=$?
wait $first; first_code=$?
# One of them may find a file of the other's and say so; run again, it is done.
echo "# two at once without locks: exit codes $first_code and $second_code"
try "doubles do no harm: the same command ends well" 0 "" train --set proxy.tokens=200k --set proxy.checkpoint_s=0
numbers > doubled
if cmp -s straight doubled; then ok "with the same numbers"; else not_ok "with the same numbers" "$(diff straight doubled | head -20)"; fi

# ---- claims of other hosts. claim RUN HOST PID WHEN
claim() { mkdir -p "exp/runs/$1"; printf '%s\n%s\n' "$2" "$3" > "exp/runs/$1/claim"; touch -d "$4" "exp/runs/$1/claim"; }
rm -rf exp/runs; claim r1 elsewhere 1234 '1 hour'
try "a claim with a time in the future is not believed until then" 0 "3 runs done" train
rm -rf exp/runs; claim r1 elsewhere 1234 '2 minutes ago'
try "a claim without a heartbeat is taken over" 0 "3 runs done" train
rm -rf exp/runs; claim r1 elsewhere 1234 '57 seconds ago'
try "a claim with a heartbeat is waited for, and taken over once it stops" 0 "3 runs done" train
told "after saying whose it is" "r1, by process 1234 on elsewhere"

# ---- a holder on this host that gives no sign of life
for when in '10 minutes ago' '1 hour'; do
  rm -rf exp/runs; claim r2 "$(hostname)" 4321 "$when"
  flock -F exp/runs/r2/claim sleep 1000 &
  holder=$!
  sleep 0.3
  try "a holder silent since $when is not waited for without end" 1 "1 of 3 runs failed" train
  told "and is named" "end process 4321 on $(hostname)"
  case $when in *ago) told "with how long" "has had no heartbeat for 60" ;; *) told "with what is odd" "is in the future by" ;; esac
  kill $holder 2> /dev/null
done
try "once it has let go, the run is trained" 0 "1 run done" train

# ---- one `prepare` or `gc` at a time in a folder
make_corpus pair 60
flock -F pair sleep 1000 &
holder=$!
while flock -n pair true; do sleep 0.05; done
"$REGMIX" prepare -C pair > first 2>&1 & first=$!
n=0
while ! grep -q "waiting until it ends" first && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
if grep -q "waiting until it ends" first; then ok "a second prepare says that it waits"; else not_ok "a second prepare says that it waits" "$(cat first)"; fi
if [ -e pair/.set-aside ] || [ -e pair/corpus ]; then not_ok "and writes nothing"; else ok "and writes nothing"; fi
try "gc refuses" 1 "another process is preparing or cleaning this experiment" "$REGMIX" gc -C pair
try "gc --dry-run does not" 0 "nothing was set aside" "$REGMIX" gc -C pair --dry-run
"$REGMIX" prepare -C pair > second 2>&1 & second=$!
kill $holder; wait $holder 2> /dev/null
wait $first; first_code=$?
wait $second; second_code=$?
if [ $first_code$second_code = 00 ]; then ok "two at once both end well"; else not_ok "two at once both end well" "$(cat first second)"; fi
if grep -q "up to date" first second; then ok "and one finds what the other made"; else not_ok "and one finds what the other made" "$(cat first second)"; fi
rm -rf pair/corpus
try "without locks on folders prepare warns and goes on" 0 "cannot be locked" with ENOLCK "$REGMIX" prepare -C pair
try "and so does gc" 0 "cannot be locked" with ENOLCK "$REGMIX" gc -C pair
done_testing
