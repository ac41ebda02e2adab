#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# train.sh REGMIX FOLDER: trains the swarms that studies.py looks at, about twenty minutes on two cores with AVX-512 and bfloat16. Stop it at any
# time; it takes up where it stopped. Domains, target and proxy are the quickstart's.
#
#   v1024                    64 mixtures with learning curves (shorter runs, stopping early)
#   v512, v4096, v16384      48 of these mixtures under other tokenizers, on as much text
#   v1024b, v4096b           the 48 with another seed: how far two rankings agree that differ in nothing else
set -eu
[ $# -eq 2 ] || { sed -n '4,11s/^# \{0,1\}//p' "$0"; exit 2; }
regmix=$1 out=$2
case $regmix in */*) regmix=$(cd "$(dirname "$regmix")" && pwd)/$(basename "$regmix") ;; esac
scripts=$(cd "$(dirname "$0")/../../scripts" && pwd)
mkdir -p "$out"
out=$(cd "$out" && pwd)
sh "$scripts/fetch-corpus.sh" foldoc bible faq c python german fortunes --into "$out/text" --cap 3000000

# swarm NAME VOCAB SEED RUNS TOKENS EVAL_TOKENS EVALS
swarm() {
  mkdir -p "$out/$1"
  cat > "$out/$1/regmix.yaml" << END
seed: $3
corpus:
  domains:
    foldoc: ../text/foldoc.txt
    bible: ../text/bible.txt
    faq: ../text/faq.txt
    c: ../text/c.txt
    python: ../text/python.txt
    german: ../text/german.txt
    fortunes: {files: ../text/fortunes.txt, valid_only: true}
  vocab: $2
  max_valid_tokens: 40k
target: fortunes
sample:
  runs: $4
proxy:
  model: nano
  context: 128
  tokens: $5
  batch_tokens: 2048
  eval_tokens: $6
  evals: $7
END
  nice -n 19 "$regmix" prepare -q -C "$out/$1"
  if [ "$1" = v1024 ]; then nice -n 19 "$regmix" sample -q -C "$out/$1"
  else head -n $(($4 + 1)) "$out/v1024/mixtures.csv" > "$out/$1/mixtures.csv"; fi
  nice -n 19 "$regmix" train -C "$out/$1"
}

# Tokens differ so that the text does not: 1.34 MB trained on, 17 kB of the target's validated, to within 2 %.
swarm v1024 1024 42 64 600k 8k 16
swarm v4096 4096 42 48 450k 6400 0
swarm v1024b 1024 43 48 600k 8k 0
swarm v512 512 42 48 740k 9600 0
swarm v4096b 4096 43 48 450k 6400 0
swarm v16384 16384 42 48 365k 5400 0
