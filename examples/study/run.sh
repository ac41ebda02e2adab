#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# run.sh EXPERIMENT [FOLDER]: trains one experiment of the study. Stop it at any time; the same
# command goes on. FOLDER (default: the folder of this file) has `text`, `tasks-thin` and `tasks`,
# and gets a folder for each experiment. REGMIX names the program (default build/regmix).
set -eu
experiments="small unseen whole seeds repetition matched interactions recipe methods methods-tenth"
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
usage() { sed -n '4,6s/^# \{0,1\}//p' "$0"; echo "EXPERIMENT: one of $experiments"; exit 2; }
case $# in 1 | 2) ;; *) usage ;; esac
case " $experiments " in *" $1 "*) ;; *) usage ;; esac
experiment=$1
mkdir -p "${2-$here}"
folder=$(cd "${2-$here}" && pwd)
program=${REGMIX-$root/build/regmix}
if ! command -v "$program" > /dev/null; then
  echo "run.sh: no program $program; build it with make, or set REGMIX" >&2
  exit 1
fi
case $program in */*) program=$(cd "$(dirname "$program")" && pwd)/$(basename "$program") ;; esac

regmix() { command=$1; shift; "$program" "$command" -C "$folder/$experiment" "$@"; }
# The folder of an experiment with its regmix.yaml.
begin() {
  experiment=$1
  mkdir -p "$folder/$experiment"
  [ -f "$folder/$experiment/regmix.yaml" ] ||
    cp "$here/$experiment/regmix.yaml" "$folder/$experiment/regmix.yaml"
}
# Mixtures that depend on results. Those that are there already are kept.
decide() { # FILE
  [ -f "$folder/$experiment/$1" ] ||
    python3 "$root/scripts/study/mixtures.py" "$experiment" "$folder/$experiment" \
      --regmix "$program" --data "${DATA-$root/docs/study/data}"
}
# Trains a model on every mixture file of the experiment, with this number of seeds.
pretrain_all() { # SEEDS
  regmix prepare
  for mixture in "$folder/$experiment"/*.yaml; do
    case $(basename "$mixture") in regmix.yaml | resolved.yaml | optimum.yaml) continue ;; esac
    regmix pretrain --mixture "$mixture" --seeds "$1"
  done
}

# `auto` with `suggest`: a few runs at a time, and a proposal at each power of two.
suggest_runs() {
  mixtures=$folder/recipe/mixtures.csv proposals=$folder/proposals
  regmix prepare
  for n in 8 16 24 32 48 64 96 128; do
    have=0
    [ ! -f "$mixtures" ] || have=$(($(wc -l < "$mixtures") - 1))
    if [ "$have" -lt "$n" ]; then
      next=$folder/recipe/next.csv
      rm -f "$next"
      prior=
      [ "$have" -gt 0 ] || prior="--prior $proposals/prior.yaml"
      # shellcheck disable=SC2086 # an option and its value
      regmix suggest -n $((n - have)) --no-curve $prior --out "$next"
      if [ "$have" -eq 0 ]; then cp "$next" "$mixtures"; else
        tail -n +2 "$next" | cat "$mixtures" - > "$mixtures.new" && mv "$mixtures.new" "$mixtures"
      fi
    fi
    regmix train
    regmix fit
    case $n in 8 | 16 | 32 | 64 | 128)
      if [ ! -f "$proposals/auto-$n.yaml" ]; then
        regmix optimize
        regmix export --to yaml --out "$proposals/auto-$n.yaml"
      fi ;;
    esac
  done
}

# The large models with two numbers of tokens. What a method found with the first is set aside when
# the second is trained, so a copy of the table is kept.
compare_methods() {
  for tokens in 400k 800k; do
    [ ! -f "$folder/$experiment/methods-$tokens.json" ] || continue
    regmix compare --redo --set large.tokens=$tokens
    cp "$folder/$experiment/compare/methods.json" "$folder/$experiment/methods-$tokens.json"
  done
}

# The largest models of `unseen` on the whole task files.
score_whole() {
  mkdir -p "$folder/scores/unseen"
  for model in "$folder"/unseen/runs/big-*; do
    out=$folder/scores/unseen/$(basename "$model").json
    [ -f "$out" ] || [ ! -f "$model/result.json" ] ||
      "$program" eval -q --model "$model" --tasks "$(files "$folder/tasks")" --out "$out"
  done
}
files() { list=; for f in "$1"/*.jsonl.gz; do list=$list,$f; done; echo "${list#,}"; }

case $experiment in
  small | unseen) begin "$experiment"; regmix prepare; regmix sample; regmix train ;;
  whole) score_whole ;;
  seeds) begin seeds; decide best.yaml; pretrain_all 3 ;;
  repetition | matched) begin "$experiment"; decide mixtures.csv; regmix prepare; regmix train ;;
  interactions) begin interactions; decide base.yaml; pretrain_all 6 ;;
  recipe)
    begin proposals; decide recipe.yaml
    begin recipe; suggest_runs
    begin proposals; pretrain_all 3 ;;
  methods | methods-tenth) begin "$experiment"; regmix prepare; compare_methods ;;
esac
