#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# phases.sh REGMIX FOLDER [TEXT]: are two phases better than one? Two swarms of as many runs and tokens, one with a mixture for 80 % of the tokens
# and another for the rest. The optimum of each, and the prior, are trained with three paired seeds. About half an hour on two idle cores; with
# SMALL=1 (200k tokens, 32 runs, models of 50 k parameters) a few minutes. Stop it at any time; it takes up where it stopped. TEXT: a folder that
# has the quickstart's text already.
set -eu
[ $# -ge 2 ] || { sed -n '4,7s/^# \{0,1\}//p' "$0"; exit 2; }
regmix=$1 out=$2
case $regmix in */*) regmix=$(cd "$(dirname "$regmix")" && pwd)/$(basename "$regmix") ;; esac
runs=48 proxy=150k large=600k model="model: nano, context: 128, batch_tokens: 2048" bytes=0 evaluated=16k
[ -z "${SMALL-}" ] || { runs=32 proxy=30k large=200k bytes=400k evaluated=3k
  model="model: nano, layers: 1, heads: 2, width: 32, ffn: 96, context: 64, batch_tokens: 1024"; }
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
mkdir -p "$out"
text=${3-$out/text}
[ $# -ge 3 ] || sh "$scripts/fetch-corpus.sh" foldoc bible faq c python german fortunes --into "$text" --cap 3000000
text=$(cd "$text" && pwd)

for kind in one two; do
  mkdir -p "$out/$kind"
  cat > "$out/$kind/regmix.yaml" << YAML
seed: 42
corpus:
  domains:
    foldoc: $text/foldoc.txt
    bible: $text/bible.txt
    faq: $text/faq.txt
    c: $text/c.txt
    python: $text/python.txt
    german: $text/german.txt
    fortunes: {files: $text/fortunes.txt, valid_only: true}
  vocab: 1024
  max_valid_tokens: 40k
  max_bytes: $bytes
target: fortunes
sample: {runs: $runs$([ $kind = one ] || printf ', phases: [0.8, 0.2]')}
proxy: {$model, tokens: $proxy, eval_tokens: $evaluated, repeat: none}
large: {$model, tokens: $large, eval_tokens: $evaluated}
compare: {seeds: 3, against: [prior, one.yaml]}
YAML
  for step in prepare sample train fit optimize; do nice -n 19 "$regmix" $step -C "$out/$kind"; done
done
"$regmix" export -C "$out/one" --to yaml --out "$out/two/one.yaml"
nice -n 19 "$regmix" compare -C "$out/two"
