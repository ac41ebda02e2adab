#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# run.sh REGMIX TEXT OUT: two proxy sizes, and the best mixture for a third. A few minutes on two
# cores.
# TEXT is the folder of text that `make demo` fetches (examples/quickstart/text). OUT is a folder
# that this script makes.
set -eu
[ $# -eq 3 ] || { echo "usage: run.sh REGMIX TEXT OUT" >&2; exit 2; }
here=$(cd "$(dirname "$0")" && pwd)
regmix=$1 text=$(cd "$2" && pwd) out=$3
case $regmix in */*) regmix=$(cd "$(dirname "$regmix")" && pwd)/$(basename "$regmix") ;; esac
mkdir -p "$out"
cd "$out"
for size in small medium; do
  mkdir -p "$size"
  [ -e "$size/text" ] || ln -s "$text" "$size/text"
  cp "$here/$size.yaml" "$size/regmix.yaml"
  for step in prepare sample train; do "$regmix" "$step" -C "$size"; done
done
# One table of all evaluations. The names of runs get the size in front, so that they differ.
awk 'FNR == 1 { split(FILENAME, folder, "/"); if (NR == 1) print; next }
  { print folder[1] "-" $0 }' \
  small/evaluations.csv medium/evaluations.csv > evaluations.csv
"$regmix" fit --mixtures evaluations.csv --metrics evaluations.csv \
  --size-column size --tokens-column tokens --out fit
"$regmix" optimize --fit fit --target fortunes --for 1M,500k --out optimum.yaml
