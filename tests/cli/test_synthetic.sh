#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A corpus whose best mixture is known: the exam is 70 % language a and 30 % language b, and
# noise helps nobody. The mixture found must be within the seeds' noise of the best of a grid of
# mixtures that are all really trained.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
exp=$SCRATCH/exp
make_corpus "$exp" 1500
against="--set compare.against=prior"
n=0
for a in 0 25 50 75 100; do
  for b in 0 25 50 75 100; do
    [ $((a + b)) -le 100 ] || continue
    n=$((n + 1))
    printf 'a: %s\nb: %s\nnoise: %s\n' "$(echo $a | awk '{print $1/100}')" "$(echo $b | awk '{print $1/100}')" \
      "$(echo $((100 - a - b)) | awk '{print $1/100}')" > "$exp/grid-$a-$b.yaml"
    against="$against --set compare.against=grid-$a-$b.yaml"
  done
done
# shellcheck disable=SC2086
try "an experiment with $n mixtures of a grid" 0 '"rows"' "$REGMIX" run "$exp/regmix.yaml" --json \
  --set sample.runs=64 --set sample.temper=0 --set proxy.tokens=60k --set large.tokens=60k --set compare.seeds=3 \
  --set optimize.samples=20k --set fit.regressor=power $against
# rows: name, mean, se of the target loss
awk -F'[:,]' '/"name"/ { gsub(/[" ]/, "", $2); name = $2 }
  /"target_loss"/ { t = 1 } /"against_optimum"/ { t = 0 }
  t && /"mean"/ { mean = $2 + 0 } t && /"se"/ { print name, mean, $2 + 0; t = 0 }' "$exp/large/comparison.json" > "$SCRATCH/rows"
verdict=$(awk '$1 == "optimum" { found = $2; se = $3 } $1 ~ /^grid/ { if (best == "" || $2 < best) { best = $2; who = $1; best_se = $3 } }
  $1 == "prior" { prior = $2 }
  END { noise = sqrt(3) * sqrt(se * se + best_se * best_se)  # of one seed
        printf "optimum %.4f, best of the grid %.4f (%s), prior %.4f, noise of a seed %.4f\n", found, best, who, prior, noise
        exit !(found <= best + noise && found < prior) }' "$SCRATCH/rows") && good=0 || good=1
echo "# $verdict"
if [ $good -eq 0 ]; then ok "the mixture found is within a seed's noise of the best of the grid"; else not_ok "the mixture found is within a seed's noise of the best of the grid" "$verdict"; fi
noise=$(awk '/^mixture:/ { inside = 1; next } /^[a-z]/ { inside = 0 } inside && $1 == "noise:" { print $2 }' "$exp/optimum.yaml")
if awk -v x="$noise" 'BEGIN { exit !(x != "" && x < 0.1) }'; then ok "hardly any noise in it"; else not_ok "hardly any noise in it" "$(head -8 "$exp/optimum.yaml")"; fi
done_testing
