#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# bf16_fidelity.sh: does training with products in bfloat16 follow training in float?
#
#   sh bench/bf16_fidelity.sh [REGMIX [FOLDER]]
#
# On the text of the quickstart (fetched by scripts/fetch-corpus.sh), with the program REGMIX (build/regmix), in
# FOLDER (a new one below /tmp): the same runs at a float level and at a bfloat16 level, $FLOAT (avx512, or avx2
# where that is not) and $BF16 (amx, or avx512bf16). Two questions, two goals:
#   - 12 runs of 2.2 M tokens: do their losses fall by 20 % or more, and is each validation loss (the mean over
#     the domains) within 0.3 %?
#   - a swarm of 32 runs of 0.3 M tokens, as the quickstart has: is the Spearman correlation of their losses at
#     least 0.99?
# Both are told for each domain too. Training is chaotic: two float levels, which only round sums differently, do
# not end with the same losses either. How far apart they are, for the same runs at $CONTROL (avx2), is told as
# the measure of what bfloat16 adds. About a quarter of an hour of one core. Exit status 0 if the goals are met. LONG, RUNS
# and TOKENS change the number of long runs and the size of the swarm.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
regmix=${1:-$here/build/regmix}
folder=${2:-$(mktemp -d /tmp/bf16_fidelity.XXXXXX)}
case $regmix in /*) ;; *) regmix=$PWD/$regmix ;; esac
mkdir -p "$folder"
runs_here() { "$regmix" bench --isa "$1" --model nano --vocab 64 --seq 8 --batch_tokens 8 --micro_tokens 8 --seconds 0.05 > /dev/null 2>&1; }
first_of() { for level; do if runs_here "$level"; then echo "$level"; return; fi; done; echo "none of $* runs here" >&2; exit 1; }
float=${FLOAT:-$(first_of avx512 avx2)}
bf16=${BF16:-$(first_of amx avx512bf16)}
control=${CONTROL:-$(first_of avx2 simd128)}

sh "$here/scripts/fetch-corpus.sh" foldoc bible faq c python german fortunes --into "$folder/text" --cap 3000000 >&2

# runs NAME RUNS TOKENS LEVEL: in $folder/NAME-LEVEL; levels other than $float take the corpus and mixtures of that.
runs() {
  exp=$folder/$1-$4
  mkdir -p "$exp"
  sed "s|text/|$folder/text/|" "$here/examples/quickstart/regmix.yaml" > "$exp/regmix.yaml"
  commands="prepare sample train"
  if [ "$4" != "$float" ]; then
    commands=train
    for file in corpus tokenizer.json mixtures.csv; do cp -R "$folder/$1-$float/$file" "$exp/"; done
  fi
  for command in $commands; do
    "$regmix" "$command" -C "$exp" -q --set isa="$4" --set sample.runs="$2" --set proxy.tokens="$3" > "$exp/$command.out"
  done
}

# For each column of two tables with the same runs: the largest and the mean difference in percent, how many are within
# 0.3 %, and Spearman's correlation.
compare() {
  awk -F, '
    function ranks(x, n, r,   i, j, below, same) {
      for (i = 1; i <= n; i++) {
        below = same = 0
        for (j = 1; j <= n; j++) { if (x[j] < x[i]) below++; if (x[j] == x[i]) same++ }
        r[i] = below + (same + 1) / 2
      }
    }
    function report(name, x, y, n,   i, worst, d, sum, near, a, b, mean, ab, aa, bb) {
      for (i = 1; i <= n; i++) { d = 100 * (y[i] / x[i] - 1); sum += d; if (d < 0) d = -d; if (d > worst) worst = d; if (d <= 0.3) near++ }
      ranks(x, n, a); ranks(y, n, b); mean = (n + 1) / 2
      for (i = 1; i <= n; i++) { ab += (a[i] - mean) * (b[i] - mean); aa += (a[i] - mean) ^ 2; bb += (b[i] - mean) ^ 2 }
      all_apart = worst; all_rank = (aa * bb > 0) ? ab / sqrt(aa * bb) : 0 # of the last reported: the mean
      printf "  %-24s %8.4f %% %+8.4f %%  %4d of %d  %8.5f\n", name, all_apart, sum / n, near, n, all_rank
    }
    FNR == 1 { for (i = 2; i <= NF; i++) name[i] = $i; next }
    NR == FNR { for (i = 2; i <= NF; i++) first[$1, i] = $i; next }
    { n++; for (i = 2; i <= NF; i++) { p[i, n] = first[$1, i]; q[i, n] = $i }; columns = NF }
    END {
      printf "  %-24s %10s %10s  %s  %8s\n", "loss of", "most apart", "mean", "within .3", "Spearman"
      for (i = 2; i <= columns; i++) {
        if (name[i] ~ /bits_per_byte/) continue
        for (r = 1; r <= n; r++) { x[r] = p[i, r]; y[r] = q[i, r]; sx[r] += x[r]; sy[r] += y[r] }
        report(name[i], x, y, n)
      }
      report("all, their mean", sx, sy, n)
      printf "largest %.6f least %.6f\n", all_apart, all_rank
    }' "$1/metrics.csv" "$2/metrics.csv"
}

# The share by which the losses of the runs fell from the first step logged to the last, in percent: the least of them.
fall() {
  for log in "$1"/runs/*/log.jsonl; do
    awk 'sub(/.*"loss_nats":/, "") { if (!n++) start = $0 + 0; last = $0 + 0 } END { print 100 * (1 - last / start) }' "$log"
  done | sort -n | head -n 1
}

for level in "$float" "$bf16" "$control"; do runs long "${LONG:-12}" 2200k "$level"; done
for level in "$float" "$bf16"; do runs swarm "${RUNS:-32}" "${TOKENS:-300k}" "$level"; done
compare "$folder/long-$float" "$folder/long-$control" > "$folder/control.txt"
for name in long swarm; do compare "$folder/$name-$float" "$folder/$name-$bf16" > "$folder/$name.txt"; done
fell=$(fall "$folder/long-$float")
echo "$bf16 against $float. ${LONG:-12} runs of 2.2 M tokens, whose losses fell by at least $fell %:"
sed '$d' "$folder/long.txt"
echo "The same, $control against $float:"
sed '$d' "$folder/control.txt"
echo "${RUNS:-32} runs of ${TOKENS:-300k} tokens:"
sed '$d' "$folder/swarm.txt"
apart=$(awk 'END { print $2 }' "$folder/long.txt")
rank=$(awk 'END { print $4 }' "$folder/swarm.txt")
awk -v fell="$fell" -v apart="$apart" -v rank="$rank" 'BEGIN {
  met = fell >= 20 && apart <= 0.3 && rank >= 0.99
  printf "goals: fall %.1f %% (20), apart %.3f %% (0.3), Spearman %.4f (0.99): %s\n", fell, apart, rank, met ? "met" : "NOT met"
  exit !met }'
