#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Finished work that a setting makes unused is counted and named, whatever kind of work it is.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

make_corpus exp 120
"$REGMIX" prepare -q -C exp 2> /dev/null
try "an experiment" 0 "" "$REGMIX" run -q -C exp

# ---- large models of an optimum that moved
try "another target moves the optimum: nothing is asked" 0 "6 finished models of another mixture, which took" "$REGMIX" run -C exp --set target=noise
grep -q "which took [0-9.]* .*are set aside; if that mixture returns, they are used again" stderr && ok "the note has their number and time" || not_ok "the note has their number and time" "$(cat stderr)"
not_printed "and is the only one" "made with other settings"
try "the first target again: they come back" 0 "6 finished runs with these settings had been set aside" "$REGMIX" run -C exp
try "other settings of the large models do ask" 1 "10 finished runs" "$REGMIX" run -C exp --set large.tokens=4k

# ---- the settings come back while a training of other settings has not ended
cp -r exp half && rm -rf half/large half/compare
"$REGMIX" train -C half -q --redo --set proxy.tokens=100M --set proxy.checkpoint_s=0 > log 2>&1 & pid=$!
i=0; while [ $i -lt 300 ] && [ -z "$(find half/runs -name checkpoint.safetensors)" ]; do sleep 0.1; i=$((i + 1)); done
kill -s TERM $pid; wait $pid
same "it was stopped" 130 $?
try "the finished runs are used again" 0 "finished runs with these settings had been set aside and are used again" "$REGMIX" train -C half
not_printed "and none is trained" "runs done in"
if [ -n "$(find half/runs/.set-aside -name checkpoint.safetensors)" ]; then ok "the other training is set aside"; else not_ok "the other training is set aside"; fi
rm -rf half

# ---- relative links, which lead elsewhere from where they are set aside
mkdir -p disk/runs
mv exp/corpus disk/corpus && ln -s ../disk/corpus exp/corpus
mv exp/runs/0001 disk/runs/0001 && ln -s ../../disk/runs/0001 exp/runs/0001
whole=$(find disk -type f | sort | xargs cksum)
try "a linked corpus of other settings is set aside" 0 "exp/corpus was a link to" "$REGMIX" prepare -C exp --set corpus.vocab=300 --redo
try "and linked runs" 0 "6 runs done" "$REGMIX" train -C exp --set corpus.vocab=300 --redo
try "and used again" 0 "the corpus of this text and these settings was set aside earlier and is used again" "$REGMIX" run -C exp
grep -q "all 6 runs are done" stderr && ok "so is a linked run" || not_ok "so is a linked run" "$(cat stderr)"
same "nothing of them was changed" "$whole" "$(find disk -type f | sort | xargs cksum)"

# ---- a swarm that is removed, fewer mixtures
cp -a exp fewer
cp fewer/regmix.yaml alone.yaml
echo 'swarms: {long: {tokens: 4k, runs: 2}}' >> fewer/regmix.yaml
try "a swarm of longer runs" 0 "" "$REGMIX" train -q -C fewer
cp alone.yaml fewer/regmix.yaml
tables=$(cat fewer/metrics.csv fewer/evaluations.csv fewer/tables.json)
for command in "train" "run" "train --slice 0/2"; do
  # shellcheck disable=SC2086  # words
  try "without it, a script stops before its runs go out of use: $command" 1 "2 finished runs, which took" "$REGMIX" $command -C fewer
  printed "with their names, and what to do" "would no longer be used (of no present mixture or swarm: long-0001, long-0002); they would be set aside, not deleted, and used again if the old settings return. Give --redo to continue"
done
same "and the tables stay" "$tables" "$(cat fewer/metrics.csv fewer/evaluations.csv fewer/tables.json)"
try "a dry run says so, and does not ask" 0 "2 finished runs, which took" "$REGMIX" train -C fewer --dry-run
try "with --redo, they are counted" 0 "no longer used, since they are of no present mixture or swarm (long-0001, long-0002)" "$REGMIX" train -C fewer --redo
try "it asks once" 0 "no longer used, since" "$REGMIX" train -C fewer
echo 'swarms: {long: {tokens: 4k, runs: 2}}' >> fewer/regmix.yaml
try "the swarm comes back: its runs are used again" 0 "train long: all 2 runs are done" "$REGMIX" train -C fewer
try "fewer runs of a swarm ask too" 1 "1 finished run, which took" "$REGMIX" train -C fewer --set swarms.long.runs=1
cp fewer/mixtures.csv whole.csv; sed -i '$d' fewer/mixtures.csv
try "and so does a row that is gone from mixtures.csv" 1 "(of no present mixture or swarm: 0006)" "$REGMIX" train -C fewer
cp whole.csv fewer/mixtures.csv
cp alone.yaml fewer/regmix.yaml
"$REGMIX" train -q -C fewer --redo
before=$(find fewer/runs -name result.json | sort)
try "status knows them" 0 "set aside   " "$REGMIX" status -C fewer
try "gc knows them" 0 "runs, of no present mixture or swarm: 2 finished runs" "$REGMIX" gc -C fewer --dry-run
same "a dry run deletes nothing" "$before" "$(find fewer/runs -name result.json | sort)"
try "fewer mixtures: a script stops before finished runs go out of use" 1 "would no longer be used (there would be fewer mixtures)" "$REGMIX" run -C fewer --set sample.runs=3
same "and mixtures.csv stays" 7 "$(wc -l < fewer/mixtures.csv)"
try "fewer mixtures" 0 "5 finished runs, which took" "$REGMIX" run -C fewer --set sample.runs=3 --redo
"$REGMIX" gc -q -C fewer > /dev/null 2>&1
[ ! -e fewer/runs/long-0001 ] && [ -e fewer/runs/0001/result.json ] && ok "gc deletes them" || not_ok "gc deletes them" "$(ls fewer/runs)"

# ---- a file of the user's with the name of a mixture of the experiment
cp exp/optimum.yaml kept-optimum.yaml
mkdir mine && sed 's/^/# /' /dev/null > mine/optimum.yaml && printf 'a: 0.3\nb: 0.3\nnoise: 0.4\n' > mine/optimum.yaml && cp mine/optimum.yaml mine/prior.yaml
before=$(cat exp/large/optimum/1/result.json)
try "a user's optimum.yaml has a folder of its own" 0 "large/optimum-file/1" "$REGMIX" pretrain -C exp --mixture mine/optimum.yaml
try "so has prior.yaml" 0 "large/prior-file/1" "$REGMIX" pretrain -C exp --mixture mine/prior.yaml
same "the models of the optimum stay" "$before" "$(cat exp/large/optimum/1/result.json)"
try "the experiment's own file is the optimum" 0 "exp/large/optimum/1" "$REGMIX" pretrain -C exp --mixture exp/optimum.yaml

# ---- half written files of killed processes
old=$(find exp/runs/.set-aside/0002 -mindepth 1 -maxdepth 1 | head -1)
: > "$old/.regmix.78.0@elsewhere.tmp"
touch -d '2 days ago' "$old/.regmix.78.0@elsewhere.tmp"
try "a killed process may leave a file among what was set aside" 0 "all 6 runs are done" "$REGMIX" train -C exp
[ -n "$old" ] && [ ! -e "$old/.regmix.78.0@elsewhere.tmp" ] && ok "the next train removes it" || not_ok "the next train removes it" "$(ls -A "$old")"

# ---- another process with other settings
cat > replace.py << 'END'
import json, os
run = json.load(open("run.json"))
json.dump({"status": "done", "loss_nats": {d: 1.0 for d in run["domains"]}}, open("result.json", "w"))
if os.path.basename(os.getcwd()) == "0006":  # what another process leaves that has set run 0001 aside
    result = json.load(open("../0001/result.json"))
    json.dump(dict(result, fingerprint="0123456789abcdef"), open("../0001/result.json", "w"))
END
make_corpus both 120
"$REGMIX" prepare -q -C both 2> /dev/null
try "a run that another process has taken away: no answer from the others" 1 "another process works in this folder with other settings: 1 of 6 runs" "$REGMIX" run -C both --set proxy.command="python3 $SCRATCH/replace.py" --set jobs=1
[ -e both/optimum.yaml ] && not_ok "no optimum is written" || ok "no optimum is written"

# The same while the large models are trained, as two `run` with other targets do to each other.
cat > large.py << 'END'
import json, os, shutil
run = json.load(open("run.json"))
json.dump({"status": "done", "loss_nats": {d: 1.0 for d in run["domains"]}}, open("result.json", "w"))
file, theirs = os.environ["REPLACED"], os.environ["THEIRS"]
if os.path.isdir("../../../" + file):  # of one run: another process has set it aside
    if "/prior/" in os.getcwd():
        result = json.load(open("../../optimum/1/result.json"))
        json.dump(dict(result, fingerprint="0123456789abcdef"), open("../../optimum/1/result.json", "w"))
else:
    shutil.copy(theirs, "../../../" + file)
END
sed -i '/^compare:/d; /^optimize:/d' both/regmix.yaml
echo 'compare: {seeds: 1, against: [prior]}
optimize: {method: search, replicates: 0}
jobs: 1' >> both/regmix.yaml
try "an experiment of one process" 0 "" "$REGMIX" run -q -C both --redo
cp both/optimum.yaml one-optimum.yaml && cp both/fit/fit.json one-fit.json && cp both/metrics.csv one-metrics.csv
sed 's/^seed:.*/seed: 7/' one-optimum.yaml > theirs-optimum.yaml && echo "# theirs" >> theirs-optimum.yaml
tr -d '\n' < one-fit.json > theirs-fit.json
sed '2s/$/1/' one-metrics.csv > theirs-metrics.csv
for file in optimum.yaml:theirs-optimum.yaml fit/fit.json:theirs-fit.json metrics.csv:theirs-metrics.csv; do
  export REPLACED="${file%%:*}" THEIRS="$SCRATCH/${file#*:}"
  rm -rf both/large
  try "$REPLACED of another process: no answer" 1 "and has replaced $REPLACED since this command wrote it" "$REGMIX" run -C both --set large.command="python3 $SCRATCH/large.py"
  not_printed "none is printed" "The mixture (share"
  cp one-optimum.yaml both/optimum.yaml && cp one-fit.json both/fit/fit.json && cp one-metrics.csv both/metrics.csv
done
export REPLACED=large THEIRS=
rm -rf both/large
try "a large model that another process has taken away: no answer" 1 "1 of 2 runs of these settings was set aside or not trained meanwhile" "$REGMIX" run -C both --set large.command="python3 $SCRATCH/large.py"
rm -rf both/large
try "the same of compare" 1 "1 of 2 runs of these settings was set aside" "$REGMIX" compare -C both --set large.command="python3 $SCRATCH/large.py"
done_testing
