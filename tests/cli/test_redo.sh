#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Finished work is never destroyed: what answers another question is set aside and used again when its question returns, a
# script has to say --redo, and files that cannot be used are told and redone.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# state FOLDER...: every file in them with its content; two that are equal were not written in between but for the same bytes
# (results hold the seconds they took).
state() { find "$@" -type f | sort | xargs cksum; }
differs() { if [ "$2" != "$3" ]; then ok "$1"; else not_ok "$1"; fi; }
results() { state exp/runs/0* | grep result.json; }
large() { state exp/large/*/[12] | grep result.json; }

make_corpus exp 200
try "an experiment" 0 "optimum" "$REGMIX" run -C exp
first=$(results) first_large=$(large)

# ---- another setting, and back
before=$(state exp | grep -v resolved.yaml)
try "a script stops before finished runs go out of use" 1 "6 finished runs" "$REGMIX" train -C exp --set proxy.tokens=4k
grep -q "which took [0-9.]* s, would" stderr && grep -q -- "--redo" stderr && ok "and says how long they took and --redo" || not_ok "and says how long they took and --redo" "$(cat stderr)"
same "and leaves everything bit for bit" "$before" "$(state exp | grep -v resolved.yaml)"
try "fit warns of rows of runs that the settings do not use" 0 "6 of 6 rows are of runs that the present settings do not use" "$REGMIX" fit -C exp --set proxy.tokens=4k --regressor ridge --out other-fit
"$REGMIX" fit -C exp --regressor ridge --out other-fit > /dev/null 2> stderr
grep -q "present settings" stderr && not_ok "and not of those that they use" "$(cat stderr)" || ok "and not of those that they use"
head -n 2 exp/mixtures.csv > one.csv
cp -r exp single && cp one.csv single/mixtures.csv && "$REGMIX" train -C single --redo -q > /dev/null 2>&1
try "one run is one" 1 "1 finished run, which took" "$REGMIX" train -C single --set proxy.tokens=4k
printed "in all of the sentence" "it would be set aside, not deleted"
rm -rf single
try "run stops there too" 1 "Give --redo" "$REGMIX" run -C exp --set proxy.tokens=4k
try "--redo goes on" 0 "6 runs done" "$REGMIX" train -C exp --set proxy.tokens=4k --redo
second=$(results)
differs "other runs were trained" "$first" "$second"
try "the setting of before: used again, nothing asked" 0 "had been set aside" "$REGMIX" train -C exp
same "without training" "$first" "$(results)"
try "and the other one again" 0 "all 6 runs are done" "$REGMIX" train -C exp --set proxy.tokens=4k
same "without training either" "$second" "$(results)"
try "back once more" 0 "all 6 runs are done" "$REGMIX" train -C exp
try "large models are set aside as well" 1 "10 finished runs" "$REGMIX" compare -C exp --set large.tokens=4k
try "with --redo" 0 "10 runs done" "$REGMIX" compare -C exp --set large.tokens=4k --redo
try "and come back" 0 "10 finished runs" "$REGMIX" compare -C exp
same "as they were" "$first_large" "$(large)"
try "pretrain asks" 1 "finished runs" "$REGMIX" pretrain -C exp --seeds 2 --set large.tokens=4k --set large.lr=0.001
try "sample asks before it draws mixtures of finished runs anew" 1 "drawn again" "$REGMIX" sample -C exp --set seed=7
try "a person is asked" 0 "all 6 runs are done" "$REGMIX" train -C exp
if command -v script > /dev/null; then
  echo n | script -qec "'$REGMIX' train -C exp --set proxy.lr=0.002" /dev/null > said 2>&1
  code=$?
  if [ $code -eq 1 ] && grep -q "Continue?" said && grep -q "nothing was changed" said; then ok "no means no"; else not_ok "no means no" "exit $code: $(cat said)"; fi
  same "and nothing was" "$first" "$(results)"
  echo y | script -qec "'$REGMIX' train -C exp --set proxy.lr=0.002" /dev/null > said 2>&1
  code=$?
  if [ $code -eq 0 ] && grep -q "6 runs done" said; then ok "yes means yes"; else not_ok "yes means yes" "exit $code: $(cat said)"; fi
  try "and back" 0 "all 6 runs are done" "$REGMIX" train -C exp
else
  skip "a terminal" "there is no script(1) to make one"
fi

# ---- a trainer of one's own: how its command is written is no part of the question
trainer='echo "{\"status\": \"done\", \"loss_nats\": {\"a\": 1, \"b\": 2, \"noise\": 3, \"exam\": 4}, \"wall_s\": 7200}" > result.json; echo >> ../../../trained'
try "forgetting nothing: a command takes the place of our runs" 1 "finished runs" "$REGMIX" train -C exp --set "proxy.command=$trainer"
try "with --redo" 0 "6 runs done" "$REGMIX" train -C exp --set "proxy.command=$trainer" --redo
same "it ran six times" 6 "$(wc -l < trained | tr -d ' ')"
try "another text of the command" 0 "all 6 runs are done" "$REGMIX" train -C exp --set "proxy.command=true; $trainer"
same "trains nothing" 6 "$(wc -l < trained | tr -d ' ')"
mine=$(results)
try "a forgotten --set proxy.command takes our runs back" 0 "all 6 runs are done" "$REGMIX" train -C exp
same "which are ours" "$first" "$(results)"
try "the command's runs come back" 0 "all 6 runs are done" "$REGMIX" train -C exp --set "proxy.command=$trainer"
same "bit for bit" "$mine" "$(results)"
try "mixtures of a cluster week are not drawn anew without a word" 1 "12 h" "$REGMIX" sample -C exp --set "proxy.command=$trainer" --set seed=3
try "new settings of ours ask for their hours" 1 "12 h" "$REGMIX" train -C exp --set proxy.lr=0.003
try "ours" 0 "all 6 runs are done" "$REGMIX" train -C exp

# ---- gc
try "status tells what is set aside" 0 "set aside" "$REGMIX" status -C exp
try "gc --dry-run" 0 "would be deleted: " "$REGMIX" gc -C exp --dry-run
[ -d exp/runs/.set-aside ] && ok "deletes nothing" || not_ok "deletes nothing"
try "gc --json" 0 '"runs": 28' "$REGMIX" gc -C exp --json
find exp -name .set-aside | grep -q . && not_ok "gc deletes what was set aside" "$(find exp -name .set-aside)" || ok "gc deletes what was set aside"
same "and nothing else" "$first" "$(results)"
try "gc of nothing" 0 "nothing was set aside" "$REGMIX" gc -C exp

# ---- files of a run held against each other
cp -r exp straight
long="--set proxy.tokens=120k --set proxy.checkpoint_s=0.1 --set proxy.evals=5 --set jobs=6 --set proxy.threads=1 --redo"
# shellcheck disable=SC2086
try "a longer training" 0 "6 runs done" "$REGMIX" train -C straight $long
# shellcheck disable=SC2086
"$REGMIX" train -C exp $long > /dev/null 2>&1 &
pid=$!
n=0
# Each worker that holds its run leaves a checkpoint when it is stopped.
while [ "$(find exp/runs -name claim | wc -l)" -lt 6 ] && [ $n -lt 1000 ]; do sleep 0.01; n=$((n + 1)); done
kill -TERM $pid 2> /dev/null
wait $pid
left=$(find exp/runs -name checkpoint.safetensors | grep -v set-aside | wc -l | tr -d ' ')
same "six runs were stopped on their way" 6 "$left"
rm exp/runs/0001/log.jsonl
head -c 40 exp/runs/0002/log.jsonl > short && cp short exp/runs/0002/log.jsonl
head -c 3000 exp/runs/0003/checkpoint.safetensors > short && cp short exp/runs/0003/checkpoint.safetensors
printf x | dd of=exp/runs/0004/checkpoint.safetensors bs=1 seek=9000 conv=notrunc 2> /dev/null
: > exp/runs/0005/checkpoint.safetensors
# shellcheck disable=SC2086
try "log gone, log shortened, checkpoints cut, flipped and emptied: taken up" 0 "6 runs done" "$REGMIX" train -C exp $long
for run in 0003 0004 0005; do
  grep -q "run $run: the checkpoint cannot be used, so the run starts again" stderr && ok "a damaged checkpoint is reported ($run)" || not_ok "a damaged checkpoint is reported ($run)" "$(cat stderr)"
done
told() { (cd "$1" && for r in runs/0*; do grep -v -E '"(wall_s|tokens_per_s)"' "$r/result.json"; sed -E 's/,"(tokens_per_s|wall_s)":[0-9.e+-]+//g' "$r/log.jsonl"; done) | cksum; }
same "results and logs are those of a training never stopped" "$(told straight)" "$(told exp)"
grep -q -a "$(printf '\000')" exp/runs/*/log.jsonl 2> /dev/null && [ "$(tr -d '\000' < exp/runs/0002/log.jsonl | cksum)" != "$(cksum < exp/runs/0002/log.jsonl)" ] && not_ok "no NUL in a log" || ok "no NUL in a log"
try "back to the settings of before" 0 "all 6 runs are done" "$REGMIX" train -C exp

printf x | dd of=exp/large/optimum/1/model.safetensors bs=1 seek=5000 conv=notrunc 2> /dev/null
: > exp/large/optimum/2/model.safetensors
cp exp/large/prior/2/model.safetensors exp/large/prior/1/model.safetensors
rm exp/large/uniform/1/model.safetensors
echo '{"half' > exp/large/uniform/2/result.json
models() { for m in exp/large/*/[12]/model.safetensors; do cksum "$m"; done; }
before=$(for m in straight/large/*/[12]/model.safetensors; do cksum "$m" | sed 's/straight/exp/'; done)
try "models flipped, emptied, swapped, gone, a result cut off: told" 0 "5 runs in all have damaged or missing files" "$REGMIX" compare -C exp
same "and made again, the same" "$before" "$(models)"
try "once" 0 "all 10 runs are done" "$REGMIX" compare -C exp
touch exp/large/*/[12]/model.safetensors
try "a model that was only touched is whole" 0 "all 10 runs are done" "$REGMIX" compare -C exp
sed -i '/"model_hash"/d' exp/large/*/[12]/result.json
try "results without the hash of the model are accepted" 0 "all 10 runs are done" "$REGMIX" compare -C exp
echo '{"half' > exp/runs/0002/result.json
try "a proxy's result that cannot be read is told and made again" 0 "is trained again, since" "$REGMIX" train -C exp

# ---- numbers changed by hand
whole=$(told exp)
sed -i '0,/"exam": [0-9]/s/"exam": [0-9]/"exam": 1/' exp/runs/0003/result.json
edited=$(cksum < exp/runs/0003/result.json)
try "a loss of a proxy changed by hand: a script stops" 1 "the losses in exp/runs/0003/result.json, by hand" "$REGMIX" train -C exp
same "and leaves it" "$edited" "$(cksum < exp/runs/0003/result.json)"
try "with --redo it is trained again" 0 "1 run done" "$REGMIX" train -C exp --redo
same "with the same numbers" "$whole" "$(told exp)"
same "and what was changed is set aside" 1 "$(find exp/runs/.set-aside/0003 -name result.json -exec cksum {} + | grep -c "^$edited ")"
sed -i '0,/"exam": [0-9]/s/"exam": [0-9]/"exam": 1/' exp/large/prior/1/result.json
try "of a large model too" 1 "the losses in exp/large/prior/1/result.json, by hand" "$REGMIX" compare -C exp
try "with --redo" 0 "1 run done" "$REGMIX" compare -C exp --redo
sed -i 's/^{/{"metrics": {"acc": 0.5},/' exp/large/prior/1/result.json
try "a metric may be added" 0 "all 10 runs are done" "$REGMIX" compare -C exp
sed -i -e ':a' -e 'N' -e '$!ba' -e 's/,\n *"nats_hash": "[0-9a-f]*"//' exp/runs/0001/result.json
grep -q nats_hash exp/runs/0001/result.json && not_ok "a result without the hash of its losses"
try "a result of before there was a hash is accepted" 0 "all 6 runs are done" "$REGMIX" train -C exp

"$REGMIX" run -C exp > /dev/null 2>&1
cp exp/fit/fit.json fit.json
sed -i '0,/"rmse": 0/s/"rmse": 0/"rmse": 1/' exp/fit/fit.json
try "a number of fit.json changed by hand: run makes the fit again" 0 "fit.json: was changed by hand" "$REGMIX" run -C exp
cmp -s fit.json exp/fit/fit.json && ok "as it was" || not_ok "as it was" "$(diff fit.json exp/fit/fit.json | head -5)"
sed -i '0,/"rmse": 0/s/"rmse": 0/"rmse": 1/' exp/fit/fit.json
try "the other commands stop" 1 "make the fit again" "$REGMIX" optimize -C exp
cp fit.json exp/fit/fit.json
cp exp/corpus/corpus.json corpus.json
sed -i 's/"bad_lines": 0/"bad_lines": 1/' exp/corpus/corpus.json
try "corpus.json changed by hand: train stops" 1 "prepare the corpus again" "$REGMIX" train -C exp
try "and run makes it again" 0 "corpus.json: was changed by hand" "$REGMIX" run -C exp
cmp -s corpus.json exp/corpus/corpus.json && ok "as it was" || not_ok "as it was" "$(diff corpus.json exp/corpus/corpus.json | head -5)"
cp exp/optimum.yaml optimum.yaml
"$REGMIX" export -C exp --to megatron --prefix /data/ > /dev/null 2> said
grep -q "by hand" said && not_ok "an optimum that nobody touched is not warned of" "$(cat said)" || ok "an optimum that nobody touched is not warned of"
sed -i 's/^score: .*/score: 0.5/' exp/optimum.yaml
for command in run optimize compare pretrain; do
  try "optimum.yaml changed by hand: $command stops and says what to do" 1 "Move it away" "$REGMIX" $command -C exp
done
try "export warns" 0 "was changed by hand since" "$REGMIX" export -C exp --to megatron --prefix /data/
try "so does pretrain --mixture" 0 "was changed by hand since" "$REGMIX" pretrain -C exp --mixture exp/optimum.yaml
cp exp/large/comparison.json comparison.json
sed -i 's/"tokens": [0-9]*/"tokens": 1/' exp/large/comparison.json
"$REGMIX" report -C exp --out edited.html > /dev/null 2>&1
grep -q "large/comparison.json was changed by hand" edited.html && ok "the page warns of a comparison.json changed by hand" || not_ok "the page warns of a comparison.json changed by hand" "$(grep -o '"warnings.\{200\}' edited.html)"
mv comparison.json exp/large/comparison.json
mv exp/optimum.yaml mine.yaml
rm exp/fit/fit.json
try "fit.json deleted: run makes the fit again in its place" 0 "all 10 runs are done" "$REGMIX" run -C exp
cmp -s fit.json exp/fit/fit.json && ok "the same" || not_ok "the same" "$(diff fit.json exp/fit/fit.json | head -5)"
"$REGMIX" fit -C exp > /dev/null 2>&1
try "a fit made by hand with the same settings is the one that run wants" 0 "Nothing needs to be done" "$REGMIX" run -C exp --dry-run
"$REGMIX" fit -C exp --regressor trees > /dev/null 2>&1
try "one with others is not" 0 "would fit the metrics" "$REGMIX" run -C exp --dry-run
"$REGMIX" pretrain -C exp --mixture prior --json > pretrain.json 2> /dev/null
if [ "$(jq -c '[.target_loss.mean, .against_optimum.mean, .n, (.flops > 0)]' pretrain.json)" = "[null,null,1,true]" ]; then ok "pretrain --json: what is not known is null"; else not_ok "pretrain --json: what is not known is null" "$(cat pretrain.json)"; fi
try "moved away, it is written again" 0 "all 10 runs are done" "$REGMIX" run -C exp
cmp -s optimum.yaml exp/optimum.yaml && ok "as it was" || not_ok "as it was" "$(diff optimum.yaml exp/optimum.yaml | head -5)"

cp exp/mixtures.csv mixtures.csv
head -n 4 mixtures.csv > exp/mixtures.csv
try "mixtures.csv with rows taken out is not called your own" 0 "changed since it was drawn, so it is kept as it is, with 3 runs" "$REGMIX" sample -C exp
: > exp/mixtures.csv
try "an empty mixtures.csv is an error" 1 "Delete the file" "$REGMIX" sample -C exp
printf 'run,a,b,noise\n0001,0.2,0.' > exp/mixtures.csv
try "so is one cut off in a row" 1 "Delete the file" "$REGMIX" run -C exp
cp mixtures.csv exp/mixtures.csv

# ---- killed while results are moved
make_corpus many 60
many="--set sample.runs=60 --set jobs=8"
# shellcheck disable=SC2086
{ "$REGMIX" prepare -C many && "$REGMIX" sample -C many $many; } > /dev/null 2>&1
trainer='echo "{\"status\": \"done\", \"loss_nats\": {\"a\": 1, \"b\": 2, \"noise\": 3, \"exam\": $(od -An -N2 -tu2 /dev/urandom)}}" > result.json'
# shellcheck disable=SC2086
try "sixty runs" 0 "60 runs done" "$REGMIX" train -C many $many --set "proxy.command=$trainer"
one=$(state many/runs/0* | grep result.json)
# shellcheck disable=SC2086
try "sixty others" 0 "60 runs done" "$REGMIX" train -C many $many --set "proxy.command=$trainer" --set proxy.lr=0.002 --redo
other=$(state many/runs/0* | grep result.json)
# shellcheck disable=SC2086
whole=$(took "$REGMIX" train -C many $many --set "proxy.command=exit 9" --set proxy.lr=0)
hits=0 tries=0
while [ $tries -lt 30 ] || { [ $hits -lt 10 ] && [ $tries -lt 150 ]; }; do  # a kill that comes too late is not counted
  lr=0.002
  [ $((tries % 2)) -eq 0 ] && lr=0
  # shellcheck disable=SC2086
  "$REGMIX" train -C many $many --set "proxy.command=exit 9" --set proxy.lr=$lr > /dev/null 2>&1 &
  pid=$!
  wait_part "$whole" $((3 + tries * 7 % 90))
  { kill -KILL $pid; wait $pid; } 2> /dev/null
  [ $? -eq 137 ] && hits=$((hits + 1))
  tries=$((tries + 1))
done
echo "# $hits of $tries kills hit"
if [ $hits -ge 10 ]; then ok "kills hit while runs were taken back"; else not_ok "kills hit while runs were taken back" "$hits of $tries"; fi
# shellcheck disable=SC2086
try "the first are all there" 0 "all 60 runs are done" "$REGMIX" train -C many $many --set "proxy.command=exit 9"
same "bit for bit" "$one" "$(state many/runs/0* | grep result.json)"
# shellcheck disable=SC2086
try "and so are the others" 0 "all 60 runs are done" "$REGMIX" train -C many $many --set "proxy.command=exit 9" --set proxy.lr=0.002
same "bit for bit as well" "$other" "$(state many/runs/0* | grep result.json)"
# Another process holds a run for a moment, as one does that looks at it.
: > many/runs/0003/claim
flock many/runs/0003/claim sleep 1 &
# shellcheck disable=SC2086
try "a run that was held comes back, too" 0 "1 run is being trained by other processes" "$REGMIX" train -C many $many --set "proxy.command=exit 9"
same "with its own bits" "$one" "$(state many/runs/0* | grep result.json)"
wait
find many -name claim | grep -q . && not_ok "no claim is left behind" "$(find many -name claim)" || ok "no claim is left behind"

# ---- text that changes, and the target
make_corpus text 200
sed -i '/overlap: 0/d' text/regmix.yaml
try "an experiment that keeps the target's text out" 0 "optimum" "$REGMIX" run -C text
proxies() { state text/runs/0* | grep result.json; }
corpus() { state text/corpus text/tokenizer.json | grep -v files.json; }
runs=$(proxies) prepared=$(corpus)
touch text/text/*
try "a file that was only touched" 0 "the corpus is up to date" "$REGMIX" run -C text
same "retrains nothing" "$runs" "$(proxies)"
(cd text && try "seen from another folder" 0 "the corpus is up to date" "$REGMIX" run && echo $tests > ../count) && tests=$(cat count)
for target in a b noise; do
  try "the target $target" 0 "the corpus is up to date" "$REGMIX" run -C text --set "target=$target"
  same "retrains nothing and tokenises nothing" "$runs$prepared" "$(proxies)$(corpus)"
done
try "a target that is trained on is named" 0 'a: the target is also a training domain' "$REGMIX" prepare -C text --set target=a
try "the first target" 0 "all 10 runs are done" "$REGMIX" run -C text

cp text/text/noise.txt noise.txt && cp text/text/exam.txt exam.txt
printf 'one more document of noise\n%%\n' >> text/text/noise.txt
try "a changed domain: a script stops" 1 "finished runs" "$REGMIX" prepare -C text
same "and the corpus is as it was" "$prepared" "$(corpus)"
try "run stops too" 1 "the corpus changed" "$REGMIX" run -C text
try "with --redo" 0 "used now" "$REGMIX" prepare -C text --redo
same "the tokenizer and the other domains are kept" "$(echo "$prepared" | grep -v -e noise -e corpus.json)" "$(corpus | grep -v -e noise -e corpus.json)"
try "its runs" 0 "6 runs done" "$REGMIX" run -C text --redo
other=$(proxies)
differs "are others" "$runs" "$other"
cp noise.txt text/text/noise.txt
try "the text of before, written again" 0 "is used again" "$REGMIX" run -C text
same "trains nothing and is the same corpus" "$runs$prepared" "$(proxies)$(corpus)"

tr a-y b-z < text/text/b.txt > text/text/new.txt
sed -i 's|^    noise: text/noise.txt|&\n    new: text/new.txt|' text/regmix.yaml
try "a new domain" 0 "4 of 5 domains" "$REGMIX" prepare -C text --redo
grep -q "tokenizer: the previous one is kept" stderr && grep -q -- "--new-tokenizer" stderr && ok "the tokenizer is kept, and how to train one is said" || not_ok "the tokenizer is kept, and how to train one is said" "$(cat stderr)"
same "token files of the others are kept" "$(echo "$prepared" | grep -e /a/ -e /noise/ -e exam -e tokenizer)" "$(corpus | grep -e /a/ -e /noise/ -e exam -e tokenizer)"
try "--new-tokenizer" 0 "trained on" "$REGMIX" prepare -C text --redo --new-tokenizer
sed -i '/new: text/d' text/regmix.yaml
try "without it again" 0 "all 6 runs are done" "$REGMIX" run -C text
same "as it was" "$runs$prepared" "$(proxies)$(corpus)"
tail -n 100 exam.txt > text/text/exam.txt
try "validation text that changed asks for other measurements" 1 "finished runs" "$REGMIX" run -C text
try "which are made" 0 "6 runs done" "$REGMIX" run -C text --redo
cp exam.txt text/text/exam.txt
try "and back" 0 "all 6 runs are done" "$REGMIX" run -C text
same "as ever" "$runs$prepared" "$(proxies)$(corpus)"

printf x | dd of=text/corpus/a/train.bin bs=1 seek=300 conv=notrunc 2> /dev/null
: > text/tokenizer.json
try "damaged token files and tokenizer.json are told and made again" 0 "the damaged part is made again" "$REGMIX" run -C text
same "the same, and nothing is trained" "$runs$prepared" "$(proxies)$(corpus)"
rm -r text/corpus/b
try "token files that are gone, too" 0 "all 6 runs are done" "$REGMIX" run -C text
same "as they were" "$runs$prepared" "$(proxies)$(corpus)"

printf 'one more document of noise\n%%\n' >> text/text/noise.txt
whole=$(took "$REGMIX" prepare -C text --redo)
hits=0 tries=0
while [ $tries -lt 24 ] || { [ $hits -lt 8 ] && [ $tries -lt 120 ]; }; do
  if [ $((tries % 2)) -eq 0 ]; then printf 'one more document of noise\n%%\n' >> text/text/noise.txt; else cp noise.txt text/text/noise.txt; fi
  [ $((tries % 3)) -eq 0 ] && rm -rf text/.set-aside
  "$REGMIX" prepare -C text --redo > /dev/null 2>&1 &
  pid=$!
  wait_part "$whole" $((3 + tries * 7 % 90))
  { kill -KILL $pid; wait $pid; } 2> /dev/null
  [ $? -eq 137 ] && hits=$((hits + 1))
  tries=$((tries + 1))
done
echo "# $hits of $tries kills hit"
if [ $hits -ge 8 ]; then ok "kills hit while a corpus was prepared"; else not_ok "kills hit while a corpus was prepared" "$hits of $tries"; fi
cp noise.txt text/text/noise.txt
try "taken up" 0 "all 6 runs are done" "$REGMIX" run -C text --redo
same "the same corpus, the same runs" "$runs$prepared" "$(proxies)$(corpus)"
done_testing
