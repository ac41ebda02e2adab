#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The contract for a trainer of the user's own (docs/trainer.md): what it is told, what it must leave, how it is ended.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
"$REGMIX" prepare -C exp -q > /dev/null 2>&1 && "$REGMIX" sample -C exp -q > /dev/null 2>&1 || { not_ok "a corpus to begin with"; done_testing; exit; }
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\n' > exp/mixtures.csv

# holds NAME COMMAND...: it succeeds.
holds() { name=$1; shift; if "$@"; then ok "$name"; else not_ok "$name" "$* failed"; fi; }
train() { "$REGMIX" train -C exp "$@"; }
all='"a": 1, "b": 2, "noise": 3, "exam": 4'

# ---- what the command is told
cat > exp/train.py << 'END'
import json, os, struct, sys
run = json.load(open("run.json"))
assert os.getcwd() == os.path.realpath(run["folder"]) and run["name"] == os.environ["REGMIX_RUN"]
assert os.environ["REGMIX_EXPERIMENT"] == run["corpus"] and os.environ["REGMIX_SLOT"] in "01" and os.environ["REGMIX_TRY"] == "1"
assert os.path.isabs(run["corpus"]) and os.path.isfile(run["tokenizer"]) and abs(sum(run["mixture"].values()) - 1) < 1e-6
for name, domain in run["domains"].items():
    for part in ("train", "valid"):
        if domain[part] is None:
            assert name == "exam" and part == "train"
            continue
        assert os.path.isabs(domain[part])
        data = open(domain[part], "rb").read()
        magic, version, width, tokens = struct.unpack("<8sIIQ", data[:24])
        assert magic == b"RMXTOKEN" and version == 1 and width == 2 and tokens == domain[part + "_tokens"]
        assert len(data) == 64 + width * tokens and max(memoryview(data[64:]).cast("H"), default=0) < run["vocab"]
assert sys.stdin.read() == ""
print("said on stdout"); print("said on stderr", file=sys.stderr)
json.dump({"status": "done", "loss_nats": {d: 1.5 for d in run["domains"]}}, open("result.json", "w"))
END
try "python3 train.py, written relative to regmix.yaml, reads run.json and the token files" 0 "2 runs done" train --set proxy.command='python3 train.py' --jobs 2
for words in "said on stdout" "said on stderr" "try 1, slot" "ended with code 0"; do
  holds "log.txt has \"$words\"" grep -q "$words" exp/runs/r1/log.txt
done
printf '#!/bin/sh\ncat > /dev/null\necho %s > result.json\n' "'{\"loss_nats\": {$all}}'" > exp/train.sh
chmod +x exp/train.sh
again() { rm -rf exp/runs/r1 exp/runs/r2; }
again
try "./train.sh works the same way" 0 "2 runs done" train --set proxy.command='./train.sh < regmix.yaml > out.txt'
holds "and its output file is in the run's folder" test -f exp/runs/r1/out.txt

# ---- the result is held to the contract. refused NAME TEXT RESULT: neither run is done, and the message says TEXT.
refused() {
  again
  printf '%s\n' "$3" > exp/given.json
  try "refused: $1" 1 "$2" train --set proxy.command='cp given.json result.json'
  if [ -e exp/runs/r1/result.json ] || [ ! -e exp/runs/r1/result.rejected.json ]; then not_ok "and kept as result.rejected.json"; fi
}
refused "another mixture" 'its mixture has 1 of "a", but run.json asks for' "{\"loss_nats\": {$all}, \"mixture\": {\"a\": 1}}"
refused "a mixture of words" '"mixture"' "{\"loss_nats\": {$all}, \"mixture\": {\"a\": \"much\"}}"
refused "a domain that no run has" 'its mixture has 0.4 of "nope"' "{\"loss_nats\": {$all}, \"mixture\": {\"nope\": 0.4}}"
refused "a seed that is no number" '"seed" is the text "abc"' "{\"loss_nats\": {$all}, \"seed\": \"abc\"}"
refused "another seed" 'its seed is -5, but run.json asks for' "{\"loss_nats\": {$all}, \"seed\": -5}"
refused "fewer tokens" 'it was trained on 5 tokens, but run.json asks for' "{\"loss_nats\": {$all}, \"tokens\": 5}"
refused "more tokens" 'it was trained on 1000000000 tokens, but run.json asks for' "{\"loss_nats\": {$all}, \"tokens\": 1e9}"
refused "a model that is a number" '"model" is' "{\"loss_nats\": {$all}, \"model\": 7}"
refused "status failed" '"status" is "failed": out of memory' '{"status": "failed", "error": "out of memory"}'
printed "a failed run is tried twice" "given up"
printed "and counted, with what to do" "2 of 2 runs failed"
refused "unknown status" '"status" is the text "finished"; wanted "done"' "{\"status\": \"finished\", \"loss_nats\": {$all}}"
refused "no losses" '"loss_nats" is nothing; wanted a map' '{"status": "done"}'
refused "no losses at all domains" 'no loss for 2 of 4 domains ("noise", "exam")' '{"loss_nats": {"a": 1, "b": 2}}'
refused "a misspelt domain" '"exma" in loss_nats is not a domain of the corpus; did you mean "exam"?' '{"loss_nats": {"a": 1, "b": 2, "noise": 3, "exma": 4}}'
refused "a name that is no domain" 'belong in "metrics"' "{\"loss_nats\": {$all, \"hellaswag\": 0.4}}"
refused "a loss as text" '"loss_nats.b" is the text "2.5"; wanted' '{"loss_nats": {"a": 1, "b": "2.5", "noise": 3, "exam": 4}}'
refused "a loss that is null" '"loss_nats.b" is null' '{"loss_nats": {"a": 1, "b": null, "noise": 3, "exam": 4}}'
refused "a loss that is a truth" '"loss_nats.b" is true' '{"loss_nats": {"a": 1, "b": true, "noise": 3, "exam": 4}}'
refused "a negative loss" '"loss_nats.b" is the number -2' '{"loss_nats": {"a": 1, "b": -2, "noise": 3, "exam": 4}}'
refused "a key given twice" 'result.json:1: not JSON: duplicate object key' "{\"loss_nats\": {$all, \"a\": 2}}"
refused "losses under another key" 'unknown key "loss"; did you mean "loss_nats"?' "{\"loss\": {$all}}"
refused "a misspelt key" 'unknown key "metric"; did you mean "metrics"?' "{\"loss_nats\": {$all}, \"metric\": {\"acc\": 0.5}}"
refused "a metric as text" '"metrics.acc" is the text "0.5"' "{\"loss_nats\": {$all}, \"metrics\": {\"acc\": \"0.5\"}}"
refused "metrics that are a list" '"metrics" is a list' "{\"loss_nats\": {$all}, \"metrics\": [0.5]}"
refused "a metric in place of a loss" 'the column of a domain' "{\"loss_nats\": {$all}, \"metrics\": {\"a_val_loss\": 0.5}}"
refused "a direction of no metric" '"ack" in higher_is_better is none of the metrics; did you mean "acc"?' \
  "{\"loss_nats\": {$all}, \"metrics\": {\"acc\": 0.5}, \"higher_is_better\": [\"ack\"]}"
refused "half of a half-way result" 'half.loss_nats has no loss for 3 of 4' "{\"loss_nats\": {$all}, \"half\": {\"loss_nats\": {\"a\": 2}}}"
refused "no map" 'wanted a map' '[1]'
refused "a number that no double holds" 'result.json:1: a number is too large to be read: real number overflow' '{"loss_nats": {"a": 1e400}}'
refused "half a file" 'not JSON' '{"loss_nats": {"a": 1'
again; try "refused: no result" 1 "did not write" train --set proxy.command=true
again; try "refused: a named pipe, at once" 1 "is a named pipe; wanted a regular file" timeout 60 "$REGMIX" train -C exp --set proxy.command='mkfifo result.json'
again; try "refused: a folder" 1 "is a folder; wanted a regular file" train --set proxy.command='mkdir result.json'
try "a folder in the way goes" 0 "2 runs done" train --set proxy.command='./train.sh < /dev/null'
again; mkdir -p exp/runs/r1; mkfifo exp/runs/r1/result.json exp/runs/r1/claim
try "pipes in place of result.json and claim are not waited for" 1 "claim" timeout 60 "$REGMIX" train -C exp --set proxy.command='./train.sh < /dev/null'

# ---- diverged, metrics
again
cat > exp/given.py << END
import json, os
result = {"loss_nats": {$all}, "metrics": {"speed": 2.5}, "higher_is_better": {"speed": True}}
if os.environ["REGMIX_RUN"] == "r1": result["metrics"]["arc_easy"] = 0.25
if os.environ["REGMIX_RUN"] == "r2": result["metrics"]["arc_easy"] = float("nan")
json.dump(result, open("result.json", "w"))
END
try "scores are columns of metrics.csv, an empty cell is told" 0 "1 empty cell in 1 metric that" train --set proxy.command='python3 given.py'
holds "with their names" grep -q '^run,a_val_loss,b_val_loss,noise_val_loss,exam_val_loss,speed,arc_easy$' exp/metrics.csv
holds "and values" grep -q '^r1,1,2,3,4,2.5,0.25$' exp/metrics.csv
holds "and an empty cell" grep -q '^r2,1,2,3,4,2.5,$' exp/metrics.csv
again
printf '{"loss_nats": {%s}, "metrics": {"acc": NaN, "f1": null, "speed": 1}}' "$all" > exp/given.json
try "a metric that no run measured is named" 0 "2 metrics that no run measured (acc, f1)" train --set proxy.command='cp given.json result.json'
refused "a metric with the name of the first column" 'the name "run" in metrics cannot be a column' "{\"loss_nats\": {$all}, \"metrics\": {\"run\": 1}}"
again
printf '{"loss_nats": {"a": NaN, "b": Infinity, "noise": -Infinity, "exam": 4}}' > exp/given.json
try "NaN, as Python writes it, means diverged" 1 "run r1 diverged" train --set proxy.command='cp given.json result.json'
again
printf '{"loss_nats": {"a": 1e308, "b": 1, "noise": 1, "exam": 4}}' > exp/given.json
try "so does a loss that cannot be computed with" 1 "run r1 diverged" train --set proxy.command='cp given.json result.json'
refused "a metric that cannot be computed with" '"metrics.acc" is the number 1e+308; wanted a number up to 1e100' "{\"loss_nats\": {$all}, \"metrics\": {\"acc\": 1e308}}"
again
try 'so does "status": "diverged"' 1 "run r2 diverged" train --set proxy.command='echo "{\"status\": \"diverged\"}" > result.json'

# ---- directions reach the fit
printf 'run,a,b,noise\n' > exp/mixtures.csv
for i in 1 2 3 4 5 6 7 8; do echo "r$i,0.$i,0.1,0.$((9 - i))" >> exp/mixtures.csv; done
cat > exp/score.py << 'END'
import json
run = json.load(open("run.json"))
a = run["mixture"]["a"]
json.dump({"loss_nats": {d: 2 - a for d in run["domains"]}, "metrics": {"speed": a, "arc_easy": a / 2, "wait": a},
           "higher_is_better": {"speed": True, "wait": False}}, open("result.json", "w"))
END
rm -rf exp/runs
try "directions come with the results" 0 "8 runs done" train --set proxy.command='python3 score.py'
try "runs without a known time: the message has no time" 1 "8 finished runs would no longer be used (changed: lr)" train --set proxy.command='python3 score.py' --set proxy.lr=0.007
try "and reach the fit" 0 "1 of 7 metrics is taken as a score, higher is better: speed" "$REGMIX" fit -C exp --regressor ridge
try "the direction of a trainer is in the answer" 0 '"from": "harness"' "$REGMIX" optimize -C exp --target speed --quick --json
try "a task's name as the target: it is asked" 2 'fit --higher-is-better arc_easy' "$REGMIX" optimize -C exp --target arc_easy --quick
try "also where a limit holds it" 2 '"arc_easy" is the name of a task' "$REGMIX" optimize -C exp --target speed --no-worse arc_easy --quick
cp exp/regmix.yaml kept.yaml && sed -i 's/^target: .*/target: arc_easy/' exp/regmix.yaml
try "in regmix.yaml it is no misuse of the command" 1 '"arc_easy" is the name of a task' "$REGMIX" optimize -C exp
try "and for the large models" 1 '"arc_easy" is the name of a task' "$REGMIX" pretrain -C exp --mixture best_run
cp kept.yaml exp/regmix.yaml
try "--maximize says it" 0 "Raised: arc_easy" "$REGMIX" optimize -C exp --maximize arc_easy --quick
if grep -A40 '"wait"' exp/fit/fit.json | grep -q '"higher_is_better": true'; then not_ok "a metric said to be better low is so"; else ok "a metric said to be better low is so"; fi

# ---- names of metrics that are those of columns
cp -r exp swarms && rm -rf swarms/runs swarms/fit swarms/*.csv && cp exp/mixtures.csv swarms && echo 'swarms: {two: {tokens: 16k, runs: 2}}' >> swarms/regmix.yaml
named() { rm -rf swarms/runs; "$REGMIX" train -C swarms --set proxy.command="echo '{\"loss_nats\": {\"a\": 1, \"b\": 2, \"noise\": 3, \"exam\": 4}, \"metrics\": {\"$1\": 0.5}}' > result.json"; }
try "a metric with the name of a column is refused" 1 'has a column "tokens", so no metric can have that name' named tokens
try "a metric with the name of a weight" 1 'has a column "mixture.a"' named mixture.a
try "others are taken" 0 "2 runs done" named token_share
rm -rf swarms

# ---- failures
rm -rf exp/runs
try "output that ends without a line feed is quoted alone" 1 "log.txt ends: boom" train --set proxy.command='printf boom; exit 3'
if grep -q "boom====" stderr exp/runs/*/log.txt; then not_ok "and stays a line of its own" "$(cat stderr)"; else ok "and stays a line of its own"; fi
rm -rf exp/runs
unlucky="test \$REGMIX_RUN != r3 && test \$REGMIX_RUN != r5 && python3 score.py || { echo no luck today; exit 3; }"
try "some runs fail: the others are trained, and the exit code is 1" 1 "2 of 8 runs failed" train --set proxy.command="$unlucky"
printed "the message quotes the end of the output" "no luck today"
printed "and names the file" "runs/r3/log.txt ends"
printed "and the key that allows it" "set proxy.may_fail to a share of 0.25 or more"
holds "metrics.csv has the others" test "$(wc -l < exp/metrics.csv)" -eq 7
holds "log.txt has both tries" grep -q "run r3, try 2" exp/runs/r3/log.txt
try "the same command tries them again; may_fail accepts them" 0 "2 of 8 runs failed and are left out" train --set proxy.command="$unlucky" --set proxy.may_fail=0.3
rm -rf exp/runs/r3
try "a command that is not there" 1 "not found" train --set proxy.command='no-such-trainer --fast'
try "a limit on its time" 1 "ran longer than 0.5 s (proxy.timeout)" train --set proxy.command='sleep 100' --set proxy.timeout=0.5s --set proxy.grace=1s
try "a time that is none" 2 "is not a duration" train --set proxy.timeout=12:30

# ---- what others do in the folder meanwhile
cp -r exp swapped && rm -rf swapped/runs
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\n' > swapped/mixtures.csv
in_swapped() { "$REGMIX" train -C swapped --set proxy.command="$1; ./train.sh < /dev/null"; }
try "refused: a result on a run.json of other settings" 1 "swapped/runs/r1/run.json is of other settings" in_swapped "sed -i 's/\"lr\": 0.0/\"lr\": 0.5/' run.json"
holds "and not used" test ! -e swapped/runs/r1/result.json
rm -rf swapped/runs
new='sed -i "s/\"hash\": \".*/\"hash\": \"0123456789abcdef\",/" ../../corpus/corpus.json'
try "refused: a result on a corpus that was prepared again" 1 "run r1 was made for another corpus than the one in" in_swapped "$new"
holds "and the command is not begun on that" test "$(grep -c 'try .*train.sh' swapped/runs/r1/log.txt)" -eq 1
cp exp/corpus/corpus.json swapped/corpus

cp exp/corpus/corpus.json swapped/corpus
"$REGMIX" train -C exp -q --set proxy.keep_models=true --redo > log 2>&1
cp -r exp/runs/r1 model
rm -rf swapped/runs
try "refused: a result on another model to begin with" 1 "is not the one that the run was made for" "$REGMIX" train -C swapped --set "proxy.init=$PWD/model" --set proxy.context=16 \
  --set proxy.command="cp '$PWD/exp/runs/r2/model.safetensors' '$PWD/model'; ./train.sh < /dev/null"

rm -rf swapped/runs
try "an experiment that is moved is not begun again in its old place" 1 "the folder swapped is gone: it was moved or removed" in_swapped 'mv "$REGMIX_EXPERIMENT" "$REGMIX_EXPERIMENT.moved"'
holds "and nothing is there" test ! -e swapped
mv swapped.moved swapped; rm -rf swapped/runs

# ---- no room for the result
printf 'import json, os\nopen("../../count", "a").write("x")\nd = json.load(open("run.json"))["domains"]\n' > swapped/large.py
echo 'json.dump({"loss_nats": {n: 1 for n in d}, "metrics": {"m%03d" % i: 0.5 for i in range(1100)}}, open("result.json", "w"))' >> swapped/large.py
try "a good result that regmix cannot write" 1 "File too large" sh -c "ulimit -f 32; exec \"$REGMIX\" train -C swapped --set proxy.command='python3 large.py'"
try "is taken up when there is room" 0 "1 run done" "$REGMIX" train -C swapped --set proxy.command='python3 large.py'
same "without training again" x "$(cat swapped/count)"
holds "and nothing of it is left" sh -c 'test -e swapped/runs/r1/result.json && test ! -e swapped/runs/r1/result.good.json'

# ---- a failure that concerns all runs
rm -rf swapped/runs swapped/metrics.csv
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\n' > swapped/mixtures.csv
mkdir -p swapped/runs/r2/run.json/x
"$REGMIX" train -C swapped --jobs 2 --set proxy.command='sleep 1000' > out 2> err & pid=$!
i=0; while [ $i -lt 300 ] && ! grep -q "No other run is begun" err; do sleep 0.1; i=$((i + 1)); done
holds "is told before the other runs end" grep -q "run.json: Is a directory. No other run is begun; this command ends when the 1 that was begun has ended" err
kill -s TERM $pid; i=0; while [ $i -lt 300 ] && kill -0 $pid 2> /dev/null; do sleep 0.1; i=$((i + 1)); done
holds "and a signal ends them" test $i -lt 300
kill -s KILL $pid 2> /dev/null; wait $pid; same "with the code of the signal" 130 $?

# ---- how it ends. The command leaves its process ids where they can be looked at.
cat > exp/stays.sh << 'END'
#!/bin/sh
# Deaf to TERM, with a child, and one that leaves the group.
trap '' TERM
echo $$ > "$REGMIX_EXPERIMENT/pids.$REGMIX_RUN.part"
sleep 1000 & echo $! >> "$REGMIX_EXPERIMENT/pids.$REGMIX_RUN.part"
setsid sleep 1001 & echo $! >> "$REGMIX_EXPERIMENT/pids.$REGMIX_RUN.part"
mv "$REGMIX_EXPERIMENT/pids.$REGMIX_RUN.part" "$REGMIX_EXPERIMENT/pids.$REGMIX_RUN"
wait
wait
sleep 1002
END
chmod +x exp/stays.sh
printf 'run,a,b,noise\nr1,0.5,0.3,0.2\n' > exp/mixtures.csv
living() { for p in $(cat exp/pids.r1); do kill -0 "$p" 2> /dev/null && ! grep -q '^State:.Z' "/proc/$p/status" 2> /dev/null && return 0; done; return 1; }
waited() { i=0; while [ $i -lt 100 ] && "$@"; do sleep 0.1; i=$((i + 1)); done; }
begun() { [ -e exp/pids.r1 ]; }
not_begun() { ! begun; }
begin() { # starts the deaf command; $pid is that of the supervisor
  rm -rf exp/runs exp/pids.r1
  setsid "$REGMIX" train -C exp --set proxy.command=./stays.sh --set proxy.grace=0.5s > out 2> err &
  pid=$!
  waited not_begun
}
gone() { waited living; if living; then not_ok "$1" "$(ps -o pid,ppid,pgid,args -p "$(tr '\n' ',' < exp/pids.r1)1")"; else ok "$1"; fi; }
begin; kill -s INT $pid; wait $pid; holds "an interrupt is told" grep -q "continues from here" err
if living; then not_ok "and has ended all of the command before it returns"; else ok "and has ended all of the command before it returns"; fi
begin; kill -s TERM -- "-$pid"; wait $pid; gone "TERM to the whole group ends the command"
begin; kill -s KILL $pid; wait $pid 2> /dev/null; holds "the supervisor was killed" test $? -eq 137; gone "and the command ends"
begin; kill -s KILL -- "-$pid"; wait $pid 2> /dev/null; holds "supervisor and worker were killed" test $? -eq 137; gone "and the command ends"
begin
"$REGMIX" train -C exp --set proxy.command='./train.sh < /dev/null' > out2 2> err2 &
second=$!
sleep 0.3
kill -s KILL -- "-$pid"; wait $pid 2> /dev/null
wait $second
holds "a second supervisor says who trains it, waits for the command's end, then trains it" grep -q "r1, by process [0-9]* on $(hostname)" err2
holds "and its command was not begun before" sh -c '! grep -q "try 1.*train.sh" exp/runs/r1/log.txt || [ -e exp/runs/r1/result.json ]'
gone "while the first is gone"
begin
worker=$(sed -n 2p exp/runs/r1/claim)
kill -s KILL "$worker"; rm -f exp/pids.r1; waited not_begun
holds "a killed worker's command ends, and the run is tried again" grep -q "was killed by signal 9" err
kill -s INT $pid; wait $pid; gone "until the interrupt"
# A stopped worker is told, and does not outlive an interrupt.
begin; worker=$(sed -n 2p exp/runs/r1/claim)
kill -s STOP "$worker"; waited sh -c '! grep -q "was stopped by signal" err'
holds "a stopped worker is told, with its pid" grep -q "its process $worker was stopped by signal" err
kill -s INT $pid; wait $pid; gone "an interrupt reaches a stopped worker"
# What a command leaves behind in its group after it ended by itself.
rm -rf exp/runs exp/pids.r1
try "a command that leaves a process behind" 0 "1 run done" train --set proxy.grace=0.3s --set proxy.command='sleep 1000 & echo $! > ../../pids.r1; ./train.sh < /dev/null'
gone "has it ended"
holds "and log.txt says so" grep -q "processes that it started are still running" exp/runs/r1/log.txt
holds "no claim and no *.tmp is left" test -z "$(find exp -name claim -o -name '*.tmp')"

# ---- the example, as a user copies it
cp -r "$ROOT/examples/trainer" copy && rm -rf copy/text && mkdir copy/text
awk -v domain=a -v documents=60 -v share=0.7 -f "$ROOT/tests/cli/synthetic.awk" > copy/text/code.txt
awk -v domain=b -v documents=60 -v share=0.7 -f "$ROOT/tests/cli/synthetic.awk" > copy/text/prose.txt
awk -v domain=exam -v documents=60 -v share=0.7 -f "$ROOT/tests/cli/synthetic.awk" > copy/text/exam.txt
try "examples/trainer runs end to end" 0 "12 runs done" "$REGMIX" run -C copy
holds "to an optimum for its target" grep -q exam_val_loss copy/optimum.yaml
holds "its metric is a column" grep -q ',pairs_seen' copy/metrics.csv
holds "and a score" sh -c 'grep -A99 "\"pairs_seen\"" copy/fit/fit.json | grep -q "\"higher_is_better\": true"'
holds "docs/trainer.md names every field of run.json" python3 - "$ROOT/docs/trainer.md" copy/runs/0001/run.json << 'END'
import json, sys
page = open(sys.argv[1]).read()
run = json.load(open(sys.argv[2]))
missing = [k for k in list(run) + list(run["domains"]["code"]) if k != "training" and f"`{k}`" not in page]
sys.exit(f"not in docs/trainer.md: {missing}" if missing else 0)
END
line=$(sed -n 's/^ids = numpy/ids = numpy/p' "$ROOT/docs/trainer.md")
if python3 -c 'import numpy' 2> /dev/null; then
  holds "its line of numpy reads a token file" python3 -c "
import json, numpy
run = json.load(open('copy/runs/0001/run.json')); d = run['domains']['code']; path = d['train']
$line
assert len(ids) == d['train_tokens'] and ids.max() < run['vocab']"
else
  skip "its line of numpy reads a token file" "no numpy here"
fi

# ---- a folder whose name begins with a -
make_corpus ./-dash 60
try "an experiment in -dash: its workers take the folder for no option" 0 "2 runs done" \
  sh -c "\"$REGMIX\" prepare -C -dash -q && \"$REGMIX\" sample -C -dash --set sample.runs=2 -q && \"$REGMIX\" train -C -dash --set sample.runs=2"

# ---- the system's limit on the size of a file
make_corpus limited 60
try "beyond ulimit -f a write fails with a message" 1 "File too large" sh -c "ulimit -f 8; exec \"$REGMIX\" prepare -C limited"
same "and leaves no temporary file" "" "$(find limited -name '*.tmp')"
try "without the limit the same command goes on" 0 "" "$REGMIX" prepare -C limited -q
printf '#!/bin/sh\ngrep SigIgn /proc/self/status > result.json\n' > exp/train.sh
again
train --set proxy.command=./train.sh -q > /dev/null 2>&1
holds "a command of the user's does not ignore SIGXFSZ" grep -q 'SigIgn:.*[02468ace][0-9a-f]\{6\}$' exp/runs/r1/result.rejected.json

# ---- what trainer: pytorch needs is looked at before any run
torch() { REGMIX_PYTHON=$1 REGMIX_DEVICE=$2 "$REGMIX" check -C exp --set proxy.trainer=pytorch; }
printf '#!/bin/sh\nexit 0\n' > quiet; chmod +x quiet
try "a python that prints nothing" 1 "is not a python" torch "$PWD/quiet" cpu
try "a folder for a python" 1 "REGMIX_PYTHON in the environment names the python" torch /tmp cpu
for device in tpu cuda: cuda:x cpu:0; do
  try "the device $device" 1 "REGMIX_DEVICE in the environment is \"$device\"; wanted cpu" torch "$PWD/quiet" $device
done
if ls /dev/nvidia0 /dev/nvidiactl /dev/nvhost-ctrl /dev/dxg /dev/kfd > /dev/null 2>&1; then
  skip "a device that is missing" "there is a driver for GPUs"
else
  try "a device that is missing" 1 "this machine has no CUDA device" torch "$PWD/quiet" cuda:1
fi
done_testing
