#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# repetition.sh REGMIX FOLDER [TEXT]: do proxies that repeat text as the large run will find a better mixture? Two of six domains have 60 kB of
# text, so a large run of 1M tokens repeats them up to 30 times. Two swarms of the same mixtures are trained, one that matches and one that does
# not. The optimum of each, the prior, and a grid of shares of the scarce domains are trained with three paired seeds. About an hour on two idle
# cores; with SMALL=1 (12 kB, 200k tokens, 24 runs, models of 50 k parameters) a few minutes. Stop it at any time; it takes up where it stopped.
# TEXT: a folder that has the quickstart's text already.
set -eu
[ $# -ge 2 ] || { sed -n '4,8s/^# \{0,1\}//p' "$0"; exit 2; }
regmix=$1 out=$2
case $regmix in */*) regmix=$(cd "$(dirname "$regmix")" && pwd)/$(basename "$regmix") ;; esac
scarce=60000 runs=32 proxy=100k large=1M shares="05 15 30 50 80" model="model: nano, context: 128, batch_tokens: 2048" bytes=0 evaluated=16k
[ -z "${SMALL-}" ] || { scarce=12000 runs=24 proxy=20k large=200k shares="10 30 60" bytes=400k evaluated=3k
  model="model: nano, layers: 1, heads: 2, width: 32, ffn: 96, context: 64, batch_tokens: 1024"; }
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
mkdir -p "$out/text"
text=${3-$out/whole}
[ $# -ge 3 ] || sh "$scripts/fetch-corpus.sh" foldoc bible faq c python german fortunes --into "$text" --cap 3000000
for domain in faq c python german fortunes; do cp "$text/$domain.txt" "$out/text/$domain.txt"; done
# Whole documents: they are separated by lines of "%".
for domain in foldoc bible; do
  awk -v most=$scarce '{ n += length($0) + 1; print } $0 == "%" && n > most { exit }' "$text/$domain.txt" > "$out/text/$domain.txt"
done

config() { # NAME match|none
  mkdir -p "$out/$1"
  cat > "$out/$1/regmix.yaml" << YAML
seed: 42
corpus:
  domains:
    foldoc: ../text/foldoc.txt
    bible: ../text/bible.txt
    faq: ../text/faq.txt
    c: ../text/c.txt
    python: ../text/python.txt
    german: ../text/german.txt
    fortunes: {files: ../text/fortunes.txt, valid_only: true}
  vocab: 1024
  max_valid_tokens: 40k
  max_bytes: $bytes
target: fortunes
sample: {runs: $runs, max_epochs: {"*": 30}, temper: 0.3}
proxy: {$model, tokens: $proxy, eval_tokens: $evaluated, repeat: $2}
large: {$model, tokens: $large, eval_tokens: $evaluated}
compare: {seeds: 3, against: [prior, unmatched.yaml$(for s in $shares; do printf ', grid-%s.yaml' "$s"; done)]}
YAML
}

for kind in none match; do
  config $kind $kind
  for step in prepare sample train fit optimize; do nice -n 19 "$regmix" $step -C "$out/$kind"; done
done
"$regmix" export -C "$out/none" --to yaml --out "$out/match/unmatched.yaml"
"$regmix" export -C "$out/match" --to csv --out "$out/match/optimum.csv"
# The scarce domains in the proportions of the optimum that knows of repetition; the others likewise.
# shellcheck disable=SC2086 # a list
python3 - "$out/match" $shares << 'PYTHON'
import sys
folder = sys.argv[1]
w = {}
for line in open(folder + '/optimum.csv').read().split()[1:]: w[line.split(',')[0]] = float(line.split(',')[1])
scarce = [d for d in w if d in ('foldoc', 'bible')]
def part(names): return {d: max(w[d], 0.02) / sum(max(w[e], 0.02) for e in names) for d in names}
few, many = part(scarce), part([d for d in w if d not in scarce])
for text in sys.argv[2:]:
    share = int(text)
    with open(f'{folder}/grid-{text}.yaml', 'w') as f:
        for d in w: f.write(f'{d}: {(share / 100 * few[d]) if d in few else (1 - share / 100) * many[d]:.6f}\n')
PYTHON
nice -n 19 "$regmix" compare -C "$out/match"
