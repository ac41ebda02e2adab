#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is given to Slurm, without one: sbatch, squeue and sacct are scripts of this test. tests/cluster has a real Slurm.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > log 2>&1 && "$REGMIX" sample -C exp -q > log 2>&1
"$REGMIX" train -C exp -q --slice 0/6 > log 2>&1  # run 0001 is done
plain=$PATH
mkdir bin
fake() { # NAME: the script is on stdin
  { echo '#!/bin/sh'; cat; } > "bin/$1"
  chmod +x "bin/$1"
}
launch() { PATH=$SCRATCH/bin:$plain "$REGMIX" launch slurm -C exp "$@"; }
status() { PATH=$SCRATCH/bin:$plain "$REGMIX" status -C exp --json > json; }
tasks() { value json "' '.join('%s:%d' % (k, o['slurm'][$1][k]) for k in ('pending','running','done','failed','preempted'))"; }
says() { if grep -qF -- "$2" "$3"; then ok "$1"; else not_ok "$1" "no \"$2\" in: $(cat "$3")"; fi; }
for program in sbatch squeue sacct; do echo 'exit 1' | fake $program; done

# ---- the script
try "a dry run prints the script" 0 "train -C" launch --dry-run --gpus 0 --partition p,q --time 2:00:00 --array-limit 3 --sbatch account=me --sbatch=--mem=8G --set jobs=1
cp "$SCRATCH/stdout" script
for line in '#SBATCH --array=0-4%3' '#SBATCH --partition=p,q' '#SBATCH --time=2:00:00' '#SBATCH --account=me' '#SBATCH --mem=8G' \
  '#SBATCH --signal=B:USR1@120' '#SBATCH --requeue' '#SBATCH --cpus-per-task=1' '# 5 of 6 runs in 5 tasks' "--set 'jobs=1'" '--slice "$task/5"'; do
  says "it has $line" "$line" script
done
if sh -n script; then ok "it is a script"; else not_ok "it is a script"; fi
if [ -e exp/slurm ]; then not_ok "and writes nothing"; else ok "and writes nothing"; fi
try "the limit of time is short: half of it" 0 "--signal=B:USR1@60" launch --dry-run --time 2
try "fewer tasks" 0 "# 5 of 6 runs in 2 tasks" launch --dry-run --tasks 2
try "processors for several runs at a time" 0 "--jobs 4" launch --dry-run --cpus 4
try "as JSON" 0 '"runs": 5' launch --dry-run --json
try "a GPU for each task" 0 "#SBATCH --gres=gpu:1" launch --dry-run --gpus 2 --set proxy.trainer=pytorch
says "with its part of the runs" '--slice "$task/2"' "$SCRATCH/stdout"
try "the steps after training" 0 '"$regmix" run -C "$experiment" --trained' launch --dry-run --then

# ---- refused before anything is written
try "no batch system" 2 "the batch system is missing" "$REGMIX" launch -C exp
try "another batch system" 2 'no batch system "pbs"' "$REGMIX" launch pbs -C exp
try "GPUs for our own trainer" 2 "set proxy.trainer: pytorch" launch --gpus 2
try "a partition that would write a line" 2 "--partition" launch --partition "p
#SBATCH --uid=0"
try "a time that is none" 2 "--time" launch --time "1 hour"
try "an option that would write a line" 2 "--sbatch" launch --sbatch "mem=1
x"
try "GPUs and tasks" 2 "leave --tasks out" launch --gpus 2 --tasks 2 --set proxy.trainer=pytorch
try "no sbatch" 1 "there is no sbatch in PATH" env PATH=/nonexistent "$REGMIX" launch slurm -C exp
try "what to do then" 1 "--dry-run to see the script" env PATH=/nonexistent "$REGMIX" launch slurm -C exp
try "no mixtures" 1 "regmix sample" sh -c "mkdir new && cp -r exp/corpus exp/text exp/regmix.yaml exp/tokenizer.json new && PATH=$SCRATCH/bin:$plain \"$REGMIX\" launch slurm -C new"

# ---- sbatch refuses
echo 'echo "sbatch: error: x" >&2; echo "sbatch: error: Batch job submission failed: Invalid account or account/partition combination specified" >&2; exit 1' | fake sbatch
try "its last words" 1 "Invalid account or account/partition combination specified" launch
try "with what to do" 1 "Nothing of it was submitted" launch
if [ -e exp/slurm/1/launch.json ]; then not_ok "no job is remembered"; else ok "no job is remembered"; fi
status
same "status knows of no job" None "$(value json 'o.get("slurm")')"

for code in 2 130 137 255; do
  echo "echo 'sbatch: error: Invalid --time specification' >&2; exit $code" | fake sbatch
  try "code $code with a reason is a refusal" 1 "Invalid --time specification" launch
  says "code $code: nothing was submitted" "Nothing of it was submitted" "$SCRATCH/stderr"
  if [ -e exp/slurm/1/array.sh.asked ]; then not_ok "code $code: the next launch may come"; else ok "code $code: the next launch may come"; fi
done
printf '#!/no/such/interpreter\n' > bin/sbatch
try "an sbatch that cannot be started" 1 "Nothing was submitted" env PATH="$SCRATCH/bin" "$REGMIX" launch slurm -C exp
if [ -e exp/slurm/1/array.sh.asked ]; then not_ok "blocks no launch"; else ok "blocks no launch"; fi

# ---- variables of sbatch that override the script
echo 'env | grep "^SBATCH_" | sort > had; echo 76' | fake sbatch
try "variables of sbatch" 0 "sbatch does not get SBATCH_TIMELIMIT of the environment; --time sets the limit" env SBATCH_ARRAY_INX=0-0 SBATCH_OUTPUT=x SBATCH_NO_REQUEUE=1 SBATCH_TIMELIMIT=1 \
  SBATCH_ACCOUNT=a SBATCH_MAIL_TYPE=b SBATCH_QOS=q PATH="$SCRATCH/bin:$plain" "$REGMIX" launch slurm -C exp --sbatch mail-type=NONE
same "those that override the script are not passed on" "SBATCH_ACCOUNT=a SBATCH_QOS=q" "$(tr '\n' ' ' < had | sed 's/ $//')"
rm -rf exp/slurm

# ---- two launches at once
echo 'touch begun; while [ ! -e go ]; do sleep 0.02; done; echo 76' | fake sbatch
PATH=$SCRATCH/bin:$plain "$REGMIX" launch slurm -C exp > first 2>&1 &
pid=$!
for _ in $(seq 500); do [ -e begun ] && break; sleep 0.02; done
try "a launch beside another one" 1 "another launch of exp is under way" launch
touch go
wait $pid
same "does not disturb it" "0 job 76: 5 runs in 5 tasks" "$? $(grep -o 'job 76: 5 runs in 5 tasks' first)"
rm -rf exp/slurm

# ---- the job for the steps after training
cp -r exp chain
on() { command=$1; shift; PATH=$SCRATCH/bin:$plain "$REGMIX" $command -C chain "$@"; }
echo 'echo "$@" >> calls; n=$(cat number 2> /dev/null || echo 100); n=$((n + 1)); echo $n > number; echo $n' | fake sbatch
echo 'echo "$1" >> cancelled; rm -f "queue.$1"' | fake scancel
echo 'while [ $# -gt 1 ]; do shift; done; cat "queue.$1" 2> /dev/null || { echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1; }' | fake squeue
queue() { job=$1; shift; printf '%s\n' "$@" > "queue.$job"; }
chain() { on status --json > json; value json "' '.join('%s:%d' % (k, o['slurm'][$1][k]) for k in ('pending','running','done','failed','preempted'))"; }
try "a job after two tasks" 0 "job 102: the steps after training" on "launch slurm" --tasks 2 --then
says "which may start however they end" "--dependency=afterany:101 --kill-on-invalid-dep=yes" calls
queue 101 "0 RUNNING None" "1 PENDING Nodes required are DOWN"; queue 102 "N/A PENDING Dependency"
try "status has Slurm's reason" 0 "1 task pending (Slurm's reason to wait: Nodes required are DOWN)" on status
try "also of the job after them" 0 "are pending (Slurm's reason to wait: Dependency)" on status
try "status has it" 0 "job 102: the steps after training are pending" on status
try "so does the next launch" 0 "job 102, the steps after training, is pending" on "launch slurm" --then
same "which submits nothing" 2 "$(wc -l < calls | tr -d ' ')"
queue 101 "0 FAILED" "1 RUNNING"
try "after a repair it is replaced" 0 "job 104 takes the place of job 102" on "launch slurm" --tasks 2
says "by one that waits for old and new tasks" "--dependency=afterany:101:103" calls
same "and ended" 102 "$(cat cancelled)"
rm queue.101
queue 104 "N/A RUNNING"
try "status: it runs" 0 "job 104: the steps after training are running" on status
rm queue.104
try "it begins nothing while runs are missing" 1 "5 of 6 runs are not done, so the steps after training do not begin" sh chain/slurm/2/then.sh
try "status: it failed, and where its output is" 0 "not done: it failed or was cancelled; their output is in chain/slurm/2/then.txt" on status
try "the next launch says so, too" 0 "--then submits them again" on "launch slurm" --tasks 2
echo "ended 0" > chain/slurm/2/then.state
try "status: it is done" 0 "job 104: the steps after training are done" on status

# ---- what is in the queue is pending, whatever the folder has
queue 105 "0 PENDING" "1 PENDING"
echo "ended 75" > chain/slurm/3/0.state
same "a task that was queued again" "pending:2 running:0 done:0 failed:0 preempted:0" "$(chain -1)"
try "other settings than those of the queue" 1 "job 105 has tasks in the queue that train these runs with other settings" on "launch slurm" --tasks 2 --redo --set proxy.lr=1e-3
same "submit nothing" 5 "$(wc -l < calls | tr -d ' ')"
on train -q > log 2>&1
same "tasks that wait, though all runs are done" "pending:2 running:0 done:0 failed:0 preempted:0" "$(chain -1)"

# ---- mixtures of other settings
try "launch" 1 "mixtures.csv was drawn for other settings" on "launch slurm" --set seed=7 --redo
try "what to do then" 1 "\`regmix sample\` draws it now" on "launch slurm" --set seed=7 --redo
for command in "train --dry-run" check status; do
  try "$command" 0 "mixtures.csv was drawn for other settings" on "$command" --set seed=7
done
try "a table of one's own is never old" 0 "" sh -c "mv chain/mixtures.json old && PATH=$SCRATCH/bin:$plain \"$REGMIX\" launch slurm -C chain --set seed=7 --redo --dry-run"
if grep -q "drawn for other" "$SCRATCH/stderr"; then not_ok "and no warning"; else ok "and no warning"; fi
rm -rf chain calls number queue.* bin/scancel
echo 'exit 1' | fake squeue

# ---- it is not known whether sbatch took the script
again() { rm -f exp/slurm/1/array.sh.asked; }
unclear() { # NAME SBATCH
  echo "$2" | fake sbatch
  try "$1" 1 "it is not known whether Slurm took" launch
  says "$1: where to look" "squeue --me" "$SCRATCH/stderr"
  if grep -q "Nothing of it was submitted" "$SCRATCH/stderr"; then not_ok "$1: no promise"; else ok "$1: no promise"; fi
  echo 'echo 99' | fake sbatch
  try "$1: nothing is submitted twice without a word" 1 "array.sh.asked and give the same command again" launch
  again
}
unclear "an sbatch that prints no number" 'echo hello 12'
unclear "an sbatch that prints nothing" 'exit 0'
unclear "a number that no job has" 'echo 12345678901234567890'
unclear "an sbatch that is killed" 'kill -9 $$'
unclear "a number, and a failure" 'echo 12; exit 1'
unclear "a connection that is lost" 'echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2; exit 1'
echo 'sleep 543 & touch hangs; wait' | fake sbatch
PATH=$SCRATCH/bin:$plain "$REGMIX" launch slurm -C exp > log 2>&1 &
pid=$!
for _ in $(seq 500); do [ -e hangs ] && break; sleep 0.02; done
kill -TERM $pid
wait $pid
same "asked to stop while sbatch hangs" 130 $?
says "and why" "stopped before sbatch answered, so it is not known" log
says "it says what it waits for" "gives $(realpath exp)/slurm/1/array.sh to sbatch" log
if pgrep -f "^sleep 543$" > /dev/null; then not_ok "sbatch is ended with what it started"; else ok "sbatch is ended with what it started"; fi
again
id_of() { # NAME SBATCH ID
  echo "$2" | fake sbatch
  try "$1" 0 "job $3: 5 runs in 5 tasks" launch
  rm -rf exp/slurm
}
id_of "a warning before the number" 'echo "sbatch: warning: 1 thing"; echo 77' 77
id_of "words after the number" 'echo 78; echo "2 more jobs may run"' 78
id_of "words around the number" 'echo "Submitted batch job 79 on cluster x"' 79
id_of "an sbatch that leaves a process" 'sleep 30 & echo "80;x"' 80

# ---- options that launch sets itself
refused() { try "--sbatch $1" 2 "$2" launch --dry-run --sbatch "$1"; }
refused array=0-3 "--tasks sets how many"
refused --arr=0-3 "--array-limit"
refused output=x "the logs are in"
refused error=x "the logs are in"
refused "time 1:00" "--time sets the limit"
refused signal=B:9@1 "with --time"
refused no-requeue "queued again"
refused cpus-per-task=2 "--cpus sets"
refused -p "the long name"
try "--sbatch of its own" 0 "#SBATCH --time-min=5" launch --dry-run --sbatch time-min=5

# ---- folders that sbatch cannot write to
for folder in 'back\slash' 'quo"te'; do
  mkdir "$folder" && cp -r exp "$folder/exp"
  try "$folder" 1 "rename the folder" env PATH="$SCRATCH/bin:$plain" "$REGMIX" launch slurm -C "$folder/exp" --dry-run
done

# ---- it takes the script
echo 'echo "$@" >> calls; n=$(cat number 2> /dev/null || echo 40); n=$((n + 1)); echo $n > number; echo "$n;cluster"' | fake sbatch
echo 'for i in 0 1; do echo "$i RUNNING"; done; echo "2 PENDING"; echo "3 PENDING"; echo "4 PENDING"' | fake squeue
try "submitted" 0 "job 41: 5 runs in 5 tasks" launch --then
says "with the job after it" "job 42: the steps after training" "$SCRATCH/stdout"
says "which waits for all tasks" "--dependency=afterany:41 --kill-on-invalid-dep=yes" calls
status
same "the queue is asked" "pending:3 running:2 done:0 failed:0 preempted:0" "$(tasks 0)"
try "the same command submits nothing" 0 "5 runs are in the queue already" launch
same "and calls sbatch for nothing" 2 "$(wc -l < calls | tr -d ' ')"

# ---- how tasks end. The script is what Slurm would run.
run_task() { (SLURM_ARRAY_TASK_ID=$1 SLURM_JOB_ID=9 PATH=$SCRATCH/bin:$plain; export SLURM_ARRAY_TASK_ID SLURM_JOB_ID PATH; sh exp/slurm/1/array.sh > "task$1" 2>&1); }
run_task 0; same "a task ends well" "0 ended 0" "$? $(cat exp/slurm/1/0.state)"
# of what the queue forgot, the accounts know
printf 'echo "3 PENDING"\n' | fake squeue
printf 'echo "41_1|PREEMPTED"; echo "41_2|CANCELLED by 0"; echo "41_4|NODE_FAIL"; echo "41_[3]|PENDING"\n' | fake sacct
status
same "the accounts are asked" "pending:1 running:0 done:1 failed:2 preempted:1" "$(tasks 0)"
echo 'exit 1' | fake sacct
printf 'ended 130\n' > exp/slurm/1/1.state; printf 'running 0 gone\n' > exp/slurm/1/2.state; touch -d '1 hour ago' exp/slurm/1/2.state
status
same "without them the folder is" "pending:1 running:0 done:1 failed:2 preempted:1" "$(tasks 0)"
# an answer that is none
rm exp/slurm/1/1.state exp/slurm/1/2.state
for answer in 'head -c 5000 /dev/urandom' 'echo hello world' 'exit 0'; do
  echo "$answer" | fake squeue
  status
  same "squeue: $answer" "False pending:4 running:0 done:1 failed:0 preempted:0" "$(value json 'o["slurm"][0]["slurm_answered"]') $(tasks 0)"
done
printf 'ended 130\n' > exp/slurm/1/1.state; printf 'running 0 gone\n' > exp/slurm/1/2.state; touch -d '1 hour ago' exp/slurm/1/2.state
echo 'echo "slurm_load_jobs error: Unable to contact slurm controller" >&2; exit 1' | fake squeue
printf 'ended 1\n' > exp/slurm/1/4.state
status
same "nor without Slurm" "pending:1 running:0 done:1 failed:2 preempted:1" "$(tasks 0)"
echo 'exec sleep 1000' | fake squeue
try "a Slurm that hangs does not hold status up" 0 "preempted" timeout 60 env PATH="$SCRATCH/bin:$plain" "$REGMIX" status -C exp
echo 'echo "slurm_load_jobs error: Invalid job id specified" >&2; exit 1' | fake squeue
try "what is not done is submitted again" 0 "job 43: 4 runs in 4 tasks" launch
same "and no finished run" "0003 0004 0005 0006" "$(sort exp/slurm/2/runs.txt | tr '\n' ' ' | sed 's/ $//')"
status
same "the newer job has taken the tasks over" "1 4" "$(value json 'len(o["slurm"]) - 1, sum(o["slurm"][-1][k] for k in ("pending", "failed"))' | tr -d '(,)')"
rm exp/slurm/1/*.state
cp bin/squeue forgets
echo 'exit 1' | fake squeue
status
same "also by the folder alone" "pending:0 running:0 done:1 failed:0 preempted:0, pending:4" "$(tasks 0), $(tasks 1 | grep -o 'pending:.')"
try "which is what status says" 0 "4 tasks pending; Slurm did not answer, so this is what the folder shows" env PATH="$SCRATCH/bin:$plain" "$REGMIX" status -C exp
# tasks that trained with other settings than those of regmix.yaml
for i in 0 1 2 3; do SLURM_ARRAY_TASK_ID=$i SLURM_JOB_ID=9 PATH=$SCRATCH/bin:$plain sh -c 'sed "s/--jobs 1/--jobs 1 --redo --set proxy.lr=1e-3/" exp/slurm/2/array.sh | sh' > "task$i" 2>&1; done
cp forgets bin/squeue
status
same "they are done, their runs are of other settings" "done:4 outdated:4" "$(tasks 1 | grep -o 'done:.') outdated:$(value json 'o["proxies"]["outdated"]')"
rm -rf exp/runs/000[3456]

# ---- a job whose number cannot be written down, and copies of the folder
cp -r exp other && rm -rf other/slurm other/runs
launch_in() { PATH=$SCRATCH/bin:$plain "$REGMIX" launch slurm -C "$1"; }
echo 'mkdir "$(dirname "$2")/launch.json"; echo 88' | fake sbatch
try "a job that cannot be recorded is named" 1 "as job 88, but that is not recorded. End it with \`scancel 88\`" launch_in other
rmdir other/slurm/1/launch.json
try "and its runs are not submitted twice" 1 "it is not known whether Slurm took" launch_in other
rm -rf other/slurm
echo 'echo 89' | fake sbatch
echo 'for i in 0 1 2 3 4 5; do echo "$i PENDING Priority"; done' | fake squeue
try "submitted" 0 "job 89: 6 runs in 6 tasks" launch_in other
cp -r other copied && ln -s other linked
try "a copy of the folder has nothing in the queue" 0 "job 89: 6 runs in 6 tasks" launch_in copied
echo 'exit 75' | fake later
echo 'echo "$2" >> requeued' | fake scontrol
sed "s|^regmix=.*|regmix=$SCRATCH/bin/later|" other/slurm/1/array.sh > later.sh
for count in 0 99 100; do SLURM_ARRAY_TASK_ID=0 SLURM_JOB_ID=$count SLURM_RESTART_COUNT=$count PATH=$SCRATCH/bin:$plain sh later.sh; done
same "a task that is stopped before its limit is queued again, but not for ever" "0 99 " "$(tr '\n' ' ' < requeued)"
try "a link to it has" 0 "6 runs are in the queue already" launch_in linked

# ---- nodes
mv exp/corpus exp/gone
run_task 1; same "a node without the corpus" "1 ended 1" "$? $(cat exp/slurm/1/1.state)"
says "is told what to do" "there is no corpus in" task1
says "with its name" "node $(hostname)" task1
mv exp/gone exp/corpus
sed -i 's/"isa": *"[a-z0-9]*"/"isa": "other"/' exp/runs/0001/result.json
run_task 1; same "a node of another processor level goes on" 0 $?
says "and warns" "1 finished run of this swarm was trained at level other, and node $(hostname) trains at level" task1
says "with what to do" "isa:" task1
if "$REGMIX" doctor | grep -q 'available:.*amx$'; then
  skip "a level that this node does not have" "it has all levels"
else
  echo 'isa: amx' >> exp/regmix.yaml
  try "a level that this node does not have" 1 "node $(hostname)" "$REGMIX" train -C exp --slice 2/6
fi
done_testing
