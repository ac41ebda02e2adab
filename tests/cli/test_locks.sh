#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who is at a run: file systems without locks, claims of other hosts and containers, holders that give no sign of life. Nothing is waited for without
# a word or without an end. Usage: test_locks.sh regmix locks.so
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
shim=$(absolute "$2")
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > /dev/null 2>&1
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\nr3,0.2,0.2,0.6\n' > exp/mixtures.csv
# with HOW COMMAND...: its flock is that of locks.c
with() { how=$1; shift; preload "$shim" REGMIX_TEST_FLOCK="$how" timeout 60 "$@"; }
train() { timeout 100 "$REGMIX" train -C exp "$@"; }

numbers() { for r in r1 r2 r3; do grep -v -E '"(wall_s|tokens_per_s)"' "exp/runs/$r/result.json"; done; cat exp/metrics.csv; }
# The steps that the logs tell of: those of two trainings would stand twice.
steps() { cat exp/runs/r?/log.jsonl | sed -n 's/.*"step":\([0-9]*\).*/\1/p' | tr '\n' ' '; }
long="--set proxy.tokens=200k --set proxy.checkpoint_s=0"
afresh() { rm -rf exp/runs exp/metrics.csv; }
afresh
# shellcheck disable=SC2086
try "with locks" 0 "3 runs done" train $long
if grep -q "no working locks" "$SCRATCH/stderr"; then not_ok "nothing is said of locks"; else ok "nothing is said of locks"; fi
numbers > straight
steps > straight-steps

with ENOLCK env true 2> "$SCRATCH/stderr"
if grep -q "cannot be preloaded" "$SCRATCH/stderr"; then not_ok "the locks of this test are in use" "$(cat "$SCRATCH/stderr")"; else ok "the locks of this test are in use"; fi

# ---- no locks, and locks that do not lock: two supervisors train the same runs at once
# shellcheck disable=SC2086
double() { with "$1" "$REGMIX" train -C exp $long > "out$2" 2> "err$2"; }
for how in ENOLCK ENOSYS ENOTSUP NOTHING LOCAL; do
  afresh
  double $how 1 & first=$!
  double $how 2; second_code=$?
  wait $first; first_code=$?
  same "$how: two at once end well" "0 0" "$first_code $second_code"
  [ "$first_code$second_code" = 00 ] || cat err1 err2 | sed 's/^/# /'
  same "$how: with the same numbers" "$(cat straight)" "$(numbers)"
  same "$how: and no claims are left" "" "$(find exp/runs -name claim -o -name '*.tmp')"
  if [ $how = LOCAL ]; then continue; fi
  same "$how: each run was trained once" "$(cat straight-steps)" "$(steps)"
  if grep -q "(.*mounted at /.*) has no working locks" err1 err2; then ok "$how: and the file system is named"; else not_ok "$how: and the file system is named" "$(cat err1 err2)"; fi
done
afresh
try "status does not wait either" 0 "3 runs" with ENOLCK "$REGMIX" status -C exp

# ---- without locks, a worker that is killed
hold() { # HOW: a training that takes its time, until it has claims
  afresh
  # not by preload: $! is the program itself
  env LD_PRELOAD="$shim" ASAN_OPTIONS="${ASAN_OPTIONS:-}:verify_asan_link_order=0" REGMIX_TEST_FLOCK="$1" \
    "$REGMIX" train -C exp --set proxy.tokens=40M --set proxy.checkpoint_s=0 --jobs 3 > out 2> err & supervisor=$!
  n=0
  while [ ! -s exp/runs/r1/checkpoint.safetensors ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
  worker=$(sed -n 2p exp/runs/r1/claim)
}
hold NOTHING
same "the claim says that it is no lock" exclusive "$(sed -n 4p exp/runs/r1/claim)"
try "status sees who holds it" 0 "running" with NOTHING "$REGMIX" status -C exp
kill -s KILL "$worker"
n=0
while ! grep -q "was killed by signal 9" err && [ $n -lt 200 ]; do sleep 0.05; n=$((n + 1)); done
while [ "$(sed -n 2p exp/runs/r1/claim 2> /dev/null)" = "$worker" ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
if [ $n -lt 600 ]; then ok "another one takes the run up"; else not_ok "another one takes the run up" "$(cat err)"; fi
kill -s TERM $supervisor; wait $supervisor
hold NOTHING
printf 'elsewhere\n99\nb 3 4\nexclusive\n' > other && mv other exp/runs/r1/claim
n=0
while kill -0 "$worker" 2> /dev/null && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
if [ $n -lt 600 ]; then ok "a worker whose claim was taken over stops"; else not_ok "a worker whose claim was taken over stops"; fi
same "and leaves the claim to its new holder" elsewhere "$(head -n 1 exp/runs/r1/claim)"
kill -s TERM $supervisor; wait $supervisor

# ---- containers that share the name of the host: claim RUN HOST PID WHEN [PLACE [exclusive]]
place=$(cat /proc/sys/kernel/random/boot_id)" "$(readlink /proc/self/ns/pid)
sleep 1000 & alive=$!
began=$(cut -d ' ' -f 22 /proc/$alive/stat)
claim() { mkdir -p "exp/runs/$1"; printf '%s\n%s\n%s\n%s\n' "$2" "$3" "${5-}" "${6-}" > "exp/runs/$1/claim"; touch -d "$4" "exp/runs/$1/claim"; }
state() { # NAME WANTED HOST PID WHEN PLACE MODE: is the run held?
  afresh; name=$1; wanted=$2; shift 2
  claim r1 "$@"
  "$REGMIX" status -C exp --json > json 2> err
  same "$name" "$wanted" "$(value json 'o["proxies"].get("running", 0)')"
}
me=$(hostname)
state "another boot, with a heartbeat: held" 1 "$me" 1 '30 seconds ago' "00000000-other pid:[4026531836] 7"
state "another boot, silent: free" 0 "$me" 1 '70 seconds ago' "00000000-other pid:[4026531836] 7"
state "another namespace, with a heartbeat: held" 1 "$me" 1 '30 seconds ago' "${place% *} pid:[1] 7" exclusive
state "this place, a process that lives: held" 1 "$me" $alive '30 seconds ago' "$place $began" exclusive
state "this place, and it is silent, so it is stopped: free" 0 "$me" $alive '10 minutes ago' "$place $began" exclusive
state "this place, a later process with its number: free" 0 "$me" $alive '30 seconds ago' "$place 1" exclusive
state "this place, a process that ended: free" 0 "$me" 4000000 '30 seconds ago' "$place 1" exclusive
state "what it left may still be ending: held" 1 "$me" 4000000 'now' "$place 1" exclusive
state "a lock that is free, of a process that ended: free" 0 "$me" 4000000 'now' "$place 1"
state "a lock that is free although its process lives: held" 1 "$me" $alive 'now' "$place $began"
state "a claim of version 0.1.0, not locked: free" 0 "$me" $alive 'now'
state "a claim that names nobody, whose lock is free: free" 0 "" "" 'now'
kill $alive
if unshare -fp --mount-proc true 2> /dev/null; then
  hold LOCAL
  n=0
  while [ "$(grep -l . exp/runs/*/claim | wc -l)" -lt 3 ] && [ $n -lt 600 ]; do sleep 0.05; n=$((n + 1)); done
  with LOCAL unshare -fp --mount-proc "$REGMIX" status -C exp --json > json
  same "a real namespace of processes sees it running" 3 "$(value json 'o["proxies"].get("running", 0)')"
  kill -s TERM $supervisor; wait $supervisor
else
  skip "a real namespace of processes sees it running" "this user may not make one"
fi

# ---- claims of other hosts
rm -rf exp/runs; claim r1 elsewhere 1234 '1 hour'
try "a claim with a time in the future is not believed until then" 0 "3 runs done" train
rm -rf exp/runs; claim r1 elsewhere 1234 '2 minutes ago'
try "a claim without a heartbeat is taken over" 0 "3 runs done" train
rm -rf exp/runs; claim r1 elsewhere 1234 '57 seconds ago'
try "a claim with a heartbeat is waited for, and taken over once it stops" 0 "3 runs done" train
printed "after saying whose it is" "r1, by process 1234 on elsewhere"

# ---- a holder on this host that gives no sign of life
for when in '10 minutes ago' '1 hour'; do
  rm -rf exp/runs; claim r2 "$(hostname)" 4321 "$when"
  flock -F exp/runs/r2/claim sleep 1000 &
  holder=$!
  sleep 0.3
  try "a holder silent since $when is not waited for without end" 1 "1 of 3 runs failed" train
  printed "and is named" "end process 4321 on $(hostname)"
  case $when in *ago) printed "with how long" "has had no heartbeat for 60" ;; *) printed "with what is odd" "is in the future by" ;; esac
  kill $holder 2> /dev/null
done
try "once it has let go, the run is trained" 0 "1 run done" train

# ---- one `prepare` or `gc` at a time in a folder
make_corpus pair 60
: > pair/.regmix.lock  # a file, since an NFS keeps locks on folders to the machine that asks
flock -F pair/.regmix.lock sleep 1000 &
holder=$!
while flock -n pair/.regmix.lock true; do sleep 0.05; done
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
if [ -e pair/.regmix.lock ]; then not_ok "the lock is gone with them"; else ok "the lock is gone with them"; fi
rm -rf pair/corpus
try "without locks on folders prepare warns and goes on" 0 "cannot be locked" with ENOLCK "$REGMIX" prepare -C pair
try "and so does gc" 0 "cannot be locked" with ENOLCK "$REGMIX" gc -C pair
if [ -e pair/.regmix.lock ]; then not_ok "and leave no lock"; else ok "and leave no lock"; fi
done_testing
