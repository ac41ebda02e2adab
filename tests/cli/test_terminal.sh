#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a person sees: progress on a terminal and in a log, dry runs, doctor, version, help, completion, installing.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1
# yes NAME COMMAND...: the command succeeds.
yes() {
  name=$1
  shift
  if "$@" > yes.txt 2>&1; then ok "$name"; else not_ok "$name" "$(tail -n 5 yes.txt)"; fi
}
on_terminal() { TERM=${TERM_WANTED-xterm} python3 "$ROOT/tests/cli/terminal.py" "$@" > terminal.txt 2>&1; }

awk 'BEGIN { print "run,a,b,c,d,e" > "m.csv"; print "run,gr\303\266\303\237e_loss,\346\227\245\346\234\254\350\252\236_loss,plain_loss" > "l.csv"
  s = 7
  for (i = 1; i <= 24; i++) {
    t = 0
    for (j = 0; j < 5; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647; t += w[j] }
    printf "%d", i > "m.csv"; for (j = 0; j < 5; j++) printf ",%.6f", w[j] / t > "m.csv"; print "" > "m.csv"
    printf "%d,%.6f,%.6f,%.6f\n", i, 3 - sqrt(w[0] / t), 4 - sqrt(w[1] / t), 5 - sqrt(w[2] / t) > "l.csv"
  } }'
head -n 4 m.csv > few.csv  # fewer runs than domains: a warning

# ---- progress
make_corpus exp 100
cp exp/regmix.yaml small.yaml
# It is at work as long as we look, on one processor.
{ sed 's/tokens: 8k/tokens: 200M, threads: 1/' small.yaml; echo 'jobs: 1'; } > exp/regmix.yaml
for width in 80 40 13; do
  on_terminal $width 5 "$REGMIX" run -C exp
  grep -q ' left' terminal.txt || on_terminal $width 30 "$REGMIX" run -C exp  # a slow machine
  yes "no line of progress is wider than a terminal of $width" awk -v w=$width '/ left/ { n++; if ($1 >= w) bad++ } END { exit !(n > 0 && !bad) }' terminal.txt
done
on_terminal 80 3.5 "$REGMIX" run -C exp
yes "80 columns show step, time left, share and runs" grep -Eq 'step 3 of 7: train  [0-9.]+ (s|min|h [0-9]+ min|days) left  [0-9]+ %  0 of 6 runs done' terminal.txt
yes "an interrupt ends it with 130" grep -q '^exit 130' terminal.txt
TERM_WANTED=dumb on_terminal 80 2 "$REGMIX" train -C exp
yes "TERM=dumb: no line that moves" sh -c '! grep -q "%" terminal.txt'
rm -rf exp/runs
timeout -s INT 13 "$REGMIX" train -C exp 2> log.txt > /dev/null
yes "a log gets a plain line after ten seconds" grep -Eq '^train: [0-9]+ %, 0 of 6 runs done, .*; 1[0-9] s gone, .* left$' log.txt
yes "one, and without control characters" sh -c '[ "$(grep -c "gone" log.txt)" = 1 ] && ! grep -q "$(printf "\033")" log.txt'
on_terminal 80 2 "$REGMIX" train -C exp -q
yes "-q: no progress" sh -c '! grep -q left terminal.txt'
on_terminal 100 60 "$REGMIX" fit --mixtures few.csv --metrics l.csv --regressor ridge --out few
yes "a warning is coloured on a terminal" grep -q 'colored warning:' terminal.txt
NO_COLOR=1 on_terminal 100 60 "$REGMIX" fit --mixtures few.csv --metrics l.csv --regressor ridge --out few
yes "NO_COLOR: it is not" sh -c 'grep -q "warning:" terminal.txt && ! grep -q colored terminal.txt'
"$REGMIX" fit --mixtures m.csv --metrics l.csv --regressor ridge 2> /dev/null > table.txt
yes "names of other scripts are measured in columns" python3 -c '
import unicodedata
at = set()
for line in open("table.txt", encoding="utf-8"):
    if "ridge" in line: at.add(sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line[: line.index("ridge")]))
assert len(at) == 1, at'
rm -rf exp/runs exp/mixtures.csv exp/mixtures.json
cp small.yaml exp/regmix.yaml
"$REGMIX" compare -C exp --methods prior,uniform --seeds 1 2> methods.txt > /dev/null
yes "compare says which method of how many" grep -q 'method 2 of 2, uniform' methods.txt
"$REGMIX" status -C exp -v 2> verbose.txt > /dev/null
yes "-v names the program, the level and the BLAS library, and times the command" sh -c 'grep -q "regmix 0" verbose.txt && grep -q "processor level .*BLAS" verbose.txt && grep -q "status took" verbose.txt'

yes "and lists the files it reads, each once" sh -c '[ "$(grep -c "^read .*regmix.yaml$" verbose.txt)" -eq 1 ]'
printf "a: 0.5\nb: 0.5\n" > prior.yaml
"$REGMIX" sample --prior prior.yaml --set sample.runs=3 --out drawn.csv -v 2> verbose.txt > /dev/null
yes "and the files it writes" grep -q "^wrote .*drawn.csv$" verbose.txt

# ---- run --dry-run
tree() { find exp -exec stat -c '%n %s %Y %i' {} + | sort; }
tree > before.txt
"$REGMIX" run -C exp --dry-run > dry.txt 2>&1
tree > after.txt
yes "a dry run changes nothing: at the beginning" cmp before.txt after.txt
yes "and says what is to do" grep -q 'sample  *would draw 6 mixtures' dry.txt
"$REGMIX" run -C exp -q > /dev/null 2>&1
tree > before.txt
"$REGMIX" run -C exp --dry-run > dry.txt 2>&1
tree > after.txt
yes "a dry run changes nothing: at the end" cmp before.txt after.txt
yes "and says that nothing is to do" sh -c 'grep -q "all 6 runs are done" dry.txt && grep -q "Nothing needs to be done" dry.txt'
rm exp/runs/0002/result.json
tree > before.txt
"$REGMIX" run -C exp --dry-run > dry.txt 2>&1
yes "one run is missing: one is to do, and for how long" grep -Eq 'train  *would train 1 of 6 runs \(5 are done\), in about ' dry.txt
"$REGMIX" run -C exp --dry-run --set proxy.tokens=9k > dry.txt 2>&1
yes "other settings: what would be set aside" grep -q 'of other settings would be set aside' dry.txt
"$REGMIX" run -C exp --dry-run --json > dry.json 2> /dev/null
yes "as JSON" python3 -c 'import json; d = json.load(open("dry.json")); assert d["to_do"] and [s for s in d["steps"] if s["step"] == "train"][0]["to_do"]'
tree > after.txt
yes "a dry run changes nothing: in between" cmp before.txt after.txt

# ---- doctor
mkdir healthy
try "doctor: this machine will do" 0 "locks" "$REGMIX" doctor -C healthy
yes "doctor leaves nothing behind" sh -c '[ -z "$(ls -A healthy)" ]'
try "doctor: a folder that is not there" 1 "is not a folder" "$REGMIX" doctor -C nowhere
try "doctor: too few open files" 1 "ulimit -n" sh -c 'ulimit -n 16; exec "$1" doctor -C healthy' - "$REGMIX"
case $REGMIX in
  *asan* | *tsan*) skip "doctor: little address space" "sanitizers need more" ;;
  *) try "doctor: little address space" 0 "ulimit -v" sh -c 'ulimit -v 1500000; exec "$1" doctor -C healthy' - "$REGMIX" ;;
esac
"$REGMIX" doctor -C nowhere --json > doctor.json 2> /dev/null
yes "doctor --json: each check, its verdict, what to do" python3 -c '
import json
d = json.load(open("doctor.json"))
assert d["failed"] == 1 and {"name", "verdict", "found"} <= set(d["checks"][0])
assert [c for c in d["checks"] if c["verdict"] == "fail"][0]["advice"]'

# ---- version
"$REGMIX" --version > version.txt
yes "--version begins as ever" sh -c 'head -n 1 version.txt | grep -Eqx "regmix [0-9.]+"'
yes "--version names compiler, BLAS and processor level" sh -c 'grep -q "^compiler  *[a-z]" version.txt && grep -q "^BLAS  *[A-Za-z]" version.txt && grep -q "^processor level  *[a-z]" version.txt'
yes "and the libraries for kinds of text" sh -c 'grep -q "^text  *with zlib, libzstd, snappy.*; without [a-z]" version.txt'
yes "--version --json: the same" sh -c '"$1" --version --json | jq -e ".libraries | .zlib and has(\"liblzma\") and has(\"libpsl\")" > /dev/null' sh "$REGMIX"
yes "doctor --json: what each enables" sh -c '"$1" doctor --json -C healthy | jq -e "[.libraries[] | select(.name == \"libbz2\") | .enables] == [\".bz2\"]" > /dev/null' sh "$REGMIX"
try "a level that is asked for" 0 "processor level  ref" env REGMIX_ISA=ref "$REGMIX" --version

# ---- help and man pages
for topic in $("$REGMIX" help --json | python3 -c 'import json, sys; print(*[c["name"] for c in json.load(sys.stdin)["commands"]])') config; do
  "$REGMIX" help "$topic" > help.txt
  yes "help $topic fits 80 columns" sh -c '! grep -E ".{81}" help.txt'
done
"$REGMIX" --help > help.txt
yes "the overview fits 80 columns and has the exit codes" sh -c '! grep -E ".{81}" help.txt && grep -q "130 (interrupted)" help.txt'
"$REGMIX" man config > config.5
yes "regmix.yaml(5) has every key, its default, bounds and meaning" sh -c '"$1" help config --json | python3 -c "
import json, sys
page = open(\"config.5\").read().replace(\"\\\\-\", \"-\")
for k in json.load(sys.stdin)[\"keys\"]:
    assert \".B \\\"%s\\\"\" % k[\"name\"] in page and k[\"help\"] in page.replace(chr(92) + \"e\", chr(92)), k
assert page.count(\"Default: \") >= 60"' - "$REGMIX"

yes "every command's page is installed" sh -c '"$1" help --json | python3 -c "
import json, sys
text = open(sys.argv[1]).read()
missing = [c[\"name\"] for c in json.load(sys.stdin)[\"commands\"] if chr(39) + c[\"name\"] + chr(39) not in text]
assert not missing, missing" "$2/docs/meson.build"' - "$REGMIX" "$ROOT"

# ---- completion
# completes NAME WANTED WORD...: among the candidates is WANTED.
completes() {
  name=$1 wanted=$2
  shift 2
  "$REGMIX" complete -- "$@" > candidates.txt
  if cut -f 1 candidates.txt | grep -qxF -- "$wanted"; then ok "completion: $name"; else not_ok "completion: $name" "$(head -n 5 candidates.txt)"; fi
}
completes "a command" optimize opt
completes "an option" --regressor fit --reg
completes "an option of every command" --json status --j
completes "choices" simulate optimize --method ""
completes "choices behind =" --method=search optimize --method=s
completes "regressors" ridge fit --regressor r
completes "export formats" megatron export --to mega
completes "processor levels" ref bench --isa ""
completes "methods" doremi compare --methods dor
completes "config keys" proxy.schedule= run --set proxy.sch
completes "their values" proxy.schedule=cosine run --set proxy.schedule=c
completes "files" :files fit --mixtures ""
completes "folders" :folders predict --fit ""
completes "help topics" config help conf
if command -v bash > /dev/null; then
  cat > complete.bash << 'END'
source <("$1" completion bash)
compopt() { :; }
COMP_WORDS=("$1" "${@:2}") COMP_CWORD=$(($# - 1))
_regmix
printf '%s\n' "${COMPREPLY[@]}"
END
  yes "bash: an option" sh -c 'bash complete.bash "$1" fit --regr | grep -qx -- --regressor' - "$REGMIX"
  yes "bash: the value of a key, which bash splits at =" sh -c 'bash complete.bash "$1" run --set proxy.schedule = cos | grep -qx cosine' - "$REGMIX"
  yes "bash: files" sh -c 'bash complete.bash "$1" fit --mixtures m. | grep -qx m.csv' - "$REGMIX"
fi
if command -v zsh > /dev/null; then
  cat > complete.zsh << 'END'
compdef() { :; }
compset() { :; }
compadd() { print -l -- "$@"; }
_files() { print -- files "$@"; }
source <($1 completion zsh)
words=("$@") CURRENT=$#
_regmix
END
  yes "the script for zsh is one" sh -c '"$1" completion zsh | zsh -n' - "$REGMIX"
  yes "zsh: a command" sh -c 'zsh -f complete.zsh "$1" opti | grep -qx optimize' - "$REGMIX"
  yes "zsh: an option" sh -c 'zsh -f complete.zsh "$1" fit --regr | grep -qx -- --regressor' - "$REGMIX"
  yes "zsh: files" sh -c 'zsh -f complete.zsh "$1" fit --mixtures m. | grep -qx files' - "$REGMIX"
  yes "zsh: folders" sh -c 'zsh -f complete.zsh "$1" predict --fit "" | grep -qx -- "files -/"' - "$REGMIX"
else
  skip "zsh" "no zsh here"
fi
if command -v fish > /dev/null; then
  # fish LINE WANTED: completes the line and has WANTED among the candidates.
  in_fish() {
    HOME=$SCRATCH PATH=$(dirname "$REGMIX"):$PATH fish --no-config -c 'regmix completion fish | source; complete -C $argv[1]' "$1" |
      cut -f 1 | grep -qxF -- "$2"
  }
  yes "the script for fish is one" sh -c '"$1" completion fish | fish -n' - "$REGMIX"
  yes "fish: a command" in_fish "regmix opti" optimize
  yes "fish: an option" in_fish "regmix fit --regr" --regressor
  yes "fish: files" in_fish "regmix fit --mixtures m." m.csv
  yes "fish: files behind =" in_fish "regmix fit --mixtures=m." --mixtures=m.csv
  yes "fish: folders" in_fish "regmix predict --fit he" healthy/
else
  skip "fish" "no fish here"
fi

# ---- slips of the finger
try "status on a folder without an experiment" 1 "no experiment in" "$REGMIX" status -C healthy
try "status on no folder" 1 "no folder" "$REGMIX" status -C nowhere
if [ "$(id -u)" = 0 ] && command -v setpriv > /dev/null; then
  mkdir shut && chmod 755 "$SCRATCH" shut
  try "init where one may not write says so" 1 "Permission denied" setpriv --reuid 65534 --clear-groups "$REGMIX" init "$SCRATCH/shut/exp"
else
  skip "init where one may not write says so" "needs root and setpriv"
fi

# ---- make install
if command -v make > /dev/null; then
  mkdir made && touch made/build.ninja made/regmix
  make -n -C "$ROOT" BUILD="$SCRATCH/made" PREFIX="$SCRATCH/there" install > make.txt 2>&1
  yes "make install PREFIX=x sets the prefix of a build folder that is there" grep -qF -- "meson configure $SCRATCH/made -Dprefix=\"$SCRATCH/there\"" make.txt
fi
# ---- one file for stdout and stderr: the lines of both keep their order
mkdir -p order/a && printf 'hello\n' > order/a/t.txt
printf 'corpus:\n  domains: {a: a/, b: nothing/}\ntarget: a\n' > order/regmix.yaml
"$REGMIX" check -C order > order/log 2>&1
same "what is printed first is first in a log" "problems at the end" \
  "$(tail -n 1 order/log | sed 's/^regmix check: 3 //') at the end"
done_testing
