#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several ranks, started by mpirun: the same losses as one process, the same bits from as many ranks,
# kills at random moments. A build without MPI says so; then the tests are those of a second program,
# which has it, or they are skipped. REGMIX_KILLS=50 kills so often; REGMIX_TEST_SEED=N chooses other
# moments. Usage: test_mpi.sh regmix [regmix-with-mpi]
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
[ -z "${2-}" ] || MPI=$(absolute "$2")
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > log 2>&1 && "$REGMIX" sample -C exp -q > log 2>&1

# ---- one process that was started beside others
unset OMPI_COMM_WORLD_SIZE PMI_SIZE PMIX_RANK SLURM_PROCID SLURM_STEP_NUM_TASKS MPI_LOCALNRANKS
try "one process of a launcher works" 0 "" env OMPI_COMM_WORLD_SIZE=1 "$REGMIX" status -C exp
has_mpi() { [ "$("$REGMIX" --version --json | jq -r .mpi)" != null ]; }
if ! has_mpi; then
  for launcher in OMPI_COMM_WORLD_SIZE PMI_SIZE; do
    try "a build without MPI, $launcher" 2 "this regmix was built without MPI" \
      env $launcher=2 "$REGMIX" train -C exp
  done
  try "and how to get one" 2 "-Dmpi=enabled" env OMPI_COMM_WORLD_SIZE=2 "$REGMIX" pretrain -C exp
  for launcher in OMPI_COMM_WORLD_SIZE PMI_SIZE; do
    try "parts of the runs work alone, $launcher" 0 "would train" env $launcher=2 "$REGMIX" train -C exp --slice 0/2 --dry-run
  done
  try "processes of srun work alone, and the first one says so" 0 "srun started 2 processes of this command" \
    env PMI_SIZE=2 SLURM_PROCID=0 "$REGMIX" status -C exp
  try "of srun --mpi=pmix too, which tells the number otherwise" 0 "srun started 2 processes of this command" \
    env PMIX_RANK=0 SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0 "$REGMIX" status -C exp
  env SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=0 "$REGMIX" status -C exp > /dev/null 2> log
  same "a shell in a step of Slurm is no task of PMIx" "" "$(cat log)"
  env PMI_SIZE=2 SLURM_PROCID=1 "$REGMIX" status -C exp > /dev/null 2> log
  same "the second one does not" "" "$(cat log)"
  env PMI_SIZE=2 SLURM_PROCID=0 "$REGMIX" train -C exp --slice 0/2 --dry-run > /dev/null 2> log
  same "nor one that has its part" "" "$(grep srun log)"
  try "an mpirun in a job of Slurm is none" 2 "this regmix was built without MPI" env PMI_SIZE=2 SLURM_PROCID=0 MPI_LOCALNRANKS=1 "$REGMIX" status -C exp
  REGMIX=${MPI-$REGMIX}
fi
if ! has_mpi; then
  skip "several ranks" "there is no program with MPI here (make mpi builds one)"
  done_testing
  exit
fi
command -v mpirun > /dev/null || { skip "several ranks" "no mpirun"; done_testing; exit; }

export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
ranks() { n=$1; shift; timeout 120 mpirun --oversubscribe -n "$n" "$@"; }
large="--mixture uniform --set isa=avx2 --set large.tokens=24k --set large.checkpoint_s=0"
# shellcheck disable=SC2086
pretrain() { "$REGMIX" pretrain -C exp -q $large "$@"; }
# shellcheck disable=SC2086
many() { k=$1; shift; ranks "$k" "$REGMIX" pretrain -C exp -q $large "$@"; }
keep() { rm -rf "$1"; mv exp/large/uniform/1 "$1"; rm -rf exp/large; }

# ---- tasks of srun that are given a part each
cat > task.sh << 'END'
i=$OMPI_COMM_WORLD_RANK
unset OMPI_COMM_WORLD_SIZE
PMI_SIZE=2 SLURM_PROCID=$i exec "$@" --slice "$i/2"
END
try "tasks of srun train a part each" 0 "" ranks 2 sh task.sh "$REGMIX" train -C exp -q --set isa=avx2
same "so all runs are done" 6 "$(find exp/runs -name result.json | wc -l)"
rm -rf exp/runs exp/metrics*.csv

# ---- srun --mpi=pmix: the ranks find each other by PMIx, and the size is Slurm's
cat > pmix.sh << 'END'
export SLURM_PROCID=$OMPI_COMM_WORLD_RANK SLURM_STEP_NUM_TASKS=$OMPI_COMM_WORLD_SIZE
unset OMPI_COMM_WORLD_SIZE
exec "$@"
END
# shellcheck disable=SC2086
try "processes of srun --mpi=pmix are ranks" 0 "nats per token" ranks 2 sh pmix.sh "$REGMIX" pretrain -C exp -q $large
same "which train one model together" 2 "$(value exp/large/uniform/1/result.json 'o["made_by"]["ranks"]')"
rm -rf exp/large
try "parts of the runs work alone there, too" 0 "" ranks 2 sh -c 'exec sh pmix.sh "$@" --slice "$OMPI_COMM_WORLD_RANK/2"' sh "$REGMIX" train -C exp -q --set isa=avx2
same "so all runs are done" 6 "$(find exp/runs -name result.json | wc -l)"
rm -rf exp/runs exp/metrics*.csv

# ---- ranks that were given other options
# shellcheck disable=SC2016  # for the inner shell
other() { ranks 2 sh -c 'exec "$@" --slice "$OMPI_COMM_WORLD_RANK/2"' sh "$REGMIX" "$@"; }
try "ranks with a part each" 2 "rank 1 was started as \`regmix train -C exp --slice 1/2\`, and rank 0 as \`regmix train -C exp --slice 0/2\`" other train -C exp
same "the note about it is printed once" 1 "$(grep -c "was started as" stderr)"
same "and nothing was trained" "" "$(find exp/runs -name result.json 2> /dev/null)"
try "ranks with the same part" 0 "" ranks 2 "$REGMIX" train -C exp -q --set isa=avx2 --slice 0/2
rm -rf exp/runs exp/metrics*.csv

# differ A B: largest difference of two trainings' losses
cat > differ.py << 'END'
import json, sys
def losses(folder):
    out = []
    for line in open(folder + "/log.jsonl"):
        line = json.loads(line)
        out += [line["loss_nats"]] if "loss_nats" in line else list(line["valid_nats"].values())
    return out + list(json.load(open(folder + "/result.json"))["loss_nats"].values())
a, b = map(losses, sys.argv[1:])
print("%.1e" % max(abs(x - y) for x, y in zip(a, b)) if len(a) == len(b) else "other lines")
END
near() { # NAME A B
  found=$(python3 differ.py "$2" "$3")
  if awk "BEGIN { exit !(\"$found\" + 0 < 2e-6 && \"$found\" != \"other lines\") }"; then ok "$1"; else not_ok "$1" "$found"; fi
}
bits() { # FOLDER: all that must be the same
  sed 's/"tokens_per_s":[^,]*,//; s/,"wall_s":.*//' "$1/log.jsonl"
  grep -v -E '"(wall_s|tokens_per_s|threads)"' "$1/result.json"
  for f in "$1"/model.*; do sha256sum < "$f"; done
}

# ---- one model, trained by several ranks
try "one process" 0 "" pretrain
keep one
for n in 2 3; do
  try "$n ranks" 0 "nats per token" many $n
  keep ranks$n
  near "$n ranks: the losses of one, but for rounding" one ranks$n
  same "and the result says how many" $n "$(value ranks$n/result.json 'o["made_by"]["ranks"]')"
done
many 3 > log 2>&1
keep again
same "3 ranks give the same bits each time" "$(bits ranks3)" "$(bits again)"
try "more ranks than sequences" 0 "only 16 sequences" many 18
keep many
near "18 ranks too" one many

# ---- killed and started again
# start TOKENS: two ranks in the background, $job; victim N: the process of one of them
start() {
  # shellcheck disable=SC2086
  timeout 120 mpirun --oversubscribe -n 2 "$REGMIX" pretrain -C exp -q $large --set "large.tokens=$1" > out 2>&1 &
  job=$!
}
victim() {
  parent=$(pgrep -P $job mpirun) && pgrep -P "$parent" regmix | sed -n "$1p"
}
kills=${REGMIX_KILLS:-3}
span=$(took many 2 --set large.tokens=48k)
many 2 --set large.tokens=48k > log 2>&1
keep straight
random=${REGMIX_TEST_SEED:-1}
hit=0 clear=0
for k in $(seq "$kills"); do
  random=$(((random * 16807) % 2147483647))
  start 48k
  wait_part "$span" $((10 + random % 80))
  pid=$(victim $((1 + random % 2)))
  [ -n "$pid" ] && kill -9 "$pid" 2> /dev/null
  killed=$?
  if wait $job || [ $killed -ne 0 ]; then continue; fi
  hit=$((hit + 1))
  if grep -Eq "mpirun (noticed|detected|has exited)" out; then clear=$((clear + 1)); else unclear=$(cat out); fi
done
if [ "$hit" -gt 0 ] && [ "$clear" -eq "$hit" ]; then ok "a killed rank ends all of them"; else not_ok "a killed rank ends all of them" "$hit kills, $clear of them with a message; without: ${unclear-}"; fi
try "and the same command goes on" 0 "nats per token" many 2 --set large.tokens=48k
keep killed
same "to the same bits, after $kills kills" "$(bits straight)" "$(bits killed)"
start 48k
wait_part "$span" 60
kill -TERM $job 2> /dev/null
wait $job
try "other ranks go on from there" 0 "nats per token" many 3 --set large.tokens=48k
keep other
near "to the same losses" straight other

# ---- a swarm, spread over the ranks
numbers() {
  for f in exp/runs/*/result.json; do grep -v -E '"(wall_s|tokens_per_s|threads)"' "$f"; done
  cat exp/metrics.csv exp/metrics-half.csv
}
try "a swarm in one process" 0 "6 runs done" "$REGMIX" train -C exp
numbers > straight.txt
rm -rf exp/runs exp/metrics*.csv
try "and in 3 ranks" 0 "6 runs done" ranks 3 "$REGMIX" train -C exp
same "with the same bits" "$(cat straight.txt)" "$(numbers)"
try "nothing is trained twice" 0 "all 6 runs are done" ranks 2 "$REGMIX" train -C exp
rm -rf exp/runs/0002 exp/runs/0005
try "and only what is missing" 0 "2 runs done" ranks 3 "$REGMIX" train -C exp
try "steps without training need one rank" 0 "" ranks 2 "$REGMIX" fit -C exp -q
try "one JSON object" 0 "" sh -c "timeout 60 mpirun --oversubscribe -n 2 '$REGMIX' status -C exp --json | jq -e .proxies"
processors=$(nproc)
rm -rf exp/runs
timeout 60 mpirun --oversubscribe --bind-to none -n 2 "$REGMIX" train -C exp -q > log 2>&1
most=$(for f in exp/runs/*/run.json; do value "$f" 'o["training"]["threads"]'; done | sort -n | tail -1)
if [ "$most" -le $(((processors + 1) / 2)) ]; then ok "ranks on one machine share its processors"; else not_ok "ranks on one machine share its processors" "$most threads of $processors processors"; fi
cat > trainer.sh << 'END'
env | grep -c -E '^(OMPI_COMM|PMIX_|PMI_)' > ranked
echo '{"status": "failed", "error": "none"}' > result.json
END
ranks 2 "$REGMIX" train -C exp -q --redo --set "proxy.command=sh $SCRATCH/trainer.sh" > log 2>&1
same "programs of a rank are no ranks" "0" "$(cat exp/runs/*/ranked | sort -u)"

# ---- beside another process that trains the same, and is killed
# halt COMMAND...: starts it, and stops its worker once it has $claim; lost: kills both of them
halt() {
  "$REGMIX" "$@" > halted 2>&1 &
  other=$!
  for _ in $(seq 2000); do
    worker=$(pgrep -P $other regmix) && ls "$claim" > /dev/null 2>&1 && kill -STOP "$worker" && break
    sleep 0.01
  done
}
lost() { # FILE: once the ranks wait
  for _ in $(seq 600); do grep -qs "being trained by other processes" "$1" && break; sleep 0.05; done
  kill -KILL $other "$worker"
}
rm -rf exp/large exp/runs
claim="exp/large/uniform/1/claim"
# shellcheck disable=SC2086
halt pretrain -C exp $large
lost beside &
# shellcheck disable=SC2086
try "a killed process's model is taken over" 0 "nats per token" sh -c \
  "timeout 120 mpirun --oversubscribe -n 2 '$REGMIX' pretrain -C exp $large 2>&1 | tee beside"
keep beside.one
near "with the same losses" one beside.one
for i in 1 2 3 4 5 6; do "$REGMIX" train -C exp -q --slice $((i - 1))/6 > log 2>&1; done
rm -rf exp/runs/0003/* exp/metrics*.csv beside
(flock 9 && exec sleep 600) 9> exp/runs/0003/claim & # a process that has the run, and is killed
other=$! worker=$!
lost beside &
try "and its run of a swarm" 0 "1 run done" sh -c \
  "timeout 120 mpirun --oversubscribe -n 2 '$REGMIX' train -C exp 2>&1 | tee beside"

# ---- what cannot be done
rm -rf exp/large
try "ranks of two processor levels" 1 "different processor levels: avx2" timeout 60 mpirun --oversubscribe \
  -n 1 -x REGMIX_ISA=avx2 "$REGMIX" pretrain -C exp --mixture uniform : \
  -n 1 -x REGMIX_ISA=simd128 "$REGMIX" pretrain -C exp --mixture uniform
if grep -q "Set one that all of them have: --set isa=" stderr; then ok "and the level to set"; else not_ok "and the level to set" "$(cat stderr)"; fi
mkdir -p elsewhere
try "a rank without the corpus" 1 "rank 1 of 2, on $(hostname)" timeout 60 mpirun --oversubscribe \
  -n 1 "$REGMIX" pretrain -C exp --mixture uniform : \
  -n 1 --wdir "$SCRATCH/elsewhere" "$REGMIX" pretrain -C exp --mixture uniform
try "a trainer of one's own starts its processes itself" 2 "without mpirun" \
  ranks 2 "$REGMIX" pretrain -C exp --mixture uniform --set large.command=true
try "a mistake ends all ranks" 2 "is not a file" ranks 2 "$REGMIX" pretrain -C exp --mixture nothing
try "after all that, it works" 0 "nats per token" many 2
done_testing
