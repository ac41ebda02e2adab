#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A finished run is found by what it is, whatever its name was: nothing is trained again, and nothing
# goes out of use, where only names changed.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

make_corpus exp 120
echo 'swarms: {long: {tokens: 16k, runs: 3}}' >> exp/regmix.yaml
"$REGMIX" prepare -q -C exp 2> /dev/null; "$REGMIX" sample -q -C exp
try "an experiment" 0 "3 runs done" "$REGMIX" train -C exp
sed -i '1s/$/,human/; 2,$s/$/,0.7/; 3s/0.7$/0.8/' exp/metrics.csv
"$REGMIX" train -q -C exp
cp exp/metrics.csv ours.csv; cp exp/evaluations.csv evaluations.csv; cp exp/mixtures.csv drawn.csv
results() { cat $1/runs/*/result.json | grep wall_s | sort; }
whole=$(results exp)

# ---- what a spreadsheet does to the names
sed 's/^000//' drawn.csv > exp/mixtures.csv
try "a dry run would train nothing" 0 "Nothing needs to be done" "$REGMIX" train -C exp --dry-run
same "and moves nothing" "$whole" "$(results exp)"
if [ -e exp/runs/0001 ]; then ok "the folders stay"; else not_ok "the folders stay"; fi
try "nothing is trained, and nothing is asked" 0 "9 runs (1, 2, 3, ...) were finished under other names; they are not trained again" "$REGMIX" train -C exp
not_printed "none is unused" "no longer used"
same "they are the same results" "$whole" "$(results exp)"
same "the table has the new names, and what was added" "$(sed 's/^000//' ours.csv)" "$(cat exp/metrics.csv)"
same "so have the evaluations" "$(sed 's/^000//; s/^long-000/long-/' evaluations.csv)" "$(cat exp/evaluations.csv)"
try "gc has nothing to delete" 0 "nothing was set aside" "$REGMIX" gc -C exp --dry-run
cp drawn.csv exp/mixtures.csv
try "and back" 0 "9 runs (0001, 0002, 0003, ...) were finished under other names" "$REGMIX" train -C exp
same "the same table" "$(cat ours.csv)" "$(cat exp/metrics.csv)"

# ---- names that changed places
sed -i '/^swarms/d' exp/regmix.yaml
"$REGMIX" train -q -C exp --redo
whole=$(results exp)
awk -F, -v OFS=, 'NR > 1 { $1 = sprintf("%04d", (NR - 1) % 6 + 1) } { print }' drawn.csv > exp/mixtures.csv
try "each mixture has the name of another one" 0 "6 runs (0002, 0003, 0004, ...) were finished under other names" "$REGMIX" train -C exp
same "the same results" "$whole" "$(results exp)"
same "each with what was added to it" "$(sed -n 3p ours.csv | cut -d, -f2-)" "$(grep '^0003,' exp/metrics.csv | cut -d, -f2-)"
cp drawn.csv exp/mixtures.csv
"$REGMIX" train -q -C exp

# ---- the name of a swarm
echo 'swarms: {large: {tokens: 16k, runs: 3}}' >> exp/regmix.yaml
try "a swarm with another name" 0 "3 runs (large-0001, large-0002, large-0003) were finished under other names" "$REGMIX" train -C exp

# ---- other runs stay what they are
cp drawn.csv exp/mixtures.csv; sed -i '/^swarms/d' exp/regmix.yaml
"$REGMIX" train -q -C exp --redo
sed 's/^0001,.*/1,0.1,0.2,0.7/' drawn.csv > exp/mixtures.csv
try "a new name with another mixture is a new run: a script stops" 1 "1 finished run, which took" "$REGMIX" train -C exp
try "with --redo it is trained" 0 "1 run done" "$REGMIX" train -C exp --redo
done_testing
