#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# seeds.sh REGMIX: makes the seeds of the fuzz targets anew, from a small experiment and small tables of our own.
set -eu
REGMIX=$(realpath "${1:?usage: seeds.sh REGMIX}")
export REGMIX
seeds=$(cd "$(dirname "$0")" && pwd)/seeds
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck source=/dev/null
. "$ROOT/tests/cli/synthetic.sh"
cd "$work"
rm -rf "$seeds"

# put TARGET NAME: standard input becomes a seed.
put() {
  mkdir -p "$seeds/$1"
  cat > "$seeds/$1/$2"
}
zero() { printf '\0'; }

make_corpus exp 40
"$REGMIX" run -q -C exp --set proxy.tokens=4k --set large.tokens=4k --set compare.methods=odm,prior > /dev/null 2>&1
awk 'BEGIN { s = 7; print "run,a,b,c" > "m.csv"; print "run,a_val_loss,b_acc" > "l.csv"
  for (i = 1; i <= 12; i++) {
    for (j = 0; j < 3; j++) { s = (s * 16807) % 2147483647; w[j] = s / 2147483647 }
    t = w[0] + w[1] + w[2]; a = w[0] / t; b = w[1] / t
    printf "r%d,%.3f,%.3f,%.3f\n", i, a, b, 1 - sprintf("%.3f", a) - sprintf("%.3f", b) > "m.csv"
    printf "r%d,%.3f,%.3f\n", i, 3 - sqrt(a), 0.3 + 0.2 * b > "l.csv" } }'
awk -F, 'NR == 1 { print "run,a_val_loss,b_loss,c_loss,d_acc" > "many.csv"; print "run,params,tokens,a_val_loss,b_loss" > "sized.csv"
    print "run,phase_0_a,phase_0_b,phase_1_a,phase_1_b" > "phased.csv" }
  NR > 1 { i = NR - 1; a = $2; b = $3
    printf "%s,%.3f,%.3f,%.3f,%.3f\n", $1, 3 - sqrt(a), 3 - sqrt(b), 4 - sqrt(a + b), 0.3 + 0.2 * b > "many.csv"
    printf "%s,%d,%d,%.3f,%.3f\n", $1, 1e6 * (1 + i % 3), 1e8 * (1 + i % 2), 3 - sqrt(a) - 0.1 * (i % 3), 3 - sqrt(b) - 0.1 * (i % 2) > "sized.csv"
    printf "%s,%.3f,%.3f,%.3f,%.3f\n", $1, a, 1 - a, b, 1 - b > "phased.csv" }' m.csv
printf 'a: 1M\nb: 20M\nc: 3e8\n' > tokens.yaml
# fit_seed NAME METRICS OPTION...: a fit, of its first metric alone, becomes a seed of two targets.
fit_seed() {
  name=$1 metrics=$2
  shift 2
  "$REGMIX" fit -q --mixtures "${mixtures:-m.csv}" --metrics "$metrics" --set trees.rounds=3 --set trees.min_data_in_leaf=2 "$@" --out "fit-$name" > /dev/null 2>&1 || return 0
  for file in "fit-$name"/a_val_loss.*; do
    put regressor "$name" < "$file"
    # Without the hashes of the parts, which no change of a part would agree with.
    { python3 -c 'import json, sys; f = json.load(open(sys.argv[1])); f.pop("hashes", None); f["metrics"] = [dict(f["metrics"][0], name="a", file="a." + sys.argv[2])]
for m in f["metrics"]: m.pop("hash", None)
print(json.dumps(f))' "fit-$name/fit.json" "${file##*.}"; zero; cat "$file"; } | put fit "$name"
  done
}
for kind in ridge trees gp exp power ensemble; do fit_seed $kind l.csv --regressor $kind; done
fit_seed exposure l.csv --regressor exposure --tokens tokens.yaml --budget 20M
# Metrics that share the lengths of their processes, in two clusters; the process also knows totals of domains.
fit_seed shared many.csv --regressor shared
# Runs of three sizes and two lengths.
for kind in scaling additive-law full-law; do fit_seed $kind sized.csv --regressor $kind --size-column params --tokens-column tokens; done
fit_seed chosen sized.csv --size-column params --tokens-column tokens
# A mixture for each phase.
mixtures=phased.csv
fit_seed phases l.csv --regressor gp --phases 0.8,0.2
{ cat m.csv; zero; cat l.csv; } | put csv tables
printf 'run;a;b\n1;0,5;0,5\n' | put csv semicolons
{ printf '"run ""1""",a\n"x\ny",1\n'; zero; printf 'run,m\n"x\ny",NaN\n'; } | put csv quotes

put import mixtures < m.csv
put import metrics < l.csv
printf 'Name,State,config.mixture.a,config.mixture.b,metric/x_loss\nr1,finished,0.5,0.5,1\nr2,crashed,1,0,\n' | put import wandb
printf 'run_id,run,name,index,web,code\n1,a,b,0,0.3,0.7\n' | put import olmix
printf '{"results": {"t": {"acc,none": 0.5, "acc_stderr,none": 0.1, "alias": "t"}}, "higher_is_better": {"t": {"acc": true}}, "n-samples": {"t": {"original": 9, "effective": 4}}}' | put import harness
printf 'train:\n  a: 0.25\n  b: 0.75\n' | put import yaml
printf 'run,phase_0_a,phase_0_b,phase_1_a,phase_1_b\n1,1,0,0,1\n' | put import phases
printf '\020\007*(\012\020\012\011eval/loss\025\000\000 @\012\024\012\010eval/accB\010\010\001*\004\000\000\000?' | put import event
printf '\212\001/\012\003abcB\002n1\042$\012\042\012\007mixture\202\001\026{\042a\042: 0.25, \042b\042: 0.75}\022\021\012\017\012\011eval/loss\202\001\0013\032\022\012\020\012\010eval/acc\202\001\0030.5\222\001\002\010\000' | put import wandb_record
printf 'Step,n1 - eval/loss,n1 - eval/loss__MIN,n1 - eval/loss__MAX\0121,2,2,2\0122,1,1,1\012' | put import chart
printf 'run,domain,weight\0121,a,0.5\0121,b,0.5\0122,a,0.1\0122,b,0.9\012' | put import long
printf 'model,task,metric,score,step\0121,arc,acc,0.5,1\0121,arc,bpb,2,2\0122,arc,acc,0.2,1\012' | put import long_metrics
printf 'run_id,status,metrics.acc,params.mixture.a,params.mixture.b,tags.mlflow.runName\012f0,FINISHED,0.5,0.25,0.75,n1\012' | put import mlflow
printf '0.3 /data/a_text_document 0.7 /data/b_text_document\0121 /data/a_text_document 2 /data/b_text_document\012' | put import blend
printf 'a,b\0120.5,0.5\0120,1\012' | put import no_names
printf '{\042task_name\042: \042arc\042, \042task_config\042: {\042metadata\042: {\042alias\042: \042arc:rc\042}}, \042metrics\042: {\042acc_raw\042: 0.5, \042bits_per_byte_corr\042: 1.5}}\012' | put import olmes
printf '{\042config_general\042: {\042max_samples\042: 5}, \042results\042: {\042s|arc|0\042: {\042acc\042: 0.5}, \042all\042: {\042acc\042: 0.5}}, \042config_tasks\042: {\042s|arc\042: {\042metrics\042: [{\042metric_name\042: \042acc\042, \042higher_is_better\042: true}]}}}' | put import lighteval

printf 'a: 0.25\nb: 0.5\ncode: 0.25\n' | put mixture yaml
printf '{"mixture": {"a": 1, "b": 1, "code": 2}}' | put mixture json
printf 'domain,weight\na,0.5\nb,0.5\n' | put mixture csv

# Classifiers of four words, three labels and eight n-grams: each loss, and quantised and pruned.
mkdir -p "$seeds/classifier"
python3 - "$seeds/classifier" << 'END'
import struct, sys
def i32(*x): return struct.pack("<%di" % len(x), *x)
def i64(*x): return struct.pack("<%dq" % len(x), *x)
def floats(n): return struct.pack("<%df" % n, *[(i * 7 % 11 - 5) / 10 for i in range(n)])
def entry(word, label): return word.encode() + b"\0" + i64(9 - len(word)) + bytes([label])
def dense(rows): return b"\0" + i64(rows, 4) + floats(rows * 4)
def quantiser(dim, parts, size): return i32(dim, parts, size, size) + floats(256 * dim)
def quantised(rows): return b"\1\1" + i64(rows, 4) + i32(2 * rows) + bytes(i * 37 % 256 for i in range(2 * rows)) + quantiser(4, 2, 2) + bytes(range(rows)) + quantiser(1, 1, 1)
words = ["a", "lemma", "proof", "</s>"]
for name, loss, ngrams, maxn, kept in [("softmax", 3, 2, 0, -1), ("tree", 1, 1, 3, -1), ("ova", 4, 3, 4, -1), ("quantised", 3, 2, 3, 2)]:
    head = i32(793712314, 12, 4, 5, 5, 1, 5, ngrams, loss, 3, 8, 2 if maxn else 0, maxn, 100) + struct.pack("<d", 1e-4)
    dictionary = i32(7, 4, 3) + i64(40, kept) + b"".join(entry(w, 0) for w in words) + b"".join(entry("__label__" + x, 1) for x in "xyz")
    if kept > 0: dictionary += i32(1, 0, 5, 1)
    matrices = dense(12) + dense(3) if kept < 0 else quantised(6) + quantised(3)
    open(sys.argv[1] + "/" + name, "wb").write(head + dictionary + matrices)
END

put config config < exp/regmix.yaml
put config resolved < exp/resolved.yaml
printf 'corpus: {folder: text, domains: {a: [x, "y*"], b: {files: z, valid_only: true}}}\ntarget: {a: 0.5, b: 1}\nproxy: {command: "./t", lr: 1e-3}\n' | put config maps

cat << 'END' | put config keys
corpus:
  folder: text
  leave_out: ["*.md", old]
  domain_field: "meta.source:host(url)"
  classifier: [topic.bin, quality.ftz]
  min_probability: 0.3
  hosts: [wikipedia.org, github.com]
  max_hosts: 9
  max_domains: 99
  text_field: text,body
  encoding: windows-1251
  near_duplicates: 0.8
  protect: [web]
  max_overlap: 0.3
  specials: tokens
  domains:
    kept: {values: ["web:*", code], valid_only: true}
target: {exam: -1, web: 0.5}
sample: {phases: [0.8, 0.2], max_epochs: {web: 2, code: 8}, min_coverage: 0.2, tree: false}
proxy: {trainer: pytorch, timeout: 12h, grace: 30s, may_fail: 0.1, repeat: match}
fit: {regressor: shared, normalize: true, higher_is_better: ["*_acc"], lower_is_better: [x]}
power: {own: false, robust: true}
optimize: {floor: [web=0.1], cap: [code=0.5], fix: [a=0.2], share: ["x=0.1..0.5:a,b"], ordered: ["a<b<c"], max_kl: 0.2, no_worse: [exam], metric_group: ["g=a,b"], worst: true}
compare: {first_seed: 3, against: ["single:web"], methods: [regmix, olmix, human], budget: 20Mtokens, human: mine.yaml}
aioli: {sweeps: 2}
END

run=exp/runs/0001
{ cat $run/run.json; zero; cat $run/result.json; } | put run finished
{ cat $run/run.json; zero; printf '{"status": "diverged", "loss_nats": null, "answers": "x"}'; } | put run diverged
{ sed 's/"keep_model": false/"keep_model": true, "steering": {"method": "odm"}/' $run/run.json; zero; printf '{"loss_nats": {"a": NaN}, "metrics": {"m": 1}}'; } | put run steered

make_corpus small 40
"$REGMIX" prepare -q -C small --set corpus.vocab=258 > /dev/null 2>&1
"$REGMIX" pretrain -q -C small --mixture prior --set corpus.vocab=258 --set large.width=16 --set large.ffn=32 --set large.tokens=1k > /dev/null 2>&1
find small/large -name model.safetensors -exec cat {} + | put checkpoint hub
# the same as version 0.1.0 wrote it; the target puts the hash right
python3 - "$seeds/checkpoint/hub" << 'END' | put checkpoint model
import json, struct, sys
data = open(sys.argv[1], "rb").read()
front = 8 + struct.unpack("<Q", data[:8])[0]
own = json.loads(json.loads(data[8:front])["__metadata__"]["regmix"])
layer = [("attention.norm", "C"), ("attention.wq", "CC"), ("attention.wk", "CC"), ("attention.wv", "CC"), ("attention.wo", "CC"),
         ("ffn.norm", "C"), ("ffn.gate", "FC"), ("ffn.up", "FC"), ("ffn.down", "CF")]
size = {"C": own["config"]["width"], "F": own["config"]["ffn"], "V": own["config"]["vocab"]}
names = [("embedding", "VC")] + [("layers.%d.%s" % (l, n), s) for l in range(own["config"]["layers"]) for n, s in layer] + [("norm", "C"), ("head", "VC")]
own["tensors"] = [{"name": n, "shape": [size[x] for x in s]} for n, s in names]
text = json.dumps(own).encode()
header = (16 + len(text) + 63) // 64 * 64 - 16
sys.stdout.buffer.write(b"RMXMODEL" + struct.pack("<II", 1, header) + text.ljust(header) + data[front:] + bytes(8))
END

{ cat exp/optimum.yaml; zero; cat exp/fit/fit.json; zero; cat exp/metrics.csv; zero; cat exp/mixtures.csv; zero; cat exp/large/comparison.json; zero
  cat exp/compare/methods.json; zero; cat $run/log.jsonl; zero; cat $run/result.json; zero; head -n 8 exp/fit/cross-validation.csv; zero
  cat exp/corpus/corpus.json; zero; cat exp/resolved.yaml; } | put report whole
{ zero; zero; cat exp/metrics.csv; zero; cat exp/mixtures.csv; } | put report tables

printf '{"text": "a \\ud83d b", "id": 18446744073709551615, "score": NaN}\n{"x": {"text": 1}, "text": "c"}\n' | put jsonl lines
printf '[{"text": "one"}, {"text": "two"}]' | put jsonl array
printf 'one\n%%\ntwo\n' | put jsonl text
printf 'id,text\r\n1,"one, ""two""\n"\r\n2,three\r\n' | put kinds csv
printf 'id\ttext\n1\tone\n' | put kinds tsv
printf 'WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 4\r\nid: 1\r\n\r\none\n\r\n\r\n' | put kinds wet
printf 'WARC/1.0\r\nWARC-Type: response\r\nContent-Length: 48\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\none\r\n\r\n' | put kinds warc
printf '{"text": "packed"}\n' | gzip -n | put packed gzip
printf '{"text": "packed"}\n' | zstd -q | put packed zstd
printf '{"text": "packed"}\n' | xz | put packed xz
printf '{"text": "packed"}\n' | bzip2 | put packed bzip2
printf '{"text": "packed"}\n' | lz4 -c | put packed lz4
printf 'to be or not to be, that is the question' | put bpe english
printf 'a\0b\377\360\237\230\200 \r\n' | put bpe bytes
head -c 3000 exp/corpus/a/valid.bin | put token_file start
head -c 2080 exp/corpus/a/valid.bin | put token_file short
put tokenizer_json ours < exp/tokenizer.json
printf '{"model": {"type": "BPE", "vocab": {"a": 0, "b": 1, "ab": 2}, "merges": ["a b"]}, "pre_tokenizer": {"type": "Sequence", "pretokenizers": [{"type": "Digits", "individual_digits": true}, {"type": "ByteLevel", "add_prefix_space": false, "use_regex": true}]}, "added_tokens": [{"id": 3, "content": "<|endoftext|>", "special": true}]}' | put tokenizer_json small
"$seeds/../columns.py" "$seeds"
"$seeds/../tokenizers.py" "$seeds"
du -sh "$seeds"

# A line of a task, config.json and the tensors of two tiny models.
llama() { # NAME BYTES DTYPE CONFIG: the numbers are zeros of so many bytes
  python3 - "$2" "$3" "$4" << 'END' | put llama "$1"
import json, sys
size, dtype, more = int(sys.argv[1]), sys.argv[2], json.loads(sys.argv[3])
c = {"model_type": "llama", "hidden_size": 4, "intermediate_size": 4, "num_hidden_layers": 1, "num_attention_heads": 2,
     "num_key_value_heads": 1, "vocab_size": 5, "max_position_embeddings": 8, **more}
shapes = {"model.embed_tokens.weight": [5, 4], "model.norm.weight": [4]}
for name, shape in (("input_layernorm", [4]), ("post_attention_layernorm", [4]), ("self_attn.q_proj", [4, 4]), ("self_attn.k_proj", [2, 4]),
                    ("self_attn.v_proj", [2, 4]), ("self_attn.o_proj", [4, 4]), ("mlp.gate_proj", [4, 4]), ("mlp.up_proj", [4, 4]),
                    ("mlp.down_proj", [4, 4])):
    shapes["model.layers.0." + name + ".weight"] = shape
if not c.get("tie_word_embeddings"):
    shapes["lm_head.weight"] = [5, 4]
header, at = {}, 0
for name, shape in shapes.items():
    n = shape[0] * (shape[1] if len(shape) > 1 else 1) * size
    header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + n]}
    at += n
text = json.dumps(header).encode()
line = b'{"context": "a", "choices": ["b", "cd"], "answer": 1, "task": "t"}'
sys.stdout.buffer.write(line + b"\0" + json.dumps(c).encode() + b"\0" + len(text).to_bytes(8, "little") + text + bytes(at))
END
}
llama plain 4 F32 '{"rope_scaling": {"rope_type": "linear", "factor": 2}}'
llama tied 2 BF16 '{"tie_word_embeddings": true, "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_max_position_embeddings": 4}}'
