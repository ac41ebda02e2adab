#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs of examples/ that call the library do what the commands do: the same numbers, the
# same files.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
API=$(absolute "$2") PIPELINE=$(absolute "$3")
cd "$SCRATCH" || exit 1
awk 'BEGIN {
  srand(7); print "run,a,b,c" > "m.csv"; print "run,a_loss,b_loss" > "y.csv"
  for (i = 0; i < 30; i++) {
    s = 0; for (k = 0; k < 3; k++) { w[k] = -log(1 - rand()); s += w[k] }
    for (k = 0; k < 3; k++) { w[k] /= s; y[k] = 2 + k / 10 + 0.5 * (w[k] + 0.02) ^ -0.3 }
    printf "r%02d,%.6f,%.6f,%.6f\n", i, w[0], w[1], w[2] > "m.csv"
    printf "r%02d,%.6f,%.6f\n", i, y[0], y[1] > "y.csv"
  }
}'
try "api fits, predicts and optimises" 0 "weight of c:" "$API" m.csv y.csv a_loss
sed -n 's/^weight of \(.*\): /\1 /p' stdout > by_api.txt
"$REGMIX" fit --mixtures m.csv --metrics y.csv --out by-command > /dev/null 2>&1
"$REGMIX" optimize --fit by-command --target a_loss --json > optimum.json 2> /dev/null
jq -r '.mixture | to_entries[] | "\(.key) \(.value)"' optimum.json | awk '{ printf "%s %.6f\n", $1, $2 }' > by_command.txt
if cmp -s by_api.txt by_command.txt; then ok "api: the mixture of the commands"; else not_ok "api: the mixture of the commands" "$(diff by_api.txt by_command.txt)"; fi
"$REGMIX" predict --fit by-command --mixtures m.csv > predicted.csv 2> /dev/null
want=$(awk -F, 'NR == 2 { printf "%.6f", $2 }' predicted.csv) got=$("$API" m.csv y.csv a_loss | sed -n 's/^run r00, a_loss: //p')
if [ "$want" = "$got" ]; then ok "api: the predictions of the commands"; else not_ok "api: the predictions of the commands" "$got, wanted $want"; fi
try "api says what is wrong" 1 "unknown metric" "$API" m.csv y.csv nonsense

make_corpus by-command-run 120
make_corpus by-library 120
try "pipeline runs an experiment" 0 "all done" "$PIPELINE" by-library/regmix.yaml "$REGMIX"
"$REGMIX" run by-command-run/regmix.yaml > /dev/null 2>&1 || not_ok "regmix run"
for file in mixtures.csv metrics.csv large/comparison.json; do
  if cmp -s "by-library/$file" "by-command-run/$file"; then ok "pipeline: the same $file"; else not_ok "pipeline: the same $file"; fi
done
if [ -s by-library/report.html ]; then ok "pipeline: the page"; else not_ok "pipeline: the page"; fi
try "pipeline continues a finished experiment" 0 "up to date" "$PIPELINE" by-library/regmix.yaml "$REGMIX"
# examples/scaling, small
mkdir -p examples/quickstart/text examples/scaling
cp "$ROOT/examples/scaling/regmix.yaml" examples/scaling/
for domain in foldoc bible faq; do cp by-library/text/a.txt examples/quickstart/text/$domain.txt; done
for domain in c python; do cp by-library/text/b.txt examples/quickstart/text/$domain.txt; done
cp by-library/text/noise.txt examples/quickstart/text/german.txt
cp by-library/text/exam.txt examples/quickstart/text/fortunes.txt
small="--set corpus.vocab=320 --set corpus.overlap=0 --set corpus.dedup=false --set sample.runs=12 --set sample.max_epochs=0 --set sample.cap_ratio=1000 --set compare.seeds=1 --set optimize.replicates=20"
for section in proxy large; do small="$small --set $section.context=32 --set $section.batch_tokens=512 --set $section.tokens=6k"; done
small="$small --set swarms.larger.tokens=8k --set swarms.larger.runs=6 --set large.tokens=10k --set large.model=micro"
# shellcheck disable=SC2086
try "examples/scaling finds the optimum for a third size" 0 "all done" "$REGMIX" run -C examples/scaling $small
# Of so few runs the fit may learn nothing. The answer is the prior then, and does not move with size.
same "of the large model" "True True" "$(python3 -c 'import re
text = open("examples/scaling/optimum.yaml").read()
print(bool(re.search(r"for:\n +size: [0-9.]+\n +tokens: 10000", text)), text.count("moved:") == (0 if "method: prior" in text else 2))')"
done_testing
