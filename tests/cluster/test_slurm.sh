#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A swarm of 12 on a real Slurm of one node: a task is cancelled, one is requeued, one is asked to stop as before a time limit.
# The same command submits what is left, and the results are those of one process. Usage: test_slurm.sh regmix
. "$(dirname "$0")/../cli/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
. "$ROOT/tests/cluster/slurm.sh"
if why=$(slurm_missing); then
  skip "a swarm on a real Slurm" "$why"
  done_testing
  exit 0
fi
trap 'slurm_stop; rm -rf "$SCRATCH"' EXIT
cd "$SCRATCH" || exit 1
make_corpus exp 60
settings="--set proxy.tokens=120k --set proxy.checkpoint_s=0 --set sample.runs=12"
# shellcheck disable=SC2086
regmix() { command=$1; shift; "$REGMIX" "$command" -C exp $settings "$@"; }
regmix prepare -q > log 2>&1 && regmix sample -q > log 2>&1
numbers() {
  for f in exp/runs/*/result.json; do grep -v -E '"(wall_s|tokens_per_s|threads)"' "$f"; done
  cat exp/metrics.csv exp/metrics-half.csv
}
regmix train -q > log 2>&1
numbers > straight
rm -rf exp/runs exp/metrics*.csv

if ! slurm_start "$SCRATCH/slurm" 2; then
  not_ok "Slurm starts" "$(tail -n 5 slurm/log/*)"
  done_testing
  exit 1
fi
wait_until() { # SECONDS COMMAND...
  n=$(($1 * 10)); shift
  while ! "$@" && [ $n -gt 0 ]; do sleep 0.1; n=$((n - 1)); done
  [ $n -gt 0 ]
}
at_work() { [ -s "exp/runs/$1/checkpoint.safetensors" ]; }
idle() { [ -z "$(squeue -h -o %i)" ]; }
count() { regmix status --json > json 2> log; value json "o['slurm'][-1]['$1']"; }

try "the runs are submitted" 0 "12 runs in 12 tasks" regmix launch slurm --partition p --time 10
try "the same command while they wait submits nothing" 0 "there is nothing to submit" regmix launch slurm
job=$(value exp/slurm/1/launch.json 'o["job"]')
wait_until 60 at_work 0001 && scontrol requeue "${job}_0"
wait_until 60 at_work 0002 && scancel "${job}_1"
wait_until 60 at_work 0003 && scancel -s USR1 -b "${job}_2"
regmix status --json > json
same "status counts all tasks" 12 "$(value json 'sum(o["slurm"][0][k] for k in ("pending", "running", "done", "failed", "preempted"))')"
# A requeued task begins only after some minutes, unless it is told to.
again() { for i in 0 2; do scontrol update "JobId=${job}_$i" StartTime=now 2> /dev/null; done; idle; }
if wait_until 90 again; then ok "the queue empties"; else not_ok "the queue empties" "$(squeue; tail -n 3 exp/slurm/1/*.txt)"; fi
same "11 tasks are done" 11 "$(count "done")"
same "the cancelled one is not" 1 "$(count failed)"
for task in 0 1; do
  if grep -q "continues from here" exp/slurm/1/$task.txt; then ok "task $task wrote its checkpoint first"; else not_ok "task $task wrote its checkpoint first" "$(cat exp/slurm/1/$task.txt)"; fi
done
if grep -q "continues from here" exp/slurm/1/2.txt && grep -q "1 run done" exp/slurm/1/2.txt; then
  ok "USR1 stopped a task with a checkpoint, and it was queued again"
else
  not_ok "USR1 stopped a task with a checkpoint, and it was queued again" "$(cat exp/slurm/1/2.txt)"
fi
if [ -e exp/metrics.csv ]; then not_ok "no tables yet"; else ok "no tables yet"; fi

try "what is left is submitted, with the steps after it" 0 "1 run in 1 task" regmix launch slurm --partition p --then
same "and it is the cancelled one" 0002 "$(cat exp/slurm/2/runs.txt)"
if wait_until 60 idle; then ok "both jobs end"; else not_ok "both jobs end" "$(squeue)"; fi
same "the results are those of one process" "$(cat straight)" "$(numbers)"
if [ -s exp/optimum.yaml ]; then ok "the steps after training are done"; else not_ok "the steps after training are done" "$(cat exp/slurm/2/*.txt)"; fi
same "and nothing is left" "" "$(find exp -name checkpoint.safetensors -o -name claim -o -name '*.tmp')"
try "nothing is submitted once all is done" 0 "there is nothing to submit" regmix launch slurm
try "Slurm's own reason for a refusal" 1 "Invalid partition name specified" sh -c "rm -rf exp/runs/0001; \"$REGMIX\" launch slurm -C exp $settings --partition nowhere"
try "and what to do" 1 "--partition chooses one" regmix launch slurm --partition nowhere
same "it left no job" "" "$(squeue -h)"
slurm_stop
done_testing
