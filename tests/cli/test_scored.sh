#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Rows of metrics.csv belong to the mixtures that they were measured with. mixtures.csv is not
# replaced under them without a question, and a fit never joins them with other mixtures.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# ---- runs that were trained elsewhere
make_corpus mine 120
sed -i 's/runs: [0-9]*/runs: 12/' mine/regmix.yaml
"$REGMIX" prepare -q -C mine 2> /dev/null
"$REGMIX" sample -q -C mine
cp mine/mixtures.csv drawn.csv
awk -F, 'NR == 1 { print "run,exam_acc" } NR > 1 { printf "%s,%.4f\n", $1, 0.3 + 0.1 * $3 }' drawn.csv > mine/metrics.csv
cp -r mine early
try "other settings: a script stops" 1 "12 rows of yours in metrics.csv would no longer be used (the mixtures would be drawn again); they would be set aside" "$REGMIX" sample -C mine --set seed=7
same "and mixtures.csv stays" "$(cat drawn.csv)" "$(cat mine/mixtures.csv)"
try "so does run" 1 "12 rows of yours in metrics.csv" "$REGMIX" run -C mine --set seed=7
try "with --redo the former table is kept" 0 "the former mixtures.csv is kept as mine/.set-aside/" "$REGMIX" sample -C mine --set seed=7 --redo
same "as it was" "$(cat drawn.csv)" "$(cat mine/.set-aside/*-mixtures.csv)"
try "no fit joins scores with mixtures that they are not of" 1 "all 12 rows (0001, 0002, 0003, ...) were measured with other mixtures than mixtures.csv has now" "$REGMIX" fit -C mine
try "the settings of before: nothing is asked of rows that come back" 0 "" "$REGMIX" sample -C mine
same "the same mixtures" "$(cat drawn.csv)" "$(cat mine/mixtures.csv)"
try "and the fit takes the rows" 0 "on 12 runs" "$REGMIX" fit -C mine

cp -r mine kept
try "gc names the tables, and keeps them" 0 "kept, since they may be the only copies of what you measured or trained on:" "$REGMIX" gc -C kept
same "both" 2 "$(ls kept/.set-aside/*-mixtures.csv | wc -l | tr -d ' ')"
mkdir -p kept/.set-aside/0123/corpus; echo '{}' > kept/.set-aside/0123/corpus/corpus.json
try "and deletes the rest" 0 "1 corpus" "$REGMIX" gc -C kept
same "of it" 2 "$(ls kept/.set-aside | wc -l | tr -d ' ')"

# ---- mixtures.csv that the user changed
"$REGMIX" sample -q -C early --set seed=7 --redo > /dev/null 2>&1; mv early/mixtures.csv other.csv
cp drawn.csv early/mixtures.csv
"$REGMIX" fit -q -C early > /dev/null 2>&1
{ head -9 drawn.csv; sed -n '10,$p' other.csv; } > early/mixtures.csv
try "rows of other mixtures are left out" 0 "4 rows (0009, 0010, 0011, ...) were measured with another mixture than mixtures.csv has now under their names, and are left out" "$REGMIX" fit -C early
printed "the others are fitted" "on 8 runs"
sed -i 's/^0009,.*/0009,0.4567/' early/metrics.csv
try "one that was measured again is fitted" 0 "on 9 runs" "$REGMIX" fit -C early
cp drawn.csv mine/mixtures.csv; "$REGMIX" fit -q -C mine > /dev/null 2>&1
awk -F, -v OFS=, 'NR > 1 { for (j = 2; j <= NF; j++) $j = sprintf("%.3f", $j) } { print }' drawn.csv > mine/mixtures.csv
try "a table that a spreadsheet rounded has the same mixtures" 0 "on 12 runs" "$REGMIX" fit -C mine

# ---- rows leave with their mixtures, and come back with them
rm -rf back; cp -r mine back; cp drawn.csv back/mixtures.csv
awk -F, 'NR == 1 { print "run,exam_acc" } NR > 1 { printf "%s,%.4f\n", $1, 0.3 + 0.1 * $3 }' drawn.csv > back/metrics.csv
"$REGMIX" train -q -C back
sed 's/^0002,.*/0002,0.1,0.2,0.7/; s/^0005,.*/0005,0.7,0.1,0.2/' drawn.csv > back/mixtures.csv
try "other mixtures of two rows are trained" 0 "2 runs done" "$REGMIX" train -C back
printed "and said" "what you added to 2 rows (0002, 0005) was measured on runs"
same "their rows are those of the runs" "" "$(grep '^000[25],' back/metrics.csv | cut -d, -f6)"
cp drawn.csv back/mixtures.csv
try "the former mixtures: the rows are back" 0 "2 rows of yours (0002, 0005) are back in metrics.csv" "$REGMIX" train -C back --redo
same "with their scores" "$(sort mine/metrics.csv | grep '^00')" "$(grep '^00' back/metrics.csv | cut -d, -f1,6 | sort)"
"$REGMIX" train -C back > stdout 2> stderr
not_printed "once" "back in metrics.csv"
try "other settings of the proxies do not touch them" 0 "runs 0001, 0002, 0003, ... have a row that you added" "$REGMIX" train -C back --set proxy.lr=0.01 --redo
try "the fit is of all" 0 "on 12 runs" "$REGMIX" fit -C back

# ---- rows that a draw would give a mixture
cp drawn.csv mine/mixtures.csv
echo 0013,0.9 >> mine/metrics.csv
try "more runs would take the name of a row" 1 "1 row of yours in metrics.csv would no longer be used" "$REGMIX" sample -C mine --set sample.runs=14
"$REGMIX" sample -q -C mine --set sample.runs=14 --redo
try "such a row gets no mixture" 0 "1 row (0013) was measured with another mixture" "$REGMIX" fit -C mine

# ---- runs that regmix trained: phases
make_corpus exp 120
"$REGMIX" prepare -q -C exp 2> /dev/null; "$REGMIX" sample -q -C exp
try "an experiment" 0 "6 runs done" "$REGMIX" train -C exp
cp exp/mixtures.csv drawn.csv
for command in sample run; do
  try "phases: $command stops before it writes" 1 "6 finished runs" "$REGMIX" $command -C exp --set sample.phases=0.5,0.5
  same "and mixtures.csv stays" "$(cat drawn.csv)" "$(cat exp/mixtures.csv)"
done
try "train says which of the two has no phases" 1 "each run has one mixture, but sample.phases has 2 shares; \`regmix sample\` draws" "$REGMIX" train -C exp --set sample.phases=0.5,0.5
rm exp/scored.json
"$REGMIX" sample -q -C exp --set sample.phases=0.5,0.5 --redo
try "no fit of one mixture's losses to mixtures of phases" 1 "all 6 rows (0001, 0002, 0003, ...) were measured with other mixtures" "$REGMIX" fit -C exp --set sample.phases=0.5,0.5
"$REGMIX" train -q -C exp --set sample.phases=0.5,0.5 --redo
try "and which has some" 1 "the runs have mixtures of 2 phases, but sample.phases is not set" "$REGMIX" train -C exp
try "the runs of phases are fitted" 0 "on 6 runs" "$REGMIX" fit -C exp --set sample.phases=0.5,0.5
rm exp/scored.json
try "without phases again: nothing is asked, since the runs come back" 0 "the former mixtures.csv is kept" "$REGMIX" sample -C exp
try "their losses are those of phases until train writes them" 1 "all 6 rows" "$REGMIX" fit -C exp
"$REGMIX" train -q -C exp
try "then the fit takes them" 0 "on 6 runs" "$REGMIX" fit -C exp

# ---- the words of the questions
cp -r exp one; sed -i '3,$d' one/mixtures.csv; "$REGMIX" train -q -C one --redo
echo one more document of b >> one/text/b.txt
"$REGMIX" prepare -q -C one --redo
try "one run is one" 1 "1 finished run, which took" "$REGMIX" train -C one
printed "what changed is called as the config calls it" "would no longer be used (changed: the corpus); it would be set aside, not deleted, and used again"
done_testing
