#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A file that is there and cannot be read now is not missing and not damaged: nothing takes its place. Usage: test_disk.sh regmix disk.so
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
shim=$(absolute "$2")
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > /dev/null 2>&1
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\n' > exp/mixtures.csv
# broken END COMMAND...: files whose path ends so cannot be read
broken() { end=$1; shift; preload "$shim" REGMIX_TEST_BROKEN="$end" timeout 60 "$@"; }
# unseen END COMMAND...: files whose path ends so are not found before their folder is listed
unseen() { end=$1; shift; preload "$shim" REGMIX_TEST_UNSEEN="$end" timeout 60 "$@"; }
train() { "$REGMIX" train -C exp "$@"; }

with_nothing=$(broken x env true 2>&1)
same "the disk of this test can be preloaded" "" "$with_nothing"

# ---- a finished run
try "two runs" 0 "2 runs done" train
cp exp/runs/r1/result.json finished
try "a result that cannot be read stops the training" 1 "run r1 may be finished, so it is not trained again" broken /r1/result.json "$REGMIX" train -C exp
same "and stays" "" "$(cmp finished exp/runs/r1/result.json 2>&1)"
try "it is used again" 0 "all 2 runs are done" train

# ---- a network file system that remembers for a while that a result was not there
rm -rf exp/runs exp/metrics*.csv
try "a part of two" 0 "1 of 2 runs of the experiment is not done yet" train --slice 0/2
try "the part that ends last" 0 "1 run done" unseen /r1/result.json "$REGMIX" train -C exp --slice 1/2
same "looks anew, and writes the table" "run r1 r2" "$(cut -d, -f1 exp/metrics.csv | tr '\n' ' ' | sed 's/ $//')"

# ---- a finished run with its model
try "models are kept" 0 "2 runs done" train --redo --set proxy.keep_models=true
cp exp/runs/r1/result.json finished
try "a model that cannot be read stops the training" 1 "run r1 may be finished, so it is not trained again" \
  broken /r1/model.safetensors "$REGMIX" train -C exp --set proxy.keep_models=true
same "and its result stays" "" "$(cmp finished exp/runs/r1/result.json 2>&1)"

# ---- a checkpoint
long="--set proxy.tokens=100M --set proxy.checkpoint_s=0 --redo"
# shellcheck disable=SC2086
"$REGMIX" train -C exp -q --jobs 1 $long > log 2>&1 & pid=$!
i=0; while [ $i -lt 300 ] && [ ! -e exp/runs/r1/checkpoint.safetensors ]; do sleep 0.1; i=$((i + 1)); done
kill -s TERM $pid; wait $pid
same "a checkpoint is there" 130 $?
cp exp/runs/r1/checkpoint.safetensors had
# shellcheck disable=SC2086
try "a checkpoint that cannot be read stops the run" 1 "run r1 is not begun again, since its checkpoint may be whole" broken /r1/checkpoint.safetensors "$REGMIX" worker exp/runs/r1
same "and stays" "" "$(cmp had exp/runs/r1/checkpoint.safetensors 2>&1)"

# ---- mixtures of the user's
cp exp/mixtures.csv own
try "mixtures that cannot be read are not drawn again" 1 "mixtures.csv: Input/output error" broken /mixtures.csv "$REGMIX" sample -C exp
same "and stay" "" "$(cmp own exp/mixtures.csv 2>&1)"

# ---- mixtures that are a link
rm exp/mixtures.csv && ln -s ../elsewhere.csv exp/mixtures.csv && mkdir exp/mixtures.csv.new
try "mixtures are drawn where a link leads" 0 "6 mixtures" "$REGMIX" sample -C exp
if [ -L exp/mixtures.csv ] && [ "$(wc -l < elsewhere.csv)" -eq 7 ]; then ok "and the link stays"; else not_ok "and the link stays"; fi
rm exp/mixtures.csv && rmdir exp/mixtures.csv.new && cp own exp/mixtures.csv

# ---- the corpus
try "a corpus that cannot be read is not prepared again" 1 "corpus.json: Input/output error" broken exp/corpus/corpus.json "$REGMIX" prepare -C exp
try "nor one whose tokens cannot" 1 "train.bin: Input/output error" broken exp/corpus/a/train.bin "$REGMIX" prepare -C exp
try "it is there" 0 "the corpus is up to date" "$REGMIX" prepare -C exp

# ---- what was given to Slurm
mkdir bin
printf '#!/bin/sh\necho 5\n' > bin/sbatch
printf '#!/bin/sh\nexit 1\n' > bin/squeue
chmod +x bin/sbatch bin/squeue
rm -rf exp/runs
try "a job" 0 "job 5" env PATH="$SCRATCH/bin:$PATH" "$REGMIX" launch slurm -C exp
try "whose record cannot be read is not submitted again" 1 "launch.json: Input/output error" broken /launch.json env PATH="$SCRATCH/bin:$PATH" "$REGMIX" launch slurm -C exp
same "indeed" 1 "$(find exp/slurm -name launch.json | wc -l)"

# ---- many workers, few open files
printf 'run,a,b,noise\n' > many.csv
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo "r$i,0.5,0.3,0.2"; done >> many.csv
cp many.csv exp/mixtures.csv
result='{"loss_nats": {"a": 1, "b": 2, "noise": 3, "exam": 4}}'
try "fewer runs at a time where few files may be open" 0 "4 runs at a time instead of 12" \
  sh -c "ulimit -n 40; exec \"$REGMIX\" train -C exp --jobs 20 --set proxy.command='sleep 0.2; echo '\\''$result'\\'' > result.json'"
cp own exp/mixtures.csv
rm -rf exp/runs exp/slurm

# ---- the part of the corpus that the proxies read
matched() { "$REGMIX" train -C exp --set proxy.repeat=match --set large.tokens=64k "$@"; }
rm -rf exp/runs
try "proxies that read a part of the corpus" 0 "2 runs done" matched
for part in exp/matched/*/corpus/a/train.bin; do cp "$part" part; : > "$part"; done
cp exp/runs/r1/result.json finished
try "a part that is damaged is made again" 0 "the corpus of the proxies is damaged and is made again" matched
same "as it was" "" "$(cmp part exp/matched/*/corpus/a/train.bin 2>&1)"
same "and its runs stay" "" "$(cmp finished exp/runs/r1/result.json 2>&1)"
try "one that cannot be read now is not" 1 "Input/output error" broken /corpus/a/train.bin "$REGMIX" train -C exp --set proxy.repeat=match --set large.tokens=64k
done_testing
