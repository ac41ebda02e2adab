#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# start.sh REGMIX [TIMES]: how long `regmix --version` takes, in ms: the median of 50 starts or of TIMES. The same of
# `true` is what the system needs to start any program.
set -eu
program=${1:?usage: start.sh REGMIX [TIMES]}
LC_ALL=C
measure() {
  for ((i = 0; i < times; i++)); do
    began=${EPOCHREALTIME/./}
    "$@" > /dev/null
    echo $((${EPOCHREALTIME/./} - began))
  done | sort -n | awk '{ v[NR] = $1 / 1000 }
    END { printf "median %.1f, least %.1f, most %.1f ms", (v[int((NR + 1) / 2)] + v[int(NR / 2) + 1]) / 2, v[1], v[NR] }'
}
times=${2-50}
echo "$(basename "$program") --version: $(measure "$program" --version)"
echo "true: $(measure "$(type -P true)")"
