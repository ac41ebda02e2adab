#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The contract of the command line: names, exit codes, JSON keys, and what bad input is told.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# ---- help, misuse
try "help asked for is no error" 0 "Usage: regmix COMMAND" "$REGMIX" --help
try "no command is misuse" 2 "Usage: regmix COMMAND" "$REGMIX"
try "version" 0 "regmix 0." "$REGMIX" --version
try "an unknown command gets the nearest" 2 'did you mean "optimize"' "$REGMIX" optimise
try "an unknown option gets the nearest" 2 "did you mean --mixtures" "$REGMIX" fit --mixture m.csv
try "an option without its value" 2 "--mixtures needs a value" "$REGMIX" fit --mixtures
try "a word too many" 2 "unexpected word" "$REGMIX" fit something
try "the keys of the config" 0 "proxy.tokens = 1M" "$REGMIX" help config
for command in run init plan prepare sample train launch fit score predict correlate optimize pretrain compare report export status gc encode eval logits generate bench; do
  try "$command --help" 0 "Usage: regmix $command" "$REGMIX" $command --help
done
try "a man page" 0 ".TH REGMIX-fit 1" "$REGMIX" man fit
try "completion" 0 "complete -F _regmix regmix" "$REGMIX" completion bash

# ---- two CSV files: fit, predict, score, optimize
awk 'BEGIN { print "run,train_a,train_b,train_c" > "m.csv"; print "run,metric/a_val_loss,metric/b_val_loss" > "l.csv"
  s = 7
  for (i = 1; i <= 60; i++) {
    for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
    t = w[0] + w[1] + w[2]
    a = w[0] / t; b = w[1] / t; c = w[2] / t
    printf "%d,%.6f,%.6f,%.6f\n", i, a, b, c > "m.csv"
    printf "%d,%.6f,%.6f\n", i, 3 - sqrt(a) - 0.2 * b, 4 - 1.5 * sqrt(b) > "l.csv"
  } }'
try "fit" 0 "metric/a_val_loss" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --set ridge.alpha=0.001 --set ridge.sqrt=true
try "fit --json" 0 '"cross_validation"' "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor trees --set trees.rounds=50 --metric a --out fit-trees --json
try "predict" 0 "run,metric/a_val_loss,metric/b_val_loss" "$REGMIX" predict --fit fit --mixtures m.csv
[ "$("$REGMIX" predict --fit fit --mixtures m.csv | wc -l)" = 61 ] && ok "one row a mixture" || not_ok "one row a mixture"
try "score --json" 0 '"spearman"' "$REGMIX" score --fit fit --mixtures m.csv --metrics l.csv --json
"$REGMIX" score --fit fit --mixtures m.csv --metrics l.csv --json > score.json
for key in metrics metric/a_val_loss n spearman mse mae r2 mean; do
  grep -q "\"$key\"" score.json && ok "score has \"$key\"" || not_ok "score has \"$key\"" "$(cat score.json)"
done
for key in rmse regret_at_1 optimism noise replicates signal_to_noise; do
  grep -q "\"$key\"" score.json && grep -q "\"$key\"" fit/fit.json && ok "score and fit.json have \"$key\"" || not_ok "score and fit.json have \"$key\"" "$(cat score.json)"
done
awk -F, -v OFS=, '{ print $0, NR == 1 ? "flat_loss" : 3 }' l.csv > flat.csv
"$REGMIX" fit --mixtures m.csv --metrics flat.csv --regressor ridge --out fit-flat > /dev/null 2>&1
try "a metric with one value" 0 "1 of 3 metrics has the same value in all runs and is not counted in the mean: flat_loss" "$REGMIX" score --fit fit-flat --mixtures m.csv --metrics flat.csv --json
awk '/"mean"/ { inside = 1 } inside && /"spearman": [0-9.]+/ { found = 1 } END { exit !found }' "$SCRATCH/stdout" && ok "leaves the mean known" || not_ok "leaves the mean known" "$(tail -5 "$SCRATCH/stdout")"
try "the table of a fit" 0 "regret@1" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --out fit-ridge
[ "$("$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --out fit-ridge 2> /dev/null | awk '{ if (length > n) n = length } END { print n }')" -le 100 ] &&
  ok "it fits in 100 columns" || not_ok "it fits in 100 columns"
printf 'train_a: 1M\ntrain_b: 20M\ntrain_c: 3e8\n' > tokens.yaml
printf 'domain,tokens\ntrain_c,300000000\ntrain_a,1000000\ntrain_b,20000000\n' > tokens.csv
try "exposure by epochs" 0 "exposure" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor exposure --tokens tokens.yaml --budget 20M --run-tokens 2M --out fit-epochs
try "token counts from CSV" 0 "exposure" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor exposure --tokens tokens.csv --budget 20M --run-tokens 2M --out fit-epochs2
cmp -s fit-epochs/metric_a_val_loss.json fit-epochs2/metric_a_val_loss.json && ok "the same fit" || not_ok "the same fit"
try "predict at another budget" 0 "metric/a_val_loss" "$REGMIX" predict --fit fit-epochs --mixtures m.csv --budget 2M
[ "$("$REGMIX" predict --fit fit-epochs --mixtures m.csv --budget 2M)" != "$("$REGMIX" predict --fit fit-epochs --mixtures m.csv)" ] &&
  ok "predictions go by the budget" || not_ok "predictions go by the budget"
try "score is at the runs' tokens" 0 '"spearman": 0.99' "$REGMIX" score --fit fit-epochs --mixtures m.csv --metrics l.csv --json
for alone in --budget --run-tokens; do
  try "$alone without token counts" 2 "$alone counts epochs, so it needs the tokens of each domain; give --tokens FILE" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge $alone 1G --out fit-none
done
for command in predict "score --metrics l.csv"; do
  # shellcheck disable=SC2086 # a command and its option
  try "$command warns of a budget that nothing depends on" 0 "--budget has no effect" "$REGMIX" $command --fit fit-ridge --mixtures m.csv --budget 1G
done
try "exposure without token counts" 2 "give --tokens FILE" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor exposure --out fit-none
try "token counts without a budget" 2 "needs --budget" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor exposure --tokens tokens.csv --out fit-none
printf 'train_a: 1M\ntrain_b: many\ntrain_c: 3e8\n' > tokens-bad.yaml
try "a token count that is no number" 1 'tokens-bad.yaml:2: tokens of "train_b"' "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor exposure --tokens tokens-bad.yaml --budget 1G --out fit-none
try "optimize --json" 0 '"mixture"' "$REGMIX" optimize --fit fit --target a=0.7 --target b=0.3 --samples 5000 --top 50 --json
"$REGMIX" optimize --fit fit --target a --samples 5000 --json > optimum.json 2> /dev/null
awk '/"train_a"/ { gsub(/[",:]/, ""); if (!seen++) exit !($2 > 0.6) }' optimum.json && ok "the optimum of a is mostly a" || not_ok "the optimum of a is mostly a" "$(head -8 optimum.json)"
try "maximize" 0 '"predicted"' "$REGMIX" optimize --fit fit --maximize b --samples 1000 --json
printf 'train_a: 0.2\ntrain_b: 0.2\ntrain_c: 0.6\n' > prior.yaml
try "a prior from YAML" 0 '"prior"' "$REGMIX" optimize --fit fit --target a --prior prior.yaml --strength 5 --samples 1000 --json
try "optimize, for people" 0 "Nearest run" "$REGMIX" optimize --fit fit --target a --samples 1000
printf 'train_a: 0.2\ntrain_b: 0.3\ntrain_c: 0.5\n' > mixture.yaml
try "export for Megatron-LM" 0 "0.2 /data/train_a 0.3 /data/train_b 0.5 /data/train_c" "$REGMIX" export --to megatron --mixture mixture.yaml --prefix /data/
try "export to an unknown trainer" 2 'did you mean "megatron"' "$REGMIX" export --to megatorn --mixture mixture.yaml
try "no target" 2 "give --target METRIC" "$REGMIX" optimize --fit fit
try "an unknown target" 2 'unknown metric "zebra"' "$REGMIX" optimize --fit fit --target zebra
try "a fit that is not there" 1 "nofit" "$REGMIX" predict --fit nofit --mixtures m.csv
try "a setting that is not known" 2 'did you mean "trees.rounds"' "$REGMIX" fit --mixtures m.csv --metrics l.csv --set trees.round=5
try "a setting out of bounds" 2 "out of bounds" "$REGMIX" fit --mixtures m.csv --metrics l.csv --set ridge.alpha=-1
try "an unknown regressor" 2 "none of" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor forest
try "mixtures without metrics" 2 "need each other" "$REGMIX" fit --mixtures m.csv
try "a file that is not there" 1 "no.csv" "$REGMIX" fit --mixtures no.csv --metrics l.csv
try "fewer runs than trees need" 0 "split" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor trees --set trees.min_data_in_leaf=40 --out fit-few
sed '5s/,[^,]*,/,0.9,/' m.csv > bad.csv
try "a row that does not sum to 1 names its line" 1 "bad.csv:5" "$REGMIX" fit --mixtures bad.csv --metrics l.csv
try "--raw takes rows that are a little off as they are" 0 "metric/a_val_loss" "$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --raw --out fit-raw
grep -q '"raw": true' fit-raw/fit.json && ok "and the fit remembers it" || not_ok "and the fit remembers it"
sed '7s/,[^,]*$/,nan-ish/' l.csv > bad.csv
try "a cell that is no number names its line" 1 "bad.csv:7" "$REGMIX" fit --mixtures m.csv --metrics bad.csv
sed '7s/,[^,]*$/,/' l.csv > hole.csv
try "an empty cell names its run and metric" 1 "1 of 60 runs has no value (6; the first in hole.csv:7)" "$REGMIX" fit --mixtures m.csv --metrics hole.csv --regressor ridge --out fit-hole
try "or that run is left out, when asked, and that is said" 0 "left out" "$REGMIX" fit --mixtures m.csv --metrics hole.csv --regressor ridge --out fit-hole --skip-missing
sed 's/^7,/6,/' m.csv > bad.csv
try "a run that is there twice" 1 "6" "$REGMIX" fit --mixtures bad.csv --metrics l.csv
sed '4s/,0\./,-0./' m.csv > bad.csv
try "a negative weight" 1 "bad.csv:4" "$REGMIX" fit --mixtures bad.csv --metrics l.csv

# ---- an experiment
make_corpus exp 300
quick="--set proxy.tokens=4k --set large.tokens=4k --set sample.runs=5 --set compare.seeds=2"
try "an experiment without a config" 1 "no regmix.yaml" "$REGMIX" run -C nothing
try "plan, before anything is there" 0 "On this machine it takes about" "$REGMIX" plan -C exp
try "plan --json" 0 '"seconds"' "$REGMIX" plan -C exp --json
# shellcheck disable=SC2086
"$REGMIX" plan -C exp $quick --set jobs=1 --set proxy.threads=1 --set large.threads=1 --cores 4 --json > plan.json
# 5 runs are 5 rounds of one worker, but 2 of four.
if python3 -c 'import json; p = json.load(open("plan.json")); e = p["elsewhere"]["proxies"]
assert e["jobs"] == 4 and abs(e["seconds"] / p["proxies"]["seconds"] - 2 / 5) < 1e-9, p
assert abs(sum(p["elsewhere"][k]["seconds"] for k in ("proxies", "large")) - p["elsewhere"]["seconds"]) < 1e-9, p'; then
  ok "plan --cores runs as many at a time as there are cores"
else
  not_ok "plan --cores runs as many at a time as there are cores"
fi
# shellcheck disable=SC2086
try "plan --cores says what it takes for granted" 0 "not short of memory" "$REGMIX" plan -C exp $quick --cores 64
try "status, before anything is there" 0 "not prepared" "$REGMIX" status -C exp
try "train too early says what comes first" 1 "regmix prepare" "$REGMIX" train -C exp
try "prepare" 0 "documents" "$REGMIX" prepare -C exp
# shellcheck disable=SC2086
try "sample" 0 "5 mixtures" "$REGMIX" sample -C exp $quick
# shellcheck disable=SC2086
try "run" 0 "The mixture" "$REGMIX" run -C exp $quick
# shellcheck disable=SC2086
try "run again: all is done" 0 "all done in 0." "$REGMIX" run -C exp $quick
# shellcheck disable=SC2086
try "run --json" 0 '"comparison"' "$REGMIX" run -C exp $quick --json
# shellcheck disable=SC2086
try "status, when all is done" 0 "5 done" "$REGMIX" status -C exp $quick
# shellcheck disable=SC2086
try "a changed setting retrains what it touches and says so" 0 "changed: lr" "$REGMIX" train -C exp $quick --set proxy.lr=0.001 --redo
# shellcheck disable=SC2086
try "pretrain on a mixture of one's own" 0 "nats per token" "$REGMIX" pretrain -C exp $quick --mixture single:b
try "report elsewhere" 0 "page.html" "$REGMIX" report -C exp --out page.html
grep -q 'application/json' page.html && ok "the page has its data in it" || not_ok "the page has its data in it"
# shellcheck disable=SC2086
try "a diverged run is told and left out" 1 "diverged" "$REGMIX" train -C exp $quick --set proxy.lr=10 --set proxy.clip=0 --set proxy.weight_decay=10 --redo
sed 's/^0003,.*/0003,0.5,0.5,-0.1/' exp/mixtures.csv > m2.csv && cp m2.csv exp/mixtures.csv
# shellcheck disable=SC2086
try "negative weights in mixtures.csv name the line" 1 "mixtures.csv:4" "$REGMIX" train -C exp $quick
rm exp/mixtures.csv exp/mixtures.json
# shellcheck disable=SC2086
try "a trainer of one's own" 0 "5 runs done" "$REGMIX" run -C exp $quick --redo --set 'proxy.command=echo "{\"loss_nats\": {\"a\": 1, \"b\": 2, \"noise\": 3, \"exam\": $(od -An -N1 -tu1 /dev/urandom)}}" > result.json'
# shellcheck disable=SC2086
try "a trainer that fails is reported and tried again" 1 "trying again" "$REGMIX" train -C exp --set sample.runs=5 --set proxy.tokens=5k --redo --set 'proxy.command=exit 3'

# ---- a full disk: said, nothing lost, and the same command goes on once there is room
small=$SCRATCH/small
mkdir "$small"
if mount -t tmpfs -o size=700k tmpfs "$small" 2> /dev/null; then
  sed "s|text/|$SCRATCH/exp/text/|" exp/regmix.yaml > "$small/regmix.yaml"
  # shellcheck disable=SC2086
  try "a full disk is an error that says so" 1 "No space left on device" "$REGMIX" run -C "$small" $quick
  mount -o remount,size=50m "$small"
  # shellcheck disable=SC2086
  try "with more room the same command goes on" 0 "The mixture" "$REGMIX" run -C "$small" $quick
  umount "$small"
else
  skip "a full disk is an error that says so" "mounting a small file system needs root"
  skip "with more room the same command goes on" "mounting a small file system needs root"
fi

# ---- bad text, bad config
printf 'target: exam\nproxy:\n  tokns: 5\n' > bad.yaml
try "an unknown key names file, line and the nearest" 1 'bad.yaml:3: unknown key "proxy.tokns"; did you mean "proxy.tokens"' "$REGMIX" run bad.yaml
mkdir -p two && printf 'target: exam\ncorpus: {folder: none}\n' > two/regmix.yaml && cp two/regmix.yaml other.yaml
try "the config of one folder, the experiment in another" 1 "warning: the config is other.yaml, not two/regmix.yaml" \
  "$REGMIX" run other.yaml -C two
rm -rf two other.yaml
bad() { # bad FILE CONTENT: an experiment whose domain a is that file
  rm -rf bad && mkdir -p bad/text && cp exp/text/*.txt bad/text/ && printf "$2" > "bad/text/$1"
  sed "s|a: text/a.txt|a: text/$1|" exp/regmix.yaml > bad/regmix.yaml
}
bad a.jsonl '{"text": "one"}\n{"text": \n'
try "a broken JSON line" 1 "a.jsonl:2" "$REGMIX" prepare -C bad
bad a.jsonl '{"text": "one"}\n{"body": "two"}\n'
try "a JSON line without text" 1 "a.jsonl:2" "$REGMIX" prepare -C bad
bad empty.txt ''
try "an empty domain" 1 '"a"' "$REGMIX" prepare -C bad
bad a.xyz 'text'
try "a file of no known kind" 1 "a.xyz" "$REGMIX" prepare -C bad
bad a.txt ''
rm bad/text/a.txt
try "no file where the config says" 1 "a.txt" "$REGMIX" prepare -C bad
bad a.txt ''
gzip -c exp/text/a.txt | head -c 2000 > bad/text/a.txt.gz && sed -i 's|text/a.txt|text/a.txt.gz|' bad/regmix.yaml
try "a truncated archive" 1 "a.txt.gz" "$REGMIX" prepare -C bad
bad a.txt ''
cp exp/text/a.txt bad/text/a.txt
printf '\377\376 bad bytes \300\n%%\n' >> bad/text/a.txt
try "invalid UTF-8 is replaced and counted" 0 "UTF-8" "$REGMIX" prepare -C bad
printf 'x' | dd of=bad/corpus/a/train.bin bs=1 seek=3 conv=notrunc 2> /dev/null
# shellcheck disable=SC2086
try "a token file that is none" 1 "train.bin" "$REGMIX" sample -C bad $quick
bad a.txt ''
cp exp/text/a.txt bad/text/a.txt
sed -i 's/^target:.*/target: exm/' bad/regmix.yaml
try "a target that is no domain" 1 'did you mean "exam"' "$REGMIX" run -C bad
try "init writes a config" 0 "regmix.yaml" "$REGMIX" init new --text exp/text --target exam
try "which can be planned" 0 "On this machine it takes about" "$REGMIX" plan -C new --set proxy.tokens=1k --set large.tokens=1k
try "init does not write over one" 1 "already exists" "$REGMIX" init new
try "bench --json" 0 '"mfu"' "$REGMIX" bench --model nano --vocab 512 --seq 64 --batch_tokens 512 --seconds 0.1 --json
try "an unknown processor level" 2 "avx9" "$REGMIX" bench --isa avx9
try "the portable level works" 0 '"ref"' "$REGMIX" bench --isa ref --model nano --vocab 512 --seq 64 --batch_tokens 512 --micro_tokens 512 --seconds 0.1 --json
# ---- an option that has one value
try "an option with one value is given once" 2 "--metrics is given twice (a.csv, b.csv), and has one value" \
  "$REGMIX" fit --mixtures a.csv --metrics a.csv --metrics b.csv
try "also in its short form" 2 "--experiment is given twice (a, b)" "$REGMIX" status -C a --experiment=b
try "a flag may be repeated" 2 "unknown option --nope" "$REGMIX" status --quiet -q --quiet --json --json --nope
try "but not take both values" 2 "--json is given twice (true, false)" "$REGMIX" status --json --json=false
try "a setting that replaces another one is reported" 1 "--set sample.runs is given twice; sample.runs=4 counts, and not sample.runs=3" \
  "$REGMIX" fit -C . --set sample.runs=3 --set sample.runs=4 --set compare.against=a --set compare.against=b
if grep -q "against is given" stderr; then not_ok "not one of a list" "$(cat stderr)"; else ok "not one of a list"; fi
done_testing
