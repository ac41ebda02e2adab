#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is claimed of an optimum: where it is left, what its prior is, and a headline that lies inside its interval.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1
check() { if awk "BEGIN { exit !($2) }"; then ok "$1"; else not_ok "$1" "$2"; fi; }

# table DOMAINS RUNS NOISE: m.csv and y.csv; the loss falls with the first domain, `other` rises with it, noise is not learnt.
table() {
  awk -v D="$1" -v N="$2" -v noise="$3" 'BEGIN {
    srand(11); printf "run" > "m.csv"; print "run,a_loss,other_loss,flat_loss" > "y.csv"
    for (d = 1; d <= D; d++) printf ",d%d", d > "m.csv"
    print "" > "m.csv"
    for (i = 1; i <= N; i++) {
      s = 0; for (d = 1; d <= D; d++) { w[d] = -log(1 - rand()); s += w[d] }
      printf "r%03d", i > "m.csv"
      for (d = 1; d <= D; d++) printf ",%.6f", w[d] / s > "m.csv"
      print "" > "m.csv"
      z = sqrt(-2 * log(1 - rand())) * cos(6.2831853 * rand())
      printf "r%03d,%.6f,%.6f,%.6f\n", i, 3 - w[1] / s + noise * z, 2 + 2 * w[1] / s, 1 + rand() > "y.csv"
    }
  }'
}
field() { jq -r "$1" out.json; }

table 3 30 0.01
"$REGMIX" fit --mixtures m.csv --metrics y.csv --regressor ridge > /dev/null 2>&1 || not_ok "a fit"
try "optimize leaves its answer beside the fit" 0 "wrote optimum.yaml" "$REGMIX" optimize --fit fit --target a_loss --replicates 40
try "so two tables are a page after three commands" 0 "report.html" "$REGMIX" report
check "the page has the optimum" "$(grep -c 'prior_text' report.html) > 0"
try "the prior of tables is named" 0 "Compared with the prior (the mean of the 30 runs) the optimum gains" "$REGMIX" optimize --fit fit --target a_loss --replicates 40
printf 'd1: 0.2\nd2: 0.3\nd3: 0.5\n' > mine.yaml
try "a prior from a file is named" 0 "Compared with the prior (the mixture in mine.yaml) the optimum gains" "$REGMIX" optimize --fit fit --target a_loss --replicates 40 --prior mine.yaml
"$REGMIX" optimize --fit fit --target a_loss --replicates 40 --json > out.json 2> /dev/null
check "the prior's origin is in the JSON" "\"$(field .prior_from)\" == \"runs\" && \"$(field .prior_text)\" == \"the mean of the 30 runs\""
rm optimum.yaml
"$REGMIX" optimize --fit fit --target a_loss --quick --json > out.json 2> /dev/null
check "--json writes no file" "$(find . -maxdepth 1 -name optimum.yaml | wc -l) == 0"
echo 'shopping: milk' > optimum.yaml
try "a file of the user's is not replaced" 1 "did not write it; move it away" "$REGMIX" optimize --fit fit --target a_loss --quick
check "and is as it was" "$(grep -c milk optimum.yaml) == 1"
rm optimum.yaml
cp -r fit other && mkdir -p deep/er
"$REGMIX" optimize --fit other --target a_loss --quick > /dev/null 2>&1
mv fit away
try "report finds the fit of an optimum" 0 "" "$REGMIX" report
check "by the folder that the optimum remembers" "$(grep -c 'not here any more' report.html) == 0 && $(grep -c 'out_of_fold\|"runs":{"' report.html) > 0"
"$REGMIX" optimize --fit other --target a_loss --quick --out deep/er/o.yaml > /dev/null 2>&1
try "also from elsewhere" 0 "" "$REGMIX" report --optimum deep/er/o.yaml
check "by a path from the optimum" "$(grep -c 'fit_folder: .*../../other' deep/er/o.yaml) == 1 && $(grep -c 'not here any more' report.html) == 0"
rm -r optimum.yaml other deep && mv away fit
mkdir exp && printf 'target: a_loss\n' > exp/regmix.yaml && cp -r fit exp/fit
try "an experiment's optimum is not replaced by another question" 0 "is not changed" "$REGMIX" optimize --fit exp/fit --target a_loss --quick
check "nothing was written there" "$(find exp -name optimum.yaml | wc -l) == 0"

# What the gain costs, and which way each metric goes.
try "metrics that get worse" 0 "1 of the 2 other metrics is predicted worse than at the prior: other_loss by" "$REGMIX" optimize --fit fit --target a_loss --quick
"$REGMIX" optimize --fit fit --target a_loss --quick --json > out.json 2> err.txt
check "metrics that get worse, as JSON" "$(field .worse.n) == 1 && $(field .worse.of) == 2 && $(field .worse.by.other_loss) > 0.1"
"$REGMIX" optimize --fit fit --target a_loss --no-worse other_loss --quick --json > out.json 2> err.txt
check "--no-worse keeps them from it" "$(field '.worse.by | has("other_loss")') == false"
try "what is lowered is said" 0 "Lowered: a_loss." "$REGMIX" optimize --fit fit --target a_loss --quick
try "what is raised against its name is told" 0 '"a_loss" is a loss, lower is better (name): it is maximised, as you asked' "$REGMIX" optimize --fit fit --maximize a_loss --quick
sed '1s/a_loss/points_of_a/' y.csv > p.csv
"$REGMIX" fit --mixtures m.csv --metrics p.csv --metric points_of_a --regressor ridge --out points > /dev/null 2>&1
try "a direction that is assumed is said" 0 "It is assumed that lower is better of points_of_a" "$REGMIX" optimize --fit points --quick
try "in JSON too" 0 '"from": "assumed"' "$REGMIX" optimize --fit points --quick --json
printed "with a warning" "It is assumed that lower is better of points_of_a"

# A gain is counted in nats only where the metric is known to be.
try "the unit of more runs is the metric" 0 "more runs would be expected to gain" "$REGMIX" optimize --fit points --replicates 20
check "which is named" "$(grep -c 'gain [0-9.e-]* in points_of_a' "$SCRATCH/stdout") == 1 && $(grep -c nats "$SCRATCH/stdout") == 0"
sed '1s/a_loss/a_val_loss/' y.csv > v.csv
"$REGMIX" fit --mixtures m.csv --metrics v.csv --metric a_val_loss --regressor ridge --out nats > /dev/null 2>&1
try "validation losses are in nats" 0 " nats" "$REGMIX" optimize --fit nats --replicates 20

# A fit of runs with another tokenizer than the corpus has.
mkdir -p other/corpus && cp -r nats other/fit && echo 'target: a_val_loss' > other/regmix.yaml
jq '.tokenizer = "00000000000000aa" | del(.content_hash)' nats/fit.json > other/fit/fit.json
echo '{"tokenizer_hash": "00000000000000bb"}' > other/corpus/corpus.json
"$REGMIX" optimize -C other --target a_val_loss --quick > out.txt 2> err.txt
check "another tokenizer is told" "$(grep -c 'another tokenizer than the present corpus has' err.txt) == 1"

# A fit that knows nothing: the prior is the answer.
"$REGMIX" fit --mixtures m.csv --metrics y.csv --metric flat_loss --regressor gp --out noise > /dev/null 2>&1
try "noise: the prior is the answer" 0 "The fit has learnt nothing about the target: the fit predicts unseen runs no better than their mean does" "$REGMIX" optimize --fit noise
"$REGMIX" optimize --fit noise --json > out.json 2> err.txt
prior_stays='[.mixture, .prior] | .[0] as $m | .[1] | to_entries | map(.value - $m[.key] | fabs) | max'
check "noise: in the JSON" "\"$(field .method)\" == \"prior\" && \"$(field .learnt)\" == \"false\" && $(field .r2) <= 0 && $(field "$prior_stays") < 1e-9 && \"$(field .gain.estimate)\" == \"null\""
check "noise: told on stderr" "$(grep -c 'so the prior, under the constraints, is the answer' err.txt) == 1"
"$REGMIX" optimize --fit noise --cap d1=0.1 --json > out.json 2> err.txt
check "noise: the prior keeps the constraints" "$(field .mixture.d1) <= 0.1 + 1e-9 && $(field '[.mixture[]] | add') > 1 - 1e-9"
try "noise: --no-guard believes it, and says so" 0 "what follows is the optimum of that fit" "$REGMIX" optimize --fit noise --no-guard --quick
awk 'NR <= 2' m.csv > m1.csv
"$REGMIX" fit --mixtures m1.csv --metrics y.csv --metric a_loss --out one > /dev/null 2>&1
try "one run: the prior is the answer" 0 "all runs have the same mixture, so nothing is known about other mixtures" "$REGMIX" optimize --fit one --no-guard
awk -F, -v OFS=, 'NR > 1 { $2 = 3 } { print }' y.csv > c.csv
"$REGMIX" fit --mixtures m.csv --metrics c.csv --metric a_loss --regressor trees --out flat > /dev/null 2>&1
"$REGMIX" optimize --fit flat --json > flat.json 2> /dev/null
same "with the keys of a gain, which has no value" "[None, None, None, {}, 0.9]" "$(value flat.json '[o["interval"], o["gain"]["estimate"], o["gain"]["interval"], o["versus"], o["level"]]')"
try "a flat function: the prior is the answer" 0 "So the mixture is the prior (the mean of the 30 runs)" "$REGMIX" optimize --fit flat

# A 0 that would mean "no bound" is refused; the word is none.
for option in --max-kl --max-epochs --budget --drop-below --kl-penalty; do
  try "$option 0 is refused" 2 "out of bounds" "$REGMIX" optimize --fit fit --target a_loss --quick $option 0
done
try "a bound of 0 by a setting" 2 "it goes from 1e-09 to 1000, or is none" "$REGMIX" optimize --fit fit --target a_loss --quick --set optimize.max_kl=0
try "and none is none" 0 "Lowered: a_loss" "$REGMIX" optimize --fit fit --target a_loss --quick --set optimize.max_kl=none

# Names in files are exact, or have known prefixes.
quick="$REGMIX optimize --fit fit --target a_loss --quick --json"
printf 'd1: 1M\nd2: 30M\nd3: 90M\npython_d1: 50M\n' > tokens.yaml
$quick --tokens tokens.yaml --budget 100M > out.json 2> err.txt
check "a name that only ends like a domain gives no tokens" "$(field .mixture.d1) <= 0.04 + 1e-9"
check "and is told" "$(grep -c "1 name is not a domain and ignored: python_d1" err.txt) == 1"
printf 'd1: 1M\nd2: 30M\nd3: 90M\ntrain_d1: 50M\n' > tokens.yaml
try "one domain named twice" 1 'domain "d1" is given twice, as "d1" and as "train_d1"' $quick --tokens tokens.yaml --budget 100M
printf 'd1: 1M\nd2: 30M\nq3: 90M\n' > tokens.yaml
try "a domain without tokens, and what has some" 1 'no token count for domain "d3"; it has one for q3' $quick --tokens tokens.yaml --budget 100M
printf 'd1: 0.5\nd2: 0.3\nmy_d3: 0.2\n' > loose.yaml
for option in --prior --against "--max-kl 1 --reference" "--no-worse other_loss --than"; do
  try "a mixture with a name that is no domain's: $option" 1 'loose.yaml:3: unknown domain "my_d3"' "$REGMIX" optimize --fit fit --target a_loss $option loose.yaml
done
try "a cap on what only ends like a domain" 2 'unknown domain "my_d1"' $quick --cap my_d1=0.1
printf 'run,d1,d2,my_d3\nx,0.5,0.3,0.2\n' > loose.csv
try "mixtures to predict" 1 'column "my_d3" is not a domain of the fit' "$REGMIX" predict --fit fit --mixtures loose.csv

# Many domains, few runs, much noise: the fit promises too much.
table 20 40 0.1
"$REGMIX" fit --mixtures m.csv --metrics y.csv --metric a_loss --regressor ridge --out noisy > /dev/null 2>&1
"$REGMIX" optimize --fit noisy --no-guard --replicates 60 --json > out.json 2> err.txt || not_ok "noisy" "$(cat err.txt)"
check "the headline lies inside its interval" "$(field .gain.estimate) >= $(field '.gain.interval[0]') && $(field .gain.estimate) <= $(field '.gain.interval[1]')"
check "and so it does against each mixture" "$(field '[.versus[] | select(.estimate < .interval[0] or .estimate > .interval[1])] | length') == 0"
check "it is less than the fit promises" "$(field .gain.estimate) < $(field .gain.predicted)"
awk 'NR <= 36' m.csv > m35.csv
"$REGMIX" fit --mixtures m35.csv --metrics y.csv --metric other_loss --regressor ridge --out few > /dev/null 2>&1
try "few runs are told" 0 "35 different mixtures for 20 domains are few: train 40 or more" "$REGMIX" optimize --fit few --quick
# One pair of equal runs that differ much measures the noise badly: it is above an rmse, which is no contradiction.
table 3 20 0.01
awk -F, '{ print } NR == 21 { sub(/^[^,]*/, "again"); print }' m.csv > twice.csv
awk -F, '{ print } NR == 21 { printf "again,%s,%s,%s\n", $2 + 1, $3, $4 }' y.csv > apart.csv
try "fit warns that too few equal runs measure a noise above the rmse" 0 "equal runs, which are too few to measure it well" \
  "$REGMIX" fit --mixtures twice.csv --metrics apart.csv --metric a_loss --regressor ridge --out noisy
awk -F, '{ print } NR == 21 { printf "again,%s,%s,%s\n", $2 + 0.0001, $3, $4 }' y.csv > near.csv
try "nor does one pair measure a noise below it well" 0 "equal runs, which are too few to measure it well" \
  "$REGMIX" fit --mixtures twice.csv --metrics near.csv --metric a_loss --regressor ridge --out near
# Ten pairs do.
awk -F, '{ print } NR > 1 && NR < 12 { sub(/^[^,]*/, "again" NR); print }' m.csv > twice.csv
for off in 0.0001 1; do
  awk -F, -v off=$off '{ print } NR > 1 && NR < 12 { printf "again%d,%s,%s,%s\n", NR, $2 + off, $3, $4 }' y.csv > pairs.csv
  "$REGMIX" fit --mixtures twice.csv --metrics pairs.csv --metric a_loss --regressor ridge --out pairs 2> /dev/null > "pairs$off.txt"
done
same "ten pairs measure it, below an rmse" 1 "$(grep -c 'equal runs; no rmse can be lower' pairs0.0001.txt)"
same "or above it" 1 "$(grep -c 'equal runs; an rmse below it is chance' pairs1.txt)"
done_testing
