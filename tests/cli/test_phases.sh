#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Phases: mixtures of two phases are drawn, trained to the same bits after a kill, fitted, searched and exported by stage; tables with columns of
# phases are recognised.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# ---- an experiment
make_corpus exp 120
sed -i 's/^sample: .*/sample: {runs: 16, cap_ratio: 1000, max_epochs: 0, phases: [0.75, 0.25]}/; s/^compare: .*/compare: {seeds: 1, against: [prior, best_single, best_run]}/; s/regressor: ridge/regressor: gp/' exp/regmix.yaml
try "a whole experiment with phases" 0 "phase 1, 25 % of the tokens:" "$REGMIX" run -C exp
"$REGMIX" run -C exp -q > summary.txt 2> /dev/null
same "its summary has the mixture of each phase" "phase 0, 75 phase 1, 25" "$(sed -n 's/^  \(phase [01], [0-9]*\) % of the tokens: .*a [0-9.]* %.*/\1/p' summary.txt | tr '\n' ' ' | sed 's/ $//')"
same "its mixtures have columns of phases" run,phase_0_a,phase_0_b,phase_0_noise,phase_1_a,phase_1_b,phase_1_noise "$(head -1 exp/mixtures.csv)"
same "each phase sums to 1" 0 "$(awk -F, 'NR > 1 && (($2 + $3 + $4 - 1) ^ 2 > 1e-12 || ($5 + $6 + $7 - 1) ^ 2 > 1e-12)' exp/mixtures.csv | wc -l | tr -d ' ')"
same "a run draws from its phases" True "$(value exp/runs/0003/result.json 'all(abs(o["tokens_by_domain"][d] / o["tokens"] - sum(p["share"] * p["mixture"][d] for p in o["phases"])) < 0.02 for d in o["mixture"])')"
same "the large model on the optimum has phases" True "$(value exp/large/optimum/1/result.json '[p["share"] for p in o["phases"]] == [0.75, 0.25] and o["phases"][0]["mixture"] != o["phases"][1]["mixture"]')"
same "and so has the one on the best run" True "$(value exp/large/best_run/1/result.json 'len(o["phases"]) == 2')"
same "the best single domain is one domain" 1.0 "$(value exp/large/best_single/1/result.json 'max(o["mixture"].values())')"
same "half way it was a run of one mixture" True "$(python3 -c 'import csv
rows = list(csv.DictReader(open("exp/evaluations.csv")))
w = lambda r, k, d: float(r[f"mixture.phase_{k}_{d}"]) / (0.75, 0.25)[k]
one = [r for r in rows if all(abs(w(r, 0, d) - w(r, 1, d)) < 1e-9 for d in ("a", "b", "noise"))]
print(len(rows) == 32 and len(one) == 16 and all(abs(sum(w(r, k, d) for d in ("a", "b", "noise")) - 1) < 1e-9 for r in rows for k in (0, 1)))')"
try "which a fit takes as a shorter run" 0 "on 32 runs" "$REGMIX" fit --mixtures exp/evaluations.csv --metrics exp/evaluations.csv --mixture-columns 'mixture.*' --metric-columns '*_val_loss' --phases 0.75,0.25 --size-column size --tokens-column tokens --out early
try "and searches" 0 "phase 1, 25 % of the tokens:" "$REGMIX" optimize --fit early --target exam_val_loss --for 20k,8k --quick
try "and is done" 0 "all 16 runs are done" "$REGMIX" train -C exp
cp -r exp other && sed -i 's/0.75, 0.25/0.25, 0.75/' other/regmix.yaml
try "other shares are other runs" 1 "16 finished runs" "$REGMIX" train -C other
cp -r exp killed && rm -r killed/runs killed/metrics.csv
"$REGMIX" train -q -C killed --set proxy.checkpoint_s=0 > /dev/null 2>&1 & pid=$!
while [ ! -e killed/runs/0002/checkpoint.safetensors ] && [ ! -e killed/runs/0003/result.json ] && kill -0 $pid 2> /dev/null; do :; done
kill -9 $pid 2> /dev/null; wait $pid 2> /dev/null
try "after a kill it goes on" 0 "" "$REGMIX" train -C killed
if cmp -s exp/metrics.csv killed/metrics.csv; then ok "to the same bits"; else not_ok "to the same bits" "$(diff exp/metrics.csv killed/metrics.csv | head -4)"; fi
try "a suggested run can be trained" 0 "" "$REGMIX" suggest -C exp --out next.csv
sed 1d next.csv >> killed/mixtures.csv
try "its phases are shares of all tokens" 0 "runs done" "$REGMIX" train -C killed

# ---- caps of the config: by epochs, or times the prior
try "a cap by epochs of the config" 0 "the cap by epochs holds down" "$REGMIX" optimize -C exp --set sample.max_epochs=0.7 --set large.tokens=40k --replicates 20 --no-guard --out capped.yaml
try "a cap that is a ratio" 0 "" "$REGMIX" optimize -C exp --set sample.cap_ratio=1.5 --replicates 20 --no-guard --out capped.yaml
not_printed "is none by epochs" "by epochs"
same "and holds" True "$("$REGMIX" optimize -C exp --set sample.cap_ratio=1.5 --replicates 20 --no-guard --json -q > o.json; value o.json 'any(abs(sum(p["share"] * p["mixture"][d] for p in o["phases"]) - s["high"]) < 1e-6 for d, s in o["constraints"]["share"].items() if d in ("a", "b", "noise"))')"

# ---- several sizes
cp -r exp sized && printf 'swarms:\n  wide: {width: 48, runs: 6, evals: 4}\n' >> sized/regmix.yaml
try "a swarm of another size" 0 "train wide: 6 runs done" "$REGMIX" train -C sized
same "the end of the first phase is a shorter run" "16 6 6" "$(cut -d, -f2,3 sized/evaluations.csv | sed 1d | sort -n -t, -k1 -k2 | uniq -c | sort -n -k2 | awk '{ print $1 }' | sort -rn | tr '\n' ' ' | sed 's/ $//')"
same "of one mixture" 6 "$(awk -F, '$1 ~ /^wide.*@6144$/ && ($4 - 3 * $7) ^ 2 + ($5 - 3 * $8) ^ 2 + ($6 - 3 * $9) ^ 2 < 1e-18' sized/evaluations.csv | wc -l | tr -d ' ')"
try "all are fitted" 0 "on 28 runs" "$REGMIX" fit -C sized --set fit.regressor=auto
try "and searched" 0 "phase 1, 25 % of the tokens:" "$REGMIX" optimize -C sized --quick

# ---- export by stage
try "nanotron" 0 "start_training_step: 751" "$REGMIX" export -C exp --to nanotron --prefix /d/ --steps 1000
try "a stage needs a step of its own" 2 "stage 1 has 25 % of the tokens, which is not one of the 1 steps" "$REGMIX" export -C exp --to nanotron --prefix /d/ --steps 1
try "and has it" 0 "start_training_step: 3" "$REGMIX" export -C exp --to nanotron --prefix /d/ --steps 3
try "wants to know the steps" 2 "give --steps N" "$REGMIX" export -C exp --to nanotron --prefix /d/
"$REGMIX" export -C exp --to megatron --prefix /d/ > blends 2> /dev/null
same "two Megatron blends" 2 "$(grep -c '/d/' blends)"
same "two documents for NeMo and OLMo-core" "2 2" "$("$REGMIX" export -C exp --to nemo --prefix /d/ 2> /dev/null | grep -c -- ---) $("$REGMIX" export -C exp --to olmo-core --prefix /d/ 2> /dev/null | grep -c -- ---)"
try "a format without stages" 2 "these formats hold all phases: megatron, nemo, olmo-core, nanotron" "$REGMIX" export -C exp --to litgpt --prefix /d/
# phase K: whether export writes the mixture that the large model has in phase K
phase() {
  "$REGMIX" export -C exp --to csv --phase "$1" --json 2> /dev/null > phase.json
  value exp/large/optimum/1/result.json "all(abs(w - o['phases'][$1]['mixture'][d]) < 1e-9 for d, w in __import__('json').load(open('phase.json'))['mixture'].items())"
}
same "takes one phase" "True True" "$(phase 0) $(phase 1)"
try "a phase that is not there" 2 "has 2 phases" "$REGMIX" export -C exp --to csv --phase 2

# ---- shares that are none
try "shares that do not sum to 1" 2 "sample.phases: the shares of the phases sum to 0.35, wanted 1" "$REGMIX" status -C exp --set sample.phases=0.35
try "a share that is none" 2 "wanted a number between 0 and 1" "$REGMIX" sample -C exp --set sample.phases=-1
try "too few steps" 1 "steps are too few" "$REGMIX" train -C exp --set proxy.tokens=512 --redo

# ---- tables: web matters at the end
awk 'BEGIN { srand(3); print "name,phase_0_web,phase_0_code,phase_1_web,phase_1_code,size" > "p.csv"; print "name,x_loss" > "l.csv"
  for (i = 0; i < 40; i++) { a = rand(); b = rand()
    printf "r%d,%.6f,%.6f,%.6f,%.6f,%d\n", i, a, 1 - a, b, 1 - b, i > "p.csv"
    printf "r%d,%.6f\n", i, 3 - (0.02 + b) ^ 0.5 - 0.2 * (1.02 - a) ^ 0.5 > "l.csv" } }'
fit="$REGMIX fit --mixtures p.csv --metrics l.csv"
try "columns of phases are recognised" 0 "equal shares" $fit --out f
try "with a pattern too" 0 "equal shares" $fit --mixture-columns 'phase_?_*' --out g
try "one phase alone is one mixture" 0 "40 runs" $fit --mixture-columns 'phase_1_*' --out one
try "shares" 0 "40 runs" $fit --phases 0.8,0.2 --out h
try "shares that do not sum to 1" 2 "sum to 0.9, wanted 1" $fit --phases 0.7,0.2 --out never
try "of another number" 2 "2 phases" $fit --phases 0.5,0.3,0.2 --out never
try "exposure counts the epochs of one mixture" 2 "counts the epochs of a whole run" $fit --regressor exposure --out never
optimize="$REGMIX optimize --target x_loss --quick --no-guard"
$optimize --fit h --phases 0.8,0.2 --json > o.json 2> /dev/null
same "web comes at the end" True "$(value o.json 'o["phases"][1]["mixture"]["web"] > 0.9 and o["phases"][0]["mixture"]["web"] < 0.1 and [p["share"] for p in o["phases"]] == [0.8, 0.2]')"
same "weights are shares of all tokens" True "$(value o.json 'abs(sum(o["mixture"].values()) - 1) < 1e-6 and abs(o["mixture"]["phase_0_web"] + o["mixture"]["phase_0_code"] - 0.8) < 1e-6')"
try "shares that the fit did not know" 2 "assumed equal shares; fit again with" $optimize --fit f --phases 0.9,0.1
$optimize --fit f --phases 0.5,0.5 --json > o.json 2> /dev/null
same "shares that the fit assumed" "[0.5, 0.5]" "$(value o.json '[p["share"] for p in o["phases"]]')"
try "shares that the fit knows better" 2 "says nothing about other shares" $optimize --fit h --phases 0.5,0.5
try "shares for a fit without phases" 2 "have no phases" $optimize --fit one --phases 0.5,0.5
try "shares that do not sum to 1, again" 2 "sum to 1.1, wanted 1" $optimize --fit h --phases 0.8,0.3
printf 'web: 0.25\ncode: 0.75\n' > given.yaml
$optimize --fit h --given given.yaml --json > o.json 2> /dev/null
same "only the second phase, with the first one given" True "$(value o.json 'abs(o["phases"][0]["mixture"]["web"] - 0.25) < 1e-6 and o["phases"][1]["mixture"]["web"] > 0.9')"
try "with the bound as it was typed" 1 "--given given.yaml has 0.25 for phase_0_web, and --fix phase_0_web=0.5 was asked for" $optimize --fit h --given given.yaml --fix phase_0_web=0.5
for bound in "cap phase_0_web=0.2" "floor phase_0_web=0.3" "fix phase_0_code=0.5"; do
  try "$bound against a given phase" 1 "cannot both be kept" $optimize --fit h --given given.yaml --$bound
done
same "the prior has the given first phase" "[0.2, 0.6, True]" "$(value o.json '[round(o["prior"]["phase_0_web"], 6), round(o["prior"]["phase_0_code"], 6), "after what --given gives" in o["prior_text"]]')"
$optimize --fit h --given given.yaml --cap phase_0_web=0.25 --floor phase_0_code=0.7 --json > bounds.json 2> /dev/null
same "bounds that a given phase keeps change nothing" True "$(value bounds.json 'o["phases"] == '"$(value o.json 'o["phases"]')")"
try "a cap over all phases against it is named as it was typed" 1 "0.25 for phase_0_web of --given given.yaml and --cap web=0.1 cannot both be kept" $optimize --fit h --given given.yaml --cap web=0.1
# an answer with phases is one too: its first phase
printf 'mixture: {phase_0_web: 0.2}\nphases:\n  - {share: 0.5, mixture: {web: 0.25, code: 0.75}}\n  - {share: 0.5, mixture: {web: 1, code: 0}}\n' > answer.yaml
$optimize --fit h --given answer.yaml --json > a.json 2> /dev/null
same "the first phase of an answer given" True "$(value a.json 'abs(o["phases"][0]["mixture"]["web"] - 0.25) < 1e-6 and o["phases"][1]["mixture"]["web"] > 0.9')"
sed 's/code: 0.75/cod: 0.75/' answer.yaml > wrong.yaml
try "an answer of other domains" 1 'wrong.yaml: phase 0: unknown domain "cod"' $optimize --fit h --given wrong.yaml
try "all phases given" 2 "must be left to search" $optimize --fit h --given given.yaml --given given.yaml
$optimize --fit h --cap web=0.1 --floor phase_0_web=0.05 --json > o.json 2> /dev/null
same "bounds on a domain, and in a phase" True "$(value o.json 'sum(p["share"] * p["mixture"]["web"] for p in o["phases"]) < 0.1001 and o["phases"][0]["mixture"]["web"] > 0.0499')"
$optimize --fit h --ordered 'web<code' --json > o.json 2> /dev/null
same "an order of domains is one over all phases" True "$(value o.json 'sum(p["share"] * p["mixture"]["web"] for p in o["phases"]) < 0.5001 and o["constraints"]["ordered"] == ["web<code"]')"
$optimize --fit h --ordered 'phase_1_web<phase_0_web' --json > o.json 2> /dev/null
same "with columns, too" True "$(value o.json 'o["mixture"]["phase_1_web"] <= o["mixture"]["phase_0_web"] + 1e-6 and o["constraints"]["ordered"] == ["phase_1_web<phase_0_web"]')"
try "and no others" 2 'unknown domain "cod"' $optimize --fit h --ordered 'web<cod'
try "floors of phases that clash are named as they were typed" 1 "--floor phase_0_web=0.6, --floor phase_0_code=0.6 and the share of phase 0 (0.8) cannot all be kept" $optimize --fit h --floor phase_0_web=0.6 --floor phase_0_code=0.6
# ---- caps by epochs are of all phases together
printf 'web: 2G\ncode: 40G\n' > tokens.yaml
epochs="$REGMIX optimize --target x_loss --no-guard --fit h --tokens tokens.yaml --budget 20G --max-epochs 1.2 --replicates 20"
try "a cap by epochs over all phases" 0 "the cap by epochs holds down web (0.12), in all phases together. Without it the fit predicts" $epochs --out capped.yaml
try "on stdout, too" 0 "Held down by a cap by epochs: web (12.0 %), in all phases together. Without it" $epochs --out capped.yaml -q
$epochs --json > o.json 2> /dev/null
same "in the JSON" "[{'web': 0.12}, True, True, True]" "$(value o.json '[o["lifted_caps"]["caps"], o["lifted_caps"]["over_phases"], o["lifted_caps"]["gain"] > 0, abs(sum(p["share"] * p["mixture"]["web"] for p in o["phases"]) - 0.12) < 1e-6]')"
same "with what it follows from" "[20000000000.0, {'web': 2000000000.0, 'code': 40000000000.0}]" "$(value o.json '[o["budget"], o["tokens"]]')"
"$REGMIX" report --fit h --optimum capped.yaml --out capped.html > /dev/null 2>&1
same "on the page" "1 1" "$(grep -c 'A cap by epochs holds down web (12.0 %), in all phases together' capped.html) $(grep -c '"budget_tokens":2e10' capped.html)"

# ---- nodes: a name of a phase counts within it, other names over all phases. x matters at the end.
awk 'BEGIN { srand(5); print "name,phase_0_web,phase_0_x:code,phase_0_x:books,phase_1_web,phase_1_x:code,phase_1_x:books,size" > "t.csv"; print "name,x_loss" > "u.csv"
  for (i = 0; i < 40; i++) { a = rand(); b = rand(); c = rand(); d = rand()
    printf "r%d,%.6f,%.6f,%.6f,%.6f,%.6f,%.6f,%d\n", i, a, (1 - a) * c, (1 - a) * (1 - c), b, (1 - b) * d, (1 - b) * (1 - d), i > "t.csv"
    printf "r%d,%.6f\n", i, 3 - (1.02 - b) ^ 0.5 - 0.2 * (0.02 + a) ^ 0.5 - 0.1 * d > "u.csv" } }'
try "a tree in phases" 0 "40 runs" "$REGMIX" fit --mixtures t.csv --metrics u.csv --phases 0.8,0.2 --out tree
# keeps OPTION VALUE CONDITION [MORE]: of o, x(k) and w(k, domain) within phase k, s(domain) of all tokens
keeps() {
  # shellcheck disable=SC2086
  $optimize --fit tree "$1" "$2" ${4-} --json > o.json 2> stderr.txt || cat stderr.txt
  same "$1 $2${4-}" True "$(python3 -c 'import json, sys
p = json.load(open("o.json"))["phases"]
constraints = json.load(open("o.json"))["constraints"]
w = lambda k, d: p[k]["mixture"][d]
x = lambda k: w(k, "x:code") + w(k, "x:books")
s = lambda f: sum(p[k]["share"] * f(k) for k in (0, 1))
near = lambda a, b: abs(a - b) < 1e-4
print(eval(sys.argv[1]))' "$3")"
}
keeps --cap x:code=0.9 'x(1) > 0.8'
keeps --cap phase_1_x=0.3 'near(x(1), 0.3) and near(constraints["share"]["phase_1_x"]["high"], 0.06)'
keeps --cap phase_1_x=0.3 'x(1) < 0.3001' ' --method simulate'
keeps --fix phase_1_x=0.1 'near(x(1), 0.1)'
keeps --floor phase_1_x=0.5 'x(1) > 0.8'
keeps --floor phase_0_x=0.9 'x(0) > 0.8999'
keeps --cap x=0.1 'near(s(x), 0.1)'
keeps --cap x=0.5 'near(s(x), 0.1) and sorted(constraints["share"]) == ["phase 0", "x", "x (2)"]' ' --share x=0.9:web'
keeps --share x=0.1 'near(s(x), 0.1)'
keeps --share some=0.4..0.5:phase_1_x:code,phase_1_x:books 'near(x(1), 0.5)'
keeps --share some=0.4..0.5:phase_0_web,phase_1_web '0.3999 < s(lambda k: w(k, "web")) < 0.5001'
keeps --share some=0.05..0.1:x:code,x:books 'near(s(x), 0.1)'
keeps --ordered 'phase_0_web<phase_1_x' 'w(0, "web") > 0.7'
keeps --ordered 'phase_0_web<phase_1_web' 'near(w(0, "web"), w(1, "web"))'
keeps --ordered 'phase_0_web<phase_1_web' 'w(0, "web") < w(1, "web") + 1e-4' ' --method simulate --samples 2k'
keeps --ordered 'phase_1_x<phase_0_x' 'near(x(0), x(1))'
keeps --fix phase_1_web=0.3 'all(w(k, d) < 1e-9 or w(k, d) > 0.0999 for k in (0, 1) for d in p[k]["mixture"]) and near(w(1, "web"), 0.3)' ' --drop-below 0.1'
keeps --drop-below 0.3 'all(w(k, d) < 1e-9 or w(k, d) > 0.2999 for k in (0, 1) for d in p[k]["mixture"]) and w(1, "x:code") > 0.6'
keeps --drop-below 0.6 'all(max(p[k]["mixture"].values()) > 0.9999 for k in (0, 1))'
keeps --ordered 'web<x' 's(lambda k: w(k, "web")) < 0.5001'
"$REGMIX" suggest -q -n 3 --fit tree --target x_loss --no-curve --cap phase_1_x=0.3 --out next.csv > /dev/null 2>&1
same "suggested runs keep it" 3 "$(awk -F, 'NR > 1 && $6 + $7 < 0.06 + 1e-6 || NR > 1 && $6 + $7 > 0.2 && $6 + $7 < 0.3 + 1e-6' next.csv | wc -l | tr -d ' ')"
$optimize --fit tree --cap phase_1_x=0.3 --out kept.yaml > /dev/null 2>&1
same "and so does an export" 0.30 "$("$REGMIX" export --mixture kept.yaml --to csv --phase 1 2> /dev/null | awk -F, '/^x:/ { s += $2 } END { printf "%.2f", s }')"
sed 's/^optimize: .*//' exp/regmix.yaml > plain.yaml
for key in "cap: [phase_1_a=0.2]" "ordered: ['phase_0_a<phase_1_b']" "share: ['s=0..0.5:phase_0_a,phase_1_a']" "floor: [a=0.1]"; do
  { cat plain.yaml; echo "optimize: {$key}"; } > exp/regmix.yaml
  try "check knows $key" 0 "" "$REGMIX" check -C exp
done
{ cat plain.yaml; echo 'optimize: {fix: [phase_1_c=0.2]}'; } > exp/regmix.yaml
try "and a name that is none" 1 'unknown domain "phase_1_c"' "$REGMIX" check -C exp
{ cat plain.yaml; echo 'optimize: {floor: [phase_1_a=0.6, phase_1_b=0.6]}'; } > exp/regmix.yaml
try "and bounds that clash" 1 "--floor phase_1_a=0.6" "$REGMIX" check -C exp

printf 'web: 10M\ncode: 1G\n' > tokens.yaml
$optimize --fit h --tokens tokens.yaml --budget 1G --max-epochs 10 --json > o.json 2> /dev/null
same "caps by epochs hold over all phases" True "$(value o.json 'abs(sum(p["share"] * p["mixture"]["web"] for p in o["phases"]) - 0.1) < 1e-3')"
"$REGMIX" predict --fit h --mixtures p.csv > predicted.csv 2> /dev/null
same "predictions of the same table" True "$(python3 -c 'import csv
p = {r["run"]: float(r["x_loss"]) for r in csv.DictReader(open("predicted.csv"))}
print(all(abs(p[r["name"]] - float(r["x_loss"])) < 0.02 for r in csv.DictReader(open("l.csv"))))')"
sed 's/phase_1/phase_3/g' p.csv > gap.csv
try "a phase that is left out" 1 "none of phase 1" "$REGMIX" fit --mixtures gap.csv --metrics l.csv --out never
awk -F, -v OFS=, 'NR > 1 { $2 = $2 / 2 } 1' p.csv > half.csv
try "a phase that does not sum to 1" 1 "the weights of phase 0 sum to" "$REGMIX" fit --mixtures half.csv --metrics l.csv --out never
done_testing
