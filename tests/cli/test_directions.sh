#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One direction of a metric in all of an experiment: what the config says of a score whose name says nothing, or the wrong
# thing, counts in the fit, the optimum, best_run, best_single, the comparison, the correlations and the page.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus first 40
# The losses fall with each domain's own share, and that of a rises with noise. Both scores rise with a and fall with noise, so the best run of a score that is
# raised is the one with the most of a, and the best single domain is a; of one that is lowered it is noise.
cat > trainer.py << 'END'
import json
run = json.load(open("run.json"))
mixture = run["mixture"]
a, noise = mixture.get("a", 0), mixture.get("noise", 0)
score = 0.5 + 0.4 * a - 0.3 * noise + 0.0001 * (run["seed"] % 7)
losses = {d: 4 - mixture.get(d, 0) + 0.001 * (run["seed"] % 5) for d in run["domains"]}
losses["a"] += 0.5 * noise
json.dump({"status": "done", "loss_nats": losses, "metrics": {"human": score, "acc": score}}, open("result.json", "w"))
END
printf 'run,a,b,noise\nr1,0.7,0.2,0.1\nr2,0.1,0.2,0.7\nr3,0.2,0.6,0.2\nr4,0.4,0.3,0.3\nr5,0.3,0.3,0.4\nr6,0.5,0.4,0.1\nr7,0.1,0.5,0.4\n' > mixtures.csv
cp mixtures.csv trainer.py first
sed -i "s/^sample: {runs: 6/sample: {runs: 7/; s/^proxy: {/proxy: {command: python3 trainer.py, /; s/^large: {/large: {command: python3 trainer.py, /
  s/^compare:.*/compare: {seeds: 3, against: [best_run, best_single, prior]}/; s/^optimize:.*/optimize: {samples: 2000, replicates: 20}/" first/regmix.yaml
{ "$REGMIX" prepare -C first -q && "$REGMIX" train -C first -q; } > /dev/null 2>&1 || { not_ok "runs to begin with"; done_testing; exit; }

# experiment NAME TARGET FIT: the same runs in NAME, with this target and these keys of the section fit.
experiment() {
  cp -r first "$1"
  sed -i "s/^target.*/target: $2/; s/^fit:.*/fit: {regressor: ridge$3}/" "$1/regmix.yaml"
  try "$1: a whole run" 0 "" "$REGMIX" run -C "$1" -q
}
of() { value "$1/large/comparison.json" "$2"; }
row='{r["name"]: r for r in o["rows"]}'
# one_way NAME RUN DOMAIN SIGN: the comparison of NAME has this best run and best single domain, and the target has this weight.
one_way() {
  same "$1: best_run is the best run" "$2" "$(of "$1" "${row}['best_run']['run']")"
  same "$1: best_single is the best domain" "$3" "$(of "$1" "${row}['best_single']['domain']")"
  same "$1: the target of the comparison" "$4" "$(of "$1" "list(o['target'].values())[0]")"
  same "$1: the verdict is for the optimum" "optimum better" "$(of "$1" "${row}['prior']['against_optimum']['verdict']")"
}
agree() {  # NAME METRIC: the sign of the rank correlation, turned so that 1 is a good loss, of the loss of a
  "$REGMIX" correlate -C "$1" --json > correlate.json 2> /dev/null
  value correlate.json "[round(o['agreement'][o['losses'].index('a_val_loss')][o['scores'].index('$2')])]"
}

experiment high human ", higher_is_better: human"
one_way high r1 a -1.0
same "high: correlate knows the direction" "[1]" "$(agree high human)"
try "high: and says it" 0 "human (higher is better" "$REGMIX" correlate -C high
try "high: so does the page" 0 "" grep -q '"verdict":"optimum better"' high/report.html
try "high: suggest does not have to assume it" 0 "" "$REGMIX" suggest -C high --runs 1 --out next.csv
if grep -q assumed "$SCRATCH/stderr"; then not_ok "high: suggest assumes nothing" "$(cat "$SCRATCH/stderr")"; fi

# A person reads the score itself, and how much lower it is on the prior.
try "high: compare prints scores" 0 "(target score: human; " "$REGMIX" compare -C high
same "high: as they were measured" "True True" "$(python3 -c '
import json
o, shown = json.load(open("high/large/comparison.json")), {}
for line in open("stdout", encoding="utf-8"):
    w = line.split()
    if w and w[0] in ("optimum", "prior"): shown[w[0]] = [float(x) for x in w[1:4] if x[-1].isdigit()]
rows = {r["name"]: r for r in o["rows"]}
d = rows["prior"]["against_optimum"]["mean"]
print(all(abs(shown[n][0] + rows[n]["target_loss"]["mean"]) < 1e-4 and shown[n][0] > 0 for n in shown), d > 0 and abs(shown["prior"][2] + d) < 1e-4)')"

experiment low acc ", lower_is_better: acc"
one_way low r2 noise 1.0
same "low: correlate knows the direction" "[-1]" "$(agree low acc)"

try "high: pretrain trains on the best run, too" 0 '"run": "r1"' "$REGMIX" pretrain -C high --mixture best_run --json

# A loss that is raised.
experiment loss a_val_loss ", higher_is_better: a"
one_way loss r2 noise -1.0

# ---- what `check` lets pass does not fail later
checked() {  # NAME CODE TEXT TARGET: of an experiment with this target
  rm -rf checked && cp -r first checked && sed -i "s/^target.*/target: $4/" checked/regmix.yaml
  try "check: $1" "$2" "$3" "$REGMIX" check -C checked
}
checked "a target without weight" 1 "target: all its weights are 0" "{exam: 0, human: 0}"
checked "a domain in two spellings" 1 'target: "exam" is given twice, once as "exam_val_loss"' "{exam: 1, exam_val_loss: 1}"
sed -i "s/^optimize: {/optimize: {metric_group: ['both=human,acc'], /" first/regmix.yaml
checked "a group is a target" 0 "no problems" both
experiment group both ", higher_is_better: human"
one_way group r1 a -0.5
mkdir -p phases/text
for domain in phase_0_a phase_1_a; do cp first/text/a.txt phases/text/$domain.txt; done
printf 'corpus: {folder: text}\ntarget: phase_0_a\n' > phases/regmix.yaml
try "check: names of domains that are columns of phases" 1 "rename the domains" "$REGMIX" check -C phases
try "and nothing is prepared of them" 1 "rename the domains" "$REGMIX" run -C phases
for stage in stage1_a stage2_a; do
  for i in 1 2 3 4; do printf '{"text": "text %s of %s, which is long enough to be cut into some sequences, %s times %s", "from": "%s"}\n' $i $stage $i $i $stage; done
done > values.jsonl
mkdir -p values/text && cp values.jsonl values/text
printf 'corpus: {folder: text, domain_field: from}\ntarget: stage1_a\nproxy: {context: 16}\n' > values/regmix.yaml
try "check: and of domains that the documents name" 1 "rename the domains" "$REGMIX" check -C values

# Runs that contradict each other.
cp -r first odd
for run in r1 r2; do
  high=$([ $run = r1 ] && echo true || echo false)
  jq -c ".higher_is_better = {human: $high}" odd/runs/$run/result.json > new.json && mv new.json odd/runs/$run/result.json
done
try "runs that contradict each other are named" 1 'by result.json of run r1 higher values of "human" are better, by that of run r2 lower ones' \
  "$REGMIX" train -C odd

# What the trainer reports is known without the config; what --maximize turns is the user's.
cp -r first reports
for run in r1 r2 r3 r4 r5 r6 r7; do
  jq -c '.higher_is_better = {human: true}' reports/runs/$run/result.json > new.json && mv new.json reports/runs/$run/result.json
done
"$REGMIX" train -C reports -q 2> /dev/null
try "reports: the fit takes it" 0 "human" "$REGMIX" fit -C reports
human='[[m["higher_is_better"], m["direction_from"]] for m in o["metrics"] if m["name"] == "human"]'
same "reports: the score is high, as the results say" "[[True, 'harness']]" "$(value reports/fit/fit.json "$human")"
"$REGMIX" optimize -C reports --target human --quick --json > said.json 2> /dev/null
same "reports: so it is in the answer" "{'higher_is_better': True, 'from': 'harness'}" "$(value said.json 'o["directions"]["human"]')"
"$REGMIX" fit -C first -q > log 2> /dev/null && "$REGMIX" optimize -C first --maximize human --quick --json > said.json 2> /dev/null
same "--maximize is the word of the user" "{'higher_is_better': True, 'from': 'user'}" "$(value said.json 'o["directions"]["human"]')"

# What a user gave to `fit` counts for what uses that fit.
experiment typed human ""
try "typed: the fit takes it" 0 "" "$REGMIX" fit -C typed --higher-is-better human -q
try "typed: the optimum follows" 0 "" "$REGMIX" optimize -C typed -q
try "typed: and so do the models" 0 "" "$REGMIX" compare -C typed -q --redo
one_way typed r1 a -1.0

# A table of the user's own.
printf 'run,x_loss,human\n1,3,0.1\n2,2.9,0.2\n3,2.8,0.3\n4,2.7,0.4\n5,2.6,0.5\n6,2.5,0.6\n' > own.csv
try "correlate --metrics heeds the config" 0 "human (higher is better" "$REGMIX" correlate -C high --metrics own.csv
# Values that contradict a name.
printf 'run,val_loss,neg_mean_squared_error\nr1,-3,-3\nr2,-2.9,-2\nr3,-2.8,-1\nr4,-3.1,-4\nr5,-2.7,-5\nr6,-2,-2\n' > signs.csv
try "fit: a loss below 0 is reported" 0 "1 of 2 metrics may have another sign than its name says: val_loss" \
  "$REGMIX" fit --mixtures mixtures.csv --metrics signs.csv --regressor ridge --out signs
try "fit: a negated error is raised" 0 "taken as a score, higher is better: neg_mean_squared_error" \
  "$REGMIX" fit --mixtures mixtures.csv --metrics signs.csv --regressor ridge --out signs2
try "optimize: the direction of a loss below 0 is asked for" 2 '"val_loss" may have another sign than its name says' \
  "$REGMIX" optimize --fit signs --target val_loss --out signs.yaml
"$REGMIX" fit --mixtures mixtures.csv --metrics signs.csv --regressor ridge --lower-is-better val_loss --out signs3 -q 2> /dev/null
try "optimize: and taken as given" 0 "" "$REGMIX" optimize --fit signs3 --target val_loss --out signs.yaml
try "a pattern of both kinds is refused everywhere" 1 'matches both higher_is_better "human" and lower_is_better "human"' \
  "$REGMIX" correlate -C high --set fit.lower_is_better=human
done_testing
