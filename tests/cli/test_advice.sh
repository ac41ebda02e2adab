#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What messages about tables advise: each names what is wrong and something that helps, with options that the command has.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1
printf 'run,a,b\nr1,0.5,0.5\nr2,0.2,0.8\nr3,0.7,0.3\nr4,0.9,0.1\nr5,0.4,0.6\nr6,0.3,0.7\n' >m.csv
printf 'run,l\nr1,1\nr2,2\nr3,3\nr4,2.5\nr5,1.5\nr6,1.2\n' >l.csv

# ---- tables of spreadsheets
for to in UTF-16 UTF-16LE UTF-16BE; do
  iconv -f UTF-8 -t $to l.csv >wide.csv
  try "a table in $to" 1 "iconv -f UTF-16 -t UTF-8" "$REGMIX" fit --mixtures m.csv --metrics wide.csv --out f
done
printf 'run,l\nr1,1\0\n' >nul.csv
try "a NUL byte alone is no UTF-16" 1 "not text (it has NUL bytes)" "$REGMIX" fit --mixtures m.csv --metrics nul.csv --out f
never() { if grep -q -- "$2" "$SCRATCH/stderr"; then not_ok "$1" "$(cat "$SCRATCH/stderr")"; else ok "$1"; fi; }
never "and the advice is not given" iconv
printf 'run,a,b\nr1,"0,5","0,5"\nr2,"0,2","0,8"\n' >comma.csv
try "decimal commas in mixtures" 1 "write a point for the decimal comma" "$REGMIX" fit --mixtures comma.csv --metrics l.csv --out f
sed 's/^r3,3/r3,"3,5"/' l.csv >one.csv
try "a decimal comma in one cell of the metrics" 1 'one.csv:4: column "l": "3,5" is not a number; write a point' "$REGMIX" fit --mixtures m.csv --metrics one.csv --out f
sed 's/^r3,3/r3,"1,234.5"/' l.csv >thousands.csv
try "commas between thousands" 1 "without commas between its digits" "$REGMIX" fit --mixtures m.csv --metrics thousands.csv --out f

# ---- sums
"$REGMIX" fit -q --mixtures m.csv --metrics l.csv --regressor ridge --out whole >/dev/null 2>&1
printf 'a: 50\nb: 50\n' >percent.yaml
try "a prior in percent" 1 "divided by 100" "$REGMIX" optimize --fit whole --target l --prior percent.yaml
never "no option that optimize does not have" normalize

sed '3s/0.2,0.8/0.2,0.809/' m.csv >near.csv
try "a row that is divided is noted" 0 "near.csv: 1 of 6 mixtures does not sum to 1 (the furthest to 1.009) and is divided by the sum" "$REGMIX" fit --mixtures near.csv --metrics l.csv --regressor ridge --out f
sed '3s/0.2,0.8/0.2,0.801/' m.csv >rounded.csv
try "a row that is rounded" 0 "" "$REGMIX" fit --mixtures rounded.csv --metrics l.csv --regressor ridge --out f
never "is not noted" "divided by"

# ---- a missing value, in grammar
awk -F, 'NR == 1 { print $0 ",k"; next } { print $0 "," $2 }' l.csv | sed '3s/,2,/,,/' >hole.csv
try "one run without a value" 0 "1 of 6 runs has no value" "$REGMIX" fit --mixtures m.csv --metrics hole.csv --skip-missing --regressor ridge --out f
never "one is left out" "are left out"

# ---- sizes
awk -F, 'NR == 1 { print $0 ",size"; next } { print $0 "," (NR % 2 ? "10M" : "50M") }' m.csv >ms.csv
awk -F, 'NR == 1 { print $0 ",size"; next } { print $0 "," (NR % 2 ? "10.01M" : "50M") }' l.csv >ls.csv
try "sizes in both tables agree but for rounding" 0 "" "$REGMIX" fit --mixtures ms.csv --metrics ls.csv --size-column size --regressor scaling --out sized
sed '4s/50M/99M/' ls.csv >other.csv
try "sizes in both tables that differ" 1 'run "r3" has 5e+07 parameters in ms.csv, but 9.9e+07 in other.csv' "$REGMIX" fit --mixtures ms.csv --metrics other.csv --size-column size --out f
[ ! -d sized ] || try "score without the sizes" 2 '`fit --size-column`' "$REGMIX" score --fit sized --mixtures m.csv --metrics l.csv

# ---- phases
awk -F, 'NR == 1 { print "run,phase_0_a,phase_0_b,phase_1_a,phase_1_b"; next } { print $1 "," $2 "," $3 "," $3 "," $2 }' m.csv >p.csv
try "a fit of phases counts domains once" 0 "2 domains in 2 phases" "$REGMIX" fit --mixtures p.csv --metrics l.csv --phases 0.8,0.2 --regressor ridge --out phased
try "plain names for a fit of phases" 1 '"phase_0_a" and "phase_1_b"' "$REGMIX" predict --fit phased --mixtures m.csv

printf 'a: 1G\nb: 1G\n' >tokens.yaml
try "exposure and phases" 2 "counts the epochs of a whole run" "$REGMIX" fit --mixtures p.csv --metrics l.csv --phases 0.8,0.2 --regressor exposure --tokens tokens.yaml --budget 20G --out f

# ---- folders
mkdir empty
try "an empty folder" 1 "empty: no file in this folder or below; wanted the files of the runs" "$REGMIX" fit --mixtures m.csv --metrics empty --out f

# ---- reuse
printf 'a: 0.5\nb: 0.5\n' >plain.yaml
try "domains --reuse: the file is looked at before the table" 2 'has no `reuse:`' "$REGMIX" domains --reuse plain.yaml
done_testing
