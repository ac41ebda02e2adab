#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# regmix optimize from two CSV files: methods, constraints, limits, fronts, and what it says where it cannot.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# Losses of three domains that fall with their own weight: power laws, runs all over the simplex.
awk 'BEGIN {
  srand(7); print "run,train_a,train_b,train_c" > "m.csv"; print "run,a_loss,b_loss,c_loss" > "y.csv"
  for (i = 0; i < 40; i++) {
    s = 0; for (k = 0; k < 3; k++) { w[k] = -log(1 - rand()); s += w[k] }
    for (k = 0; k < 3; k++) { w[k] /= s; y[k] = 2 + k / 10 + 0.5 * (w[k] + 0.1 * w[(k + 1) % 3] + 0.02) ^ -0.3 }
    printf "r%02d,%.6f,%.6f,%.6f\n", i, w[0], w[1], w[2] > "m.csv"
    printf "r%02d,%.6f,%.6f,%.6f\n", i, y[0], y[1], y[2] > "y.csv"
  }
}'
"$REGMIX" fit --mixtures m.csv --metrics y.csv --regressor power --out fit > /dev/null 2>&1 || not_ok "a fit"
o="$REGMIX optimize --fit fit"
awk -F, 'BEGIN { srand(3) } { print $1 "," $2 "," (NR == 1 ? "noise_score" : rand()) }' y.csv > noise.csv
"$REGMIX" fit --mixtures m.csv --metrics noise.csv --out fit-noise > /dev/null 2>&1 || not_ok "a fit of noise"
# The weight of domain $1, or another number under key $1, in out.json.
number() { sed -n "s/^ *\"$1\": \\([-0-9.e]*\\),*\$/\\1/p" out.json | head -n 1; }
check() { if awk "BEGIN { exit !($2) }"; then ok "$1"; else not_ok "$1" "$2"; fi; }
both() { # NAME CONDITION ARGUMENTS: by either method the JSON is such that the awk condition on a, b, c holds
  name=$1 condition=$2
  shift 2
  for method in simulate search; do
    if $o --method $method --quick --json "$@" > out.json 2> err.txt; then
      check "$name ($method)" "$(printf '%s' "$condition" | sed "s/\\ba\\b/($(number train_a))/g; s/\\bb\\b/($(number train_b))/g; s/\\bc\\b/($(number train_c))/g")"
    else
      not_ok "$name ($method)" "$(cat err.txt)"
    fi
  done
}

both "a cap" "a <= 0.4 + 1e-6 && a > 0.35" --target a_loss --cap a=0.4
both "a floor and a fixed weight" "b >= 0.3 - 1e-6 && c > 0.1 - 1e-6 && c < 0.1 + 1e-6" --target a_loss --floor b=0.3 --fix c=0.1
both "a share" "b + c >= 0.5 - 1e-6 && b + c <= 0.6 + 1e-6" --target a_loss --share other=0.5..0.6:b,c
both "small weights are dropped" "(a == 0 || a > 0.1499) && (b == 0 || b > 0.1499) && (c == 0 || c > 0.1499)" --target a_loss --drop-below 0.15
printf 'domain,tokens\na,10M\nb,1M\nc,90M\n' > tokens.csv
both "a cap by epochs" "a <= 0.4 + 1e-6 && b <= 0.04 + 1e-6" --target a_loss --target b_loss --budget 100M --tokens tokens.csv
printf 'a: 0.2\nb: 0.3\nc: 0.5\n' > reference.yaml
both "a divergence" "a * log(a / 0.2) + b * log(b / 0.3) + c * log(c / 0.5) <= 0.05 + 1e-6" --target a_loss --reference reference.yaml --max-kl 0.05
both "a limit" "a > 0.3" --target a_loss --no-worse c_loss=0.1 --than reference.yaml

$o --method search --target a_loss --json > out.json 2> err.txt
check "search: convex, and the gap is small" "$(grep -c '"convex": true' out.json) == 1 && $(number gap) < 1e-4"
for key in mixture spread predicted predicted_prior score method distance outside guard convex gap expected_error starts \
  unguarded_score prior target constraints; do
  grep -q "\"$key\":" out.json || not_ok "the key $key"
done
low=$(number score)
$o --target a_loss --json --samples 20000 --quick > out.json 2> err.txt
check "who says how to simulate gets that" "$(grep -c '"method": "simulate"' out.json) == 1 && $(grep -c '"interval"' out.json) == 0"
check "search finds no worse than simulation" "$low <= $(number score) + 1e-9 && $low > $(number score) - 0.02"

# What it is worth.
printf 'a: 0\nb: 0\nc: 1\n' > corner.yaml
$o --target a_loss --json --against corner.yaml --level 0.8 --replicates 40 > out.json 2> err.txt
for key in level replicates interval gain versus prior corner probability learning_curve expected_gain sentence attribution without; do
  grep -q "\"$key\":" out.json || not_ok "the key $key"
done
check "by default it searches" "$(grep -c '"method": "search"' out.json) == 1 && $(number level) == 0.8 && $(number replicates) == 40"
try "for people: intervals" 0 "80 % interval" $o --target a_loss --level 0.8 --replicates 40 --against corner.yaml
try "for people: against a mixture" 0 "Compared with corner the optimum gains" $o --target a_loss --replicates 40 --against corner.yaml
mkdir -p other && printf 'a: 1\nb: 0\nc: 0\n' > other/corner.yaml && cp corner.yaml prior.yaml
$o --target a_loss --json --replicates 20 --against corner.yaml --against other/corner.yaml --against prior.yaml > out.json 2> /dev/null
for name in prior corner corner-2 prior-2; do
  grep -q "^    \"$name\": {" out.json && ok "mixtures of one name stay apart ($name)" || not_ok "mixtures of one name stay apart ($name)" "$(grep -A9 versus out.json)"
done
try "for people: what would be missed" 0 "would be worse: train_a (by" $o --target a_loss --replicates 40
$o --target a_loss --quick --out itself.yaml > /dev/null 2>&1
try "against itself" 0 "Compared with itself the optimum is the same mixture." $o --target a_loss --replicates 20 --against itself.yaml
for few in 1 19; do
  try "--replicates $few is misuse" 2 "$few are too few for intervals; wanted 20 or more, or 0" $o --target a_loss --replicates $few
  try "so is a setting of $few" 2 "$few are too few for intervals; wanted 20 or more, or 0" $o --target a_loss --set optimize.replicates=$few
done
try "no intervals to set a mixture against" 2 "but --quick and --replicates 0 switch them off" $o --target a_loss --quick --against corner.yaml
$o --target a_loss --json --replicates 40 --set jobs=1 > one.json 2> err.txt
$o --target a_loss --json --replicates 40 --set jobs=2 > two.json 2> err.txt
check "the same on one processor and on two" "$(cmp -s one.json two.json && grep -c interval one.json) >= 1"
awk 'NR <= 4' m.csv > few.csv
"$REGMIX" fit --mixtures few.csv --metrics y.csv --regressor ridge --out few > /dev/null 2>&1
try "few runs have no intervals, and an optimum" 0 "at least 5 different mixtures" "$REGMIX" optimize --fit few --target a_loss --no-guard
awk 'NR <= 3' m.csv > two.csv
try "fewer runs than domains: it says so" 0 "2 different mixtures of 3 domains: too few" "$REGMIX" fit --mixtures two.csv --metrics y.csv --out two
try "and how many folds there were" 0 "out of fold: 2 folds of 2 runs, 3 domains" "$REGMIX" fit --mixtures two.csv --metrics y.csv --out two
awk 'NR <= 2' m.csv > one.csv
try "what one run cannot say is no number" 0 "a_loss  ridge             -   -     -      -       -         -         -     low" "$REGMIX" fit --mixtures one.csv --metrics y.csv --metric a_loss --out two
try "one run has no folds" 0 "(no cross-validation: 1 run, 3 domains" "$REGMIX" fit --mixtures one.csv --metrics y.csv --metric a_loss --out two
awk -F, -v OFS=, '{ print $0, NR == 1 ? "train_unused" : 0 }' m.csv > unused.csv
try "a domain that no run used" 0 'no run used "train_unused": the fit can make no claim about it' "$REGMIX" fit --mixtures unused.csv --metrics y.csv --regressor power --out unused
sed '1s/[abc]_loss/set_&/g' y.csv > prefixed.csv
"$REGMIX" fit --mixtures m.csv --metrics prefixed.csv --metric a_loss --regressor ridge --out alone > /dev/null 2>&1
try "a metric fitted alone is found by its last words" 0 "set_a_loss" "$REGMIX" optimize --fit alone --target a_loss --quick

try "floors that clash" 1 "--floor a=0.6 and --floor b=0.5 sum to 1.1 > 1" $o --target a_loss --floor a=0.6 --floor b=0.5
try "a cap under a floor" 1 "--floor a=0.6 and --cap a=0.5 cannot both be kept" $o --target a_loss --floor a=0.6 --cap a=0.5 --floor b=0.1
printf 'a: 10M\nb: 1M\nc: 9M\n' > few.yaml
try "a search uses no samples" 0 "--samples, --top and --strength have no effect with --method search" $o --target a_loss --method search --samples 1000
try "a simulation has no starts" 0 "--starts has no effect with --method simulate, which" $o --target a_loss --starts 4 --samples 1000
try "points are of a front" 0 "--points has no effect without --pareto" $o --target a_loss --points 5
try "caps by epochs that clash" 1 "4 epochs of train_a (0.4)" $o --target a_loss --budget 100M --tokens few.yaml
try "caps that were typed" 1 "the caps sum to 0.9 < 1 (--cap a=0.3, --cap b=0.3 and --cap c=0.3): raise one" $o --target a_loss --cap a=0.3 --cap b=0.3 --cap c=0.3
try "a share of all domains" 1 "--share all=0..0.5 cannot be kept: it is about all domains" $o --target a_loss --share all=0..0.5:a,b,c
printf 'a: 0.5\nb: 0.5\nc: 0\n' > without.yaml
try "caps that leave what the reference lacks" 1 "--cap a=0.3, --cap b=0.3 and the reference without train_c): raise one" $o --target a_loss --reference without.yaml --kl-penalty 0.1 --cap a=0.3 --cap b=0.3
try "a share of what the reference lacks" 1 "--share s=0.1..0.5 and the reference without train_c cannot both be kept" $o --target a_loss --reference without.yaml --max-kl 1 --share s=0.1..0.5:c
try "a divergence that clashes" 1 "--max-kl 0.001" $o --target a_loss --reference reference.yaml --max-kl 0.001 --floor a=0.6
printf 'a: 0.34\nb: 0.33\nc: 0.33\n' > even.yaml
try "limits that no mixture keeps" 1 "allow more slack" $o --method search --target a_loss --no-worse a_loss --no-worse b_loss --no-worse c_loss --than even.yaml --fix a=0.9
printf 'a: 10M\nb: 100M\nc: 900M\n' > plenty.yaml
try "a cap by epochs of one domain" 0 "the cap by epochs holds down train_a" $o --target a_loss --budget 100M --tokens plenty.yaml --max-epochs 4 --max-epochs a=1
try "in any order" 0 "the cap by epochs holds down train_a (0.1)" $o --target a_loss --budget 100M --tokens plenty.yaml --max-epochs a=1 --max-epochs 4
try "says what lifting it gains, and what is published" 0 "15 to 20 times" $o --target a_loss --budget 100M --tokens plenty.yaml --max-epochs a=1
sed '1s/train_a/train_max_epochs/' m.csv > named.csv
"$REGMIX" fit --mixtures named.csv --metrics y.csv --regressor power --out fit-named > /dev/null 2>&1 || not_ok "a fit with another name"
try "a cap that is none by epochs, whatever the name" 0 "train_max_epochs" "$REGMIX" optimize --fit fit-named --target a_loss --cap max_epochs=0.2
if grep -q "cap by epochs" stderr; then not_ok "the message does not mention epochs" "$(cat stderr)"; else ok "the message does not mention epochs"; fi
try "a cap by epochs of no domain" 2 "--max-epochs zebra=4" $o --target a_loss --budget 100M --tokens plenty.yaml --max-epochs zebra=4
try "a cap by epochs that is none" 2 "above 0" $o --target a_loss --budget 100M --tokens plenty.yaml --max-epochs a=0
try "epochs without tokens" 2 "give --tokens FILE" $o --target a_loss --max-epochs 4
try "tokens without a budget" 2 "give --budget TOKENS" $o --target a_loss --tokens tokens.csv
try "a reference for nothing" 2 "--max-kl NATS or --kl-penalty X" $o --target a_loss --reference reference.yaml
try "an unknown method" 2 "simulate" $o --target a_loss --method climb

try "a group" 0 '"b_loss": 0.5' $o --target both --metric-group both=a_loss,b_loss --json --samples 2000
try "a group by a pattern" 0 '"c_loss": 0.3333' $o --target all --metric-group 'all=*_loss' --json --samples 2000
try "two groups of one name" 2 'metric group "both" is given twice, as "a_loss" and as "b_loss"; give it once, with all its metrics: both=a_loss,b_loss' $o --target both --metric-group both=a_loss --metric-group both=b_loss --quick
printf 'optimize: {metric_group: ["both=a_loss,b_loss"]}\n' > groups.yaml
mkdir -p grouped && mv groups.yaml grouped/regmix.yaml
try "a group over that of the config" 0 '"c_loss": 0.5' $o -C grouped --target both --metric-group both=b_loss,c_loss --json --quick
try "a pattern that matches nothing" 2 'pattern "z*" matches none of the 3 metrics' $o --target all --metric-group 'all=z*'
try "metrics by their signal" 0 '"weigh": "signal"' $o --target a_loss --target b_loss --weigh signal --json --samples 2000
try "metrics without a signal are named" 0 "Left out, since the signal to noise is too low: noise_score." "$REGMIX" optimize --fit fit-noise \
  --target a_loss --target noise_score --min-signal 1 --quick
try "the same as JSON" 0 '"left_out": [     "noise_score"   ]' sh -c '"$1" optimize --fit fit-noise --target a_loss --target noise_score --min-signal 1 --quick --json | tr "\n" " "' sh "$REGMIX"
try "nothing but noise: the prior" 0 "no metric of the target has a signal to noise of 1 or more" "$REGMIX" optimize --fit fit-noise \
  --target noise_score --min-signal 1 --quick
try "a way to weigh that does not exist" 2 "equal" $o --target a_loss --weigh loud
try "a signal below 0" 2 "min-signal" $o --target a_loss --min-signal -1
try "a penalty" 0 '"kl_penalty": 0.5' $o --target a_loss --kl-penalty 0.5 --json --method search
try "the worst case" 0 '"worst": true' $o --target a_loss --target b_loss --worst --json --method search
try "a front" 0 "No mixture here is better than another in both" $o --pareto a_loss,b_loss --points 5 --method search
try "a front, as JSON" 0 '"pareto"' $o --pareto a_loss,b_loss --points 3 --samples 2000 --json
try "for people: the gain" 0 "better." $o --target a_loss --method search
try "for people: what it is worth" 0 "at this distance from the runs is about" $o --target a_loss --method search
try "for people: convex" 0 "The fitted function is convex" $o --target a_loss --method search

"$REGMIX" fit --mixtures m.csv --metrics y.csv --regressor trees --set trees.min_data_in_leaf=2 --out trees > /dev/null 2>&1
try "trees have no gradient" 1 "use --method simulate" "$REGMIX" optimize --fit trees --target a_loss --method search

# Runs that cover little: the guard, and without it.
awk -F, 'NR == 1 || $2 < 0.4' m.csv > part.csv
"$REGMIX" fit --mixtures part.csv --metrics y.csv --regressor power --out part > /dev/null 2>&1
"$REGMIX" optimize --fit part --target a_loss --method search --json > out.json 2> err.txt
check "guarded: within what the runs covered" "$(number train_a) < 0.45 && $(grep -c '"guard": true' out.json)"
"$REGMIX" optimize --fit part --target a_loss --method search --no-guard --json > out.json 2> err.txt
check "--no-guard leaves it" "$(number train_a) > 0.5 && $(grep -c 'outside the range that the runs covered' err.txt)"
try "constraints beyond the guard" 0 "it is widened as far as they ask (train_a" "$REGMIX" optimize --fit part --target a_loss --floor a=0.7 --method search

# Every run has some of each domain, so no domain can be dropped within the guard.
awk 'BEGIN {
  srand(7); print "run,train_a,train_b,train_c" > "in_m.csv"; print "run,a_loss" > "in_y.csv"
  for (i = 0; i < 40; i++) {
    s = 0; for (k = 0; k < 3; k++) { w[k] = 0.5 - log(1 - rand()); s += w[k] }
    printf "r%02d,%.6f,%.6f,%.6f\n", i, w[0] / s, w[1] / s, w[2] / s > "in_m.csv"
    printf "r%02d,%.6f\n", i, 2 + 0.5 * (w[0] / s + 0.02) ^ -0.3 > "in_y.csv"
  }
}'
"$REGMIX" fit --mixtures in_m.csv --metrics in_y.csv --regressor power --out inside > /dev/null 2>&1
"$REGMIX" optimize --fit inside --target a_loss --method search --drop-below 0.4 --json > out.json 2> err.txt
check "domains that the guard cannot drop" "$(number train_a) > 0.999 && $(grep -c '"guard": false' out.json) && $(grep -c 'searching without the guard' err.txt)"
"$REGMIX" optimize --fit inside --target a_loss --method search --drop-below 0.3 --json > out.json 2> err.txt
check "none need be dropped: the guard stays" "$(number train_b) > 0.2999 && $(grep -c '"guard": true' out.json)"

# The guard goes where a constraint or --drop-below asks, and no farther.
python3 - << 'EOF'
import random
r = random.Random(5)
with open("some_m.csv", "w") as m, open("some_y.csv", "w") as y:
    print("run,train_a,train_b,train_c", file=m), print("run,a_loss", file=y)
    for i in range(40):
        w = [.02 + r.gammavariate(1, 1) for _ in range(3)]
        w = [x / sum(w) for x in w]
        print("r%02d,%.6f,%.6f,%.6f" % (i, *w), file=m)
        print("r%02d,%.6f" % (i, 2 + .5 * (w[0] + .02) ** -.3 + .3 * (w[2] - .3) ** 2), file=y)
EOF
"$REGMIX" fit --mixtures some_m.csv --metrics some_y.csv --regressor power --out some > /dev/null 2>&1
"$REGMIX" optimize --fit some --target a_loss --method search --quick --fix train_b=0 --json > out.json 2> err.txt
check "a fixed weight leaves the guard of the others" "$(number train_a) < 0.86 && $(number train_a) > 0.84 && $(grep -c '"guard": true' out.json) && $(grep -c 'ask (train_b)' err.txt)"
"$REGMIX" optimize --fit some --target a_loss --method search --quick --drop-below 0.2 --json > out.json 2> err.txt
check "what all runs have a little of is dropped" "$(number train_a) > 0.799 && $(number train_b) < 0.001 && $(grep -c '"guard": true' out.json)"

# Which domains stay is searched: what a lower threshold allows is never worse, and intervals agree.
python3 - << 'EOF'
import math, random
r = random.Random(3)
share = [0.16, 0.04, 0.17, 0.1, 0.08, 0.19, 0.14, 0.12]
with open("drop_m.csv", "w") as m, open("drop_y.csv", "w") as y:
    print("run," + ",".join("abcdefgh"), file=m), print("run,x_loss", file=y)
    for i in range(64):
        w = [r.gammavariate(1, 1) for _ in share]
        w = [x / sum(w) for x in w]
        print(i, *(f"{x:.5f}" for x in w), sep=",", file=m)
        print(i, f"{2 - 0.2 * sum(p * math.log(x + 0.03) for p, x in zip(share, w)) + r.gauss(0, 0.006):.5f}", sep=",", file=y)
EOF
"$REGMIX" fit --mixtures drop_m.csv --metrics drop_y.csv --out drop > /dev/null 2>&1
before=0
for x in 0.05 0.1 0.15 0.2 0.25; do
  "$REGMIX" optimize --fit drop --target x_loss --quick --drop-below $x --json > out.json 2> err.txt
  check "--drop-below $x: no better than with a lower threshold" "$(number score) >= $before - 1e-5"
  check "and no worse than any other choice that is known" "$(number score) < 2.42"
  before=$(number score)
done
"$REGMIX" optimize --fit drop --target x_loss --drop-below 0.6 --no-guard --replicates 40 --json > out.json 2> err.txt
same "one domain alone: no weight of 1 for what is clearly worse" 0 "$(python3 -c 'import json; print(json.load(open("out.json"))["interval"]["b"][1])' | cut -d. -f1)"

# A cap that all runs break, and the prior too: any of the others may take its place.
python3 - << 'EOF'
import random
r = random.Random(3)
with open("wide_m.csv", "w") as m, open("wide_y.csv", "w") as y:
    print("run,big,b,c", file=m), print("run,b_loss,c_loss", file=y)
    for i in range(40):
        b, c = r.uniform(0, 0.3), r.uniform(0, 0.3)
        w = [1 - b - c, b, c]
        print(i, *(f"{x:.6f}" for x in w), sep=",", file=m)
        print(i, *(f"{3 - 0.9 * x ** 0.5 - 0.5 * z ** 0.5 - 0.2 * w[0] ** 0.5 + r.gauss(0, 0.001):.6f}" for x, z in ((b, c), (c, b))), sep=",", file=y)
EOF
"$REGMIX" fit --mixtures wide_m.csv --metrics wide_y.csv --regressor power --out wide > /dev/null 2>&1
for best in b c; do
  wide() { "$REGMIX" optimize --fit wide --target ${best}_loss --quick --cap big=0.1 --json "$@" > out.json 2> err.txt; }
  wide --no-guard
  free=$(number score) far=$(number distance)
  wide
  check "cap of all runs, ${best}_loss: a mixture is found, the prior is not the answer" "$(grep -c '"why_not": null' out.json) == 1 && $(grep -c 'worse than the prior' err.txt) == 0"
  check "with more of $best" "$(number $best) > 0.47"
  check "nearly as good as without the guard" "$(number score) < $free + 0.03"
  check "and no farther from the runs" "$(number distance) < $far + 0.01"
done

# The same with a few runs in a bad corner, the only ones that keep the cap: the guard must not hold the answer there.
awk -F, -v OFS=, 'NR == 1 { print $0; next } NR < 6 { c = 0.89 + 0.01 * NR; print $1, 0.95 - c, 0.05, c; next } { print }' wide_m.csv > corner_m.csv
awk -F, 'NR == 1 { print "run,y_loss"; next } { printf "%s,%.6f\n", $1, 3 - 0.7 * sqrt($3) - 0.7 * sqrt($4) - 0.2 * sqrt($2 + 1e-9) }' corner_m.csv > corner_y.csv
"$REGMIX" fit --mixtures corner_m.csv --metrics corner_y.csv --regressor power --out corner > /dev/null 2>&1
"$REGMIX" optimize --fit corner --target y_loss --quick --cap big=0.1 --json > out.json 2> err.txt
check "not held in a bad corner" "$(number b) > 0.3 && $(number b) < 0.6 && $(grep -c '"why_not": null' out.json) == 1"
check "with a warning" "$(grep -c 'so the guard is widened as far as that: train runs there' err.txt) == 1 && $(grep -c 'from the nearest run' err.txt) == 1"
check "and no promise beyond that is not one" "$(grep -c 'but no run backs that' err.txt) == 0"
"$REGMIX" optimize --fit corner --target y_loss --cap big=0.1 --replicates 20 --json > out.json 2> err.txt
check "nor are its intervals" "$(python3 -c 'import json; o = json.load(open("out.json")); print(int(all(o["interval"][d][0] - 1e-6 <= o["mixture"][d] <= o["interval"][d][1] + 1e-6 for d in o["mixture"]) and o["interval"]["b"][0] > 0.2))') == 1"

# A weight that the guard holds is marked; one that a cap holds is not.
"$REGMIX" optimize --fit wide --target b_loss --quick --out held.yaml > out.txt 2> /dev/null
check "a weight at the end of the range is marked" "$(grep -c '^  b  *[0-9.]*%|' out.txt) == 1 && $(grep -c '(|: at the end of the range of the runs, where the guard holds' out.txt) == 1"
"$REGMIX" optimize --fit wide --target b_loss --quick --json > out.json 2> /dev/null
check "in the JSON" "$(python3 -c 'import json; print(int("b" in json.load(open("out.json"))["at_limit"]))') == 1"
for free in --no-guard --cap=b=0.2; do
  "$REGMIX" optimize --fit wide --target b_loss --quick $free --json > out.json 2> /dev/null
  check "not with $free" "$(python3 -c 'import json; print(int("b" not in json.load(open("out.json"))["at_limit"]))') == 1"
done

# A mixture that the guard holds at its distance from the runs is named, and so are intervals that it cuts.
python3 -c 'import random
random.seed(3)
m, y = open("apart_m.csv", "w"), open("apart_y.csv", "w")
print("run,a,b,c,d,e", file=m), print("run,x_loss", file=y)
for i in range(24):
    w = [random.gammavariate(1, 1) for _ in range(5)]
    w = [x / sum(w) for x in w]
    x = 3 + (w[0] - .45) ** 2 + (w[1] - .45) ** 2 + .5 * (w[2] - .05) ** 2 + .5 * w[3] ** 2 + .5 * w[4] ** 2
    print(f"r{i}", *(f"{x:.5f}" for x in w), sep=",", file=m), print(f"r{i},{x + random.gauss(0, .01):.5f}", file=y)'
"$REGMIX" fit --mixtures apart_m.csv --metrics apart_y.csv --regressor power --out apart > /dev/null 2>&1
apart() { "$REGMIX" optimize --fit apart --target x_loss --replicates 40 "$@" --json > out.json 2> err.txt; python3 -c 'import json; o = json.load(open("out.json")); c = o["interval_cut"]; print(int('"$cuts"'))'; }
cuts='o["at_distance_limit"] and abs(o["distance"] - o["distance_limit"]) < 1e-3 and c["distance"] > 0.3 and "b" in c["high"] and o["interval"]["b"][1] > 0.45 and "a" not in c["low"]'
check "intervals that the guard cuts" "$(apart) == 1"
cuts='o["distance_limit"] is None and not o["at_distance_limit"] and c == {"low": [], "high": [], "distance": 0}'
check "none without it" "$(apart --no-guard) == 1"
cuts='not o["at_distance_limit"] and c["high"] == [] and o["interval"]["b"][1] > 0.2999'
check "a cap is no guard" "$(apart --cap b=0.3 --cap a=0.3) == 1"
"$REGMIX" optimize --fit apart --target x_loss --replicates 40 > out.txt 2> /dev/null
check "in the table" "$(grep -c '^  b  *[0-9.]*%. *[0-9.]*  *[0-9.]*|' out.txt) == 1 && $(grep -c 'so the intervals may end too early' out.txt) == 1"
"$REGMIX" report --fit apart --out apart.html > /dev/null 2>&1
check "on the page" "$(grep -c 'The interval of a, b ends at the largest weight of the runs or above it.*so the intervals may end too early' apart.html) == 1"

# Runs that repeat a mixture but for a little tell nothing of how far the runs lie apart.
awk -F, -v OFS=, 'NR == 1 { print; next } { for (k = 0; k < 3; k++) print $1 "_" k, $2 + 1e-4 * k * $3, $3 - 1e-4 * k * $3, $4 }' m.csv > near_m.csv
awk -F, -v OFS=, 'NR == 1 { print; next } { for (k = 0; k < 3; k++) print $1 "_" k, $2, $3, $4 }' y.csv > near_y.csv
"$REGMIX" fit --mixtures near_m.csv --metrics near_y.csv --regressor power --out near > /dev/null 2>&1
"$REGMIX" optimize --fit near --target a_loss --target b_loss --target c_loss --method search --quick --json > out.json 2> err.txt
check "nearly equal runs do not narrow the guard" "$(number typical_distance) > 0.01 && $(number distance) > 0.001"

# A limit holds for losses in a small unit, too.
awk -F, -v OFS=, 'NR > 1 { for (k = 2; k <= 4; k++) $k = sprintf("%.12g", $k * 1e-7) } 1' y.csv > small_y.csv
"$REGMIX" fit --mixtures m.csv --metrics small_y.csv --regressor power --out small > /dev/null 2>&1
"$REGMIX" optimize --fit small --target a_loss --no-worse c_loss --method search --quick --json > out.json 2> err.txt
check "a limit on a loss in a small unit" "$(python3 -c 'import json; o = json.load(open("out.json")); print(int(o["predicted"]["c_loss"] <= o["predicted_prior"]["c_loss"] + 1e-12 and o["predicted"]["a_loss"] < o["predicted_prior"]["a_loss"] - 1e-9))') == 1"

COLUMNS=400 "$REGMIX" optimize --help > help.txt
check "the help of --quick says what it does not test" "$(tr -s ' \n' ' ' < help.txt | grep -c 'it is not tested whether the prior is expected to be better') == 1"
# The same asked by settings.
"$REGMIX" optimize --fit fit --target a_loss --json --set optimize.method=search --set optimize.cap=a=0.4 > out.json 2> err.txt
check "settings ask the same" "$(number train_a) <= 0.4 + 1e-9 && $(number train_a) > 0.399 && $(grep -c '"method": "search"' out.json)"
done_testing
