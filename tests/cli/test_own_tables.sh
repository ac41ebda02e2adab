#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `regmix train` writes its tables again. Rows and columns that a user added stay in them. Where a user changed numbers, the
# changed file is kept, and a warning names it.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
former() { find "$1" -path '*.set-aside*' -name "*-$2"; }

make_corpus exp 120
"$REGMIX" prepare -q -C exp 2> /dev/null; "$REGMIX" sample -q -C exp
try "an experiment" 0 "6 runs done" "$REGMIX" train -C exp
cp exp/metrics.csv ours.csv
same "twice: the same table" "$(cksum < ours.csv)" "$("$REGMIX" train -q -C exp; cksum < exp/metrics.csv)"

# ---- columns and rows that the user adds
for name in metrics.csv metrics-half.csv evaluations.csv; do
  sed -i.bak '1s/$/,human,"b, c"/; 2,$s/$/,0.7,3/' exp/$name
  cp exp/$name extended-$name
done
try "train says that it keeps columns" 0 "2 columns that you added to metrics.csv are kept (human, b, c)" "$REGMIX" train -C exp
for name in metrics.csv metrics-half.csv evaluations.csv; do
  same "$name keeps them" "$(cat extended-$name)" "$(cat exp/$name)"
done
try "and again, when regmix wrote them itself" 0 "human, b, c" "$REGMIX" train -C exp
same "they stay" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
cp ours.csv exp/metrics.csv
"$REGMIX" train -q -C exp
same "removed columns stay away" "$(cat ours.csv)" "$(cat exp/metrics.csv)"

# ---- the runs that `regmix suggest` has the user train
echo 0007,0.3,0.3,0.4 >> exp/mixtures.csv
echo 0007,5.5,5.6,5.7,5.8 >> exp/metrics.csv
try "a run with a row of the user's is not trained" 0 "run 0007 has a row that you added to metrics.csv" "$REGMIX" train -C exp
same "its numbers stay" 0007,5.5,5.6,5.7,5.8 "$(tail -n 1 exp/metrics.csv)"
try "the fit takes it" 0 "on 7 runs" "$REGMIX" fit -C exp
not_printed "without a warning" "present settings do not use"
try "and once more" 0 "1 row that you added to metrics.csv is kept (0007)" "$REGMIX" train -C exp
same "the table is ours and that row" "$(cat ours.csv; echo 0007,5.5,5.6,5.7,5.8)" "$(cat exp/metrics.csv)"
if [ -e exp/runs/0007 ]; then not_ok "nothing was trained"; else ok "nothing was trained"; fi
sed 2q ours.csv | tail -n 1 | sed 's/,[^,]*$/,9.5/' >> exp/metrics.csv
"$REGMIX" train -q -C exp
same "a second row of a run, for another seed, stays" 2 "$(grep -c '^0001,' exp/metrics.csv)"
cp ours.csv exp/metrics.csv
sed -i.bak '$d' exp/mixtures.csv

# ---- numbers that were changed
"$REGMIX" train -q -C exp
sed '3s/,[0-9.]*,/,2.5,/' ours.csv > exp/metrics.csv
cp exp/metrics.csv changed.csv
try "fit says which numbers were changed" 0 "the numbers of 1 run are not those that" "$REGMIX" fit -C exp
printed "with the name of the run" "(0002)"
try "so does check" 1 "problem: metrics.csv: the numbers of 1 run" "$REGMIX" check -C exp
try "train writes the results again, and says so" 0 "numbers of 1 run were changed since" "$REGMIX" train -C exp
same "they are the results" "$(cat ours.csv)" "$(cat exp/metrics.csv)"
same "the changed file is kept" "$(cat changed.csv)" "$(cat "$(former exp metrics.csv)")"
"$REGMIX" train -C exp > stdout 2> stderr
not_printed "told once" "were changed"
sed 's/,\([0-9]\)\.\([0-9]*\)/,\1.\20/g' ours.csv > exp/metrics.csv
try "other digits of a number are no change" 0 "" "$REGMIX" fit -C exp
not_printed "and no warning" "are not those"
"$REGMIX" train -q -C exp
rm -r exp/.set-aside
echo "not, a, table" > exp/metrics.csv; printf '1\n' >> exp/metrics.csv
try "what cannot be read is kept too" 0 "the former file is kept as" "$REGMIX" train -C exp
same "whole" "not, a, table 1" "$(tr '\n' ' ' < "$(former exp metrics.csv)" | sed 's/ $//')"

rm -r exp/.set-aside
sed '1s/$/,note/; 2,$s/$/,good/' ours.csv > exp/metrics.csv
cp exp/metrics.csv noted.csv
try "so is a column of text, which no other command would read" 0 '"good" is not a number; it is written again' "$REGMIX" train -C exp
same "as it was" "$(cat noted.csv)" "$(cat "$(former exp metrics.csv)")"

# ---- of an earlier version, which kept no record
cp ours.csv exp/metrics.csv; rm -r exp/.set-aside exp/metrics-half.csv exp/evaluations.csv
"$REGMIX" train -q -C exp
rm exp/tables.json
"$REGMIX" train -C exp > stdout 2> stderr
not_printed "no record: the same table is no news" "former file"
rm exp/tables.json
cp extended-metrics.csv exp/metrics.csv
try "no record: a column that no result has is the user's" 0 "2 columns that you added to metrics.csv are kept (human, b, c)" "$REGMIX" train -C exp
same "it stays" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
rm exp/tables.json
sed 's/^0003,[0-9]/&9/' extended-metrics.csv > exp/metrics.csv
cp exp/metrics.csv changed.csv
try "no record: so is a row that is no result" 0 "1 row that you added to metrics.csv is kept (0003)" "$REGMIX" train -C exp
same "with its numbers" "$(grep '^0003,' changed.csv)" "$(grep '^0003,' exp/metrics.csv)"
rm exp/tables.json
sed 's/\(\.[0-9]\{7\}\)[0-9]*/\1/g' extended-metrics.csv > exp/metrics.csv
"$REGMIX" train -C exp > stdout 2> stderr
not_printed "no record: a result with fewer digits is one" "1 row that you added"
same "it is written in full" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
cp ours.csv exp/metrics.csv
"$REGMIX" train -q -C exp

# ---- all metrics are the user's: no run is trained in their place
cp -r exp alone; rm -r alone/runs alone/metrics.csv alone/metrics-half.csv alone/evaluations.csv alone/tables.json
awk -F, 'NR == 1 { print "run,exam_acc" } NR > 1 { print $1 ",0." 30 + NR }' exp/mixtures.csv > alone/metrics.csv
cp alone/metrics.csv alone.csv
try "a dry run would train nothing" 0 "each of the 6 runs has a row that you added to metrics.csv" "$REGMIX" train -C alone --dry-run
printed "and says so" "Nothing needs to be done"
try "train trains nothing" 0 "runs 0001, 0002, 0003, ... have a row that you added to metrics.csv, so they are not trained" "$REGMIX" train -C alone
same "the table is as it was" "$(cat alone.csv)" "$(cat alone/metrics.csv)"
if [ -e alone/runs ]; then not_ok "no run was begun"; else ok "no run was begun"; fi
try "the fit is of it" 0 "1 metric on 6 runs" "$REGMIX" fit -C alone
sed -i.bak '/^000[25],/d' alone/metrics.csv
try "runs without a row are trained" 0 "2 runs done" "$REGMIX" train -C alone
same "the rows of the user stay" "$(grep -c ',0.3[0-9]$' alone/metrics.csv)" 4
echo 'elsewhere,,,,,0.5' >> alone/metrics.csv
rm alone/tables.json
try "rows under names of the user's too" 0 "5 rows that you added to metrics.csv are kept" "$REGMIX" train -C alone
same "with their numbers" "elsewhere,,,,,0.5" "$(tail -n 1 alone/metrics.csv)"
rm alone/tables.json
sed 's/$/,x/' alone.csv > alone/metrics.csv
cp alone/metrics.csv text.csv
rm -r alone/runs
try "columns of text: the runs are the user's too" 0 "so they are not trained" "$REGMIX" train -C alone
same "it is as it was" "$(cat text.csv)" "$(cat alone/metrics.csv)"
try "the fit reads it" 0 "1 metric on 6 runs" "$REGMIX" fit -C alone
sed -i '$d' alone/metrics.csv; cp alone/metrics.csv text.csv
try "where a run would be added, train stops first" 1 "\`regmix train\` would write into metrics.csv, which another program wrote, and it is not a table of numbers: mend it, or move it away: " "$REGMIX" train -C alone
same "and nothing is changed" "$(cat text.csv)" "$(cat alone/metrics.csv)"
if [ -e alone/runs ]; then not_ok "no run was begun"; else ok "no run was begun"; fi

# ---- what was added to a run comes back with it
sed '1s/$/,human/; 2,$s/$/,0.7/' ours.csv > exp/metrics.csv
sed -i.bak '1s/$/,human/; 2,$s/$/,0.6/' exp/evaluations.csv
cp exp/metrics.csv extended-metrics.csv; cp exp/evaluations.csv extended-evaluations.csv
"$REGMIX" train -q -C exp
try "other settings: it is put away" 0 "what you added to 6 rows of metrics.csv (0001, 0002, 0003, ...) was measured on runs that are not in use now; it is kept in tables.json" "$REGMIX" train -C exp --set proxy.lr=0.01 --redo
not_printed "and the column is not called kept" "is kept (human)"
same "its column with it" "" "$(head -n 1 exp/metrics.csv | grep human)"
"$REGMIX" gc -q -C exp --dry-run > /dev/null 2>&1
try "the former settings: it is back" 0 "1 column that you added to metrics.csv is kept (human)" "$REGMIX" train -C exp --redo
same "as it was" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
same "in evaluations.csv too" "$(cat extended-evaluations.csv)" "$(cat exp/evaluations.csv)"
same "and nothing is kept twice" "" "$(grep former exp/tables.json)"

# ---- names that a spreadsheet changed
sed 's/^000//' extended-metrics.csv > exp/metrics.csv
"$REGMIX" train -C exp > stdout 2> stderr
not_printed "a row of 1 is that of 0001" "row that you added"
same "with what was added" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
{ cat ours.csv; sed 1d extended-metrics.csv | sed 's/^000//'; } | awk -F, 'NR == 1 { print $0 ",human" } NR > 1 { print NF == 5 ? $0 "," : $0 }' > exp/metrics.csv
try "the fit joins both rows of a run" 0 "6 rows of exp/metrics.csv (1, 2, 3, ...) are joined by number" "$REGMIX" fit -C exp
not_printed "they are of present runs" "present settings do not use"
"$REGMIX" train -q -C exp
same "also beside the row of that run" "$(cat extended-metrics.csv)" "$(cat exp/metrics.csv)"
cp ours.csv exp/metrics.csv
cp exp/evaluations.csv evaluations.csv; sed 's/,[^,]*$//' evaluations.csv > exp/evaluations.csv
"$REGMIX" train -q -C exp

# ---- runs that go out of use take their rows along
"$REGMIX" train -q -C exp --set sample.runs=4 > /dev/null 2>&1
"$REGMIX" sample -q -C exp --set sample.runs=4 --redo > /dev/null 2>&1
"$REGMIX" train -C exp --redo --set sample.runs=4 > stdout 2> stderr
not_printed "rows of regmix are no rows of the user's" "you added"
same "four runs are left" 5 "$(wc -l < exp/metrics.csv | tr -d ' ')"

# ---- what was measured on a run is not taken for a measurement of another run of its name
rm -rf exp/.set-aside
echo 0009,0.3,0.3,0.4 >> exp/mixtures.csv
sed -i.bak '1s/$/,human/; 2,$s/$/,0.7/' exp/metrics.csv
echo 0009,5.5,5.6,5.7,5.8,0.9 >> exp/metrics.csv
"$REGMIX" train -q -C exp
cp exp/metrics.csv before.csv
sed -i.bak 's/^0002,.*/0002,0.1,0.2,0.7/; s/^0009,.*/0009,0.6,0.2,0.2/' exp/mixtures.csv
try "fit: the user's row is of another mixture than today's" 0 "(0002, 0009)" "$REGMIX" fit -C exp
try "train: what was added to two rows is left out" 0 "what you added to 1 row (0009) was measured on runs" "$REGMIX" train -C exp --redo
printed "and kept where it can come back" "what you added to 1 row of metrics.csv (0002) was measured"
same "the former file has it" "$(cat before.csv)" "$(cat "$(former exp metrics.csv)")"
same "the value of another mixture is gone" "" "$(grep '^0002,' exp/metrics.csv | cut -d, -f6)"
same "the others stay" 0.7 "$(grep '^0001,' exp/metrics.csv | cut -d, -f6)"
if [ -e exp/runs/0009 ]; then ok "the run is trained"; else not_ok "the run is trained"; fi
sed -i.bak '/^0003,/d' exp/mixtures.csv
try "what was added to a run that is no more is not lost" 0 "what you added to 1 row of metrics.csv (0003)" "$REGMIX" train -C exp --redo
"$REGMIX" train -C exp > stdout 2> stderr
not_printed "the note about it is printed once" "what you added to 1 row"
done_testing
