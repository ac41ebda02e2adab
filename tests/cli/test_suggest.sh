#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# regmix suggest: CSV that goes on where mixtures.csv ends, first runs, new domains, constraints, misuse.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1
awk 'BEGIN { print "run,train_a,train_b,train_c" > "m.csv"; print "run,metric/a_val_loss,metric/b_val_loss" > "l.csv"
  s = 7
  for (i = 1; i <= 40; i++) {
    for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
    t = w[0] + w[1] + w[2]
    a = w[0] / t; b = w[1] / t; c = w[2] / t
    printf "%04d,%.6f,%.6f,%.6f\n", i, a, b, c > "m.csv"
    printf "%04d,%.6f,%.6f\n", i, 3 - sqrt(a) - 0.2 * b, 4 - 1.5 * sqrt(b) > "l.csv"
  } }'

try "suggest --help teaches" 0 "Gaussian process" "$REGMIX" suggest --help
try "a man page" 0 ".TH REGMIX-suggest 1" "$REGMIX" man suggest

# ---- before any run
printf 'a: 0.2\nb: 0.3\nc: 0.5\n' > prior.yaml
try "no fit and no prior says what to give" 2 "--prior FILE" "$REGMIX" suggest
try "the first runs, from a prior alone" 0 "there are no runs yet" "$REGMIX" suggest -n 5 --prior prior.yaml --out first.csv
[ "$(head -n 1 first.csv)" = "run,a,b,c" ] && [ "$(sed -n 2p first.csv | cut -d, -f1)" = 0001 ] && [ "$(wc -l < first.csv)" = 6 ] &&
  ok "have a header, five rows and names" || not_ok "have a header, five rows and names" "$(cat first.csv)"
awk -F, 'NR > 1 { if (($2 + $3 + $4 - 1) ^ 2 > 1e-18) exit 1 }' first.csv && ok "sum to 1" || not_ok "sum to 1" "$(cat first.csv)"
"$REGMIX" suggest -n 5 --prior prior.yaml --pending first.csv > more.csv 2> /dev/null
[ "$(sed -n 2p more.csv | cut -d, -f1)" = 0006 ] && ok "and the next go on after those pending" || not_ok "and the next go on after those pending" "$(cat more.csv)"
try "a cap counts there too" 0 "" "$REGMIX" suggest -n 4 --prior prior.yaml --cap a=0.1 --out capped.csv
awk -F, 'NR > 1 && $2 > 0.1 { exit 1 }' capped.csv && ok "and is kept" || not_ok "and is kept" "$(cat capped.csv)"

# ---- from runs
"$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ensemble --quiet > /dev/null
try "suggest" 0 "predicted target: best run" "$REGMIX" suggest -n 4 --fit fit --target a --no-curve
"$REGMIX" suggest -n 4 --fit fit --target a --no-curve > next.csv 2> /dev/null
[ "$(head -n 1 next.csv)" = "$(head -n 1 m.csv)" ] && ok "has the header of mixtures.csv" || not_ok "has the header of mixtures.csv" "$(cat next.csv)"
[ "$(cut -d, -f1 next.csv | tr '\n' ' ')" = "run 0041 0042 0043 0044 " ] && ok "names go on" || not_ok "names go on" "$(cat next.csv)"
awk -F, 'NR == 2 && $2 < 0.8 { exit 1 }' next.csv && ok "the next of a is mostly a" || not_ok "the next of a is mostly a" "$(cat next.csv)"
"$REGMIX" suggest --runs 4 --fit fit --target a --no-curve --set jobs=3 > again.csv 2> /dev/null
cmp -s next.csv again.csv && ok "the same on three threads" || not_ok "the same on three threads" "$(diff next.csv again.csv)"
(tail -n +2 next.csv | cat m.csv - ) > both.csv
awk -F, 'NR > 1 { printf "%s,%.6f,%.6f\n", $1, 3 - sqrt($2) - 0.2 * $3, 4 - 1.5 * sqrt($3) }' both.csv | (echo run,metric/a_val_loss,metric/b_val_loss; cat) > measured.csv
try "the rows join mixtures.csv as they are" 0 "44 runs" "$REGMIX" fit --mixtures both.csv --metrics measured.csv --regressor ridge --out fit-both
"$REGMIX" suggest -n 2 --fit fit --target a --json > s.json 2> s.err
for key in suggestions mixture predicted sd improvement why untried learning_curve expected_gain sentence; do
  grep -q "\"$key\"" s.json && ok "--json has \"$key\"" || not_ok "--json has \"$key\"" "$(cat s.json)"
done
grep -q 'expected to gain' s.err && ok "and its sentence is told" || not_ok "and its sentence is told" "$(cat s.err)"
try "several metrics" 0 "" "$REGMIX" suggest -n 2 --fit fit --target a --target b=0.5 --no-curve
try "what must not get worse" 0 "" "$REGMIX" suggest -n 2 --fit fit --target a --no-worse b --no-curve
head -n 13 m.csv > m12.csv
"$REGMIX" fit --mixtures m12.csv --metrics l.csv --regressor gp --quiet --out fit12 > /dev/null 2>&1
try "too few for a learning curve" 0 "Too few runs to tell (12; at least 20 are needed)" "$REGMIX" suggest -n 2 --fit fit12 --target a
head -n 4 m.csv > m3.csv
"$REGMIX" fit --mixtures m3.csv --metrics l.csv --regressor gp --quiet --out fit3 > /dev/null 2>&1
try "too few for anything but spreading out" 0 "4 mixtures spread out" "$REGMIX" suggest -n 4 --fit fit3 --target a

# names of repetitions: 41 runs, some of them measured at several steps
awk -F, -v OFS=, 'FNR == 1 { print $0; next } { print "s" $1, $2, $3, $4 }' m.csv > sm.csv
awk -F, -v OFS=, 'NR == 1 { print $0; next } { for (k = 0; k < 1 + NR % 3; k++) print "s" $1, $2 + 0.01 * k, $3 }' l.csv > sl.csv
"$REGMIX" fit --mixtures sm.csv --metrics sl.csv --regressor ridge --quiet --out fit-steps > /dev/null 2>&1
names() { "$REGMIX" suggest -n 2 --target a --no-curve "$@" 2> /dev/null | cut -d, -f1 | tr '\n' ' '; }
[ "$(names --fit fit-steps)" = "run s0041 s0042 " ] && ok "a repetition is not a number to continue" || not_ok "a repetition is not a number to continue" "$(names --fit fit-steps)"
awk -F, -v OFS=, '{ sub("^", NR == 1 ? "" : "try#", $1); print }' m.csv > tm.csv
awk -F, -v OFS=, '{ sub("^", NR == 1 ? "" : "try#", $1); print }' l.csv > tl.csv
"$REGMIX" fit --mixtures tm.csv --metrics tl.csv --regressor ridge --quiet --out fit-tries > /dev/null 2>&1
[ "$(names --fit fit-tries)" = "run try#0041 try#0042 " ] && ok "the number of a mixture of its own is" || not_ok "the number of a mixture of its own is" "$(names --fit fit-tries)"

# ---- new domains
"$REGMIX" domains --mixtures m.csv --split train_a=a1:0.3,a2:0.7 --add math --out m2.csv 2> /dev/null
"$REGMIX" fit --mixtures m2.csv --metrics l.csv --regressor ensemble --quiet --out fit2 > /dev/null 2>&1
try "a domain split and one added are covered first" 0 "2 directions in which no two runs differ (math, a1 with a2)" "$REGMIX" suggest -n 2 --fit fit2 --target metric/a --no-curve --out new.csv
awk -F, 'NR > 1 { if ($6 > 0.02) math = 1; x = $2 * 0.7 - $3 * 0.3; if (x * x > 1e-4) apart = 1 } END { exit !(math && apart) }' new.csv &&
  ok "by the mixtures suggested" || not_ok "by the mixtures suggested" "$(cat new.csv)"
try "too small a batch says what it takes" 0 "takes at least 2 runs" "$REGMIX" suggest -n 1 --fit fit2 --target metric/a --no-curve
try "a domain held at 0 needs no run" 0 "1 direction in which" "$REGMIX" suggest -n 1 --fit fit2 --target metric/a --fix math=0 --no-curve

# ---- misuse
try "no target" 2 "give --target METRIC" "$REGMIX" suggest --fit fit
try "an unknown target" 2 'unknown metric "zebra"' "$REGMIX" suggest --fit fit --target zebra
try "a fit that is not there" 1 "nofit" "$REGMIX" suggest --fit nofit --target a
try "no runs wanted" 2 "out of bounds" "$REGMIX" suggest --fit fit --target a -n 0
try "constraints that clash" 1 "--cap a=0.2" "$REGMIX" suggest --fit fit --target a --cap a=0.2 --cap b=0.2 --cap c=0.2
try "constraints that leave one mixture" 1 "only 1 new mixture" "$REGMIX" suggest --fit fit --target a --fix a=0.2 --fix b=0.2
try "-n where there is none" 2 "unknown option --runs" "$REGMIX" predict -n 3
done_testing
