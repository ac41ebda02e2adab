#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of an experiment that were damaged or changed by hand are noticed wherever they are used, and go into nothing new.
set -u
here=$(cd "$(dirname "$0")" && pwd)
. "$here/tap.sh"
. "$here/synthetic.sh"
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
done_testing
