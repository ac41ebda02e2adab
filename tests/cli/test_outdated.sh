#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What an output was made from may change. Every command that uses the output then warns of that, and `status` does
# not call it up to date.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

make_corpus exp 120
sed -i '/^compare:/d; /^optimize:/d' exp/regmix.yaml
echo 'compare: {seeds: 1, against: [prior]}
optimize: {method: search, replicates: 0}' >> exp/regmix.yaml
try "an experiment" 0 "" "$REGMIX" run -q -C exp
cp -p exp/text/a.txt a.txt

try "nothing changed" 0 "report.html            there" "$REGMIX" status -C exp
not_printed "nothing is outdated" outdated
for command in train fit optimize compare pretrain "export --to regmix" report correlate "suggest --no-curve"; do
  # shellcheck disable=SC2086
  "$REGMIX" $command -C exp > stdout 2> stderr
  not_printed "and $command does not say so" outdated
done
try "run, for the next cases" 0 "" "$REGMIX" run -q -C exp

# ---- the text
awk '{ print } NR < 40 { print "one more line " NR }' a.txt > exp/text/a.txt
try "status: the text changed" 0 "outdated: changed: the text or its settings" "$REGMIX" status -C exp
same "so all that follows is outdated" 5 "$(grep -c '^[a-z/.]* *outdated: the corpus is outdated' stdout)"
try "the same in JSON" 0 "" "$REGMIX" status -C exp --json
same "its keys" "corpus fit/fit.json large/comparison.json metrics.csv optimum.yaml report.html" "$(value stdout '" ".join(sorted(o["outdated"]))')"
for command in sample train fit optimize compare pretrain "pretrain --mixture prior" "export --to regmix" "export --token-files npy --out tokens" \
  report "suggest --no-curve"; do
  # shellcheck disable=SC2086
  try "$command warns of the text" 0 "the corpus of exp is outdated (changed: the text or its settings) and is used as it is" "$REGMIX" $command -C exp
  same "in one line" 1 "$(grep -c outdated stderr)"
done
try "correlate, which has no scores here, warns too" 1 "the corpus of exp is outdated" "$REGMIX" correlate -C exp
try "run does not warn: it stops" 1 "finished runs" "$REGMIX" run -C exp
not_printed "without that line" outdated
cp a.txt exp/text/a.txt
try "the same text with other times is no change" 0 "report.html            there" "$REGMIX" status -C exp
not_printed "nothing is outdated any more" outdated

printf '{"text": "one more file"}\n' > exp/text/later.txt
sed -i 's,^\( *a: *\)text/a.txt,\1text/[al]*.txt,' exp/regmix.yaml && grep -q 'al' exp/regmix.yaml || not_ok "a pattern in regmix.yaml" "$(cat exp/regmix.yaml)"
try "new files are named" 0 "(changed: the text or its settings, with 1 new file: text/later.txt)" "$REGMIX" train -C exp
cp exp/text/b.txt exp/text/b-2.txt
try "files that are named as further parts are named" 0 "b: 1 file beside its text is named as further parts of it, but is in no pattern and not read (exp/text/b-2.txt)" "$REGMIX" prepare -C exp --dry-run
rm exp/text/b-2.txt
sed -i 's,\[al\]\*,a,' exp/regmix.yaml && rm exp/text/later.txt

# ---- the text is elsewhere
mv exp/text away
try "without the text nobody can know" 0 "all 6 runs are done" "$REGMIX" train -C exp
not_printed "so there is no warning" outdated
mv away exp/text

# ---- settings of each step
try "a setting of the fit" 0 "fit/fit.json           outdated: changed: settings" "$REGMIX" status -C exp --set ridge.alpha=0.1
grep -q '^metrics.csv  *there' stdout && ok "what it was made from is not" || not_ok "what it was made from is not" "$(cat stdout)"
try "compare warns of the fit" 0 "the fit/fit.json of exp is outdated (changed: settings)" "$REGMIX" compare -C exp --set ridge.alpha=0.1
try "a setting of the search" 0 "optimum.yaml           outdated: changed: settings" "$REGMIX" status -C exp --set optimize.guard=false
try "export warns of the optimum" 0 "the optimum.yaml of exp is outdated" "$REGMIX" export --to regmix -C exp --set optimize.guard=false
try "settings of the large models" 0 "large/comparison.json  outdated: " "$REGMIX" status -C exp --set compare.seeds=2
cp exp/optimum.yaml optimum.yaml && printf 'run,a,b\n1,0.5,0.5\n' > exp/optimum.yaml
try "an optimum that is no mixture" 0 "optimum.yaml           outdated: damaged, since it is not a map" "$REGMIX" status -C exp
try "export says what makes it again" 1 "makes it again" "$REGMIX" export --to json -C exp
cp optimum.yaml exp/optimum.yaml
for setting in proxy.threads=1 large.threads=1 proxy.timeout=5s proxy.grace=5s large.checkpoint_s=5 large.evals=2 climb.rounds=2; do
  "$REGMIX" status -C exp --set $setting > status.txt 2>&1
  if grep -q 'outdated: changed: settings' status.txt; then not_ok "no result depends on $setting" "$(cat status.txt)"; else ok "no result depends on $setting"; fi
done
try "settings of the proxies" 0 "metrics.csv            outdated: 6 of 6 rows are of runs that the present settings do not use" "$REGMIX" status -C exp --set proxy.lr=0.02
try "settings of the mixtures" 0 "metrics.csv            outdated: mixtures.csv is outdated" "$REGMIX" status -C exp --set sample.runs=7

# ---- tables
cp -p exp/metrics.csv metrics.csv
sed -i '2s/,[0-9]/,9/' exp/metrics.csv
try "numbers of metrics.csv that were changed" 0 "fit/fit.json           outdated: changed: metrics.csv" "$REGMIX" status -C exp
try "optimize warns of them" 0 "(changed: metrics.csv)" "$REGMIX" optimize -C exp
cp -p metrics.csv exp/metrics.csv
done_testing
