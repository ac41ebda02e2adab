#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The methods of regmix compare that train proxies of their own choice: each works, keeps to the budget, says what it lacks
# before any training, and goes on where it was killed.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
make_corpus exp 60
methods=prior,ppl,mixmin,merge,law,climb
few="--seeds 1 --set sample.runs=20 --set law.mixtures=6"

# ---- refused before any training
try "too small a budget" 1 "raise --budget" "$REGMIX" compare -C exp --methods climb --budget 20ktokens
try "too little text for a band" 1 "raise ppl.keep" "$REGMIX" compare -C exp --methods ppl --set ppl.keep=1e-5
try "fewer mixtures than a law has parameters" 1 "law.mixtures=5" "$REGMIX" compare -C exp --methods law --set law.mixtures=4
if [ -e exp/large ] || [ -e exp/compare/climb-1-001 ]; then not_ok "and nothing was trained for any of these"; else ok "and nothing was trained for any of these"; fi

# ---- killed on the way, and begun again
cp -r exp straight
setsid "$REGMIX" compare -C exp --methods $methods $few > killed.txt 2>&1 &
pid=$!
i=0
while [ -z "$(find exp/compare -name result.json 2> /dev/null)" ] && [ $i -lt 300 ]; do sleep 0.1; i=$((i + 1)); done
kill -s KILL -- -$pid
wait $pid 2> /dev/null
code=$?
if [ $code -eq 137 ]; then ok "the kill hit, with some of its runs done"; else not_ok "the kill hit, with some of its runs done" "exit $code: $(cat killed.txt)"; fi
# shellcheck disable=SC2086
try "goes on after a kill" 0 '"climb"' "$REGMIX" compare -C exp --methods $methods $few --json
cp "$SCRATCH/stdout" again.json
# shellcheck disable=SC2086
try "as if never stopped" 0 '"climb"' "$REGMIX" compare -C straight --methods $methods $few --json
cp "$SCRATCH/stdout" straight.json
# json NAME EXPRESSION: a truth about the methods `m` of the straight run, `a` of the one that was killed, all of it `o`
json() {
  if python3 -c "import json, sys; o = json.load(open('straight.json')); m = o['methods']; a = json.load(open('again.json'))['methods']; sys.exit(0 if ($2) else 1)"; then ok "$1"; else not_ok "$1" "$(head -c 3000 straight.json)"; fi
}
json "the same mixtures, losses and FLOPs" "all(m[k]['weights'] == a[k]['weights'] and m[k]['loss_nats'] == a[k]['loss_nats'] and m[k]['search_flops'] == a[k]['search_flops'] for k in m)"
json "all within the budget" "all(0.8 * o['budget_flops'] < m[k]['search_flops'] <= o['budget_flops'] for k in ('ppl', 'mixmin', 'merge', 'law', 'climb'))"
json "weights are mixtures" "all(abs(sum(x['weights'].values()) - 1) < 1e-9 for x in m.values())"
json "a mixing law has a minimum, CLIMB a track of three rounds" "m['law']['notes']['mixtures'] == 6 and len(m['climb']['notes']['track']) == 3"
json "half of the tokens were kept" "abs(m['ppl']['notes']['kept_share'] - 0.5) < 0.01"

# ---- the whole band is the corpus
# shellcheck disable=SC2086
try "the whole band" 0 '"ppl"' "$REGMIX" compare -C straight --methods prior,ppl $few --set ppl.keep=1 --redo --json
cp "$SCRATCH/stdout" straight.json
json "is plain training" "m['ppl']['loss_nats'] == m['prior']['loss_nats'] and m['ppl']['weights'] == m['prior']['weights'] and m['ppl']['search_flops'] > 0"
done_testing
