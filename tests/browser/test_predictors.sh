#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# test_predictors.sh WRITE_REPORT MAKE_FIT REGMIX FUNCTIONS.js: what the page predicts against what regmix predict says, for
# every kind of regressor, without a browser. Speaks TAP.
set -u
write_report=$1 make_fit=$2 regmix=$3 functions=$4
here=$(cd "$(dirname "$0")" && pwd)
command -v node >/dev/null || { echo "1..0 # SKIP no node here (Debian: apt install nodejs)"; exit 0; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$make_fit" "$work" && "$regmix" predict -q --fit "$work/fit" --mixtures "$work/queries.csv" >"$work/wanted.csv" &&
  "$write_report" "$work" "$work/page.html" || { echo "Bail out! no fit of every regressor"; exit 1; }
node "$here/predictors.js" "$functions" "$work/page.html" "$work/queries.csv" "$work/wanted.csv"
