#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is written: read alike by other programs, into whatever kind of file a user names, and nothing left behind.
# $2: the program hostile_names.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
hostile_names=${2:?usage: test_files.sh path/to/regmix path/to/hostile_names}
python=/usr/bin/python3

# ---- names and numbers
mkdir "$SCRATCH/names"
try "hostile names: YAML, JSON and CSV are read back as they were written" 0 "" "$hostile_names" "$SCRATCH/names"
if $python -c 'import yaml' 2> /dev/null; then
  try "hostile names: PyYAML, Python's json and csv read the same, and numbers have the fewest digits" 0 "" \
    "$python" "$here/check_names.py" "$SCRATCH/names"
else
  skip "hostile names: PyYAML, Python's json and csv read the same, and numbers have the fewest digits" "no PyYAML (package python3-yaml)"
fi
if command -v jq > /dev/null; then
  jq -r '.strings[] | @json' "$SCRATCH/names/tree.json" > "$SCRATCH/strings"
  jq -r '.weights | keys_unsorted[] | @json' "$SCRATCH/names/tree.json" > "$SCRATCH/keys"
  if [ -s "$SCRATCH/strings" ] && cmp -s "$SCRATCH/strings" "$SCRATCH/keys"; then ok "hostile names: jq reads the same"; else not_ok "hostile names: jq reads the same"; fi
else
  skip "hostile names: jq reads the same" "no jq"
fi

# A fit, an optimum and an export of domains and metrics with such names.
cd "$SCRATCH" || exit 1
cat > m.csv << 'END'
run,NO,12:30,"a, ""b""",3e-05
1,0.7,0.2,0.1,0
2,0.1,0.7,0.1,0.1
3,0.25,0.25,0.25,0.25
4,0.1,0.2,0.3,0.4
5,0.4,0.3,0.2,0.1
6,0.3,0.1,0.5,0.1
7,0.2,0.2,0.2,0.4
8,0.6,0.1,0.1,0.2
END
awk -F, 'NR == 1 { print "run,~,\"x/y: #z\"" } NR > 1 { print $1 "," 3 - $2 + $3 * $3 "," 2 + $4 * $4 - $5 }' m.csv > v.csv
try "a fit of hostile names" 0 "" "$REGMIX" fit --mixtures m.csv --metrics v.csv --regressor ridge --out fit
try "an optimum of hostile names" 0 "" "$REGMIX" optimize --fit fit --target '~' --out optimum.yaml
try "an optimum of hostile names is read back" 0 "3e-05,0" "$REGMIX" export --mixture optimum.yaml --to csv
if $python -c 'import yaml' 2> /dev/null; then
  cat > check.py << 'END'
import sys, yaml
o = yaml.safe_load(open("optimum.yaml"))
names = ["NO", "12:30", 'a, "b"', "3e-05"]
assert list(o["mixture"]) == names, o["mixture"]
assert all(type(x) is float for x in o["mixture"].values()), o["mixture"]
assert list(o["target"]) == ["~"] and list(o["predicted"]) == ["~", "x/y: #z"], o
END
  try "an optimum of hostile names is the same to PyYAML" 0 "" $python check.py
else
  skip "an optimum of hostile names is the same to PyYAML" "no PyYAML (package python3-yaml)"
fi
printf '"NO": 0.7\n"12:30": 0.2\n"a, \\"b\\"": 0.1\n"3e-05": 0\n' > given.yaml
try "weights that sum to 1 are written as they were given" 0 '"NO": 0.7' "$REGMIX" export --mixture given.yaml --to yaml
if ! grep -q '0\.25,' fit/fit.json || grep -q '0\.7000000000000001\|0\.69999' fit/fit.json; then
  not_ok "weights that sum to 1 stand in a fit as they were given"
else
  ok "weights that sum to 1 stand in a fit as they were given"
fi
done_testing
