#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What is read of a user's text, what is left out, and that both are said.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

said() { # said NAME TEXT: the last command's output has it
  grep -qF -- "$2" "$SCRATCH/stdout" "$SCRATCH/stderr" && ok "$1" || not_ok "$1" "$(cat "$SCRATCH/stderr")"
}
lines() { # lines SEED N: documents as lines of JSON
  awk -v seed="$1" -v n="$2" 'BEGIN { srand(seed); for (i = 0; i < n; i++) { printf "{\"text\": \"" ; for (j = 0; j < 30; j++) printf "w%d ", rand() * 500; print "\"}" } }'
}

# ---- layouts as they come: C4, DCLM, shards, splits
mkdir -p text/c4/en text/dclm/g1/l0 text/web
lines 1 60 | gzip > text/c4/en/c4-train.00000-of-00002.json.gz
lines 2 60 | gzip > text/c4/en/c4-train.00001-of-00002.JSON.GZ
lines 3 20 | gzip > text/c4/en/c4-validation.00000-of-00001.json.gz
lines 4 60 > text/dclm/g1/l0/s.jsonl
lines 5 60 > text/web/train.jsonl
lines 6 20 > text/web/test.jsonl
lines 7 60 > text/books-0001.ndjson
lines 8 60 > text/books-0002.ndjson
: > text/web/empty.txt
touch text/web/a.orc text/web/b.orc text/web/c.orc text/web/d.orc text/README.md
try "init finds the domains" 0 "regmix.yaml" "$REGMIX" init exp --text text --target web
said "files that are not read are counted and three are named" "not read: 4 ("
said "with the reason" "ORC is not read"
for domain in books c4 dclm web; do
  grep -q "^    $domain:" exp/regmix.yaml && ok "domain $domain" || not_ok "domain $domain" "$(head -30 exp/regmix.yaml)"
done
grep -q 'valid_files:' exp/regmix.yaml && ok "validation files are the domain's" || not_ok "validation files are the domain's"
cat > folder.yaml << 'END'
corpus: {folder: text, vocab: 300}
target: web
END
mkdir -p folder && sed 's|folder: text|folder: ../text|' folder.yaml > folder/regmix.yaml
try "prepare reads all of it" 0 "c4: 140 documents" "$REGMIX" prepare -C folder
said "prepare prints the table first" "format"
"$REGMIX" prepare -C folder --json 2> /dev/null > listed.json
jq -e '[.left_out[] | select(.path | endswith(".orc")) | .why] | length == 4 and all(startswith("ORC"))' listed.json > /dev/null && ok "prepare --json lists the files that are not read" || not_ok "prepare --json lists the files that are not read" "$(jq .left_out listed.json)"
said "a domain's formats" ".json.gz, .JSON.GZ"
said "ORC is named" "ORC is not read; convert it to JSON lines"
said "test files are named" "test files of a domain are not read"
said "validation files are told" "named as validation text"
said "a target that is trained on is named" "the target is also a training domain"
mkdir text/fw && touch text/fw/000_00000.orc
try "a domain that would be lost is an error" 1 'No file of "fw" can be read' "$REGMIX" prepare -C folder
try "unless it is left out on purpose" 0 "up to date" "$REGMIX" prepare -C folder --set corpus.leave_out=fw
try "init refuses it too" 1 'No file of "fw" can be read' "$REGMIX" init exp2 --text text
try "init leaves it out on purpose" 0 "no target is set" "$REGMIX" init exp2 --text text --leave-out fw
grep -q '^# target' exp2/regmix.yaml && ok "a target that does not exist is not written" || not_ok "a target that does not exist is not written"
rm -r text/fw

# ---- files without text that a pattern matches
mkdir -p hollow && lines 21 60 > hollow/a.jsonl && : > hollow/zero.jsonl && echo > hollow/blank.txt
printf 'corpus: {domains: {h: "*.jsonl", t: "*.txt"}, vocab: 300}\ntarget: h\n' > hollow/regmix.yaml
sed 's/h: "[*].jsonl", //; s/t: "[*].txt"/t: zero.jsonl, u: "*.txt"/' hollow/regmix.yaml > hollow/all.yaml
awk 'BEGIN { for (i = 0; i < 40; i++) printf "story %d\n%%\n", i }' > hollow/b.txt
try "check names files without text" 0 "h: no text in 1 of its files (hollow/zero.jsonl)" "$REGMIX" check -C hollow --set large.tokens=1k
said "and a blank one" "t: no text in 1 of its files (hollow/blank.txt)"
try "prepare names them" 0 "h: hollow/zero.jsonl has no text" "$REGMIX" prepare -C hollow
said "and the blank one" "t: hollow/blank.txt has no text"
try "check: a domain without text" 1 'domain "t": no text in its 1 file' "$REGMIX" check hollow/all.yaml --set target=u
try "prepare: a domain without text" 1 'domain "t": no text in its 1 file' "$REGMIX" prepare hollow/all.yaml --set target=u

# ---- what a config has that changes nothing, or contradicts the files
printf 'corpus:\n  domains: {h: {files: "*.jsonl"}, also: {files: a.jsonl}, t: "b.txt"}\n  hosts: [a.org]\n  max_hosts: 5\n  max_domains: 9\n  min_probability: 0.5\n  leave_out: [x]\n  vocab: 300\ntarget: h\nlarge: {tokens: 1k}\n' > hollow/idle.yaml
try "check names a file of two domains" 0 "1 file belongs to two domains (hollow/a.jsonl to h and also). Duplicates are dropped, so one of them loses this text" "$REGMIX" check hollow/idle.yaml
for key in hosts max_hosts max_domains min_probability leave_out; do said "check: corpus.$key has no effect" "corpus.$key has no effect: it needs"; done
try "prepare names a file of two domains" 1 "1 file belongs to two domains (hollow/a.jsonl to h and also)" "$REGMIX" prepare hollow/idle.yaml
for key in hosts max_hosts max_domains min_probability leave_out; do said "prepare: corpus.$key has no effect" "corpus.$key has no effect: it needs"; done
# ---- without dedup, text for validation may be trained on
printf 'corpus:\n  dedup: false\n  domains: {h: {files: "*.jsonl"}, t: {files: "b.txt", valid_files: a.jsonl}}\n  vocab: 300\ntarget: h\nlarge: {tokens: 1k}\n' > hollow/leak.yaml
try "check names a file for training and for validation" 0 "1 file is for training and for validation, so losses may be measured on text that was trained on: hollow/a.jsonl" "$REGMIX" check hollow/leak.yaml
said "and does not say that duplicates are dropped" "1 file belongs to two domains (hollow/a.jsonl to h and t); narrow the patterns"
said "and that copies stay" "h: the target is also a training domain, and corpus.dedup is false, so copies of its validation text stay in the training text"
"$REGMIX" check hollow/leak.yaml --set corpus.dedup=true 2>&1 | grep -q 'for training and for validation\|copies of its validation text stay' && not_ok "with dedup neither is a warning" "" || ok "with dedup neither is a warning"
sed 's/dedup: false/dedup: true/; s/h: {files: "[*].jsonl"}/h: {files: b.txt}/; s/files: "b.txt", valid/files: a.jsonl, valid/' hollow/leak.yaml > hollow/same.yaml
try "a domain whose text is all for validation" 1 'domain "t": no text to train on: all of it is also in texts for validation' "$REGMIX" prepare hollow/same.yaml
"$REGMIX" check folder.yaml --set corpus.leave_out=nosuch > "$SCRATCH/stdout" 2> "$SCRATCH/stderr"
said "leave_out that matches nothing" 'corpus.leave_out: nothing in text matches "nosuch"'

try "check: the wrong end of text" 1 'corpus.end_of_text: a tokenizer that is trained has no token "</s>"' "$REGMIX" check -C hollow --set "corpus.end_of_text=</s>"
rm -rf hollow/.set-aside hollow/corpus
try "prepare: the wrong end of text" 2 'corpus.end_of_text: a tokenizer that is trained has no token "</s>"' "$REGMIX" prepare -C hollow --set "corpus.end_of_text=</s>"
[ -z "$(find hollow/.set-aside -name '*.text')" ] && ok "before any text is read" || not_ok "before any text is read" "$(find hollow/.set-aside)"
try "gc names what a stopped prepare has left" 0 ": what a stopped prepare has read, " "$REGMIX" gc -C hollow
try "check: max_bytes for less than two documents" 1 "corpus.max_bytes is 10, so only 1 document is read" "$REGMIX" check -C hollow --set corpus.max_bytes=10
try "check: large.tokens for which the text is too short" 1 "the caps of the domains' weights sum to" "$REGMIX" check -C hollow --set large.tokens=1G
try "plan: the same" 0 "by the sizes of the files, the caps of the domains' weights sum to" "$REGMIX" plan -C hollow --set large.tokens=1M --set large.model=nano --set proxy.tokens=1k
printf '{"text": "a"}\n{"text": "b"}\n' > hollow/w.jsonl && printf 'corpus: {domains: {a: a.jsonl, sh: tiny.zsh}}\ntarget: a\n' > hollow/z.yaml && echo "echo hello" > hollow/tiny.zsh
try "check: a name with z is not compressed" 1 'domain "sh": its text has 11 bytes, too few' "$REGMIX" check hollow/z.yaml

# ---- an experiment in the folder of its text
mkdir -p home/web home/code && lines 23 60 > home/web/a.jsonl && lines 24 60 > home/code/a.jsonl && lines 25 60 > home/top.0001.json && lines 26 60 > home/top.0002.json
try "init --text . in the folder itself" 0 "" sh -c 'cd home && "$1" init --text . --target web --force' sh "$REGMIX"
grep -q '/home/top[.][*][.]json"$' home/regmix.yaml && ok "init's pattern has the name of the domain" || not_ok "init's pattern has the name of the domain" "$(sed -n 4,14p home/regmix.yaml)"
small='--set corpus.vocab=300'
# shellcheck disable=SC2086
try "prepare" 0 "" "$REGMIX" prepare -C home $small
cp home/regmix.yaml written.yaml
try "init again finds the same" 0 "" sh -c 'cd home && "$1" init --text . --target web --force' sh "$REGMIX"
cmp -s home/regmix.yaml written.yaml && ok "init again writes the same" || not_ok "init again writes the same" "$(diff home/regmix.yaml written.yaml)"
printf 'corpus: {folder: ., vocab: 300}\ntarget: web\n' > home/regmix.yaml
try "folder: . reads no file of the experiment" 0 "" "$REGMIX" prepare -C home --json
[ "$(jq -r '[.domains[].name] | sort | join(" ")' "$SCRATCH/stdout")" = "code top web" ] && ok "its domains are those of the text" || not_ok "its domains are those of the text" "$(cat "$SCRATCH/stdout")"
printf 'corpus: {domains: {all: {files: "**/*.json*"}}, vocab: 300}\ntarget: all\n' > home/regmix.yaml
try "** reads no file of the experiment" 0 '"documents": 240' "$REGMIX" prepare -C home --json

mkdir -p shards/web && for i in 1 2 3; do lines $i 20 > shards/web/$i.jsonl; done && : > shards/web/4.jsonl
"$REGMIX" init sharded --text shards > /dev/null 2>&1
grep -q 'files: ".*/shards/web/[*].jsonl"' sharded/regmix.yaml && ok "an empty shard does not make init list all shards" || not_ok "an empty shard does not make init list all shards" "$(sed -n 4,10p sharded/regmix.yaml)"

# ---- text where prepare writes
mkdir -p mine/corpus/web mine/corpus/code && lines 27 60 > mine/corpus/web/a.jsonl && lines 28 60 > mine/corpus/code/a.jsonl
printf 'corpus: {folder: corpus, vocab: 300}\ntarget: web\n' > mine/regmix.yaml
try "check: text in corpus/ of the experiment" 1 "replaces the folder corpus/ of the experiment, but did not write this file" "$REGMIX" check -C mine
try "prepare refuses to replace it" 1 "replaces the folder corpus/ of the experiment, but did not write this file" "$REGMIX" prepare -C mine
[ -s mine/corpus/web/a.jsonl ] && [ -s mine/corpus/code/a.jsonl ] && ok "and the text is still there" || not_ok "and the text is still there"

# ---- names that a config or a table cannot have
mkdir -p "odd names/a,b" "odd names/-x" "odd names/c=d" && lines 29 60 > "odd names/a,b/a.jsonl" && lines 30 60 > "odd names/-x/a.jsonl" && lines 31 60 > "odd names/c=d/a.jsonl" && lines 32 60 > 'odd names/quo"te.jsonl'
try "init writes names that prepare takes" 0 "" "$REGMIX" init named --text "odd names" --target "a,b"
try "prepare takes them" 0 "quo%22te: 60 documents" "$REGMIX" prepare -C named --set corpus.vocab=300
mkdir -p latin && lines 33 60 > latin/a.jsonl && lines 34 60 > "$(printf 'latin/\351.jsonl')"
try "init refuses a path that is not UTF-8" 1 "its name is not UTF-8, so regmix.yaml cannot name it" "$REGMIX" init named2 --text latin

# ---- targets
try "a misspelt target is refused by init" 2 'did you mean "books"' "$REGMIX" init exp3 --text text --target bookz
[ ! -e exp3 ] && ok "and nothing is written" || not_ok "and nothing is written"
if [ "$(id -u)" != 0 ]; then
  mkdir locked && chmod 555 locked
  try "init without permission says so" 1 "Permission denied" "$REGMIX" init locked/exp
else
  try "init where no folder can be made says why" 1 "cannot make the folder /proc/exp" "$REGMIX" init /proc/exp
fi

# ---- lines that other programs write
mkdir -p odd
{
  echo '{"id": 18446744073709551615,"text":"one of the lines"}'
  printf '{"text":"a \\ud83d b"}\n{"score": NaN,"text":"c"}\n{"x":1e400,"text":"d"}\n{"text":"raw\ttab"}\n{"text":null}\n'
  lines 9 50
} > odd/a.jsonl
printf 'corpus: {domains: {odd: a.jsonl}, vocab: 300}\n' > odd/regmix.yaml
try "odd fields do no harm" 0 "odd: 55 documents" "$REGMIX" prepare -C odd
said "half a surrogate pair is replaced and counted" "1 half of a surrogate pair"
said "a line without text is counted" "1 line without text skipped"

# ---- bombs, long lines, memory
mkdir -p bomb
{ printf '{"text": "'; head -c 400000000 /dev/zero | tr '\0' a; printf '"}\n'; } | gzip -1 > bomb/a.jsonl.gz
printf 'corpus: {domains: {bomb: a.jsonl.gz}, vocab: 300, max_document: 10M}\n' > bomb/regmix.yaml
# The sanitizers reserve address space of their own, and cannot start within such a limit.
# shellcheck disable=SC3045  # dash has it
limited() { (ulimit -v 600000 && "$@"); }
if ! limited "$REGMIX" --version > /dev/null 2>&1; then limited() { "$@"; }; fi
try "a line that unpacks to 400 MB ends in an error" 1 "a.jsonl.gz:1: a line of more than 10000000 bytes" limited "$REGMIX" prepare -C bomb
lines 10 50 | gzip >> bomb/a.jsonl.gz
try "or is skipped" 0 "1 broken line skipped" limited "$REGMIX" prepare -C bomb --set corpus.skip_bad=true
head -c 100000 bomb/a.jsonl.gz > bomb/b.jsonl.gz && sed 's/a.jsonl/b.jsonl/' bomb/regmix.yaml > bomb/b.yaml
try "a truncated archive is named" 1 "b.jsonl.gz: the gzip file ends too early" "$REGMIX" prepare bomb/b.yaml --set corpus.skip_bad=true

# ---- text that is cut by the wrong separator
mkdir -p stories
awk 'BEGIN { for (i = 0; i < 40; i++) printf "a story of %d words\n<|endoftext|>\n", i }' > stories/a.txt
awk 'BEGIN { for (i = 0; i < 40; i++) printf "%% comment %d\n-module(m%d).\n%%\n", i, i }' > stories/b.txt
printf 'corpus: {domains: {tiny: {files: a.txt, separator: "<|endoftext|>"}, erl: b.txt}, vocab: 300}\n' > stories/regmix.yaml
try "comments that begin with the separator are warned of" 0 "comments of LaTeX and Erlang" "$REGMIX" prepare -C stories
printf 'corpus: {domains: {tiny: ["*.txt"]}, vocab: 300}\n' > stories/two.yaml
try "lines of an end token are warned of" 0 'set `separator: "<|endoftext|>"`' "$REGMIX" prepare stories/two.yaml

# ---- check: all problems at once, and nothing done
make_corpus good 60
try "check finds no problems where there are none" 0 "no problems" "$REGMIX" check -C good
said "check prints the table of domains" "(validation only) (target)"
try "check --json prints one object" 0 '"ok": true' "$REGMIX" check -C good --json
[ ! -e good/corpus ] && [ ! -e good/resolved.yaml ] && ok "check writes nothing" || not_ok "check writes nothing"
mkdir -p wrong && cp -r good/text wrong/
printf '{"body": 1}\n' > wrong/text/body.jsonl
printf 'version https://git-lfs.github.com/spec/v1\n' > wrong/text/lfs.txt
printf 'few' > wrong/text/few.txt
printf '{}' > wrong/tokenizer.json
cat > wrong/regmix.yaml << 'END'
corpus:
  domains: {a: text/a.txt, b: text/none-*.txt, body: text/body.jsonl, lfs: text/lfs.txt, few: text/few.txt, exam: {files: text/exam.txt, valid_only: true}}
  tokenizer: tokenizer.json
target: exm
proxy: {context: 32, command: no-such-trainer --fast}
large: {context: 32, command: ./absent.sh}
optimize: {floor: [a=0.7, body=0.6], cap: [c=0.1]}
compare: {against: [prior, unifrom, single:zebra], methods: [regmx]}
END
sed 's/, command: no-such-trainer --fast//' wrong/regmix.yaml > wrong/own.yaml
try "check fails where there are problems" 1 "problems" "$REGMIX" check -C wrong
for problem in 'domain "b": no file matches' 'body.jsonl:1: "text" is missing' 'lfs.txt: this is a Git LFS pointer' \
  'domain "few": its text has 3 bytes' 'corpus.tokenizer: wrong/tokenizer.json: no "model"' 'no program "no-such-trainer" on the PATH' \
  'large.command: wrong/./absent.sh does not exist' 'unknown domain "c"' 'optimize: ' 'did you mean "uniform"' '"zebra"' '"regmx"'; do
  said "check names: $problem" "$problem"
done
try "check names a misspelt target" 1 'unknown target "exm"; did you mean "exam"' "$REGMIX" check wrong/own.yaml
"$REGMIX" check wrong/own.yaml --json > check.json 2> /dev/null
[ $? = 1 ] && /usr/bin/python3 -c 'import json; o = json.load(open("check.json")); assert o["ok"] is False and len(o["problems"]) > 9 and len(o["domains"]) == 6' &&
  ok "check --json with problems is one object, exit code 1" || not_ok "check --json with problems is one object, exit code 1" "$(cat check.json)"
printf 'corpus:\n  domians: 3\n' > broken.yaml
try "check tells a broken config" 1 'problem: broken.yaml:2: unknown key' "$REGMIX" check broken.yaml

# ---- text in another character set, and domains of one document
mkdir -p charset/text
awk 'BEGIN { for (i = 0; i < 40; i++) printf "\xcf\xf0\xe8\xe2\xe5\xf2 %d\n%%\n", i }' > charset/text/russian.txt
awk 'BEGIN { for (i = 0; i < 900; i++) printf "words and words %d caf%s\n%%\n", i, i % 20 ? "e" : "\xe9" }' > charset/text/french.txt
awk 'BEGIN { for (i = 0; i < 900; i++) printf "more and more %d\n%%\n", i }' > charset/text/plain.txt
cat > charset/regmix.yaml << 'END'
corpus: {domains: {r: text/russian.txt, f: text/french.txt, p: text/plain.txt}, vocab: 300, encoding: utf-8}
target: p
proxy: {context: 32, tokens: 100k}
large: {context: 32, tokens: 100k}
END
try "prepare refuses text in another character set" 1 'russian.txt: 240 of 350 bytes are not UTF-8' "$REGMIX" prepare -C charset
said "with what to do" 'name the right one with corpus.encoding'
try "check refuses it too" 1 'russian.txt: 240 of 350 bytes are not UTF-8' "$REGMIX" check -C charset
said "check names a file with some such bytes" 'f: some bytes are not UTF-8 in 1 of its files (charset/text/french.txt)'
try "corpus.skip_bad takes it" 0 'french.txt has bytes that are not UTF-8' "$REGMIX" prepare -C charset --set corpus.skip_bad=true
# Without corpus.encoding the set is guessed, if the program was built with libuchardet.
text_of_r() { tr -d ' \n' < "$1" | sed 's/.*"name":"r"[^}]*"train_text":"\([0-9a-f]*\)".*/\1/'; }
"$REGMIX" prepare -C charset --set corpus.encoding=windows-1251 --json > named.json 2> err.txt || not_ok "a named set" "$(cat err.txt)"
sed 's/, encoding: utf-8//' charset/regmix.yaml > guess.yaml
mv guess.yaml charset/regmix.yaml
"$REGMIX" prepare -C charset --json > guessed.json 2> err.txt
if grep -q 'russian.txt is not UTF-8; its character set was guessed' err.txt; then
  [ "$(text_of_r named.json)" = "$(text_of_r guessed.json)" ] && ok "a guessed set is named and right" || not_ok "a guessed set" "$(cat err.txt)"
else
  grep -q '240 of 350 bytes' err.txt && ok "a guessed set is named and right # SKIP built without libuchardet" || not_ok "a guessed set" "$(cat err.txt)"
fi
printf 'one document\n%%\none document\n%%\n' > charset/text/russian.txt
try "check finds a domain of one document" 1 'domain "r" has 1 document, the others being copies of it' "$REGMIX" check -C charset
printf 'one document\n' > charset/text/russian.txt
try "of one without copies" 1 'domain "r" has 1 document, but needs one' "$REGMIX" check -C charset

# ---- what is printed moves no cursor
esc=$(printf '\033')
sed "s/p: text/\"a\\\\e[31mb\": text/; s/target: p/target: f/" charset/regmix.yaml > charset/esc.yaml
"$REGMIX" check charset/esc.yaml > esc.txt 2>&1
grep -q 'a?\[31mb' esc.txt && ! grep -q "$esc" esc.txt && ok "check prints no escape of a name" || not_ok "check prints no escape of a name" "$(cat -v esc.txt)"
cp -r charset "c${esc}[31m"
"$REGMIX" status -C "c${esc}[31m" > esc.txt 2>&1
grep -q 'c?\[31m' esc.txt && ! grep -q "$esc" esc.txt && ok "status prints none of a folder" || not_ok "status prints none of a folder" "$(cat -v esc.txt)"

# ---- steps say what they would do
mkdir dry && printf 'corpus: {domains: {a: ../charset/text/french.txt, b: ../charset/text/plain.txt}, vocab: 300}\ntarget: b\nproxy: {context: 32, tokens: 10k}\nlarge: {context: 32, tokens: 10k}\nsample: {runs: 4}\ncompare: {seeds: 1}\n' > dry/regmix.yaml
try "prepare --dry-run" 0 "would turn the text of 2 domains into tokens" "$REGMIX" prepare -C dry --dry-run
[ "$(ls dry)" = regmix.yaml ] && ok "and writes nothing" || not_ok "and writes nothing" "$(ls dry)"
"$REGMIX" prepare -q -C dry
try "sample --dry-run" 0 "would draw 4 mixtures" "$REGMIX" sample -C dry --dry-run
try "fit names the step that makes the mixtures" 1 'no dry/mixtures.csv yet; `regmix sample` makes it' "$REGMIX" fit -C dry
"$REGMIX" sample -q -C dry
try "fit names the step that makes the losses" 1 'no dry/metrics.csv yet; `regmix train` makes it' "$REGMIX" fit -C dry
try "train --dry-run" 0 "would train 4 of 4 runs" "$REGMIX" train -C dry --dry-run
try "compare --methods --dry-run" 0 "would train what the methods lack" "$REGMIX" compare -C dry --methods regmix,prior --dry-run --json
try "it names the runs of the swarm" 0 "would train 4 of 4 runs" "$REGMIX" compare -C dry --methods regmix,prior --dry-run
[ -e dry/runs ] || [ -e dry/compare ] || [ -e dry/large ] && not_ok "nothing was trained" || ok "nothing was trained"
try "sample --prior --dry-run is misuse" 2 "leave it out" "$REGMIX" sample --prior x --dry-run

try "an empty target" 2 "--set target=: wanted the name of a domain or a metric" "$REGMIX" check -C good --set target=

# ---- plan has no price for what cannot be done
try "plan refuses files that do not exist" 1 "no file matches" "$REGMIX" plan -C wrong
try "plan refuses a target that does not exist" 1 'did you mean "exam"' "$REGMIX" plan wrong/own.yaml
try "plan without the text" 0 "On this machine it takes about" "$REGMIX" plan -C good --set corpus.separator=none --set target=zebra --without-text --set proxy.tokens=1k --set large.tokens=1k

# The answer is for the config, whichever corpus is there. plan_of [OPTION...]: what does not depend on the machine
plan_of() {
  "$REGMIX" plan -C scale --json --set proxy.tokens=1k --set large.tokens=1k "$@" | python3 -c 'import json, sys; p = json.load(sys.stdin)
print(p["prepare"]["bytes"], [(p[w]["parameters"], p[w]["flops"]) for w in ("proxies", "large")])'
}
mkdir -p scale
lines 31 400 > scale/a.jsonl
lines 32 400 > scale/b.jsonl
lines 33 30 > scale/goal.jsonl
printf 'corpus: {domains: {a: a.jsonl, b: b.jsonl, goal: {files: goal.jsonl, valid_only: true}}, vocab: 600, max_valid_tokens: 200}\ntarget: goal\nproxy: {context: 32}\nlarge: {context: 32}\n' > scale/regmix.yaml
before=$(plan_of)
"$REGMIX" prepare -q -C scale
[ -n "$before" ] && [ "$(plan_of)" = "$before" ] && ok "plan says the same after prepare" || not_ok "plan says the same after prepare" "$before
$(plan_of)"
cp scale/tokenizer.json scale/given.json
named=$(plan_of --set corpus.tokenizer=given.json --set corpus.vocab=4096)
[ "$named" = "$before" ] && ok "plan uses the tokenizer that is named" || not_ok "plan uses the tokenizer that is named" "$named"
other=$(plan_of --set corpus.vocab=5000)
[ "$other" != "$before" ] && ok "plan is not for an older corpus" || not_ok "plan is not for an older corpus" "$other"
try "plan reads the tokenizer" 1 "nosuch.json" "$REGMIX" plan -C scale --set corpus.tokenizer=nosuch.json

# ---- what was read before prepare stopped
cp scale/goal.jsonl goal.jsonl
tail -n 1 goal.jsonl | head -c 20 >> scale/goal.jsonl
try "a broken line stops prepare" 1 "goal.jsonl:31: not JSON" "$REGMIX" prepare -C scale --set corpus.vocab=700 --redo
try "gc names what was read" 0 "would be deleted" "$REGMIX" gc -C scale --dry-run
cp goal.jsonl scale/goal.jsonl
try "what was read is used" 0 "prepare: 2 of 3 parts of the text were read before" "$REGMIX" prepare -C scale --set corpus.vocab=700 --redo
tail -n 1 goal.jsonl | head -c 20 >> scale/goal.jsonl
try "a broken line again" 1 "goal.jsonl:31: not JSON" "$REGMIX" prepare -C scale --set corpus.vocab=800 --redo
[ -d scale/.set-aside/new/.prepare ] && ok "the text that was read is kept" || not_ok "the text that was read is kept" "$(ls -A scale)"
"$REGMIX" gc -q -C scale > gc.txt
[ ! -e scale/.set-aside ] && ok "until gc deletes it" || not_ok "until gc deletes it" "$(ls -A scale)"

# ---- what cannot be opened is left out and named; a domain of nothing else is an error
mkdir -p closed/web && printf '{"text": "one"}\n' > closed/web/a.jsonl
ln -s loop.jsonl closed/web/loop.jsonl
ln -s nowhere.jsonl closed/web/gone.jsonl
ln -s a.jsonl/inside closed/web/inside.jsonl
mkfifo closed/web/pipe.jsonl
try "a link to itself is left out" 0 "a link that leads to itself" "$REGMIX" init oddexp --text closed
for why in "a link that leads nowhere" "only regular files are read"; do
  grep -qF "$why" "$SCRATCH/stdout" "$SCRATCH/stderr" && ok "as is $why" || not_ok "as is $why" "$(cat "$SCRATCH/stderr")"
done
mkdir closed/lost && ln -s loop.jsonl closed/lost/loop.jsonl
try "a domain of nothing else would be lost" 1 '"lost"' "$REGMIX" init oddexp2 --text closed
rm -r closed/lost
if [ "$(id -u)" = 0 ]; then
  skip "files without permission" "root may read all"
else
  cp closed/web/a.jsonl closed/web/secret.jsonl && chmod 0 closed/web/secret.jsonl
  try "a file that may not be read is left out" 0 "may not be read" "$REGMIX" init oddexp3 --text closed
fi
done_testing
