#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Domains by what is in the documents: by a field, by web host and by a classifier.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# Shards of a small Pile: 17 domains in one folder, and validation text beside it.
python3 - << 'END'
import json, os, random
draw = random.Random(5)
names = ["ArXiv", "DM Mathematics", "Enron Emails", "EuroParl", "FreeLaw", "Github", "Gutenberg (PG-19)", "HackerNews", "NIH ExPorter",
         "PhilPapers", "Pile-CC", "PubMed Abstracts", "PubMed Central", "StackExchange", "USPTO Backgrounds", "Ubuntu IRC", "Wikipedia (en)"]
os.makedirs("pile/text/train"), os.makedirs("pile/text/val")
def document(name):
    own = [f"{name.split()[0].lower()}{i}" for i in range(20)]
    return " ".join(draw.choice(own) if draw.random() < 0.3 else f"word{draw.randrange(200)}" for _ in range(40))
def row(i):
    name = names[i % 17] if i % 20 else "OpenWebText2"
    return json.dumps({"text": document(name), "meta": {"pile_set_name": name}})
for shard in range(3):
    with open(f"pile/text/train/{shard:02d}.jsonl", "w") as f:
        for i in range(340): print(row(i), file=f)
        if shard == 1:
            print(json.dumps({"text": "no domain here", "meta": {}}), file=f)
            print(json.dumps({"text": "nor here", "meta": {"pile_set_name": ["a", "b"]}}), file=f)
with open("pile/text/val/00.jsonl", "w") as f:
    for i in range(170): print(row(i), file=f)

# Web pages about three topics, on sites with a topic and on others.
os.makedirs("web/text"), os.makedirs("web/seed")
topics = {"math": ["lemma", "proof", "integral", "theorem"], "code": ["struct", "return", "pointer", "compile"], "tale": ["princess", "forest", "castle", "king"]}
sites = {"math": ["math.stackexchange.com", "mathoverflow.net"], "code": ["stackoverflow.com", "gist.github.com"], "tale": ["www.tales.co.uk", "blog.example.org"]}
with open("web/text/pages.jsonl", "w") as f:
    for i in range(900):
        topic = draw.choice(sorted(topics))
        site = draw.choice(sites[topic]) if draw.random() < 0.7 else f"site{draw.randrange(40)}.example.net"
        text = " ".join(draw.choice(topics[topic]) if draw.random() < 0.3 else f"word{draw.randrange(300)}" for _ in range(40))
        print(json.dumps({"text": text, "url": f"https://{site}/page/{i}", "topic": topic}), file=f)
END
small='--set corpus.vocab=300 --set corpus.valid_fraction=0.2'
domains() { jq -r '.domains[] | "\(.name) \(.documents)"' "$1" | sort; }

# ---- by a field

cp "$ROOT/examples/pile/regmix.yaml" pile/
try "pile: check lists the domains" 0 "Wikipedia (en) (" "$REGMIX" check -C pile --set large.tokens=50k
try "pile: check --json has their documents" 0 '"name": "Pile-CC"' "$REGMIX" check -C pile --set large.tokens=50k --json
# shellcheck disable=SC2086
try "pile: prepare" 0 "" "$REGMIX" prepare -C pile $small --json
cp "$SCRATCH/stdout" pile.json
if [ "$(jq '.domains | length' pile.json)" = 17 ]; then ok "pile: 17 domains"; else not_ok "pile: 17 domains" "$(domains pile.json)"; fi
if grep -q OpenWebText2 "$SCRATCH/stderr"; then ok "pile: a value that is not wanted is named"; else not_ok "pile: a value that is not wanted is named" "$(cat "$SCRATCH/stderr")"; fi
if grep -q 'field "meta.pile_set_name" is missing' "$SCRATCH/stderr"; then ok "pile: documents without the field are counted"; else not_ok "pile: documents without the field are counted" "$(cat "$SCRATCH/stderr")"; fi
sum=$(jq '[.domains[].documents] | add' pile.json)
dropped=$(jq '[.domains[].duplicates] | add' pile.json)
want=$((3 * 323 + 161))
if [ $((sum + dropped)) = $want ]; then ok "pile: every wanted document has a domain"; else not_ok "pile: every wanted document has a domain" "$sum + $dropped, wanted $want"; fi
valid=$(jq '[.domains[].valid_documents] | add' pile.json)
if [ "$valid" = 161 ]; then ok "pile: the validation files are the validation text"; else not_ok "pile: the validation files are the validation text" "$valid documents, wanted 161"; fi

same "pile: prepare --json has the documents without a domain" "$(jq -r '.without_domain | "\(.documents) \(.why | length)"' pile.json)" "$((51 + 9 + 2)) 2"
same "pile: and near duplicates, though there are none" "$(jq '[.domains[].near_duplicates] | add' pile.json)" 0

# ---- by web host

# config NAME LINE...: a folder with a config of the web pages.
config() {
  mkdir -p "$1"
  { printf 'corpus:\n  folder: ../web/text\n  vocab: 300\n'; shift; printf '  %s\n' "$@"; printf 'target: other\n'; } > "$folder/regmix.yaml"
}
# shares NAME SETTINGS...: prepares it and prints the domains with their documents, and duplicates if there are any.
shares() {
  folder=$1
  config "$@"
  "$REGMIX" prepare -C "$folder" --json 2> "$folder.log" | jq -r '.domains[] | "\(.name) \(.documents + .duplicates)"' | sort
}
# counted FILTER: what the domains of the pages are, counted by another program.
counted() { jq -r "$1" web/text/pages.jsonl | sort | uniq -c | awk '{ n = $1; sub(/^ *[0-9]+ /, ""); print $0 " " n }' | sort; }

site='.url | sub("https://"; "") | sub("/.*"; "")'
largest=$(shares largest 'domain_field: host(url)' 'max_hosts: 4')
same "hosts: the four largest, the rest is other" "$largest" "$(counted "$site | if endswith(\"example.net\") then \"example.net\" elif endswith(\"stackexchange.com\") then \"stackexchange.com\" elif endswith(\"tales.co.uk\") then \"tales.co.uk\" elif . == \"gist.github.com\" then \"github.com\" elif . == \"blog.example.org\" then \"example.org\" else . end" | sort -k2,2nr -k1,1 | awk 'NR <= 4 { print; next } { rest += $2 } END { print "other " rest }' | sort)"
one=$(jq -r .hash largest/corpus/corpus.json)
"$REGMIX" prepare -C largest --set jobs=1 --set corpus.max_hosts=5 > /dev/null 2>&1
"$REGMIX" prepare -C largest --set jobs=1 --redo > /dev/null 2>&1
same "hosts: the same corpus with one thread" "$(jq -r .hash largest/corpus/corpus.json)" "$one"
given=$(shares given 'domain_field: host(url)' 'hosts: [math.stackexchange.com, github.com]')
same "hosts: a given list" "$given" "$(counted "$site | if . == \"gist.github.com\" then \"github.com\" elif . == \"math.stackexchange.com\" then . else \"other\" end")"
topics=$(shares topics 'domain_field: "topic:host(url)"' 'hosts: [github.com]' 'domains: {other: {values: "tale:*"}, code: {values: ["code:github.com", "code:other"]}, math: {values: "math*"}}')
same "a hierarchy, joined by patterns" "$topics" "$(counted '.topic | sub("tale"; "other")')"

shares two 'domain_field: topic' 'domains: [math, code]' 'protect: [code]' > /dev/null 2>&1
sed -i 's/^target: other/target: math/' two/regmix.yaml
same "a list of wanted values" "$("$REGMIX" prepare -C two --json 2> /dev/null | jq -r '.domains[] | "\(.name) \(.documents + .duplicates)"' | sort)" "$(counted .topic | grep -v tale)"
if "$REGMIX" prepare -C two --json 2> /dev/null | jq -e '[.domains[] | .prior, .bytes_per_token, .mean_bytes, .tokens] | all(. > 0)' > /dev/null; then ok "prepare --json has prior, bytes a token and mean length"; else not_ok "prepare --json has prior, bytes a token and mean length"; fi
shares named 'domain_field: "topic:host(url)"' 'hosts: [github.com, absent.org]' 'domains: {tale: {values: "tale:*"}, other: {values: ["math:other", "mth:*"]}}' > /dev/null
same "values and hosts that no document has are named" "$(grep -c 'no document has these values that the config names: corpus.hosts: absent.org, other: "mth:\*"' named.log)" 1
try "and by check" 0 'no document has these values that the config names: corpus.hosts: absent.org, other: "mth:*"' "$REGMIX" check -C named --set target=tale --set sample.max_epochs=0
mkdir -p mixed/text
cp web/text/pages.jsonl mixed/text/ && printf 'some\n%%\nlines\n' > mixed/text/notes.txt
printf 'corpus: {folder: text, domain_field: topic, vocab: 300, domains: {math: {valid_only: true}, code: , tale: }}\ntarget: math\n' > mixed/regmix.yaml
try "text without fields belongs to no domain" 0 '2 documents belong to no domain, and are left out: field "topic" is missing' "$REGMIX" prepare -C mixed
same "a selected value can be for validation only" "$(jq -r '.domains[] | select(.valid_only) | "\(.name) \(.train_documents)"' mixed/corpus/corpus.json)" "math 0"

printf '{"text": "only one", "topic": "rare"}\n' > mixed/text/rare.jsonl
printf 'corpus: {folder: text, domain_field: topic, vocab: 300}\ntarget: math\n' > mixed/regmix.yaml
try "a value with one document is left out, with a warning" 0 "1 value is left out" "$REGMIX" prepare -C mixed --redo
same "and --json counts its document" "$("$REGMIX" prepare -C mixed --json 2> /dev/null | jq -c .without_domain)" '{"documents":3,"why":["field \"topic\" is missing or is not one value","too few documents have the same value"]}'
same "the others stay" "$(jq -r '[.domains[].name] | join(" ")' mixed/corpus/corpus.json)" "code math tale"

# ---- by a classifier

cp "$ROOT/examples/web/seed/regmix.yaml" web/seed/
cp "$ROOT/examples/web/regmix.yaml" web/
try "web: a classifier is trained on pages of known sites" 0 "classifier: web/topics.bin, trained on" "$REGMIX" prepare -C web/seed --set corpus.vocab=300 --train-classifier web/topics.bin --json
if jq -e '.classifier | .accuracy > 0.5 and .right <= .tested and .file == "web/topics.bin"' "$SCRATCH/stdout" > /dev/null; then ok "web: --json says how good it is"; else not_ok "web: --json says how good it is" "$(jq .classifier "$SCRATCH/stdout")"; fi
try "web: check knows its labels" 0 "math (" "$REGMIX" check -C web --set large.tokens=50k
try "web: prepare divides by the classifier" 0 "" "$REGMIX" prepare -C web --set corpus.vocab=300 --set corpus.min_probability=0 --json
cp "$SCRATCH/stdout" web.json
math=$(jq '.domains[] | select(.name == "math") | .documents + .duplicates' web.json)
want=$(jq -r .topic web/text/pages.jsonl | grep -c math)
if [ "${math:-0}" -gt $((want * 8 / 10)) ] && [ "$math" -lt $((want * 12 / 10)) ]; then ok "web: about all pages about mathematics are found, on any site"; else not_ok "web: about all pages about mathematics are found, on any site" "$math of $want"; fi
if command -v fasttext > /dev/null; then
  jq -r '"__label__\(.topic | sub("tale"; "other")) \(.text)"' web/text/pages.jsonl > labelled.txt
  try "web: fasttext reads the classifier" 0 "P@1" fasttext test web/topics.bin labelled.txt
else
  skip "web: fasttext reads the classifier" "no fasttext"
fi
head -c 1000 web/topics.bin > web/cut.bin
try "a damaged classifier" 1 "ends too early" "$REGMIX" check -C web --set corpus.classifier=cut.bin

mkdir labels && jq -c 'select(.topic == "math")' web/text/pages.jsonl > labels/a.jsonl && jq -c 'select(.topic == "code")' web/text/pages.jsonl > labels/b.jsonl
printf 'corpus: {domains: {"x%%2Fy": a.jsonl, z: b.jsonl}, vocab: 300}\ntarget: z\n' > labels/regmix.yaml
try "a classifier of a domain whose name has escapes" 0 "" "$REGMIX" prepare -C labels --train-classifier labels/l.bin
printf 'corpus: {folder: ../web/text, classifier: l.bin, vocab: 300}\ntarget: z\n' > labels/by.yaml
try "its label is that name" 0 ' x%2Fy (' "$REGMIX" check labels/by.yaml --set large.tokens=1k

# ---- what is wrong

broken() { # broken NAME TEXT SETTING...: a config that check and prepare refuse
  name=$1 text=$2
  shift 2
  folder=broken
  rm -rf broken
  config broken "$@"
  try "$name: check" 1 "$text" "$REGMIX" check -C broken
  try "$name: prepare" 1 "$text" "$REGMIX" prepare -C broken
}
broken "a field that no document has" 'fields that could divide them: topic (3 values)' 'domain_field: topci'
broken "a field of another value in each document" 'corpus.max_domains' 'domain_field: url' 'max_domains: 100'
broken "a field of another value in each document, in few documents" 'no two of all 900 documents have the same value, as in an id, so no value can be a domain; fields that could divide them: topic (3 values)' 'domain_field: url'
broken "a wanted value that no document has" 'corpus.domains.absent: no document belongs to it' 'domain_field: topic' 'domains: [math, absent, other]'
broken "an unknown function" 'an unknown function' 'domain_field: lang(text)'
broken "hosts without host()" 'corpus.hosts needs a field' 'domain_field: topic' 'hosts: [github.com]'
broken "a target that is no domain" 'unknown target "other"' 'domain_field: topic'
broken "a domain without files" 'no "files"' 'domains: {math: , other: }'
broken "a value and files with one name" 'files of its own' 'domain_field: topic' 'domains: {tale: {files: ../web/text/pages.jsonl}}'
broken "a protected domain that is not there" 'corpus.protect' 'domain_field: host(url)' 'hosts: [github.com]' 'protect: [mth]'

# ---- init

try "init suggests a field" 0 "topic (3 values)" "$REGMIX" init plain --text web/text
mkdir short && for i in 1 2 3 1 2 3 1 2 3; do echo '{"text": "one of three texts, '$i'"}'; done > short/a.jsonl
"$REGMIX" init short-exp --text short > /dev/null 2> short.log
if grep -q 'text (3 values)' short.log; then not_ok "init does not suggest the text itself" "$(cat short.log)"; else ok "init does not suggest the text itself"; fi
try "init --domain-field" 0 "" "$REGMIX" init divided --text web/text --domain-field topic --target math
if grep -q '^  domain_field: topic$' divided/regmix.yaml && grep -q '^  #   math: [0-9]*$' divided/regmix.yaml; then ok "init writes the field and the domains"; else not_ok "init writes the field and the domains" "$(head -20 divided/regmix.yaml)"; fi
try "what init writes can be checked" 0 "no problems" "$REGMIX" check -C divided --set large.tokens=50k
try "init --domain-field: an unknown target" 2 'did you mean "math"?' "$REGMIX" init other --text web/text --domain-field topic --target mth
try "init --domain-field: an id" 1 'as in an id, so no value can be a domain' "$REGMIX" init ids --text web/text --domain-field url
# plan_of: what does not depend on the machine
plan_of() { "$REGMIX" plan -C divided --json --set proxy.tokens=1k --set large.tokens=1k --set corpus.vocab=300 2> /dev/null | jq -c '[.prepare.bytes, (.proxies, .large | .parameters, .flops)]'; }
before=$(plan_of)
"$REGMIX" prepare -q -C divided --set corpus.vocab=300 2> /dev/null
same "plan says the same after prepare" "$(plan_of)" "$before"
half=$(jq -c '.text' web/text/pages.jsonl | head -n 450 | wc -c)
same "max_bytes is for all divided domains together" "$("$REGMIX" prepare -C divided --set corpus.vocab=300 --set corpus.max_bytes="$half" --json 2> /dev/null | jq '[.domains[] | .documents + .duplicates] | add | . > 440 and . < 500')" true
try "init --domain-field without --text" 2 "needs --text" "$REGMIX" init other --domain-field topic
done_testing
