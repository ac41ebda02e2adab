#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of an experiment that were damaged or changed by hand are noticed wherever they are used, and go into nothing new.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

alike() { if cmp -s "$2" "$3"; then ok "$1"; else not_ok "$1" "$2 and $3 differ"; fi; }
# swap FILE: two ids of its vocabulary.
swap() {
  python3 -c 'import json, sys
t = json.load(open(sys.argv[1])); v = t["model"]["vocab"]; a, b = [k for k in v if len(k) == 2][3:5]
v[a], v[b] = v[b], v[a]
json.dump(t, open(sys.argv[1], "w"))' "$1"
}

make_corpus exp 120
"$REGMIX" prepare -q -C exp 2> /dev/null
try "an experiment" 0 "" "$REGMIX" run -q -C exp --set compare.against=[]
cp exp/tokenizer.json whole.json

# ---- the tokenizer
swap exp/corpus/tokenizer.json
try "another seed, with a damaged tokenizer in the corpus" 0 "1 run done" "$REGMIX" pretrain -C exp --seeds 3
alike "a new model gets the whole one" whole.json exp/large/optimum/3/tokenizer.json
try "prepare says that it was damaged" 0 "corpus/tokenizer.json is damaged or was changed; it is made again from exp/tokenizer.json" "$REGMIX" prepare -C exp
alike "and the corpus has the whole one again" whole.json exp/corpus/tokenizer.json
alike "which the experiment kept" whole.json exp/tokenizer.json
printf 'x\001' > exp/corpus/tokenizer.json
swap exp/tokenizer.json
try "both damaged: no model is trained" 1 'is not the tokenizer that made the token files' "$REGMIX" pretrain -C exp --seeds 4
try "none is exported" 1 'regmix prepare' "$REGMIX" export -C exp --token-files nanogpt --out tokens
try "check says so" 1 'problem: ' "$REGMIX" check -C exp
try "run takes that of a model" 0 "it is made again from exp/large/" "$REGMIX" run -C exp --set compare.against=[]
alike "which is whole" whole.json exp/corpus/tokenizer.json
alike "for the experiment, too" whole.json exp/tokenizer.json
cp -r exp bare
rm -r bare/large bare/tokenizer.json
swap bare/corpus/tokenizer.json
try "no whole copy: the same text makes the same again" 0 "no whole copy of tokenizer.json is left" "$REGMIX" prepare -C bare
alike "bit for bit" whole.json bare/tokenizer.json

# ---- the log of a run
cat >> exp/regmix.yaml << 'END'
swarms:
  long: {tokens: 16k, runs: 3}
END
try "two swarms" 0 "3 runs done" "$REGMIX" train -C exp
cp exp/evaluations.csv whole.csv
cp -r exp changed
sed -i.bak 's/"valid_nats": *{"a": *[0-9]*/"valid_nats":{"a":2/' changed/runs/long-0001/log.jsonl
cmp -s changed/runs/long-0001/log.jsonl exp/runs/long-0001/log.jsonl && not_ok "a loss in a log is changed" || ok "a loss in a log is changed"
rm changed/runs/0003/log.jsonl
try "a changed log and a missing one are named" 0 "log.jsonl of 2 runs is missing or was changed since result.json was written (0003, long-0001)" "$REGMIX" train -C changed
short() { sed -E 's/([0-9]\.[0-9]{4})[0-9]*/\1/g' "$1"; }
short whole.csv > short.csv
same "no changed number is in the table" "" "$(short changed/evaluations.csv | grep -vxFf short.csv)"
sed -i.bak 's/"lr": *[0-9.e-]*/"lr": 1.0/' exp/runs/long-0002/log.jsonl
"$REGMIX" train -C exp > stdout 2> stderr
if grep -q "log.jsonl" stderr; then not_ok "lines of steps are not compared" "$(cat stderr)"; else ok "lines of steps are not compared"; fi

# ---- the optimum, on the page
try "the page" 0 "" "$REGMIX" report -C bare
grep -q 'optimum.yaml was changed by hand' bare/report.html && not_ok "has no warning of a whole optimum" || ok "has no warning of a whole optimum"
python3 -c 'import re
s = open("bare/optimum.yaml").read()
open("bare/optimum.yaml", "w").write(re.sub(r"(\n  a: )[0-9.]+", r"\g<1>0.0123", s, count=1))'
try "of a changed one the command warns" 0 "optimum.yaml was changed by hand" "$REGMIX" report -C bare
grep -q 'optimum.yaml was changed by hand since regmix wrote it' bare/report.html && ok "and so does the page" || not_ok "and so does the page"
done_testing
