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
try "the prior of tables is named" 0 "Against the prior (the mean of the 30 runs): gains" "$REGMIX" optimize --fit fit --target a_loss --replicates 40
printf 'd1: 0.2\nd2: 0.3\nd3: 0.5\n' > mine.yaml
try "a prior from a file is named" 0 "Against the prior (the mixture in mine.yaml): gains" "$REGMIX" optimize --fit fit --target a_loss --replicates 40 --prior mine.yaml
"$REGMIX" optimize --fit fit --target a_loss --replicates 40 --json > out.json 2> /dev/null
check "the prior's origin is in the JSON" "\"$(field .prior_from)\" == \"runs\" && \"$(field .prior_text)\" == \"the mean of the 30 runs\""
rm optimum.yaml
"$REGMIX" optimize --fit fit --target a_loss --quick --json > out.json 2> /dev/null
check "--json writes no file" "$(find . -maxdepth 1 -name optimum.yaml | wc -l) == 0"
echo 'shopping: milk' > optimum.yaml
try "a file of the user's is not replaced" 1 "did not write it: move it away" "$REGMIX" optimize --fit fit --target a_loss --quick
check "and is as it was" "$(grep -c milk optimum.yaml) == 1"
rm optimum.yaml
mkdir exp && printf 'target: a_loss\n' > exp/regmix.yaml && cp -r fit exp/fit
try "an experiment's optimum is not replaced by another question" 0 "stays as it is" "$REGMIX" optimize --fit exp/fit --target a_loss --quick
check "nothing was written there" "$(find exp -name optimum.yaml | wc -l) == 0"

# Names in files are exact, or have known prefixes.
quick="$REGMIX optimize --fit fit --target a_loss --quick --json"
printf 'd1: 1M\nd2: 30M\nd3: 90M\npython_d1: 50M\n' > tokens.yaml
$quick --tokens tokens.yaml --budget 100M > out.json 2> err.txt
check "a name that only ends like a domain gives no tokens" "$(field .mixture.d1) <= 0.04 + 1e-9"
check "and is told" "$(grep -c "1 name is no domain's and not used: python_d1" err.txt) == 1"
printf 'd1: 1M\nd2: 30M\nd3: 90M\ntrain_d1: 50M\n' > tokens.yaml
try "one domain named twice" 1 'domain "d1" is given twice, as "d1" and as "train_d1"' $quick --tokens tokens.yaml --budget 100M
printf 'd1: 1M\nd2: 30M\nq3: 90M\n' > tokens.yaml
try "a domain without tokens, and what has some" 1 'no tokens of domain "d3"; it has some of q3' $quick --tokens tokens.yaml --budget 100M
printf 'd1: 0.5\nd2: 0.3\nmy_d3: 0.2\n' > loose.yaml
for option in --prior --against "--max-kl 1 --reference" "--no-worse other_loss --than"; do
  try "a mixture with a name that is no domain's: $option" 1 'loose.yaml:3: unknown domain "my_d3"' "$REGMIX" optimize --fit fit --target a_loss $option loose.yaml
done
try "a cap on what only ends like a domain" 2 'unknown domain "my_d1"' $quick --cap my_d1=0.1
printf 'run,d1,d2,my_d3\nx,0.5,0.3,0.2\n' > loose.csv
try "mixtures to predict" 1 'column "my_d3" is no domain of the fit' "$REGMIX" predict --fit fit --mixtures loose.csv

# Many domains, few runs, much noise: the fit promises too much.
table 20 40 0.1
"$REGMIX" fit --mixtures m.csv --metrics y.csv --metric a_loss --regressor ridge --out noisy > /dev/null 2>&1
"$REGMIX" optimize --fit noisy --no-guard --replicates 60 --json > out.json 2> err.txt || not_ok "noisy" "$(cat err.txt)"
check "the headline lies inside its interval" "$(field .gain.estimate) >= $(field '.gain.interval[0]') && $(field .gain.estimate) <= $(field '.gain.interval[1]')"
check "and so it does against each mixture" "$(field '[.versus[] | select(.estimate < .interval[0] or .estimate > .interval[1])] | length') == 0"
check "it is less than the fit promises" "$(field .gain.estimate) < $(field .gain.predicted)"
done_testing
