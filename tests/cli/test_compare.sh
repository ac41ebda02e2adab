#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# regmix compare --methods: what it prints and writes, what it refuses before any training, and that it resumes.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60

# ---- refused before any training
try "an unknown method names the nearest" 2 'did you mean "regmix"' "$REGMIX" compare -C exp --methods regmi
try "a method twice" 2 '"prior" is given twice' "$REGMIX" compare -C exp --methods prior,uniform,prior
try "human without a mixture says how to give one" 1 "compare.human=mine.yaml" "$REGMIX" compare -C exp --methods prior,human
try "a cap that cannot hold" 1 "unimax.epochs=" "$REGMIX" compare -C exp --methods unimax --set unimax.epochs=0.001
try "trees too few runs for" 1 "6 runs cannot be split even once" "$REGMIX" compare -C exp --methods regmix,regmix-paper
try "a budget that is nothing" 2 "compare.budget" "$REGMIX" compare -C exp --methods prior --budget -5
try "a budget in words" 2 "compare.budget" "$REGMIX" compare -C exp --methods prior --budget much
if [ -e exp/large ] || [ -e exp/runs ]; then not_ok "and nothing was trained for any of these"; else ok "and nothing was trained for any of these"; fi

# ---- a comparison
try "methods and mixtures with names" 0 "single-a" "$REGMIX" compare -C exp --methods regmix,prior,olmix --methods uniform,single:a
try "the mixtures found are files, which export takes" 0 "\"noise\": 0.0" "$REGMIX" export -C exp --mixture exp/compare/regmix.yaml --to json
try "and pretrain" 0 "exam" "$REGMIX" pretrain -C exp --mixture exp/compare/olmix.yaml
try "--json prints them" 0 '"methods"' "$REGMIX" compare -C exp --methods regmix,prior,olmix,uniform,single:a --json
cp "$SCRATCH/stdout" methods.json
# json NAME EXPRESSION: a truth about the tree `o`
json() {
  if python3 -c "import json, sys; o = json.load(open('methods.json')); m = o['methods']; sys.exit(0 if ($2) else 1)"; then ok "$1"; else not_ok "$1" "$(head -c 2000 methods.json)"; fi
}
json "each has the keys of the contract" "all({'weights', 'target_loss', 'search_flops', 'converged'} <= set(x) and set(x['target_loss']) == {'mean', 'se', 'n'} for x in m.values())"
json "weights are mixtures" "all(abs(sum(x['weights'].values()) - 1) < 1e-9 for x in m.values())"
json "two seeds each" "all(x['target_loss']['n'] == 2 for x in m.values())"
json "what costs nothing cost nothing" "m['prior']['search_flops'] == 0 and m['single-a']['search_flops'] == 0"
json "the swarm is counted for each that fits it" "m['regmix']['search_flops'] == m['olmix']['search_flops'] > 0"
json "whole: the budget is just what the swarm takes" "abs(m['regmix']['search_flops'] / o['budget_flops'] - 1) < 1e-9"
json "all of a is all of a" "m['single-a']['weights']['a'] == 1"
json "the first is compared with itself" "m['regmix']['against_first']['mean'] == 0"
json "two seeds are too few for a verdict" "all(m[x]['against_first']['verdict'] == 'too few seeds to tell' and m[x]['against_first']['low'] is None for x in o['order'][1:])"
if grep -q single-a exp/report.html; then ok "compare writes the page anew"; else not_ok "compare writes the page anew"; fi
json "paired differences are differences" "abs(m['regmix']['target_loss']['mean'] + m['prior']['against_first']['mean'] - m['prior']['target_loss']['mean']) < 1e-9"
try "done is done" 0 "all 10 runs are done" "$REGMIX" compare -C exp --methods regmix,prior,olmix,uniform,single:a
try "half the budget fits half the swarm" 0 '"runs": 3' "$REGMIX" compare -C exp --methods regmix,prior --budget 40ktokens --json
try "a diverged method is a row that says so" 0 "diverged" "$REGMIX" compare -C exp --methods prior,uniform --seeds 1 --set large.lr=10 --set large.clip=0 --set large.weight_decay=10 --set large.tokens=64k --redo

# ---- one mixture is trained once, whatever names it has
cp exp/compare/prior.yaml exp/same.yaml
try "a mixture that has another name" 0 "same is the same mixture as prior, so it is trained once" "$REGMIX" compare -C exp --methods uniform,prior,same.yaml --json
cp "$SCRATCH/stdout" methods.json
json "has the same losses" "m['same']['same_as'] == 'prior' and 'same_as' not in m['prior'] and m['same']['target_loss'] == m['prior']['target_loss'] and m['same']['target_loss']['n'] == 2"
json "and is compared as it is" "m['same']['against_first']['mean'] == m['prior']['against_first']['mean']"
"$REGMIX" compare -C exp --methods prior,same.yaml --json > methods.json 2> /dev/null
json "with itself it is the same mixture" "m['same']['against_first']['verdict'] == 'the same mixture' and m['same']['against_first']['low'] is None"
"$REGMIX" fit -C exp > /dev/null 2>&1
"$REGMIX" optimize -C exp --set optimize.replicates=0 > /dev/null 2>&1
cp exp/optimum.yaml exp/mine.yaml
for option in --quick --no-guard "--method simulate" "--samples 500" "--replicates 30"; do
  # shellcheck disable=SC2086 # an option and its value
  try "another search is printed ($option)" 0 "optimum.yaml is not changed" "$REGMIX" optimize -C exp $option
done
if cmp -s exp/optimum.yaml exp/mine.yaml; then ok "and the answer to regmix.yaml stays"; else not_ok "and the answer to regmix.yaml stays" "$(diff exp/optimum.yaml exp/mine.yaml)"; fi
try "an optimum that is compared with itself" 0 "the same mixture" "$REGMIX" compare -C exp --set compare.against=mine.yaml --seeds 1
if [ -e exp/large/same ] || [ -e exp/large/mine ] || [ ! -e exp/large/optimum/1/result.json ]; then not_ok "and no model is trained twice" "$(ls exp/large)"; else ok "and no model is trained twice"; fi
try "no seed is no number of seeds" 2 "seeds" "$REGMIX" compare -C exp --seeds 0

# ---- help
try "help lists the methods" 0 "unimax" "$REGMIX" compare --help
try "the man page says which suits which question" 0 "Suits " "$REGMIX" man compare
done_testing
