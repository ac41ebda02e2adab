#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several swarms in one config: proxies of several sizes and lengths, one fit, the optimum for the large model.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# all FOLDER...: what the files in it are, without the times of log.jsonl and result.json.
all() { find "$@" -type f ! -name log.jsonl ! -name result.json ! -name claim | sort | xargs cksum; }
# with YAML: exp with these swarms.
with() {
  cp plain.yaml exp/regmix.yaml
  printf 'swarms:\n%s\n' "$1" >> exp/regmix.yaml
}
make_corpus exp 120
sed -i 's/^fit: .*//; s/^ridge: .*//; s/runs: 6,/runs: 12,/; s/seeds: 2/seeds: 1, against: [prior, best_run, best_single]/; s/^large: {layers: 1/large: {layers: 2/' exp/regmix.yaml
cp exp/regmix.yaml plain.yaml
wide='  wide: {width: 64, ffn: 128, runs: 6}' long='  long: {tokens: 16k, evals: 3}'

# ---- one swarm, as without the key
"$REGMIX" run -q -C exp --set optimize.replicates=20 > one.out 2>&1 || not_ok "one swarm" "$(tail -5 one.out)"
cp exp/metrics.csv one.csv
first=$(all exp/runs) table=$(cksum < exp/metrics.csv)
grep -q swarms exp/resolved.yaml && not_ok "resolved.yaml as before" || ok "resolved.yaml as before"

# ---- a second one
with "$wide"
try "a dry run trains the second swarm alone" 0 "train wide would train 6 of 6 runs" "$REGMIX" run -C exp --dry-run
try "so does train" 0 "train wide: 6 runs done" "$REGMIX" train -C exp
same "the first stays" "$first" "$(all exp/runs/0*)"
same "and its table" "$table" "$(cksum < exp/metrics.csv)"
try "fit" 0 "scaling chosen" "$REGMIX" fit -C exp
try "the optimum for the large model" 0 "" "$REGMIX" optimize -q -C exp --json
same "whose size and tokens the answer has" True "$(value "$SCRATCH/stdout" 'o["for"]["size"] == 20480 + 96 + 64 and o["for"]["tokens"] == 8000')"
same "and the drift from the smallest" True "$(value "$SCRATCH/stdout" 'o["drift"]["size"] == o["for"]["size"] and len(o["drift"]["sizes"]) == 2 and "smallest_is_enough" in o["drift"]')"
try "another size" 0 "" "$REGMIX" optimize -q -C exp --for 1M,20k --quick --json
same "is what it is for" True "$(value "$SCRATCH/stdout" 'o["for"] == {"size": 1e6, "tokens": 2e4}')"
try "a size of the config" 0 "" "$REGMIX" optimize -q -C exp --set optimize.for=2M,30k --quick --json
same "is taken too" True "$(value "$SCRATCH/stdout" 'o["for"] == {"size": 2e6, "tokens": 3e4}')"
# capped OPTION...: whether the caps of an answer for 200k tokens are 4 epochs of each domain in them
capped() {
  "$REGMIX" optimize -q -C exp --set sample.max_epochs=4 --quick --json "$@" > capped.json 2> /dev/null
  value capped.json '(lambda n: len(n) == 3 and all(abs(o["constraints"]["cap"][d] - 4 * t / 2e5) < 1e-9 for d, t in n.items()))({d["name"]: d["train_tokens"] for d in json.load(open("exp/corpus/corpus.json"))["domains"] if d["name"] != "exam"})'
}
same "its tokens give the caps by epochs" "True True" "$(capped --for 1M,200k) $(capped --set optimize.for=1M,200k)"
"$REGMIX" suggest -q -C exp --set sample.max_epochs=4 --for 1M,200k -n 4 > capped.csv 2> /dev/null
same "of suggest, too" True "$(python3 -c 'import csv, json
tokens = {d["name"]: d["train_tokens"] for d in json.load(open("exp/corpus/corpus.json"))["domains"]}
rows = list(csv.DictReader(open("capped.csv")))
print(len(rows) == 4 and all(float(r[d]) <= 4 * tokens[d] / 2e5 + 1e-3 for r in rows for d in r if d != "run"))')"
try "suggest" 0 "0013" "$REGMIX" suggest -C exp -n 1
try "suggest keeps the runs" 2 "would be lost" "$REGMIX" suggest -C exp -n 1 --out exp/mixtures.csv
try "predict for mixtures" 0 "0012" "$REGMIX" predict -C exp --mixtures exp/mixtures.csv --for 1M,20k
try "the page and all the rest" 0 "best_run (00" "$REGMIX" run -C exp --set optimize.replicates=20
same "the page says for what size, and whether it matters" True "$(python3 -c 'page = open("exp/report.html").read()
print("Does the size matter?" in page and chr(34) + "for" + chr(34) in page and "smallest_is_enough" in page and "The fit is older" not in page)')"
sed -i.bak 's/^0002,[^,]*,/0002,1.5,/' exp/metrics.csv
"$REGMIX" report -q -C exp > report.out
same "and when its tables were changed" 1 "$(grep -c "The fit is older than the tables: 1 of its runs" exp/report.html)"
mv exp/metrics.csv.bak exp/metrics.csv
try "twice: nothing" 0 "Nothing needs to be done" "$REGMIX" run -C exp --set optimize.replicates=20 --dry-run
"$REGMIX" status -C exp --json > status.json
same "status" "12 6" "$(value status.json 'str(o["proxies"]["done"]) + " " + str(o["swarms"]["wide"]["done"])')"
"$REGMIX" plan -C exp --json > plan.json
same "plan" "12 6" "$(value plan.json 'str(o["proxies"]["runs"]) + " " + str(o["swarms"]["wide"]["runs"])')"
try "fit by hand" 0 "" "$REGMIX" fit -q --mixtures exp/evaluations.csv --metrics exp/evaluations.csv --size-column size --tokens-column tokens --out hand
same "is the same fit" "$(cksum < exp/fit/exam_val_loss.json)" "$(cksum < hand/exam_val_loss.json)"

# ---- a third, and fewer
with "$wide
$long"
second=$(all exp/runs/wide*)
try "a third swarm" 0 "train long: 12 runs done" "$REGMIX" train -C exp
same "the others stay" "$first
$second" "$(all exp/runs/0*)
$(all exp/runs/wide*)"
same "each evaluation is a row" "12 12 24 12 12 6 6" "$(cut -d, -f2,3 exp/evaluations.csv | sed 1d | sort -n -t, -k1 -k2 | uniq -c | sed 's/^ *//; s/ .*//' | tr '\n' ' ' | sed 's/ $//')"
with "$long"
try "one swarm less" 0 "of runs that the present settings do not use" "$REGMIX" fit -q -C exp
"$REGMIX" train -q -C exp --redo
try "is fitted without it" 0 "on 72 runs" "$REGMIX" fit -C exp
same "its runs stay" "$second" "$(all exp/runs/wide*)"
with "$wide
$long"
try "it comes back" 0 "train wide: all 6 runs are done" "$REGMIX" train -C exp
with "  wide: {width: 64, ffn: 128, runs: 8}"
try "more runs of it" 0 "train wide: 2 runs done" "$REGMIX" train -C exp --redo
try "another model of it asks" 1 "8 finished runs" "$REGMIX" train -C exp --set swarms.wide.width=48
same "and nothing is lost" "$second" "$(all exp/runs/wide* | grep -v -- '-000[78]/')"

# ---- a kill
with "$wide"
mkdir -p broken && cp -r exp/corpus exp/tokenizer.json exp/mixtures.csv exp/mixtures.json exp/regmix.yaml exp/text exp/matched broken/ 2> /dev/null
"$REGMIX" train -q -C broken & pid=$!
i=0
while [ ! -e broken/runs/wide-0002/result.json ] && [ $i -lt 400 ]; do i=$((i + 1)); sleep 0.05; done
kill -9 $pid; wait $pid 2> /dev/null
try "after a kill" 0 "" "$REGMIX" train -C broken
"$REGMIX" train -q -C exp --redo
same "the same evaluations" "$(cksum < exp/evaluations.csv)" "$(cksum < broken/evaluations.csv)"

# ---- parts of the runs
rm -rf broken/runs broken/*.csv.new broken/evaluations.csv broken/metrics*.csv
try "one half of all swarms" 0 "not done yet" "$REGMIX" train -C broken --slice 0/2
try "the other half" 0 "" "$REGMIX" train -C broken --slice 1/2
same "the same evaluations too" "$(cksum < exp/evaluations.csv)" "$(cksum < broken/evaluations.csv)"

# ---- the user's own trainer
cat > broken/train.py << 'END'
import json
run = json.load(open("run.json"))
w, size, tokens = run["mixture"], run["training"]["width"], run["training"]["tokens"]
loss = {d: 2 + 3 / size + 5000 / tokens - 0.5 * w.get(d, w["a"] * 0.5) for d in run["domains"]}
json.dump({"loss_nats": loss, "metrics": {"arc": w["a"] * size}, "higher_is_better": ["arc"], "half": {"loss_nats": {d: x + 0.1 for d, x in loss.items()}}}, open("result.json", "w"))
END
sed -i 's/^proxy: {/proxy: {command: python3 train.py, /; s/^target: .*/target: arc/' broken/regmix.yaml
try "a trainer of one's own" 0 "train wide: 6 runs done" "$REGMIX" train -C broken --redo
same "whose other metrics are in the table" "18 of 36" "$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "arc") c = i; next } { n++; if ($c != "") k++ } END { print k " of " n }' broken/evaluations.csv)"
try "and are fitted" 0 "" "$REGMIX" fit -C broken
try "in their direction" 0 '"arc" is a score' "$REGMIX" optimize -C broken --quick

# ---- a name twice
cp exp/mixtures.csv mixtures.bak
sed -n 2p exp/mixtures.csv >> exp/mixtures.csv
try "a run twice is refused" 1 'mixtures.csv: two runs would have the name "0001"' "$REGMIX" train -C exp
mv mixtures.bak exp/mixtures.csv

# ---- methods read the first swarm
with "  unread: {width: 48, runs: 4}"
try "methods train what they read" 0 "prior" "$REGMIX" compare -C exp --methods regmix,prior --seeds 1
same "and no other swarm" 0 "$(find exp/runs -name 'unread-*' | wc -l | tr -d ' ')"

# ---- what is refused
refuse() { # NAME YAML TEXT
  with "$2"
  try "$1" 1 "$3" "$REGMIX" check -C exp
}
refuse "the same twice" "  same: {lr: 1e-3}" "swarms.same: its models have the size and the tokens of the section proxy"
refuse "a key that is none" "  wide: {widht: 64}" 'swarms.wide: unknown key "widht"; did you mean "width"?'
refuse "a value that is none" "  wide: {width: many}" 'swarms.wide: width: "many" is not a whole number'
refuse "no map" "  wide: 64" "swarms.wide: wanted a map of settings"
refuse "a name that is a path" "  a/b: {width: 64}" 'swarms: "a/b" can'"'"'t be a name'
refuse "no runs" "  wide: {width: 64, runs: 0}" "swarms.wide: runs: 0"
refuse "more runs than mixtures" "  wide: {width: 64, runs: 99}" "swarms.wide.runs: 99 runs, but there are 12 mixtures"
refuse "no such model" "  wide: {model: huge}" 'no preset "huge"'
refuse "a text that is no map" "  - 64" "swarms"
with "$wide"
try "a name that is nearly another" 2 'did you mean "wide"?' "$REGMIX" check -C exp --set swarms.wid.width=64
try "a regressor of one size" 1 'fit.regressor: "gp" fits runs of one size and length' "$REGMIX" check -C exp --set fit.regressor=gp
try "a size that is none" 1 'optimize.for: "3m" is not a number of parameters' "$REGMIX" check -C exp --set optimize.for=3m,1M
cp plain.yaml exp/regmix.yaml
try "a size for one swarm" 1 "optimize.for: the runs have one size" "$REGMIX" check -C exp --set optimize.for=3M,1M
try "back to one swarm" 0 "" "$REGMIX" run -q -C exp --redo --set optimize.replicates=20
same "with its table" "$table" "$(cksum < exp/metrics.csv)"
done_testing
