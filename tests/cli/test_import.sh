#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tables of other programs, and domains that change, through the commands.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# One swarm of 40 runs in every layout: loss of a falls with its weight, the score of b rises with its own.
awk 'BEGIN {
  s = 11
  print "index,train_a,train_b,train_c" > "m.csv"; print "index,metric/a_val_loss" > "l.csv"; print "index,quiz" > "quiz.csv"
  print "run_id,name,train_a,train_b,train_c" > "ratios.csv"; print "run_id,name,a_loss" > "metrics.csv"
  print "\"Name\",\"State\",\"Created\",\"config.mixture.train_a\",\"config.mixture.train_b\",\"config.mixture.train_c\",\"config.model\",\"eval/a_loss\"" > "wandb.csv"
  system("mkdir -p yaml evals")
  for (i = 1; i <= 40; i++) {
    for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
    t = w[0] + w[1] + w[2]; a = sprintf("%.6f", w[0] / t); b = sprintf("%.6f", w[1] / t); c = sprintf("%.6f", 1 - a - b)
    loss = sprintf("%.6f", 3 - sqrt(a) - 0.2 * b); score = sprintf("%.6f", 0.2 + 0.5 * sqrt(b))
    print i "," a "," b "," c > "m.csv"; print i "," loss > "l.csv"; print i "," score > "quiz.csv"
    print "r" i ",swarm-" i "," a "," b "," c > "ratios.csv"; print "r" i ",swarm-" i "," loss > "metrics.csv"
    printf "\"n%d\",\"finished\",\"2024-05-01\",\"%s\",\"%s\",\"%s\",\"tiny\",\"%s\"\n", i, a, b, c, loss > "wandb.csv"
    f = "yaml/n" i ".yaml"
    printf "train:\n  train_a: %s\n  train_b: %s\n  train_c: %s\nvalid:\n  valid_a: 1.0\n", a, b, c > f; close(f)
    d = "evals/n" i "/tiny"; system("mkdir -p " d); f = d "/results_2024-05-01T12-00-00.000001.json"
    printf "{\"results\": {\"quiz\": {\"alias\": \"quiz\", \"acc,none\": %s, \"acc_stderr,none\": 0.01}}, \"higher_is_better\": {\"quiz\": {\"acc\": true}}}", score > f; close(f)
  }
  print "\"n41\",\"crashed\",\"2024-05-01\",\"\",\"\",\"\",\"tiny\",\"\"" > "wandb.csv"
}'

"$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge --set ridge.sqrt=true --out fit > /dev/null 2>&1 || not_ok "a fit to score with"
"$REGMIX" score --fit fit --mixtures m.csv --metrics l.csv > plain.txt
same() { # NAME FILE: the scores are those of the plain tables
  if [ "$(awk '$1 ~ /a_val_loss/ { print $2, $3, $4, $5, $6 }' plain.txt)" = "$(awk '$1 ~ /a_val_loss/ { print $2, $3, $4, $5, $6 }' "$2")" ]; then
    ok "$1"
  else
    not_ok "$1" "$(cat plain.txt "$2")"
  fi
}

# ---- the authors' YAML folder: its runs are n1, the losses' 1
try "a folder of YAML mixtures joins by number, and says so" 0 "runs are joined by their numbers" "$REGMIX" score --fit fit --mixtures yaml --metrics l.csv
"$REGMIX" score --fit fit --mixtures yaml --metrics l.csv > yaml.txt 2> /dev/null
same "and scores as the CSV does" yaml.txt
try "predict reads the folder" 0 "n40," "$REGMIX" predict --fit fit --mixtures yaml
sed 's/^\([0-9]\)/run-\1x/' l.csv > other.csv
try "runs that do not meet are shown" 1 "no run in common: the first has the names n1, n2, ..." "$REGMIX" score --fit fit --mixtures yaml --metrics other.csv
echo 'train: {train_a: 0.5, train_b: 0.6}' > yaml/n41.yaml
try "a mixture that does not sum to 1 names its file" 1 "n41.yaml: the weights sum to 1.1" "$REGMIX" predict --fit fit --mixtures yaml
rm yaml/n41.yaml

# ---- Olmix
try "Olmix's tables" 0 "read as a table of Olmix" "$REGMIX" score --fit fit --mixtures ratios.csv --metrics l.csv
sed '1s/a_loss/metric\/a_val_loss/' metrics.csv > olmix.csv
"$REGMIX" score --fit fit --mixtures ratios.csv --metrics olmix.csv > olmix.txt 2> /dev/null
same "score as the CSV does" olmix.txt

# ---- Weights & Biases: one file for both
sed '1s/eval\/a_loss/metric\/a_val_loss/' wandb.csv > wandb2.csv
try "an export of Weights & Biases, for both" 0 "1 of 41 runs did not finish and is left out: n41 (crashed)" "$REGMIX" score --fit fit --mixtures wandb2.csv --metrics wandb2.csv
"$REGMIX" score --fit fit --mixtures wandb2.csv --metrics wandb2.csv > wandb.txt 2> /dev/null
same "scores as the CSV does" wandb.txt
try "predict reads it" 0 "n40," "$REGMIX" predict --fit fit --mixtures wandb.csv
try "its columns by patterns" 0 "metric/a_val_loss" "$REGMIX" score --fit fit --mixtures wandb2.csv --metrics wandb2.csv --mixture-columns 'config.mixture.train_*' --metric-columns 'metric/*'
try "a pattern that finds nothing lists what there is" 2 "columns with numbers: config.mixture.train_a" "$REGMIX" predict --fit fit --mixtures wandb.csv --mixture-columns 'weight.*'
try "one plain file for both wants patterns" 1 "--mixture-columns" "$REGMIX" score --fit fit --mixtures m.csv --metrics m.csv

# ---- lm-evaluation-harness
"$REGMIX" fit --mixtures m.csv --metrics quiz.csv --regressor ridge --set ridge.sqrt=true --out fit-quiz > /dev/null 2>&1 || not_ok "a fit of a score"
"$REGMIX" score --fit fit-quiz --mixtures m.csv --metrics quiz.csv > quiz.txt
"$REGMIX" score --fit fit-quiz --mixtures yaml --metrics evals > evals.txt 2> /dev/null
cmp -s quiz.txt evals.txt && ok "a folder of results scores as the CSV does" || not_ok "a folder of results scores as the CSV does" "$(cat quiz.txt evals.txt)"
try "and joins by number to the CSV" 0 "1 metric of 40 runs, from 40 results" "$REGMIX" score --fit fit-quiz --mixtures m.csv --metrics evals
echo '{"results": {"quiz": {"acc,none": true}}}' > evals/n1/tiny/results_2024-06-01T12-00-00.000001.json
try "a result that is no number is named and not read" 0 'is not a number and is not read: results.quiz."acc,none"' "$REGMIX" score --fit fit-quiz --mixtures m.csv --metrics evals
try "results are no mixtures" 1 "no .yaml file" "$REGMIX" predict --fit fit --mixtures evals

# ---- fit reads them too, and keeps which metrics are scores
rm evals/n1/tiny/results_2024-06-01T12-00-00.000001.json
if "$REGMIX" fit --help | grep -q metric-columns; then
  try "fit reads an export of Weights & Biases" 0 "eval/a_loss" "$REGMIX" fit --mixtures wandb.csv --metrics wandb.csv --regressor ridge --out fit-wandb
  grep -q '"train_b"' fit-wandb/fit.json && ok "its domains without config.mixture." || not_ok "its domains without config.mixture." "$(head -20 fit-wandb/fit.json)"
  try "fit reads a folder of results" 0 "quiz" "$REGMIX" fit --mixtures yaml --metrics evals --regressor ridge --set ridge.sqrt=true --out fit-evals
  grep -q '"higher_is_better": true' fit-evals/fit.json && ok "a score is kept as one" || not_ok "a score is kept as one" "$(cat fit-evals/fit.json)"
  try "one metric of several by a pattern" 0 "eval/a_loss" "$REGMIX" fit --mixtures wandb.csv --metrics wandb.csv --metric-columns 'eval/a*' --regressor ridge --out fit-one
else
  skip "fit reads them too" "this fit reads CSV alone"
fi

# ---- regmix domains
try "domains --help teaches" 0 "--split web=web_en:0.7,web_de:0.3" "$REGMIX" domains --help
try "split keeps every run" 0 "40 of 40 runs stay, over 4 domains" "$REGMIX" domains --mixtures m.csv --split c=c1:0.3,c2:0.7 --out split.csv
try "and says what no run says" 0 "no run measures c1 compared with c2" "$REGMIX" domains --mixtures m.csv --split c=c1:0.3,c2:0.7 --out split.csv
try "the new table predicts with the rank it has" 0 "differ in 2 of 3 directions" "$REGMIX" domains --mixtures m.csv --split c=c1:0.3,c2:0.7 --out split.csv
"$REGMIX" domains --mixtures split.csv --merge train_c=c1:0.3,c2:0.7 -q > back.csv
awk -F, 'NR == FNR { for (i = 1; i <= 4; i++) was[FNR, i] = $i; next }
  { for (i = 1; i <= 4; i++) { d = $i - was[FNR, i]; if (FNR > 1 && (d > 1e-12 || d < -1e-12)) bad = 1 } } END { exit bad || FNR != 41 }' m.csv back.csv &&
  ok "merged again it is what it was" || not_ok "merged again it is what it was" "$(head -3 m.csv back.csv)"
try "a merge names the runs to be done again" 0 "must be trained again: 1 (" "$REGMIX" domains --mixtures m.csv --merge ab=a:0.5,b:0.5 --out merged.csv
[ "$(wc -l < merged.csv)" -lt 41 ] && head -1 merged.csv | grep -q '^index,ab,train_c$' && ok "and leaves them out" || not_ok "and leaves them out" "$(head -2 merged.csv)"
try "a wider tolerance keeps them" 0 "40 of 40 runs stay" "$REGMIX" domains --mixtures m.csv --merge ab=a:0.5,b:0.5 --tolerance 0.5
try "a removed domain that was used stays, at 0" 0 "regmix optimize --fix train_c=0" "$REGMIX" domains --mixtures m.csv --remove c --out kept.csv
try "and how many runs are exact without it" 0 "  0 runs did not use it and are exact" "$REGMIX" domains --mixtures m.csv --remove c --out kept.csv
try "or goes with its runs" 0 "0 of 40 runs stay, over 2 domains" "$REGMIX" domains --mixtures m.csv --remove c --drop --out dropped.csv
try "add and rename, --json" 0 '"not_measured"' "$REGMIX" domains --mixtures m.csv --add math --rename a=books --out new.csv --json
head -1 new.csv | grep -q '^index,books,train_b,train_c,math$' && sed -n 2p new.csv | grep -q ',0$' && ok "new names, weight 0" || not_ok "new names, weight 0" "$(head -2 new.csv)"
"$REGMIX" domains --mixtures m.csv --merge ab=a:0.5,b:0.5 --out merged.csv --json -q > report.json
for key in domains runs had stay exact redo why directions covered unseen next; do
  grep -q "\"$key\"" report.json && ok "the report has \"$key\"" || not_ok "the report has \"$key\"" "$(cat report.json)"
done
try "the old losses join the new table" 0 "metric/a_val_loss" "$REGMIX" fit --mixtures new.csv --metrics l.csv --regressor ridge --out fit-new
mkdir beside
cp -R fit-new beside/fit
printf ',run,name,index,eval/x\n0,r0,swarm-0,0,1\n' > beside/metrics.csv
try "the page of a fit lies beside another program's metrics.csv" 0 "report.html" "$REGMIX" report -C beside
try "domains with nothing to do" 2 "nothing to change" "$REGMIX" domains --mixtures m.csv
try "--json without --out holds all" 0 "40 of 40 runs stay" "$REGMIX" domains --mixtures m.csv --add x --json
try "a domain that is not there" 2 'unknown domain "zebra"' "$REGMIX" domains --mixtures m.csv --remove zebra
try "shares that do not sum to 1" 2 "must sum to 1" "$REGMIX" domains --mixtures m.csv --split c=x:0.5,y:0.2

# ---- changes of names
printf 'run,web,code,books\nr1,0.5,0.3,0.2\nr2,0.2,0.5,0.3\n' > names.csv
try "two names are exchanged" 0 "" "$REGMIX" domains --mixtures names.csv --rename web=code --rename code=web --out swapped.csv
try "with their weights" 0 "run,code,web,books" head -n 1 swapped.csv
try "a chain of names" 0 "" "$REGMIX" domains --mixtures names.csv --rename web=code --rename code=text --out chain.csv
try "takes the old names" 0 "run,code,text,books" head -n 1 chain.csv
try "one new name for two" 2 'a domain "text" already exists' "$REGMIX" domains --mixtures names.csv --rename web=text --rename code=text
try "a domain that is added and removed" 2 "--add new and --remove new: leave one of them out" "$REGMIX" domains --mixtures names.csv --add new --remove new

# ---- an optimum of a fit that was made again
mkdir aged
printf 'run,loss\n' > aged/l.csv
printf 'run,web,code\n' > aged/m.csv
for i in 1 2 3 4 5 6 7 8; do printf 'r%s,0.%s,0.%s\n' $i $i $((10 - i)) | sed 's/0\.10/1/' >> aged/m.csv; printf 'r%s,3.%s\n' $i $i >> aged/l.csv; done
aged_fit() { "$REGMIX" fit --mixtures aged/m.csv --metrics aged/l.csv --regressor ridge --out aged/fit -q 2> /dev/null; }
aged_fit && "$REGMIX" optimize --fit aged/fit --target loss -q > /dev/null 2>&1
try "export: an optimum of the present fit" 0 "" "$REGMIX" export -C aged --to yaml
if grep -q "made again" stderr; then not_ok "has no warning" "$(cat stderr)"; else ok "has no warning"; fi
sed -i 's/^r1,.*/r1,9/' aged/l.csv && aged_fit
try "export warns of a fit that was made again since" 0 "found with a fit that was made again since" "$REGMIX" export -C aged --to yaml
try "and so does predict" 0 "found with a fit that was made again since" "$REGMIX" predict --fit aged/fit --mixtures aged/optimum.yaml

# ---- tables that a fit does not fit
printf 'run,loss,acc\n' > aged/two.csv
for i in 1 2 3 4 5 6 7 8; do printf 'r%s,3.%s,0.%s\n' $i $i $i >> aged/two.csv; done
"$REGMIX" fit --mixtures aged/m.csv --metrics aged/two.csv --regressor ridge --out aged/two -q 2> /dev/null
awk -F, -v OFS=, 'NR == 1 { print $0, "more_acc" } NR > 1 { print $1, $2, 100 * $3, 1 }' aged/two.csv > aged/other.csv
try "score names a metric that the fit does not have" 0 "1 of 3 metrics of aged/other.csv is not in the fit, and not scored: more_acc" \
  "$REGMIX" score --fit aged/two --mixtures aged/m.csv --metrics aged/other.csv
if grep -q "1 metric seems to be a share in one of the fit and the table and a percentage in the other: acc" stderr; then ok "and one in another unit"; else not_ok "and one in another unit" "$(cat stderr)"; fi
done_testing
