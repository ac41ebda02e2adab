#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Proxies that repeat text as the large run will: what they read, when that is the default, and that finished proxies are kept.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

make_corpus exp 200
sed -i 's/tokens: 8k, batch_tokens: 512, micro_tokens: 512}$/tokens: 80k, batch_tokens: 512, micro_tokens: 512}/; s/^proxy: .*/proxy: {layers: 1, heads: 2, width: 32, ffn: 64, model: nano, context: 32, tokens: 8k, batch_tokens: 512, micro_tokens: 512}/' exp/regmix.yaml
"$REGMIX" prepare -q -C exp && "$REGMIX" sample -q -C exp || not_ok "a corpus"
try "plan shows the epochs" 0 "proxy.repeat: match" "$REGMIX" plan -C exp
"$REGMIX" plan -C exp --json > plan.json
same "as many in the proxies as in the large run" True "$(value plan.json 'all(abs(d["proxies"] / d["large"] - 1) < 1e-9 and d["large"] > 1 and abs(d["proxy_tokens"] / d["tokens"] - 0.1) < 1e-9 for d in o["epochs"]["domains"].values())')"
try "a dry run writes nothing" 0 "would train 6 of 6 runs" "$REGMIX" train -C exp --dry-run
[ ! -e exp/matched ] && ok "at all" || not_ok "at all"
try "proxies that match" 0 "the proxies read 0.1 of each domain" "$REGMIX" train -C exp
same "they read a tenth of each domain" True "$(value exp/matched/*/corpus/corpus.json 'all(abs(d["train_tokens"] / t - 0.1) < 0.01 for d in o["domains"] if not d.get("valid_only") for t in [next(e["train_tokens"] for e in json.load(open("exp/corpus/corpus.json"))["domains"] if e["name"] == d["name"])])')"
same "and repeat it as often" True "$(value exp/runs/0001/result.json 'all(abs(o["epochs"][d] - o["tokens_by_domain"][d] / n) < 0.15 for d, n in json.load(open(__import__("glob").glob("exp/matched/*/matched.json")[0]))["tokens"].items())')"
try "they are done" 0 "all 6 runs are done" "$REGMIX" train -C exp
try "the steps after them" 0 "optimum" "$REGMIX" run -C exp --set compare.seeds=1
same "the page knows what they read" True "$(python3 -c 'import re
page = open("exp/report.html").read()
print("proxy_domain_tokens" in page and "epochs in a proxy" in page)')"
try "exposure takes the runs for runs of the large one" 0 "" "$REGMIX" fit -q -C exp --regressor exposure --out e
same "which repeat what it repeats" True "$(value e/exam_val_loss.json 'o["run_tokens"] == o["budget"] == 80000')"

# ---- another share, and back
one=$(ls -d exp/matched/*) kept=$(find "$one" -type f | sort | xargs cksum)
try "a script stops before they go out of use" 1 "6 finished runs" "$REGMIX" train -C exp --set large.tokens=160k
same "and what they read stays" "$kept" "$(find "$one" -type f | sort | xargs cksum)"
try "proxies of half of it" 0 "6 runs done" "$REGMIX" train -C exp --set large.tokens=160k --redo
half=$(ls -t exp/matched/*/corpus/corpus.json | head -1)
same "are chosen among the same documents" 0 "$(value "$half" 'sum(d["train_tokens"] > e for d in o["domains"] if not d.get("valid_only") for e in [4000])')"
try "the former ones come back" 0 "had been set aside" "$REGMIX" train -C exp
same "with the same corpus" "$kept" "$(find "$one" -type f | sort | xargs cksum)"
try "none: the whole corpus" 0 "6 runs done" "$REGMIX" train -C exp --set proxy.repeat=none --redo
grep -q '"corpus": ".*/matched/' exp/runs/0001/run.json && not_ok "which is what they read" || ok "which is what they read"

# ---- finished proxies of the whole corpus are kept
try "auto keeps finished proxies and says so" 0 "They are kept" "$REGMIX" train -C exp
try "without training" 0 "all 6 runs are done" "$REGMIX" train -C exp
try "match takes those that match" 0 "had been set aside" "$REGMIX" train -C exp --set proxy.repeat=match
try "and trains others if it may" 1 "6 finished runs" "$REGMIX" train -C exp --set proxy.repeat=match --set large.tokens=40k
try "an unknown value" 2 "repeat" "$REGMIX" train -C exp --set proxy.repeat=often

# ---- when it is not the default
plan_of() { "$REGMIX" plan -C exp --json "$@" > plan.json; value plan.json 'o["epochs"]["repeat"]'; }
rm -rf exp/runs
same "large.tokens is set" match "$(plan_of)"
same "no domain is repeated" none "$(plan_of --set large.tokens=20k)"
same "the proxies have as many tokens" same "$(plan_of --set large.tokens=8k)"
same "no mixture within the caps repeats one" none "$(plan_of --set sample.max_epochs=1)"
sed -i 's/tokens: 80k, //' exp/regmix.yaml
same "large.tokens is not set" none "$(plan_of)"

# ---- caps by epochs of one domain
weight() { "$REGMIX" plan -C exp --json "$@" > plan.json; value plan.json '" ".join("%.3f" % (o["epochs"]["domains"][d]["largest_weight"] * 80000 / o["epochs"]["domains"][d]["tokens"]) for d in "ab")'; }
sed -i 's/^large: {/large: {tokens: 80k, /; s/, max_epochs: 0}/, max_epochs: {a: 2, "*": 0.5}}/' exp/regmix.yaml
same "a map in the config" "2.000 0.500" "$(weight)"
same "a setting" "1.500 0.500" "$(weight --set sample.max_epochs.a=1.5)"
same "a list replaces the map" "0.500 1.000" "$(weight --set sample.domain_epochs=b=1)"
try "a domain that is not there" 1 'sample.domain_epochs zebra=3: unknown domain "zebra"' "$REGMIX" sample -C exp --set sample.max_epochs.zebra=3
try "check says so too" 1 'unknown domain "zebra"' "$REGMIX" check -C exp --set sample.max_epochs.zebra=3

# ---- a domain of one document cannot be cut
mkdir one && awk -v domain=a -v documents=300 -v share=0.7 -f "$ROOT/tests/cli/synthetic.awk" > one/many.txt
cp one/many.txt one/x.txt
printf 'corpus: {domains: {many: many.txt, one: {files: x.txt, separator: none, valid_files: many.txt}}, vocab: 320, overlap: 0, dedup: false}\ntarget: many\nsample: {runs: 4, cap_ratio: 1000, max_epochs: 0}\nproxy: {layers: 1, heads: 2, width: 32, ffn: 64, context: 32, tokens: 8k, batch_tokens: 512}\nlarge: {context: 32, tokens: 80k}\n' > one/regmix.yaml
"$REGMIX" prepare -q -C one 2> /dev/null && "$REGMIX" sample -q -C one
try "a domain that cannot be cut is named" 0 "too long, or too few" "$REGMIX" train -C one
done_testing
