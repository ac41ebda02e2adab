#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Small hostile tables through fit, score, predict and optimize: what is inferred, left out or refused is said.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
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
try "a name that says nothing is lowered with a warning" 0 "1 of 3 metrics do not say by their name" fit --mixtures m.csv --metrics l.csv --out l
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
try "a pattern that matches nothing is an error" 1 'higher_is_better "gsm9k*" matches none of the 1 metrics (gsm8k_acc)' fit --mixtures m.csv --metrics acc.csv --out never --higher-is-better 'gsm9k*'
[ -e never ] && not_ok "and writes no fit" || ok "and writes no fit"
try "both ways is an error" 1 "is said to be better high" fit --mixtures m.csv --metrics acc.csv --out never --higher-is-better '*acc' --lower-is-better 'gsm*'
mkdir old && cp acc/* old
sed -e '/direction_from/d' -e 's/"higher_is_better": true,/"old": 1,/' -e 's/"hashes":/"no_hashes":/' acc/fit.json > old/fit.json
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
try "neither is a file" 2 "m.csv is a file" fit --mixtures m.csv --metrics l.csv --out m.csv
cp -R whole kept && echo mine > kept/diary.txt && ln -s kept link
try "a link to a fit is followed" 0 "" fit --mixtures m.csv --metrics acc.csv --out link/
[ -L link ] && [ -e kept/gsm8k_acc.json ] && [ ! -e kept/x_val_loss.json ] && ok "old parts go" || not_ok "old parts go" "$(ls -lA kept .)"
[ "$(cat kept/diary.txt)" = mine ] && ok "and what is not the fit's stays" || not_ok "and what is not the fit's stays" "$(ls -lA kept)"
(cd kept && fit --mixtures ../m.csv --metrics ../l.csv --out . -q > /dev/null 2>&1 && [ -e fit.json ] && [ -e diary.txt ] && [ ! -e gsm8k_acc.json ] || [ -e x_val_loss.json ]) &&
  "$REGMIX" predict --fit kept --mixtures m.csv > /dev/null 2>&1 && ok "the current folder can hold a fit" || not_ok "the current folder can hold a fit" "$(ls -lA kept)"
# A re-fit killed at any moment leaves the old fit or the new one.
fit --mixtures m.csv --metrics acc.csv --out killed -q > /dev/null 2>&1
left=killed.999999999@$(uname -n).tmp
mkdir "$left" && echo half > "$left/plain.json"
hits=0 wrong=0 i=0
while [ $i -lt 40 ]; do
  i=$((i + 1))
  if [ $((i % 2)) -eq 0 ]; then metrics=l.csv; else metrics=acc.csv; fi
  # exec, so that the kill reaches the program itself
  (exec "$REGMIX" fit --regressor ridge --set ridge.alpha=1e-6 --mixtures m.csv --metrics $metrics --out killed -q > /dev/null 2>&1) &
  pid=$!
  sleep 0.0$((i % 4))$((i * 7 % 10))
  kill -9 $pid 2> /dev/null
  wait $pid 2> /dev/null
  [ $? -eq 137 ] && hits=$((hits + 1))
  "$REGMIX" predict --fit killed --mixtures m.csv > /dev/null 2> err.txt || { wrong=$((wrong + 1)); cat err.txt; }
done
[ $wrong -eq 0 ] && ok "a fit killed while it is made again is still whole ($hits of $i kills hit)" || not_ok "a fit killed while it is made again is still whole" "$wrong of $i"
[ $hits -ge 5 ] && ok "and the kills hit" || not_ok "and the kills hit" "$hits of $i"
fit --mixtures m.csv --metrics acc.csv --out killed -q > /dev/null 2>&1
left=$(find . -maxdepth 1 -name 'killed.*')
[ -z "$left" ] && ok "and nothing is left over" || not_ok "and nothing is left over" "$left"

done_testing
