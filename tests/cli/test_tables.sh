#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Small hostile tables through fit, score, predict and optimize: what is inferred, left out or refused is said.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# 20 runs of 3 domains. The accuracy rises with b, the losses fall with a; `plain` says nothing by its name.
awk 'BEGIN {
  s = 7
  print "run,a,b,c" > "m.csv"; print "run,gsm8k_acc" > "acc.csv"; print "run,x_val_loss,gsm8k_acc,plain" > "l.csv"
  for (i = 1; i <= 20; i++) {
    for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
    t = w[0] + w[1] + w[2]; a = sprintf("%.6f", w[0] / t); b = sprintf("%.6f", w[1] / t); c = sprintf("%.6f", 1 - a - b)
    loss = sprintf("%.6f", 3 - a); acc = sprintf("%.6f", 0.2 + 0.5 * b)
    print i "," a "," b "," c > "m.csv"; print i "," acc > "acc.csv"; print i "," loss "," acc "," loss > "l.csv"
  }
}'
fit() { "$REGMIX" fit --regressor ridge --set ridge.alpha=1e-6 "$@"; }
weight_of_b() { # FIT ARGS...: the optimum's weight of domain b, in per cent
  from=$1
  shift
  "$REGMIX" optimize --fit "$from" --samples 2000 --method search --set optimize.replicates=0 "$@" 2> /dev/null | awk '$1 == "b" { print int($2); exit }'
}
more_b() { # NAME FIT ARGS...: the optimum has more of b than the runs' mean
  name=$1
  shift
  w=$(weight_of_b "$@")
  [ "${w:-0}" -gt 45 ] && ok "$name" || not_ok "$name" "weight of b: $w %"
}
less_b() {
  name=$1
  shift
  w=$(weight_of_b "$@")
  [ "${w:-99}" -lt 20 ] && ok "$name" || not_ok "$name" "weight of b: $w %"
}

# ---- which way a metric is better
try "a score is known by its name" 0 "taken as a score, higher is better: gsm8k_acc" fit --mixtures m.csv --metrics acc.csv --out acc
grep -q '"direction_from": "name"' acc/fit.json && ok "and fit.json says how it is known" || not_ok "and fit.json says how it is known" "$(grep direction acc/fit.json)"
more_b "an accuracy of a CSV is raised" acc --target gsm8k_acc
more_b "also where it is the only metric" acc
try "a name that says nothing is lowered with a warning" 0 "1 of 3 metrics does not say by its name" fit --mixtures m.csv --metrics l.csv --out l
grep -q 'plain .*low?$' "$SCRATCH/stdout" && grep -q 'gsm8k_acc .*high$' "$SCRATCH/stdout" && grep -q 'x_val_loss .*low$' "$SCRATCH/stdout" &&
  ok "the table says the direction of each" || not_ok "the table says the direction of each" "$(cat "$SCRATCH/stdout")"
try "--higher-is-better takes a pattern" 0 "higher is better: gsm8k_acc, plain" fit --mixtures m.csv --metrics l.csv --out l --higher-is-better 'pl*'
try "and is then no assumption" 0 '"direction_from": "user"' cat l/fit.json
sed 's/gsm8k_acc/quality/' acc.csv > quality.csv
fit --mixtures m.csv --metrics quality.csv --out quality --higher-is-better quality -q > /dev/null 2>&1
more_b "a metric said to be a score is raised" quality
fit --mixtures m.csv --metrics acc.csv --out lowered --lower-is-better '*_acc' -q > /dev/null 2>&1
less_b "--lower-is-better is believed before the name" lowered
fit --mixtures m.csv --metrics quality.csv --out quality --set fit.higher_is_better=quality -q > /dev/null 2>&1
more_b "the config says it too" quality
try "a pattern that matches nothing is an error" 2 'higher_is_better "gsm9k*" matches none of the 1 metric (gsm8k_acc)' fit --mixtures m.csv --metrics acc.csv --out never --higher-is-better 'gsm9k*'
[ -e never ] && not_ok "and writes no fit" || ok "and writes no fit"
try "both ways is an error" 2 "matches both higher_is_better" fit --mixtures m.csv --metrics acc.csv --out never --higher-is-better '*acc' --lower-is-better 'gsm*'
try "a raised score is shown with its own sign" 0 "The fit predicts a score of 0." "$REGMIX" optimize --fit acc --quick
fit --mixtures m.csv --metrics l.csv --out plain -q > /dev/null 2>&1
try "suggest warns of an assumed direction" 0 "assumed that lower is better of plain" "$REGMIX" suggest -n 2 --fit plain --target plain --no-curve
try "--budget without --tokens is told" 0 "--budget changes nothing here" "$REGMIX" optimize --fit plain --target plain --quick --budget 1M
try "--pareto of one metric twice is misuse" 2 'both are "plain"' "$REGMIX" optimize --fit plain --pareto plain,plain
try "a folder without a fit names regmix fit" 1 'nofit: there is no fit.json in it; `regmix fit` makes one' "$REGMIX" optimize --fit nofit --target plain
try "an unknown --to is said before a bad mixture" 2 'no export format "nope"' "$REGMIX" export --to nope --mixture nothing.yaml
"$REGMIX" optimize --help > help.txt
[ "$(sed -n '/--replicates/,/--level/p' help.txt | grep -c default)" = 2 ] && ok "--help has one default of an option" || not_ok "--help has one default of an option" "$(cat help.txt)"

# ---- --out - is standard output
"$REGMIX" optimize --fit plain --target plain --quick --out - 2> /dev/null > out.yaml
[ "$(head -n 1 out.yaml | cut -c1)" = "#" ] && ! grep -q 'weight' out.yaml && ok "optimize --out - is the file alone" || not_ok "optimize --out - is the file alone" "$(cat out.yaml)"
for command in "suggest -n 2 --no-curve --fit plain --target plain" "sample --prior out.yaml --set sample.runs=2" \
  "export --mixture out.yaml --to csv" "report --fit plain"; do
  # shellcheck disable=SC2086
  "$REGMIX" $command --out - > out.txt 2> err.txt && [ -s out.txt ] && [ ! -e ./- ] && ok "--out - of ${command%% *}" || not_ok "--out - of ${command%% *}" "$(cat err.txt)"
done
for place in /dev/stdout /dev/fd/1 /proc/self/fd/1; do
  "$REGMIX" optimize --fit plain --target plain --quick --out $place 2> /dev/null | cmp -s - out.yaml && ok "--out $place is the same" || not_ok "--out $place is the same" "$("$REGMIX" optimize --fit plain --target plain --quick --out $place 2>&1)"
  try "not with --json" 2 "both want it" "$REGMIX" optimize --fit plain --target plain --out $place --json
done
echo notes > notes.txt
"$REGMIX" optimize --fit plain --target plain --quick --out /dev/stdout 2> /dev/null >> notes.txt
[ "$(head -1 notes.txt)" = notes ] && tail -n +2 notes.txt | cmp -s - out.yaml && ok "and is appended where the shell appends" || not_ok "and is appended where the shell appends" "$(cat notes.txt)"
try "--out - of a folder is misuse" 2 "a folder is written" fit --mixtures m.csv --metrics l.csv --out -
try "--out - and --json are misuse" 2 "both want it" "$REGMIX" optimize --fit plain --target plain --out - --json
mkdir old && cp acc/* old
sed -e '/direction_from/d' -e 's/"content_hash"/"no_content_hash"/' -e 's/"higher_is_better": true,/"old": 1,/' -e 's/"hashes":/"no_hashes":/' acc/fit.json > old/fit.json
more_b "a fit of 0.1.0 that minimised accuracies raises them" old --target gsm8k_acc

# ---- a fit is whole or not at all
fit --mixtures m.csv --metrics l.csv --out whole -q > /dev/null 2>&1
for part in x_val_loss.json cross-validation.csv; do
  rm -rf broken && cp -R whole broken
  sed '$s/[0-9]/7/;1s/0/1/' whole/$part > broken/$part
  cmp -s whole/$part broken/$part && echo >> broken/$part
  try "a part of another fit is named ($part)" 1 "broken/$part: is not the file that fit.json was written with" "$REGMIX" predict --fit broken --mixtures m.csv
done
rm -rf broken && cp -R whole broken && rm broken/plain.json
try "a part that is gone is named" 1 "broken/plain.json" "$REGMIX" optimize --fit broken --target plain
rm -rf broken && cp -R whole broken
awk '/"values"/ { inside = 1 } inside && /[0-9]\.[0-9]/ && !done { sub(/[0-9]\.[0-9]/, "9.9"); done = 1 } { print }' whole/fit.json > broken/fit.json
try "a number changed in fit.json is noticed" 1 "its runs and values are not those it was written with" "$REGMIX" predict --fit broken --mixtures m.csv
try "a fit takes the place of a broken one" 0 "" fit --mixtures m.csv --metrics l.csv --out broken
try "and can be used" 0 "" "$REGMIX" predict --fit broken --mixtures m.csv
mkdir notes && echo mine > notes/diary.txt
try "a folder of other things is not written into" 2 "notes holds other files (diary.txt) and no fit" fit --mixtures m.csv --metrics l.csv --out notes
[ "$(cat notes/diary.txt)" = mine ] && [ "$(ls -A notes | wc -l)" -eq 1 ] && ok "and stays as it was" || not_ok "and stays as it was" "$(ls -lA notes)"
rm notes/diary.txt && echo '{"sport": "rowing"}' > notes/fit.json
try "nor is one whose fit.json is another program's" 2 "notes holds other files (fit.json) and no fit" fit --mixtures m.csv --metrics l.csv --out notes
try "neither is a file" 2 "m.csv is a file" fit --mixtures m.csv --metrics l.csv --out m.csv
cp -R whole kept && echo mine > kept/diary.txt && ln -s kept link
try "a link to a fit is followed" 0 "" fit --mixtures m.csv --metrics acc.csv --out link/
[ -L link ] && [ -e kept/gsm8k_acc.json ] && [ ! -e kept/x_val_loss.json ] && ok "old parts go" || not_ok "old parts go" "$(ls -lA kept .)"
[ "$(cat kept/diary.txt)" = mine ] && ok "and what is not the fit's stays" || not_ok "and what is not the fit's stays" "$(ls -lA kept)"
echo mine > kept/runs && echo '[1]' > kept/x_val_loss.json
try "a file whose name the fit takes is kept" 0 "kept/x_val_loss.json~" fit --mixtures m.csv --metrics l.csv --out kept
same "as it was" "mine [1]" "$(cat kept/runs kept/x_val_loss.json~ | xargs)"
fit --mixtures m.csv --metrics acc.csv --out kept > /dev/null 2>&1
(cd kept && fit --mixtures ../m.csv --metrics ../l.csv --out . -q > /dev/null 2>&1 && [ -e fit.json ] && [ -e diary.txt ] && [ ! -e gsm8k_acc.json ] || [ -e x_val_loss.json ]) &&
  "$REGMIX" predict --fit kept --mixtures m.csv > /dev/null 2>&1 && ok "the current folder can hold a fit" || not_ok "the current folder can hold a fit" "$(ls -lA kept)"
# A re-fit killed at any moment leaves the old fit or the new one.
whole=$(took fit --mixtures m.csv --metrics acc.csv --out killed -q)
left=killed.999999999@$(uname -n | cut -c 1-48)+$(cut -c 1-8 /proc/sys/kernel/random/boot_id)-$(readlink /proc/self/ns/pid | tr -dc 0-9).tmp
mkdir "$left" && echo half > "$left/plain.json"
hits=0 wrong=0 i=0
while [ $i -lt 40 ] || { [ $hits -lt 5 ] && [ $i -lt 150 ]; }; do  # a kill that comes too late is not counted
  i=$((i + 1))
  if [ $((i % 2)) -eq 0 ]; then metrics=l.csv; else metrics=acc.csv; fi
  # exec, so that the kill reaches the program itself
  (exec "$REGMIX" fit --regressor ridge --set ridge.alpha=1e-6 --mixtures m.csv --metrics $metrics --out killed -q > /dev/null 2>&1) &
  pid=$!
  wait_part "$whole" $((3 + i * 7 % 90))
  kill -9 $pid 2> /dev/null
  wait $pid 2> /dev/null
  [ $? -eq 137 ] && hits=$((hits + 1))
  "$REGMIX" predict --fit killed --mixtures m.csv > /dev/null 2> err.txt || { wrong=$((wrong + 1)); cat err.txt; }
done
[ $wrong -eq 0 ] && ok "a fit killed while it is made again is still whole ($hits of $i kills hit)" || not_ok "a fit killed while it is made again is still whole" "$wrong of $i"
[ $hits -ge 5 ] && ok "and the kills hit" || not_ok "and the kills hit" "$hits of $i"
whole=$(took fit --mixtures m.csv --metrics acc.csv --out killed -q)
left=$(find . -maxdepth 1 -name 'killed.*')
[ -z "$left" ] && ok "and nothing is left over" || not_ok "and nothing is left over" "$left"

# ---- sums that are not 1
awk -F, 'BEGIN { OFS = "," } NR == 8 { $2 = $2 + 0.0199 } { print }' m.csv > off.csv
awk 'BEGIN { print "run,a,b,c"; for (i = 0; i < 20; i++) print i "," (i % 2 ? ".33,.33,.33" : ".2,.3,.5") }' > thirds.csv
awk 'BEGIN { print "run,x_loss"; for (i = 0; i < 20; i++) print i "," 2 + i / 10 }' > of_thirds.csv
try "three thirds with two digits are within 0.01 of 1" 0 "(the furthest to 0.99)" fit --mixtures thirds.csv --metrics of_thirds.csv --regressor ridge --out thirds
try "a row that sums to 1.0199 is named, and the way out" 1 'off.csv:8: the weights sum to 1.0199 (run "7")' fit --mixtures off.csv --metrics acc.csv --out off
try "which is --normalize" 1 'fit --normalize' fit --mixtures off.csv --metrics acc.csv --out off
try "--normalize tells how many rows and the worst" 0 '1 of 20 mixtures does not sum to 1 and is divided by the sum; the furthest is run "7" (off.csv:8), which sums to 1.0199' fit --mixtures off.csv --metrics acc.csv --out off --normalize
try "predict obeys the fit" 0 "20," "$REGMIX" predict --fit off --mixtures off.csv
awk -F, 'BEGIN { OFS = "," } NR > 1 { for (i = 2; i <= 4; i++) $i *= 100 } { print }' m.csv > cent.csv
try "percentages are recognised" 1 "these are percentages" fit --mixtures cent.csv --metrics acc.csv --out cent
fit --mixtures m.csv --metrics acc.csv --out plain -q > /dev/null 2>&1
fit --mixtures cent.csv --metrics acc.csv --out cent -q --normalize > /dev/null 2>&1
near() { # NAME A B: columns of numbers that agree to 1e-6
  paste -d, "$2" "$3" | awk -F, 'NR > 1 { d = $2 - $4; if (d > 1e-6 || d < -1e-6) bad = 1 } END { exit bad || NR != 21 }' && ok "$1" || not_ok "$1" "$(paste "$2" "$3" | head -5)"
}
"$REGMIX" predict --fit plain --mixtures m.csv > a.txt && "$REGMIX" predict --fit cent --mixtures cent.csv > b.txt
near "and give the same fit when divided" a.txt b.txt
try "--raw and --normalize exclude each other" 2 "give only one of them" fit --mixtures m.csv --metrics acc.csv --out never --raw --normalize
try "a row of zeros stays an error" 1 "sum to 0" sh -c "sed '3s/,.*/,0,0,0/' m.csv > zero.csv && '$REGMIX' fit --mixtures zero.csv --metrics acc.csv --out never --normalize"

# ---- what is left out is counted and named
awk -F, 'BEGIN { OFS = "," } NR == 1 { print $0, "rare_acc", "host"; next } { print $0, (NR == 5 ? 0.5 : ""), "n" NR }' l.csv | awk -F, 'BEGIN { OFS = "," } NR == 9 { $2 = $3 = $4 = "" } { print }' > gaps.csv
try "a metric with one value is dropped and named" 0 "1 of 4 metrics has fewer than 3 values and is not fitted: rare_acc" fit --mixtures m.csv --metrics gaps.csv --out gaps
try "a run that was never evaluated is left out and named" 0 "1 of 20 runs has no value of any metric and is left out: 8" fit --mixtures m.csv --metrics gaps.csv --out gaps
try "a column of text is named" 0 "1 column of text is not read: host" fit --mixtures m.csv --metrics gaps.csv --out gaps
try "columns that no pattern takes are named" 0 "2 other columns with numbers are not read as metrics: x_val_loss, plain" fit --mixtures m.csv --metrics l.csv --metric-columns 'gsm*' --out gaps
sed '/^[3-7],/d' m.csv > fewer.csv
try "runs without a partner are named" 0 "5 of 20 runs in acc.csv have no row in fewer.csv and are left out: 3, 4, 5, ..." fit --mixtures fewer.csv --metrics acc.csv --out gaps
awk -F, 'BEGIN { OFS = "," } NR > 1 && NR % 3 == 0 { $2 = "" } { print }' l.csv > holes.csv
try "runs skipped for missing values are named" 0 '7 of 20 runs have no value (2, 5, 8, ...; the first in holes.csv:3)' fit --mixtures m.csv --metrics holes.csv --skip-missing --out gaps
awk -F, 'BEGIN { OFS = "," } NR == 1 { print $0, "status"; next } { print $0, (NR < 5 ? "crashed" : "completed") }' m.csv > status.csv
try "runs that did not finish are left out of any CSV" 0 "3 of 20 runs did not finish and are left out: 1 (crashed), 2 (crashed), 3 (crashed)" fit --mixtures status.csv --metrics acc.csv --out gaps

# ---- what the fit says against itself
awk -F, 'BEGIN { s = 3; print "run,noise_loss" } NR > 1 { s = (s * 16807) % 2147483647; print $1 "," s / 2147483647 }' m.csv > noise.csv
try "a fit worse than the mean of the runs is said" 0 "R2 below 0): noise_loss" fit --mixtures m.csv --metrics noise.csv --out noise
try "and kept" 0 '"learnt": false' cat noise/fit.json
head -5 m.csv > four.csv
try "fewer than twice as many mixtures as domains is said" 0 "4 different mixtures of 3 domains: too few" fit --mixtures four.csv --metrics acc.csv --out four
(cat m.csv && sed -n '3,4s/^[0-9]*/copy&/p' m.csv) > twice.csv
(cat l.csv && sed -n '3,4s/^[0-9]*/copy&/p' l.csv) > twice-l.csv
try "copies of runs under other names are said" 0 "2 runs have the mixture and all metrics of another run: copy2 of 2, copy3 of 3; if they are copies, remove them" fit --mixtures twice.csv --metrics twice-l.csv --metric-columns '*_loss' --out twice
awk -F, 'NR == 1 { print } NR > 1 { printf "%s,%.3f\n", $1, $2 } NR == 3 { again = sprintf("copy%s,%.3f", $1, $2) } END { print again }' acc.csv > twice-a.csv
try "scores of few digits may be equal by chance" 0 "" fit --mixtures twice.csv --metrics twice-a.csv --out twice
not_printed "which is no copy" "of another run"
sed '11s/,.*/,0.97/' acc.csv > outlier.csv
try "a run far from its prediction is named" 0 "1 of 20 runs lies more than 5 standard deviations from what the other runs predict: 10 (gsm8k_acc: 0.97" fit --mixtures m.csv --metrics outlier.csv --out outlier
not_printed "which is at no edge of the runs" "At the edge of the runs"
mkdir extreme && (cd extreme && . "$ROOT/tests/cli/synthetic.sh" && make_tables 40) # run 40 has 0.2 % of b, whose loss is 4 - sqrt(b)
try "a correct value at the edge of the runs is called hard to predict" 0 "At the edge of the runs a correct value is hard to predict, too: 40 (no other run has so little of b)" \
  "$REGMIX" fit --mixtures extreme/m.csv --metrics extreme/l.csv --regressor ridge --out extreme/fit
# An outlier so large that fits to it predict the other runs badly: only the outlier is named.
for wild in 1e+15 -1e+09; do
  sed "11s/,.*/,$wild/" acc.csv > wild.csv
  try "an outlier of $wild is named, and no other run" 0 "1 of 20 runs lies more than 5 standard deviations from what the other runs predict: 10 (gsm8k_acc: $wild" \
    fit --mixtures m.csv --metrics wild.csv --out wild
done
try "score says that it was given the fit's own runs" 0 "all 20 of the 20 runs are runs that the fit was made from" "$REGMIX" score --fit plain --mixtures m.csv --metrics acc.csv
try "and adds the scores out of fold" 0 '"out_of_fold"' "$REGMIX" score --fit plain --mixtures m.csv --metrics acc.csv --json
sed '1!s/\(.\)$/\11/' acc.csv > again.csv
"$REGMIX" score --fit plain --mixtures m.csv --metrics again.csv 2>&1 | grep -q 'made from' && not_ok "runs measured anew are not taken for them" || ok "runs measured anew are not taken for them"

# Runs of the same mixtures with another seed: some accuracies in steps are equal by chance.
awk -F, 'NR == 1 { print "run,steps_acc,other_acc"; next } { printf "%s,%.1f,%.1f\n", $1, $2, NR % 4 / 4 }' acc.csv > steps.csv
awk -F, 'NR > 1 { $1 = "s" $1; $3 = (NR + 1) % 4 / 4 } 1' OFS=, steps.csv > seeds.csv
sed '1!s/^/s/' m.csv > seeds_m.csv
fit --mixtures m.csv --metrics steps.csv --out steps > /dev/null 2>&1
try "equal values by chance do not make runs the fit's own" 0 '"own_runs": 0' "$REGMIX" score --fit steps --mixtures seeds_m.csv --metrics seeds.csv --json
try "its own runs are known by name and values" 0 '"own_runs": 20' "$REGMIX" score --fit steps --mixtures m.csv --metrics steps.csv --json
cut -d, -f1,2 steps.csv | sed '1!s/^/s/' > one_seed.csv
try "nor does one accuracy that many runs have" 0 '"own_runs": 0' "$REGMIX" score --fit steps --mixtures seeds_m.csv --metrics one_seed.csv --json
sed '1!s/^/s/' acc.csv > renamed.csv
try "its own runs with other names are known by their values" 0 '"own_runs": 20' "$REGMIX" score --fit plain --mixtures seeds_m.csv --metrics renamed.csv --json
# Replicates of a metric that is mostly noise are replicates.
awk 'BEGIN { srand(7); print "run,a,b,c" > "rep_m.csv"; print "run,n_acc" > "rep_l.csv"
  for (i = 0; i < 8; i++) { a = rand(); b = (1 - a) * rand()
    for (k = 0; k < 4; k++) { printf "r%d_%d,%.4f,%.4f,%.4f\n", i, k, a, b, 1 - a - b > "rep_m.csv"; printf "r%d_%d,%.3f\n", i, k, rand() > "rep_l.csv" } } }'
try "noise is one reason why runs of one mixture differ" 0 "If they differ in their seed alone, the metric is mostly noise. If they differ in model size or tokens, name those columns" fit --mixtures rep_m.csv --metrics rep_l.csv --out rep

# ---- tables without names of runs
awk -F, 'BEGIN { OFS = "," } FNR == NR { y[FNR] = $2; next } { print $2, $3, $4, y[FNR] }' acc.csv m.csv > bare.csv
try "a pattern that matches the names' column is refused" 1 'matches the column "run", but that column contains the names of the runs' fit --mixtures m.csv --metrics acc.csv --mixture-columns '*' --out bare
cut -d, -f1-3 bare.csv > weights.csv
cut -d, -f2- acc.csv > scores.csv
try "a first column of weights is no name" 0 'no column has the names of the runs (the first one, "a"' fit --mixtures weights.csv --metrics acc.csv --out rows
try "rows without names are those of the other table" 0 'weights.csv and of acc.csv are joined in their order' fit --mixtures weights.csv --metrics acc.csv --out rows
"$REGMIX" predict --fit rows --mixtures m.csv > b.txt
near "with the same fit, by row" a.txt b.txt
try "both tables without names" 0 'are joined in their order' fit --mixtures weights.csv --metrics scores.csv --out rows
head -15 acc.csv > fewer.csv
try "a different number of rows is an error" 1 'the first has no column with their names' fit --mixtures weights.csv --metrics fewer.csv --out never
try "--id row names runs by their rows" 0 "gsm8k_acc" fit --mixtures bare.csv --metrics bare.csv --mixture-columns '?' --metric-columns '*acc' --id row --out bare
"$REGMIX" predict --fit bare --mixtures m.csv > b.txt
near "with the same fit" a.txt b.txt
awk -F, 'BEGIN { OFS = "," } { print $2, $3, $4, $1 }' m.csv > last.csv
try "--id COLUMN takes another column" 0 "gsm8k_acc" fit --mixtures last.csv --metrics acc.csv --id run --out bare
try "an unknown --id lists the columns" 2 'no column "name" for the names of the runs; the 4 columns are: run, a, b, ...' fit --mixtures m.csv --metrics acc.csv --id name --out never

# ---- known forms that are not read, each by its own name
refused() { # NAME TEXT FILE
  try "$1" 1 "$2" fit --mixtures "$3" --metrics acc.csv --out never
}
printf 'run;a;b\n1;0,5;0,5\n' > semicolon.csv
refused "semicolons" "separated by semicolons" semicolon.csv
printf 'run,a,b\n1,50%%,50%%\n' > signs.csv
refused "percent signs" 'is not a number; write it without the sign (tr -d % < old.csv > new.csv)' signs.csv
awk 'NR == 1 { print $0 ",share" } NR > 1 { print $0 "," NR ".5%" }' acc.csv > percent.csv
try "a column of percentages is named with what to do" 0 'share; "2.5%" looks like a number; write it without the sign' fit --mixtures m.csv --metrics percent.csv --out never
printf 'run\ta\tb\n1\t0.5\t0.5\n' > tabs.tsv
refused "tabs" "separated by tabs" tabs.tsv
printf 'Step,n1 - eval/loss,n1 - eval/loss__MIN,n1 - eval/loss__MAX\n1,2,2,2\n' > chart.csv
refused "a chart of Weights & Biases has no mixtures" "which has metrics and no mixtures" chart.csv
printf 'PAR1\001\002' > runs.parquet
refused "a Parquet file" 'this is a Parquet file' runs.parquet
printf 'SQLite format 3\000' > mlflow.db
refused "a database" 'this is an SQLite database' mlflow.db
printf '{"run": 1, "a": 0.5}\n{"run": 2, "a": 0.5}\n' > lines.jsonl
refused "lines of JSON" "this is JSON" lines.jsonl
cp lines.jsonl lines.json
try "several objects in a .json" 1 "more than one JSON object in the file" fit --mixtures m.csv --metrics lines.json --out never

# ---- one score in two units
awk -F, -v OFS=, 'NR == 1 { print "run", "quiz_acc", "other_acc" } NR > 1 { x = 0.3 + NR / 100; print $1, NR % 2 ? x : 100 * x, x }' l.csv > units.csv
try "a share in some runs and a percentage in others" 0 "1 score seems to be a share in some runs and a percentage in others: quiz_acc (0.51 of 20, 32 of 1)" "$REGMIX" fit --regressor ridge --mixtures m.csv --metrics units.csv --out units

# ---- a table of something else than tokens
printf 'domain,documents\na,1e9\nb,1e9\nc,1e9\n' > documents.csv
try "counts of documents are not tokens" 1 'documents.csv:1: the column "documents" does not look like tokens' "$REGMIX" fit --mixtures m.csv --metrics l.csv --out never --tokens documents.csv --budget 1G
sed '1s/documents/n/' documents.csv > tokens.csv
try "a column of another name is" 0 "" "$REGMIX" fit -q --regressor ridge --mixtures m.csv --metrics l.csv --out counted --tokens tokens.csv --budget 1G

# ---- which loss predicts which score
try "correlate reads a table" 0 "gsm8k_acc (higher is better, so a good loss has -1)" "$REGMIX" correlate --metrics l.csv --scores 'gsm8k*'
sed 's/gsm8k_acc/quiz_acc/' acc.csv > quiz.csv
"$REGMIX" correlate --metrics l.csv --metrics quiz.csv --scores '*acc' --json > c.json
[ "$(jq -c '[.losses, .scores, .n, (.spearman[0][0] | . >= -1 and . <= 1), .tests]' c.json)" = '[["x_val_loss"],["gsm8k_acc","quiz_acc"],[[20,20]],true,2]' ] &&
  ok "and joins several" || not_ok "and joins several" "$(cat c.json)"
awk 'NR == 1 || NR > 8' quiz.csv | sed 's/^20,/new,/' > part.csv
"$REGMIX" correlate --metrics l.csv --metrics part.csv --scores quiz_acc > part.txt 2>&1
try "runs that are in one table alone are named" 0 "8 of 20 runs in l.csv have no row in part.csv and are without its metrics: 1, 2, 3, ..." cat part.txt
try "in either table" 0 "1 of 13 runs in part.csv has no row in l.csv and is left out: new" cat part.txt
try "the runs of a pair are counted" 0 "12 runs are few" cat part.txt
sed '1!{p;s/$/1/;}' part.csv > twice.csv
try "two rows of one run are an error" 1 'twice.csv:7: run "10" was given in line 6 already' "$REGMIX" correlate --metrics l.csv --metrics twice.csv --scores quiz_acc
try "a metric in two tables is an error" 1 'metric "gsm8k_acc" is in another table' "$REGMIX" correlate --metrics l.csv --metrics acc.csv
try "losses alone are an error" 1 'is a validation loss' "$REGMIX" correlate --metrics acc.csv
try "no table and no experiment" 1 'metrics.csv yet' "$REGMIX" correlate

# ---- an experiment's own runs: what they drew, and which way their metrics are better
mkdir -p own/text && echo 'corpus: {folder: text}' > own/regmix.yaml && cp m.csv own/mixtures.csv
awk -F, 'NR == 1 { print "run,x_val_loss,quiz" } NR > 1 { print $1 "," 3 - $2 "," $3 }' m.csv > own/metrics.csv
awk -F, 'NR > 1 {
  dir = "own/runs/" $1; system("mkdir -p " dir); f = dir "/result.json"
  a = int($2 * 1e6 + 0.5); b = int($3 * 1e6 + 0.5); c = 1e6 - a - b
  if ($1 == 3) { b += c; c = 0 }
  printf "{\"status\": \"done\", \"tokens_by_domain\": {\"a\": %d, \"b\": %d, \"c\": %d}, \"metrics\": {\"quiz\": 1}, \"higher_is_better\": {\"quiz\": true}}\n", a, b, c > f; close(f)
}' m.csv
try "a domain that got no sequence is named" 0 "a weight too small for a single sequence: c (in 1)" "$REGMIX" fit -C own --set fit.regressor=ridge
try "shares drawn that are materially others go into the fit" 0 "the fit uses the drawn shares: 3" "$REGMIX" fit -C own --set fit.regressor=ridge
try "which score knows again" 0 "all 20 of the 20 runs are runs that the fit was made from" "$REGMIX" score --fit own/fit --mixtures own/mixtures.csv --metrics own/metrics.csv
"$REGMIX" fit -C own --set fit.regressor=ridge --json -q 2> /dev/null | grep -A6 '"quiz"' | grep -q . && grep -q '"direction_from": "harness"' own/fit/fit.json &&
  ok "a trainer's own direction is kept" || not_ok "a trainer's own direction is kept" "$(grep direction own/fit/fit.json)"

# ---- bytes, sizes and names that nothing can be done with
printf 'run,a\377,b\n1,0.5,0.5\n2,0.2,0.8\n' > latin.csv
printf 'run,loss\n1,3\n2,1e300\n3,3.1\n' > huge.csv
printf 'run,loss\n1,3\n2,0x10\n3,3.1\n' > hex.csv
printf 'run,a,b\n1,0.5,0.5\n2,0.2,0.8\n3,0.9,0.1\n4,0.3,0.7\n5,0.6,0.4\n6,0.1,0.9\n' > edge_m.csv
printf 'run,a_loss,b_loss\n1,3,2\n2,3.1,2.2\n3,2.9,1.9\n4,3.05,2.1\n5,2.95,2\n6,3.2,2.2\n' > edge_l.csv
sed "1s/a,b/a$(printf '\033')[31m,b/" edge_m.csv > escape_m.csv
edge="$REGMIX fit --regressor ridge --mixtures edge_m.csv"
try "text that is not UTF-8 is refused with its line and what to do" 1 "latin.csv:1: the byte 0xff is not UTF-8" $edge --metrics latin.csv --out edge
try "a value that is too large is refused by name" 1 'huge.csv:3: column "loss": 1e300 is too large' $edge --metrics huge.csv --out edge
try "a hexadecimal value is no number" 1 '"0x10" is not a number' $edge --metrics hex.csv --out edge
"$REGMIX" fit --regressor ridge --mixtures escape_m.csv --metrics edge_l.csv --out escape > edge.txt 2>&1
"$REGMIX" optimize --fit escape --target a_loss --quick --out escape.yaml > edge.txt 2>&1
if grep -q 'a?\[31m' edge.txt && ! grep -q "$(printf '\033')" edge.txt; then ok "a name moves no terminal"; else not_ok "a name moves no terminal" "$(cat -v edge.txt)"; fi
try "the value of --out is empty" 2 '--out "": the value is empty; wanted a FILE' "$REGMIX" optimize --fit escape --target a_loss --out ""

# ---- files that are read are not written over
$edge --metrics edge_l.csv --out edge > edge.txt 2>&1
cp edge_m.csv before.csv
cp edge/fit.json before.json
try "suggest keeps the table of the runs" 2 'contains the run "1" that the fit was made from' "$REGMIX" suggest --fit edge --target a_loss --no-curve --out edge_m.csv
try "domains keeps the table it reads" 2 "is also the input file" "$REGMIX" domains --mixtures edge_m.csv --add c --out edge_m.csv
try "optimize keeps a table" 0 "what was in that file is kept in edge_m.csv~" "$REGMIX" optimize --fit edge --target a_loss --quick --out edge_m.csv
mv edge_m.csv~ edge_m.csv
try "optimize keeps the fit" 2 "is also the input file" "$REGMIX" optimize --fit edge --target a_loss --quick --out edge/fit.json
if cmp -s edge_m.csv before.csv && cmp -s edge/fit.json before.json; then ok "and they are as they were"; else not_ok "and they are as they were"; fi
try "a group with a metric's name" 2 "a metric has this name" "$REGMIX" optimize --fit edge --target b_loss --metric-group b_loss=a_loss --quick --out o.yaml
try "all domains cannot be removed" 2 "at least one must stay" "$REGMIX" domains --mixtures edge_m.csv --remove a --remove b
sed '1s/a_loss/a_acc/' edge_l.csv > edge_acc.csv
$edge --metrics edge_acc.csv --metric a_acc --out edge_acc > edge.txt 2>&1
try "suggest tells a score with its own sign" 0 "best run 3." "$REGMIX" suggest --fit edge_acc --target a_acc --no-curve -n 2

# ---- how a table is sorted is no property of its runs
python3 - << 'EOF'
import random
rng = random.Random(3)
weights = [[rng.gammavariate(1, 1) for _ in range(4)] for _ in range(30)]
runs = [["r%d" % i, *["%.6f" % (x / sum(w)) for x in w]] for i, w in enumerate(weights)]
values = [["r%d" % i, *["%.5f" % rng.gauss(m, .01) for m in range(2, 6)]] for i in range(30)]
for table in "12":
    for name, header, rows in ("sm", "run,a,b,c,d", runs), ("sl", "run,a_loss,b_loss,c_loss,d_loss", values):
        with open(name + table + ".csv", "w") as f:
            f.write("\n".join([header, *map(",".join, rows)]) + "\n")
        rng.shuffle(rows)
EOF
for table in 1 2; do
  "$REGMIX" fit -q --mixtures sm$table.csv --metrics sl$table.csv --out sorted$table > /dev/null 2>&1
  "$REGMIX" optimize -q --fit sorted$table --target a_loss --replicates 20 --json 2> edge.txt | sed 's/sorted[12]/F/g' > sorted$table.json
done
if cmp -s sm1.csv sm2.csv || [ ! -s sorted1/cross-validation.csv ]; then not_ok "two orders of rows"; else ok "two orders of rows"; fi
same "folds and scores do not depend on the order of rows" "$(cat sorted1/cross-validation.csv)" "$(cat sorted2/cross-validation.csv)"
same "nor does the answer" "$(grep -v -e hash -e time sorted1.json)" "$(grep -v -e hash -e time sorted2.json)"

# ---- nothing is left out without a word, and weights are no metrics
mkdir mixed
printf '0.3 a 0.3 b 0.4 c\n' > mixed/1.txt
printf '0.2 a 0.3 b 0.5 c\n' > mixed/2.txt
printf 'a: 0.1\nb: 0.6\nc: 0.3\n' > mixed/3.yaml
paste -d, m.csv l.csv | sed '1s/,run,/,again,/' > whole.csv
try "weights that were chosen as metrics" 0 "are the weights of a domain and are not fitted: a, b, c" "$REGMIX" fit --mixtures whole.csv --metrics whole.csv --mixture-columns '[abc]' --metric-columns '[!r]*' --out whole --regressor ridge
try "mixtures of two kinds in a folder" 0 "1 file of another kind (yaml) is not read: 3.yaml" "$REGMIX" predict --fit whole --mixtures mixed
try "a loss is no score" 2 'named by both --losses and --scores' "$REGMIX" correlate --metrics sl1.csv --losses a_loss --scores '*'

# ---- several rows with one name
awk -F, -v OFS=, '{ print } NR > 1 && NR < 5 { $2 += 0.01; print } NR == 5' l.csv > again.csv
try "rows with one name are runs of one mixture" 0 "3 rows have the name of an earlier run and are taken as another run of it: 1, 2, 3" fit --mixtures m.csv --metrics again.csv --out again
try "a copy is left out" 0 "1 row is equal to an earlier row of the same run and left out: 4" fit --mixtures m.csv --metrics again.csv --out again
{ cat m.csv; sed -n 5p m.csv; } > twice.csv
try "so is one of the mixtures" 0 "twice.csv: 1 row is equal to an earlier row of the same run and left out: 4" fit --mixtures twice.csv --metrics acc.csv --out again
same "runs of one mixture show the noise" "23 True" "$("$REGMIX" fit -q --regressor ridge --mixtures m.csv --metrics again.csv --metric x_val_loss --out again --json | python3 -c 'import json, sys; o = json.load(sys.stdin); print(o["runs"], 0.006 < o["cross_validation"]["x_val_loss"]["noise"] < 0.008)')"
awk 'NR > 1 && NR < 4 { print } { print }' m.csv > twice.csv
try "the mixture may be given as often" 0 "3 rows have" fit --mixtures twice.csv --metrics again.csv --out again
same "it is the same fit" 23 "$("$REGMIX" fit -q --regressor ridge --mixtures twice.csv --metrics again.csv --metric x_val_loss --out again --json | python3 -c 'import json, sys; print(json.load(sys.stdin)["runs"])')"
awk -F, -v OFS=, 'NR == 2 { print; t = $2; $2 = $3; $3 = t } { print }' m.csv > other.csv
try "different mixtures with one name are not" 1 'other.csv:3: run "1" was given in line 2 already' fit --mixtures other.csv --metrics l.csv --out never
try "unless the row says it all" 0 "" sh -c 'paste -d, other.csv other.csv | cut -d, -f1-4,6 | sed "1s/[^,]*$/x_loss/" > one.csv'
try "of one file" 0 "another run of it: 1" fit --mixtures one.csv --metrics one.csv --mixture-columns '[abc]' --metric-columns '*_loss' --out again
try "score takes them too" 0 "another run of it" "$REGMIX" score --fit again --mixtures one.csv --metrics one.csv --mixture-columns "[abc]" --metric-columns "*_loss"
mkdir nothing
try "a report of nothing" 1 "nothing to report" "$REGMIX" report -C nothing
if [ -e nothing/report.html ]; then not_ok "writes no page"; else ok "writes no page"; fi
done_testing
