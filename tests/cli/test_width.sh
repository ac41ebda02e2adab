#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Nothing that a person reads is wider than the terminal. In a file tables have 80 columns, and prose has whole lines.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

# fits COLUMNS NAME COMMAND...: no line of the command on such a terminal is wider.
fits() {
  columns=$1 name=$2
  shift 2
  TERM=xterm python3 "$ROOT/tests/cli/terminal.py" "$columns" 120 "$@" > shown.txt 2>&1
  wide=$(awk -v w="$columns" 'NR > 1 && $1 > w' shown.txt)
  if [ -n "$wide" ] || [ "$(wc -l < shown.txt)" -lt 2 ]; then not_ok "$name at $columns columns" "$wide"; else ok "$name at $columns columns"; fi
}
has() { if grep -qE -- "$2" "$3"; then ok "$1"; else not_ok "$1" "$(cat "$3")"; fi; }

# ---- help: narrower where the terminal is, and else as in a file
for command in $("$REGMIX" help --json | python3 -c 'import json, sys; print(*(c["name"] for c in json.load(sys.stdin)["commands"]))'); do
  fits 60 "$command --help" "$REGMIX" "$command" --help
done
fits 60 "help config" "$REGMIX" help config
fits 45 "help config" "$REGMIX" help config
has "the text of a key begins on the line of the key" '^[0-9]+   seed = 42 +random' shown.txt
fits 60 "--help" "$REGMIX" --help
fits 45 "optimize --help" "$REGMIX" optimize --help
has "the text of an option is below it" '^[0-9]+       folder of the fit' shown.txt
fits 120 "optimize --help" "$REGMIX" optimize --help
sed '1d; s/^[0-9]* //' shown.txt > wide.txt
"$REGMIX" optimize --help | sed '/^ *$/d' > file.txt
same "help on a wide terminal is as in a file" "$(cat file.txt)" "$(cat wide.txt)"

make_corpus exp 120
# names as corpora have them
sed -i 's/^    a: /    wikipedia-english-2024: /; s/^    b: /    wikipedia-english-2025: /; s/^    noise: /    stack-exchange_noise: /
  s/^    exam: /    Prüfungen: /; s/^target: exam/target: Prüfungen/; s/^compare: .*/compare: {seeds: 1, against: [prior, best_single, best_run]}/
  s/^optimize: .*/optimize: {replicates: 20}/' exp/regmix.yaml
fits 80 "prepare" "$REGMIX" prepare -C exp
fits 80 "plan" "$REGMIX" plan -C exp --cores 64
fits 80 "run --dry-run" "$REGMIX" run --dry-run -C exp
fits 80 "run" "$REGMIX" run -C exp
cp -r exp/metrics.csv losses.csv
awk -F, -v OFS=, 'NR == 1 { print $0, "exact_match", "accuracy of a long name of a benchmark" } NR > 1 { print $0, 1 - $4 / 10, $2 / 10 }' exp/metrics.csv > scores.csv
for command in fit optimize compare status doctor check "gc --dry-run" "bench --seconds 0.05" report "run --dry-run --set large.lr=0.01" "train --set proxy.lr=0.01" \
  "score --fit exp/fit --mixtures exp/mixtures.csv --metrics losses.csv" "pretrain --mixture uniform" "fit --set nothing=1" "optimize --target nothing"; do
  # shellcheck disable=SC2086
  fits 80 "$command" "$REGMIX" $command -C exp
done
fits 80 "correlate" "$REGMIX" correlate --metrics scores.csv
fits 80 "fit of long names" "$REGMIX" fit --mixtures exp/mixtures.csv --metrics scores.csv --out fit
fits 80 "optimize of long names" "$REGMIX" optimize --fit fit --target exact_match --replicates 20
fits 80 "score of long names" "$REGMIX" score --fit fit --mixtures exp/mixtures.csv --metrics scores.csv
has "a long name is cut in its middle" 'accuracy.*\.\..*nchmark' shown.txt
fits 50 "fit" "$REGMIX" fit -C exp
has "too many columns are tables below each other" '^[0-9]+ metric +regret@1' shown.txt
fits 50 "optimize" "$REGMIX" optimize -C exp
fits 50 "doctor" "$REGMIX" doctor -C exp
# the second line of a text begins below the first
has "a text goes on below itself" '^[0-9]+ {21}[a-z(]' shown.txt

# ---- in a file
for command in fit plan optimize compare "score --fit exp/fit --mixtures exp/mixtures.csv --metrics losses.csv"; do
  # shellcheck disable=SC2086
  "$REGMIX" $command -q -C exp > printed.txt 2> /dev/null
  # a table's lines have wide gaps or many numbers; sentences have neither
  wide=$(python3 -c '
import re
print("\n".join(x for x in open("printed.txt", encoding="utf-8").read().split("\n") if len(x) > 80 and len(re.findall(" {2,}", x.strip())) > 1))')
  same "tables of $command in a file" "" "$wide"
done
"$REGMIX" optimize -q -C exp > printed.txt 2> /dev/null
has "a sentence is one line in a file" '^Compared with the prior .*better with probability .*\.$' printed.txt
done_testing
