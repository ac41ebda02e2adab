#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tables with runs of several sizes and lengths: fit, score, predict and optimize for a scale.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# table FILE SIZES: a row for each of 12 mixtures, sizes and three lengths.
table() {
  awk -v sizes="$2" 'BEGIN {
    print "run,weight_web,weight_code,weight_book,model_size,n_tokens,web_loss,code_loss,note"
    n = split(sizes, size, " ")
    for (s = 1; s <= n; s++) for (i = 0; i < 12; i++) for (t = 1; t <= 3; t++) {
      a = .1 + (i * 7 % 12) / 20; b = (1 - a) * (.1 + (i * 5 % 12) / 15); c = 1 - a - b
      big = size[s] + 0; unit = 1e6
      law = 2 + .5 * (big / 100) ^ -.3 + .4 * (t / 2) ^ -.4
      printf "r%d_%s_%d,%.6f,%.6f,%.6f,%s,%dG,%.5f,%.5f,x\n", i, size[s], t, a, b, c, size[s], 2 * t,
        law - .3 * sqrt(a), law - .4 * sqrt(b) - .02 * log(big) * sqrt(c)
    }
  }' > "$1"
}
table small.csv "50M 100M"
table big.csv 300M
columns="--mixture-columns weight_* --metric-columns *_loss"
scales="--size-column model_size --tokens-column n_tokens"
set -f
try "a fit of two sizes" 0 "scaling" "$REGMIX" fit --mixtures small.csv --metrics small.csv $columns $scales --out f
cut -d , -f 1,5-8 small.csv | sed 's/M,/000000,/; s/G,/000000000,/' > l.csv
try "columns of scales are no metrics" 0 "scaling" "$REGMIX" fit --mixtures small.csv --metrics l.csv --mixture-columns weight_* $scales --regressor scaling --out all
same "so the metrics are the other columns" "['web_loss', 'code_loss']" "$(value all/fit.json '[m["name"] for m in o["metrics"]]')"
try "score reads the columns that the fit remembers" 0 '"coverage"' \
  "$REGMIX" score --fit f --mixtures big.csv --metrics big.csv --json
spearman=$(value stdout 'o["mean"]["spearman"]')
if [ "$(echo "$spearman" | awk '{ print ($1 > .9) }')" = 1 ]; then
  ok "and ranks the mixtures of a larger size"
else
  not_ok "and ranks the mixtures of a larger size" "Spearman $spearman"
fi
# Losses that depend on the size and the length alone: a score over all of them says nothing of the mixture.
python3 -c 'import random
random.seed(3)
print("run,weight_web,weight_code,weight_book,model_size,n_tokens,web_loss")
for i in range(16):
    w = [random.gammavariate(1, 1) for _ in range(3)]
    a, b, c = (x / sum(w) for x in w)
    for size, tokens in ((10, 200), (10, 400), (100, 2000), (100, 4000)):
        y = 1.7 + 3 * size ** -.3 + 5 * tokens ** -.3 + random.gauss(0, .02)
        print(f"r{i}_{size}_{tokens},{a:.6f},{b:.6f},{c:.6f},{size}M,{tokens}M,{y:.5f}")' > level.csv
"$REGMIX" fit --mixtures level.csv --metrics level.csv $columns $scales --out level -q > /dev/null 2>&1
"$REGMIX" score --fit level --mixtures level.csv --metrics level.csv --json -q > level.json 2> /dev/null
same "score is of the largest size at its last length" "[16, {'runs': 16, 'size': 100000000.0, 'tokens': 4000000000.0}]" \
  "$(value level.json '[o["metrics"]["web_loss"]["n"], dict(sorted(o["scored"].items()))]')"
same "so is the choice of a run" True "$(value level.json '0 <= o["metrics"]["web_loss"]["regret_at_1"] < .1 and abs(o["metrics"]["web_loss"]["optimism"]) < .1 and o["metrics"]["web_loss"]["rmse"] < .1')"
same "with each size, and all runs, beside it" "[[1e7, 16], [1e8, 16], 64, True]" \
  "$(value level.json '[[s["size"], s["metrics"]["web_loss"]["n"]] for s in o["by_size"]] + [o["all"]["metrics"]["web_loss"]["n"], o["all"]["mean"]["spearman"] > .8]' | sed 's/10000000.0/1e7/; s/100000000.0/1e8/')"
same "no mixture is ranked by its size" True "$(value level.json 'abs(o["metrics"]["web_loss"]["spearman"]) < o["all"]["metrics"]["web_loss"]["spearman"] - .1 and o["metrics"]["web_loss"]["r2"] < .9 < o["all"]["metrics"]["web_loss"]["r2"]')"
try "score says so" 0 "(of the 16 runs of 100M,4G: the largest size, at its last length)" "$REGMIX" score --fit level --mixtures level.csv --metrics level.csv
printed "and prints each size" "10M,400M"
awk -F, 'NR == 1 || NR < 10' level.csv > fewer.csv
try "too few of each size" 0 "(of all 8 runs together, since no size has five" "$REGMIX" score --fit level --mixtures fewer.csv --metrics fewer.csv
try "predict needs a scale" 2 "--for SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv
try "predict for a scale" 0 "r0_300M_1" "$REGMIX" predict --fit f --mixtures big.csv --for 300M,6G
try "with its uncertainty" 0 '"sd"' "$REGMIX" predict --fit f --mixtures big.csv --for 1.2B,100G --json
try "optimize needs a scale" 2 "--for SIZE,TOKENS" "$REGMIX" optimize --fit f --target web_loss
try "optimize for a scale" 0 "weight_web" \
  "$REGMIX" optimize --fit f --target web_loss --for 300M,6G --quick --out o.yaml
"$REGMIX" optimize --fit f --target web_loss --for 300M,6G --replicates 20 --json > drift.json 2> /dev/null
for text in '"drift"' '"smallest_is_enough"' '"sentence": "From 50M,6G to 300M,6G' '"the optimum for 100M,6G"'; do
  if grep -qF "$text" drift.json; then ok "the answer has $text"; else not_ok "the answer has $text"; fi
done
far() { "$REGMIX" optimize --fit "$1" --target web_loss --for "$2" --replicates 60 --json -q > drift.json 2> /dev/null; }
# 16 mixtures at two sizes: the best share of code grows a little with the size, and runs have noise.
python3 -c 'import random
random.seed(1)
print("run,weight_web,weight_code,weight_book,model_size,n_tokens,web_loss")
mixtures = [[x / sum(w) for x in w] for w in [[random.gammavariate(1, 1) for _ in range(3)] for _ in range(16)]]
for step, size in enumerate(["10M", "50M"]):
    for i, (a, b, c) in enumerate(mixtures):
        for t in (1, 2):
            y = 3.4 - .4 * step - .15 * t + .5 * (a - .5) ** 2 + .3 * (b - .3 - .16 * step) ** 2 + random.gauss(0, .003)
            print(f"r{i}_{size}_{t},{a:.6f},{b:.6f},{c:.6f},{size},{t}G,{y:.5f}")' > noisy.csv
"$REGMIX" fit --mixtures noisy.csv --metrics noisy.csv $columns $scales --out noisy -q > /dev/null
far noisy 1B,10G
interval='(lambda v: v[0] <= 0 < v[1])(o["drift"]["sizes"][0]["gain"]["interval"])'
same "a wide interval says that the runs cannot tell" "[None, True, True]" \
  "$(value drift.json '[o["drift"]["smallest_is_enough"], '"$interval"', "cannot tell whether" in o["drift"]["sentence"]]')"
same "optima of one fit are compared as it predicts, so the answer is never the worse one" True \
  "$(value drift.json 'all(0 <= s["gain"]["estimate"] == s["gain"]["predicted"] for s in o["drift"]["sizes"])')"
try "near the runs no warning" 0 "" "$REGMIX" predict --fit noisy --mixtures noisy.csv --for 100M,4G
same "of distance" "" "$(cat stderr | grep -F 'far from the runs')"
try "more than twice as large" 0 "its size is 2.4 times the largest of the runs (50M); no run tells" \
  "$REGMIX" predict --fit noisy --mixtures noisy.csv --for 120M,4G
try "a size far above the runs" 0 "its size is 200 times the largest of the runs (50M), its length is 50 times the largest of the runs (2G)" \
  "$REGMIX" predict --fit noisy --mixtures noisy.csv --for 10B,100G
try "a size far below them" 0 "its size is 1e+04 times smaller than the smallest of the runs (10M), its length is 1e+09 times smaller" \
  "$REGMIX" optimize --fit noisy --target web_loss --for 1k,1 --quick --out o.yaml
for at in 50M,2G 1B,10G 1e30,1e40; do
  "$REGMIX" optimize --fit noisy --target web_loss --for $at --quick --json --out o.yaml 2> /dev/null > o.json
  value o.json 'o["expected_error"]' >> errors
done
same "the error to expect grows with the distance in size" True "$(tr '\n' , < errors | python3 -c 'x = eval("[" + input() + "]"); print(x[0] < x[1] < x[2])')"
awk -F, -v OFS=, 'NR > 1 { $7 -= 2.5 } 1' noisy.csv > low.csv
"$REGMIX" fit --mixtures low.csv --metrics low.csv $columns $scales --out low -q > /dev/null
try "a predicted loss below 0 has a warning" 0 "cannot be, for web_loss (-" "$REGMIX" predict --fit low --mixtures low.csv --for 1e15,1e20
try "in optimize too" 0 "cannot be, for web_loss (-" "$REGMIX" optimize --fit low --target web_loss --for 1e15,1e20 --quick --out o.yaml
same "and without the advice not to believe an answer that it does not ask for" "" "$("$REGMIX" predict --fit low --mixtures low.csv --for 1e15,1e20 2>&1 | grep -F 'this answer')"
"$REGMIX" optimize --fit low --target web_loss --for 1e15,1e20 --quick --json -q > low.json 2> /dev/null
same "the answer as JSON lists both warnings" "[True, True]" \
  "$(value low.json '[any(t in w for w in o["warnings"]) for t in ["is far from the runs", "do not believe this answer"]]')"
"$REGMIX" predict --fit low --mixtures low.csv --for 1e15,1e20 --json -q > low.json 2> /dev/null
same "so do predictions" "[True, True]" \
  "$(value low.json '[any(t in w for w in o["warnings"]) for t in ["is far from the runs", "do not believe these predictions"]]')"
"$REGMIX" suggest --fit low --target web_loss --for 1e15,1e20 -n 1 --json -q > low.json 2> /dev/null
same "and suggestions" True "$(value low.json 'any("is far from the runs" in w for w in o["warnings"])')"
"$REGMIX" report --fit low --optimum o.yaml --out low.html > /dev/null 2>&1
python3 -c 'import json
text = open("low.html").read()
at = text.rindex("\"warnings\":")
print(json.JSONDecoder().raw_decode(text[at + 11:])[0])' > low.txt
same "the page has them as sentences" "1 1" "$(grep -c 'is far from the runs: .* add runs nearer to it\.' low.txt) $(grep -c "The fit predicts values that cannot be, .* do not believe this answer\." low.txt)"
# web_loss stays above 0, code_loss falls below it.
awk -F, -v OFS=, 'NR == 1 { print $0, "code_loss" } NR > 1 { print $0, $7 - 2.5 }' noisy.csv > two.csv
"$REGMIX" fit --mixtures two.csv --metrics two.csv $columns $scales --out two -q > /dev/null
try "of another metric than the target" 0 "cannot be, for code_loss (-" "$REGMIX" optimize --fit two --target web_loss --for 1B,20G --quick --out o.yaml
printed "only its predictions are not to be believed" "do not believe these predictions"
not_printed "and the answer is" "this answer"
awk -F, -v OFS=, 'NR == 1 { print $0, "code_loss" } NR > 1 { print $0, $7 - 2.5 + 2 * $2 }' noisy.csv > two.csv
"$REGMIX" fit --mixtures two.csv --metrics two.csv $columns $scales --out two -q > /dev/null
printf 'weight_web: 0.02\nweight_code: 0.49\nweight_book: 0.49\n' > prior.yaml
try "so is one that falls below 0 at the prior alone" 0 "at the prior, the fit predicts values that cannot be, for code_loss (-" \
  "$REGMIX" optimize --fit two --target web_loss --prior prior.yaml --for 1B,20G --quick --out o.yaml
{ cat noisy.csv; echo "anchor,.3,.3,.4,1G,10G,27"; } > anchor.csv
try "a run of a size of its own is named where it cannot be right" 0 "1 of 65 runs lies more than 5 standard deviations from what the other runs predict: anchor (web_loss: 27" \
  "$REGMIX" fit --mixtures anchor.csv --metrics anchor.csv $columns $scales --out anchor
# 16 mixtures at three sizes, by a law. A run of a size of its own that breaks the law is named, though its value is like the others.
python3 -c 'import random
random.seed(1)
print("run,weight_web,weight_code,weight_book,model_size,n_tokens,web_loss")
for size in (10, 50, 250):
    for i in range(16):
        w = [random.gammavariate(1, 1) for _ in range(3)]
        a, b, c = (x / sum(w) for x in w)
        y = 2.5 + 2 * (size / 10) ** -.3 + .5 * (a - .5) ** 2 + .3 * (b - .3) ** 2 + random.gauss(0, .003)
        print(f"r{i}_{size},{a:.6f},{b:.6f},{c:.6f},{size}M,2G,{y:.5f}")' > law.csv
for y in 3.0 3.9; do
  { cat law.csv; echo "anchor,.3,.3,.4,1G,2G,$y"; } > anchored.csv
  "$REGMIX" fit --mixtures anchored.csv --metrics anchored.csv $columns $scales --regressor scaling --out anchored 2>&1 | grep -c 'anchor (web_loss: 3.9, predicted 3' >> named
done
same "one that breaks the law of sizes is named, one that keeps it is not" "0 1" "$(tr '\n' ' ' < named | sed 's/ $//')"
# Decimals follow the spread of the runs, whatever the unit of the metric is.
for unit in 1 1e-6 1e6; do
  awk -F, -v OFS=, -v unit=$unit 'NR > 1 { $7 *= unit } 1' OFMT=%.12g CONVFMT=%.12g noisy.csv > unit.csv
  "$REGMIX" fit --mixtures unit.csv --metrics unit.csv $columns $scales --regressor scaling --out unit -q > /dev/null 2>&1
  "$REGMIX" optimize --fit unit --target web_loss --for 100M,4G --replicates 20 --out o.yaml 2> /dev/null > $unit.txt
done
same "gains have three figures or more in every unit" "True True True" "$(for unit in 1 1e-6 1e6; do
  python3 -c 'import re, sys
text = open(sys.argv[1] + ".txt").read()
gain = re.search(r"the optimum gains (\S+), 90 % interval (\S+) to (\S+?)[; ]", text).groups()
predicted = re.search(r"predicts a target of (\S+), and (\S+) at the prior. This is (\S+) ", text).groups()
unit = float(sys.argv[1])
print(all(float(x) / unit == float(x) / unit and abs(float(x)) / unit > .001 for x in (gain[0], *predicted)) and
      "Without one of these domains" in text and max(len(x) for x in (*gain, *predicted)) < 11)' $unit
done | tr '\n' ' ' | sed 's/ $//')"
same "and a table of the same figures" "$(sed -n 's/^\* web_loss *\([0-9.]*\) .*/\1/p' 1.txt)" "$(sed -n 's/^\* web_loss *\([0-9.]*\)e-06 .*/\1/p' 1e-6.txt)"
# The large run has one number of tokens.
printf 'weight_web: 2G\nweight_code: 3G\nweight_book: 40G\n' > tokens.yaml
o="$REGMIX optimize --fit noisy --target web_loss --quick --for 100M,20G"
try "--budget against --for" 2 "--budget 10G, but --for 100M,20G: both are the tokens of the large run. Leave out --budget, or give --for 100M,10G" $o --budget 10G --tokens tokens.yaml
try "--budget that agrees" 0 "" $o --budget 20G --tokens tokens.yaml --out agrees.yaml
try "--for is the budget of caps by epochs" 0 "" $o --tokens tokens.yaml --out for.yaml
same "which hold" "$(grep -A3 '^mixture:' agrees.yaml)" "$(grep -A3 '^mixture:' for.yaml)"
same "as they should" True "$("$REGMIX" optimize --fit noisy --target web_loss --quick --for 100M,20G --tokens tokens.yaml --json 2> /dev/null > o.json; value o.json 'o["mixture"]["weight_web"] <= 0.4 + 1e-6 and o["budget"] == 2e10')"
"$REGMIX" optimize --fit noisy --target web_loss --quick --for 100M,20G --out for.yaml > /dev/null 2>&1
"$REGMIX" report --fit noisy --optimum for.yaml --out for.html > /dev/null 2>&1
same "the page counts the tokens of --for" 1 "$(grep -c '"budget_tokens":2e10' for.html)"
same "and compares runs of the largest size" 16 "$(grep -o '"judged":\[[^]]*' for.html | tr ',' '\n' | grep -c true)"
awk 'NR == 1 || /,100M,6G,/' small.csv > one_scale.csv
try "runs of one size and one length teach nothing about sizes" 0 "all runs have the size and length 100M,6G" \
  "$REGMIX" fit --mixtures one_scale.csv --metrics one_scale.csv $columns $scales --out one_scale
try "so the fit does not answer for another" 2 "fit runs of several sizes or lengths, with --size-column" "$REGMIX" predict --fit one_scale --mixtures big.csv --for 1B,6G
try "but without --for" 0 "" "$REGMIX" optimize --fit one_scale --target web_loss --quick --out o.yaml
awk 'NR == 1 || /,100M,/' small.csv > one_size.csv
try "runs of one size" 0 "all runs have one size, 100M: they do not tell what changes with it" \
  "$REGMIX" fit --mixtures one_size.csv --metrics one_size.csv $columns $scales --out one_size
same "no error on a size that was not left out" "" "$(grep -F 'left-out largest size' stderr)"
far one_size 300M,12G
same "and nothing about the smallest size" False "$(value drift.json '"drift" in o')"
same "no interval and no error for a size that nothing is known of" "[None, None, None, None, True]" \
  "$(value drift.json '[o["interval"], o["gain"]["interval"], o["gain"]["estimate"], o["expected_error"], o["gain"]["predicted"] >= 0]')"
same "and the reason" "all runs have one size, 100M, and nothing tells how wrong an answer for another is" "$(value drift.json 'o["no_intervals"]')"
try "in words, too" 0 "No interval can be given: all runs have one size, 100M" "$REGMIX" optimize --fit one_size --target web_loss --for 300M,6G --out o.yaml
same "with no number of one" "" "$(grep -F 'interval 0.' stdout)"
try "and with a warning" 0 "no interval can be given; add runs of another size" "$REGMIX" predict --fit one_size --mixtures big.csv --for 300M,6G --json
same "predictions have no deviations" "[None, True]" "$(value stdout '[o["sd"], "no_intervals" in o]')"
try "nor is it scored how often intervals hold" 0 '"coverage": null' "$REGMIX" score --fit one_size --mixtures big.csv --metrics big.csv --json
far one_size 100M,7G
same "for its own size there are intervals" "[2, False]" "$(value drift.json '[len(o["gain"]["interval"]), "no_intervals" in o]')"
# Levels fall at different speeds, so what is no worse than the prior is another number at each size.
python3 -c 'import random
random.seed(1)
print("run,weight_web,weight_code,weight_book,model_size,n_tokens,x_loss,y_loss,z_acc")
w = [[x / sum(g) for x in g] for g in [[random.gammavariate(1, 1) for _ in range(3)] for _ in range(24)]]
for k, (size, tokens, x, y) in enumerate([("1M", "100M", 4.5, 2.8), ("4M", "400M", 3.48, 2.36), ("16M", "1.6G", 2.8, 2.06)]):
    for i, (a, b, c) in enumerate(w):
        x_loss = x + .4 * ((a - .5 - .05 * k) ** 2 + (b - .3) ** 2 + (c - .2 + .05 * k) ** 2) + random.gauss(0, .003)
        y_loss = y + .4 * ((a - .1) ** 2 + (b - .3) ** 2 + (c - .6) ** 2) + random.gauss(0, .003)
        print(f"r{i}_{k},{a:.6f},{b:.6f},{c:.6f},{size},{tokens},{x_loss:.5f},{y_loss:.5f},{5 - x_loss:.5f}")' > two.csv
two="--mixtures two.csv --metrics two.csv --mixture-columns weight_* $scales"
"$REGMIX" fit $two --metric-columns '*_loss' --out two -q > /dev/null 2>&1
two() { "$REGMIX" optimize --fit two --for 64M,6.4G --replicates 40 --json -q "$@" > drift.json 2> /dev/null; }
two --target x_loss --no-worse y_loss=0.01
same "a limit holds at each size, by the values there" "[3, True]" \
  "$(value drift.json '[len(o["drift"]["sizes"]), all("gain" in s and s["moved"] < 0.03 for s in o["drift"]["sizes"])]')"
same "and in each draw, by its own" True \
  "$(value drift.json 'all(high - low < 0.2 for low, high in (o["interval"]["weight_web"], o["interval"]["weight_book"]))')"
two --target x_loss --target y_loss --worst
same "so does the worst case" True "$(value drift.json 'all(s["moved"] < 0.02 for s in o["drift"]["sizes"])')"
# One law for all mixtures cannot tell that the best one moves.
"$REGMIX" fit $two --metric-columns '*_loss' --regressor additive-law --out additive -q > /dev/null 2>&1
for at in 20M,1.6G 640M,1.6G; do
  "$REGMIX" optimize --fit additive --for $at --target x_loss --replicates 40 --json -q > "add-$at.json" 2> /dev/null
done
same "an additive law says nothing of the smallest size" "[None, True]" \
  "$(value add-640M,1.6G.json '[o["drift"]["smallest_is_enough"], "has the same best mixture for all sizes" in o["drift"]["sentence"]]')"
same "its intervals are wider for a larger model" True "$(python3 -c 'import json
near, far = (json.load(open(f"add-{at}.json"))["interval"]["weight_web"] for at in ("20M,1.6G", "640M,1.6G"))
print(far[1] - far[0] > 1.2 * (near[1] - near[0]))')"
# A score rises with size and tokens as a loss falls.
for law in scaling additive-law full-law; do
  "$REGMIX" fit $two --metric-columns '[xz]_*' --regressor $law --out score -q > /dev/null 2>&1
  "$REGMIX" predict --fit score --mixtures two.csv --for 64M,6.4G > score.csv 2> /dev/null
  same "a score is a loss turned round: $law" True "$(python3 -c 'import csv
rows = list(csv.DictReader(open("score.csv")))
print(len(rows) == 72 and all(abs(float(r["x_loss"]) + float(r["z_acc"]) - 5) < 2e-3 for r in rows))')"
done
awk 'NR == 1 || /,6G,/' small.csv > one_length.csv
try "runs of one length" 0 "all runs have one length, 6G: they do not tell" \
  "$REGMIX" fit --mixtures one_length.csv --metrics one_length.csv $columns $scales --out one_length
try "a scaling law" 0 "full-law" \
  "$REGMIX" fit --mixtures small.csv --metrics small.csv $columns $scales --regressor full-law --out law
try "predicts for a size" 0 "r0_300M_1" "$REGMIX" predict --fit law --mixtures big.csv --for 300M,6G
try "a size of 0" 2 "positive" "$REGMIX" predict --fit f --mixtures big.csv --for 0,6G
try "a negative length" 2 "positive" "$REGMIX" predict --fit f --mixtures big.csv --for 1B,-6G
try "no number" 2 "wanted SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv --for large,6G
try "a unit that is not known" 2 '"3m" is not a number of parameters: its unit is none of k, M, G (or B) and T' \
  "$REGMIX" predict --fit f --mixtures big.csv --for 3m,6G
try "hexadecimal digits are no number" 2 '"0x10" is not a number of parameters' "$REGMIX" predict --fit f --mixtures big.csv --for 0x10,6G
"$REGMIX" predict --fit f --mixtures big.csv --for 7B,6G > upper.csv 2> /dev/null
try "b is B" 0 "$(sed -n 2p upper.csv)" "$REGMIX" predict --fit f --mixtures big.csv --for 7b,6G
try "nor is that of the length" 2 '"6 GB" is not a number of tokens' "$REGMIX" predict --fit f --mixtures big.csv --for "3M,6 GB"
try "nothing" 2 "wanted SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv --for ""
try "half of nothing" 2 "wanted SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv --for ,6G
try "infinity" 2 "not a number of tokens" "$REGMIX" predict --fit f --mixtures big.csv --for 1B,inf
try "one of two" 2 "wanted SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv --for 1B
try "three" 2 "wanted SIZE,TOKENS" "$REGMIX" predict --fit f --mixtures big.csv --for 1B,6G,7

try "a column that is not there" 2 'no column "size"' \
  "$REGMIX" fit --mixtures small.csv --metrics small.csv $columns --size-column size --out g
sed 's/,50M,/,0,/' small.csv > zero.csv
try "a size of 0 in the table" 1 'zero.csv:2: column "model_size": "0" is not a positive number' \
  "$REGMIX" fit --mixtures zero.csv --metrics zero.csv $columns $scales --out g
sed 's/,50M,/,50m,/' small.csv > units.csv
try "a unit in the table that is not known" 1 'units.csv:2: column "model_size": "50m" is not a positive number with a unit' \
  "$REGMIX" fit --mixtures units.csv --metrics units.csv $columns $scales --out g
sed 's/,50M,/,0.05b,/' small.csv > lower.csv
try "b is B in the table, too" 0 "" "$REGMIX" fit --mixtures lower.csv --metrics lower.csv $columns $scales --regressor additive-law --out lower
sed 's/,50M,/,0x32M,/' small.csv > hex.csv
try "hexadecimal digits are no number there" 1 'hex.csv:2: column "model_size": "0x32M" is not a positive number' "$REGMIX" fit --mixtures hex.csv --metrics hex.csv $columns $scales --out g
sed 's/,50M,/,-50M,/' small.csv > negative.csv
try "a negative size in the table" 1 'negative.csv:2: column "model_size": "-50M" is not a positive number' \
  "$REGMIX" fit --mixtures negative.csv --metrics negative.csv $columns $scales --out g
sed '5s/,2G,/,,/; 5s/,4G,/,,/; 5s/,6G,/,,/' small.csv > empty.csv
try "no length in the table" 1 'empty.csv:5: column "n_tokens"' \
  "$REGMIX" fit --mixtures empty.csv --metrics empty.csv $columns $scales --out g
try "a regressor for one size" 1 "scaling" \
  "$REGMIX" fit --mixtures small.csv --metrics small.csv $columns $scales --regressor gp --out g
cut -d, -f1-6 big.csv | cut -d, -f1-4 > plain.csv
cut -d, -f1,7,8 big.csv > losses.csv
try "runs to be scored have a scale too" 2 'no column "model_size"' \
  "$REGMIX" score --fit f --mixtures plain.csv --metrics losses.csv
try "a fit of one size" 0 "" "$REGMIX" fit --mixtures plain.csv --metrics losses.csv --regressor ridge --out one
try "has no other" 2 "--size-column" "$REGMIX" predict --fit one --mixtures plain.csv --for 1B,6G
try "sizes alone" 0 "scaling" \
  "$REGMIX" fit --mixtures small.csv --metrics small.csv $columns --size-column model_size --id row --out s
try "then a size alone is asked for" 2 "wanted SIZE, as in 1.2B" \
  "$REGMIX" predict --fit s --mixtures big.csv --for 1B,6G
sed '9s/,[0-9.]*,[0-9.]*,x$/,,2,x/' small.csv > gap.csv
try "a value that is missing is left out" 0 "1 of 72 runs has no value" \
  "$REGMIX" fit --mixtures gap.csv --metrics gap.csv $columns $scales --out gap
done_testing
