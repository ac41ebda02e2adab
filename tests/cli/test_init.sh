#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Models: what a training leaves is a folder that others open; a training, or a whole swarm, begins with the weights of a model.
. "$(dirname "$0")/tap.sh"
. "$ROOT/tests/cli/synthetic.sh"
cd "$SCRATCH" || exit 1

arrays() { python3 -c 'import sys
data = open(sys.argv[1], "rb").read()
sys.stdout.buffer.write(data[8 + int.from_bytes(data[:8], "little"):])' "$1"; }
# llama DIR VOCABULARY: a small Llama of another program, in two shards of bfloat16.
llama() {
  mkdir -p "$1"
  python3 - "$@" << 'END'
import json, random, struct, sys
folder, V = sys.argv[1], int(sys.argv[2])
C, F, H, KV, S, L = 16, 24, 4, 2, 6, 2
shapes = {"model.embed_tokens.weight": [V, C]}
for l in range(L):
    for name, shape in (("input_layernorm", [C]), ("self_attn.q_proj", [H * S, C]), ("self_attn.k_proj", [KV * S, C]), ("self_attn.v_proj", [KV * S, C]),
                        ("self_attn.o_proj", [C, H * S]), ("post_attention_layernorm", [C]), ("mlp.gate_proj", [F, C]), ("mlp.up_proj", [F, C]),
                        ("mlp.down_proj", [C, F])):
        shapes["model.layers.%d.%s.weight" % (l, name)] = shape
shapes["model.norm.weight"] = [C]
index, rng = {}, random.Random(1)
for part, names in enumerate((list(shapes)[:9], list(shapes)[9:])):
    header, data = {}, b""
    for name in names:
        n = 1
        for d in shapes[name]: n *= d
        numbers = [1.0 if "norm" in name else rng.gauss(0, 0.1) for _ in range(n)]
        raw = b"".join(struct.pack("<f", x)[2:] for x in numbers)
        header[name] = {"dtype": "BF16", "shape": shapes[name], "data_offsets": [len(data), len(data) + len(raw)]}
        index[name] = "model-%d.safetensors" % part
        data += raw
    text = json.dumps(header).encode()
    open("%s/model-%d.safetensors" % (folder, part), "wb").write(len(text).to_bytes(8, "little") + text + data)
json.dump({"weight_map": index}, open(folder + "/model.safetensors.index.json", "w"))
json.dump({"model_type": "llama", "hidden_size": C, "intermediate_size": F, "num_hidden_layers": L, "num_attention_heads": H, "num_key_value_heads": KV,
           "head_dim": S, "vocab_size": V, "max_position_embeddings": 64, "tie_word_embeddings": True, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
           "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                            "original_max_position_embeddings": 32}}, open(folder + "/config.json", "w"))
END
}

make_corpus exp 60
sed -i 's/{layers: 1, heads: 2, width: 32, ffn: 64, model: nano, /{model: nano, /; s/sample: {runs: 6/sample: {runs: 3/' exp/regmix.yaml
small="--set large.layers=1 --set large.width=32 --set large.ffn=64"
"$REGMIX" prepare -q -C exp > /dev/null 2>&1
"$REGMIX" sample -q -C exp > /dev/null 2>&1

# ---- the folder of a model
try "a model is trained" 0 "nats per token" "$REGMIX" pretrain -C exp --mixture prior $small
files="config.json generation_config.json model.safetensors special_tokens_map.json tokenizer.json tokenizer_config.json"
same "its folder is what other programs open" "$files" "$(cd exp/large/prior/1 && ls $files | tr '\n' ' ' | sed 's/ $//')"
try "and eval and generate, too" 0 "" "$REGMIX" generate --model exp/large/prior/1 --tokens 3 "the"
cp -r exp/large/prior/1 base

# ---- begin with it
still="--set large.lr=1e-30 --set large.weight_decay=0 --set large.tokens=512"
try "a training begins with its weights" 0 "nats per token" "$REGMIX" pretrain -C exp --mixture uniform --init base $still
arrays base/model.safetensors > wanted; arrays exp/large/uniform/1/model.safetensors > got
if cmp -s wanted got; then ok "which a step without a rate leaves"; else not_ok "which a step without a rate leaves"; fi
same "and its sizes, though the preset has others" "[1, 32]" "$(value exp/large/uniform/1/result.json '[o["model"]["layers"], o["model"]["width"]]')"
try "it is done" 0 "its run is done" "$REGMIX" pretrain -C exp --mixture uniform --init base $still
cp -r base moved
try "and done from another folder" 0 "its run is done" "$REGMIX" pretrain -C exp --mixture uniform --init moved $still
"$REGMIX" pretrain -q -C exp --mixture single:a $small > /dev/null 2>&1
try "another model is another run" 1 "(changed: init)" "$REGMIX" pretrain -C exp --mixture uniform --init "$(ls -d exp/large/single*/1)" $still
try "and so is none" 1 "(changed: " "$REGMIX" pretrain -C exp --mixture uniform $still

# ---- a model in the folder of the run itself
cp -r exp/large/uniform exp-uniform
for model in exp/large/uniform/1 exp/large/uniform/1/model.safetensors; do
  try "it would be moved away: $(basename $model)" 1 "is in the folder of run uniform-1" \
    "$REGMIX" pretrain -C exp --mixture uniform --init $model --redo $still
done
if diff -r exp-uniform exp/large/uniform > diff.txt; then ok "and nothing was moved"; else not_ok "and nothing was moved" "$(cat diff.txt)"; fi

# ---- what does not fit
new() { "$REGMIX" pretrain -C exp --mixture single:b "$@"; }
try "other sizes" 1 "layers is 4, but the model in" new --init base --set large.layers=4
try "longer sequences" 1 "longer than the context" new --init base --set large.context=64
try "no model there" 1 "init: cannot read nowhere" new --init nowhere
mv moved/tokenizer.json kept
try "no tokenizer" 1 "it is not known whether the corpus has the tokenizer" new --init moved
sed 's/"merges": \[/"merges": [/; s/<|endoftext|>/<|end|>/g' kept > moved/tokenizer.json
try "another tokenizer" 1 "prepared with another tokenizer" new --init moved
cp kept moved/tokenizer.json
sed 's/"llama"/"gpt_neox"/' base/config.json > moved/config.json
try "another architecture" 1 'model_type is "gpt_neox"' new --init moved
sed 's/"vocab_size": [0-9]*/"vocab_size": 321/' base/config.json > moved/config.json
try "a config of other tensors" 1 "config.json wants 321 x 32" new --init moved
cp base/config.json moved/config.json
printf x | dd of=moved/model.safetensors bs=1 seek=9000 conv=notrunc 2> /dev/null
try "a damaged model" 1 "corrupt" new --init moved

# ---- a whole swarm, from a model of another program
llama other 330
cp exp/tokenizer.json other/
cp -r exp swarm && rm -r swarm/large
sed -i 's|^proxy: {model: nano,|proxy: {init: ../other, keep_models: true, checkpoint_s: 0,|' swarm/regmix.yaml
cp -r swarm killed
try "plan knows the sizes" 0 '"parameters":' "$REGMIX" plan -C swarm --json
try "a swarm begins with a Llama of grouped queries" 0 "3 runs done" "$REGMIX" train -C swarm
same "each proxy keeps its model, with all of its kind" "[2, 6, True, 'llama3', 330]" \
  "$(value swarm/runs/0002/config.json '[o["num_key_value_heads"], o["head_dim"], o["tie_word_embeddings"], o["rope_scaling"]["rope_type"], o["vocab_size"]]')"
try "which can be scored" 0 "" "$REGMIX" generate --model swarm/runs/0002 --tokens 3 "the"
"$REGMIX" train -q -C killed > /dev/null 2>&1 & pid=$!
while [ ! -e killed/runs/0002/checkpoint.safetensors ] && [ ! -e killed/runs/0003/result.json ] && kill -0 $pid 2> /dev/null; do :; done
kill -9 $pid 2> /dev/null; wait $pid 2> /dev/null
try "after a kill it goes on" 0 "" "$REGMIX" train -C killed
if cmp -s swarm/metrics.csv killed/metrics.csv && cmp -s swarm/runs/0002/model.safetensors killed/runs/0002/model.safetensors; then
  ok "to the same bits"
else
  not_ok "to the same bits" "$(diff swarm/metrics.csv killed/metrics.csv | head -4)"
fi

# ---- models on request
sed -i 's/keep_models: true/keep_models: false/' swarm/regmix.yaml
try "gc names models that are not to be kept" 0 "3 models" "$REGMIX" gc -C swarm --dry-run
try "and deletes them" 0 "3 models" "$REGMIX" gc -C swarm
same "but not the results" "0 3" "$(find swarm/runs -name model.safetensors | wc -l | tr -d ' ') $(find swarm/runs -name result.json | wc -l | tr -d ' ')"
sed -i 's/keep_models: false/keep_models: true/' swarm/regmix.yaml
try "finished runs without models stay" 0 "3 finished runs kept no model; --redo" "$REGMIX" train -C swarm
try "unless they are to be trained again" 0 "3 runs done" "$REGMIX" train -C swarm --redo
if cmp -s swarm/metrics.csv killed/metrics.csv; then ok "with the same results"; else not_ok "with the same results"; fi
done_testing
