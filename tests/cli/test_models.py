#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""test_models.py REGMIX: logits and scores of models, held against a plain forward pass in PyTorch.

Small Llamas with random weights are written in every form that is read: grouped queries, heads of another width, a tied head, both
scalings of positions, three types of numbers, shards. The reference below is written from the equations, in float32 (and reads nothing
of the program but the ids of its tokenizer). Without PyTorch the test is skipped.
"""
import gzip
import json
import math
import os
import re
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
    import torch
except ImportError as missing:
    print(f"1..0 # SKIP {missing.name} is not installed (Debian: apt install python3-{missing.name})")
    sys.exit(0)

REGMIX = os.path.abspath(sys.argv[1])
DOWNSTREAM = Path(__file__).resolve().parents[2] / ".." / "shared" / "downstream"
count = 0


def ok(name, good, why=""):
    global count
    count += 1
    print(("ok" if good else "not ok"), count, "-", name)
    if not good:
        print("#", str(why).replace("\n", "\n# "))


def regmix(*args, stdin=""):
    return subprocess.run([REGMIX, *map(str, args)], input=stdin, capture_output=True, text=True)


# ---- models ---------------------------------------------------------------------------------------------

def write_safetensors(path, tensors, dtype):
    names = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}
    header, data, at = {}, b"", 0
    for name, t in tensors.items():
        t = t.to(dtype).contiguous()
        raw = (t.view(torch.int16) if dtype != torch.float32 else t).numpy().tobytes()
        header[name] = {"dtype": names[dtype], "shape": list(t.shape), "data_offsets": [at, at + len(raw)]}
        data += raw
        at += len(raw)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def make_model(folder, dtype=torch.float32, shards=1, **changes):
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "hidden_size": 32, "intermediate_size": 48,
              "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4, "vocab_size": 257,
              "max_position_embeddings": 96, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
              "tie_word_embeddings": False, **changes}
    C, F, V, H, K = (config[k] for k in ("hidden_size", "intermediate_size", "vocab_size", "num_attention_heads", "num_key_value_heads"))
    S = config.get("head_dim") or C // H
    torch.manual_seed(sum(map(ord, folder.name)))
    shapes = {"model.embed_tokens.weight": (V, C), "model.norm.weight": (C,)}
    if not config["tie_word_embeddings"]:
        shapes["lm_head.weight"] = (V, C)
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        shapes.update({at + "input_layernorm.weight": (C,), at + "post_attention_layernorm.weight": (C,),
                       at + "self_attn.q_proj.weight": (H * S, C), at + "self_attn.k_proj.weight": (K * S, C),
                       at + "self_attn.v_proj.weight": (K * S, C), at + "self_attn.o_proj.weight": (C, H * S),
                       at + "mlp.gate_proj.weight": (F, C), at + "mlp.up_proj.weight": (F, C), at + "mlp.down_proj.weight": (C, F)})
    tensors = {n: (torch.randn(s) * 0.25 + (1.0 if "norm" in n else 0.0)).to(dtype) for n, s in shapes.items()}
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config))
    names = list(tensors)
    if shards == 1:
        write_safetensors(folder / "model.safetensors", tensors, dtype)
    else:
        where = {}
        for i in range(shards):
            name = f"model-{i + 1:05d}-of-{shards:05d}.safetensors"
            part = {n: tensors[n] for n in names[i::shards]}
            write_safetensors(folder / name, part, dtype)
            where.update({n: name for n in part})
        (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}))
    write_tokenizer(folder / "tokenizer.json")
    return config, {n: t.float() for n, t in tensors.items()}


def write_tokenizer(path):
    """One token for each byte, and <|endoftext|>."""
    plain = [*range(33, 127), *range(161, 173), *range(174, 256)]
    letters = {b: chr(b) for b in plain}
    letters.update({b: chr(256 + i) for i, b in enumerate(b for b in range(256) if b not in plain)})
    vocab = {"<|endoftext|>": 0, **{letters[b]: b + 1 for b in range(256)}}
    path.write_text(json.dumps({
        "version": "1.0", "added_tokens": [{"id": 0, "content": "<|endoftext|>", "special": True, "single_word": False, "lstrip": False,
                                            "rstrip": False, "normalized": False}],
        "normalizer": None, "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": None, "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
                  "fuse_unk": False, "byte_fallback": False, "vocab": vocab, "merges": []}}))


# ---- the reference --------------------------------------------------------------------------------------

def frequencies(config, S):
    plain = config["rope_theta"] ** (-torch.arange(0, S, 2, dtype=torch.float64) / S)
    scaling = config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", "default")
    if kind == "linear":
        return plain / scaling["factor"]
    if kind == "llama3":
        wavelength = 2 * math.pi / plain
        low, high, old = scaling["low_freq_factor"], scaling["high_freq_factor"], scaling["original_max_position_embeddings"]
        smooth = (old / wavelength - low) / (high - low)
        between = (1 - smooth) * plain / scaling["factor"] + smooth * plain
        return torch.where(wavelength > old / low, plain / scaling["factor"], torch.where(wavelength < old / high, plain, between))
    return plain


def reference(config, w, ids):
    H, K, C = config["num_attention_heads"], config["num_key_value_heads"], config["hidden_size"]
    S, T = config.get("head_dim") or C // H, len(ids)

    def norm(x, scale):
        return x / torch.sqrt((x * x).mean(-1, keepdim=True) + config["rms_norm_eps"]) * scale

    angle = torch.arange(T, dtype=torch.float64)[:, None] * frequencies(config, S)[None]
    cosine, sine = angle.cos().float(), angle.sin().float()

    def rotate(x):  # (heads, T, S)
        a, b = x[..., :S // 2], x[..., S // 2:]
        return torch.cat([a * cosine - b * sine, b * cosine + a * sine], -1)

    x = w["model.embed_tokens.weight"][torch.tensor(ids)]
    hidden = torch.full((T, T), -math.inf).triu(1)
    for i in range(config["num_hidden_layers"]):
        at = f"model.layers.{i}."
        n = norm(x, w[at + "input_layernorm.weight"])
        q, k, v = ((n @ w[at + f"self_attn.{p}_proj.weight"].T).view(T, -1, S).transpose(0, 1) for p in "qkv")
        k, v = (t.repeat_interleave(H // K, 0) for t in (rotate(k), v))
        p = torch.softmax(rotate(q) @ k.transpose(1, 2) / math.sqrt(S) + hidden, -1)
        x = x + (p @ v).transpose(0, 1).reshape(T, H * S) @ w[at + "self_attn.o_proj.weight"].T
        n = norm(x, w[at + "post_attention_layernorm.weight"])
        gate = n @ w[at + "mlp.gate_proj.weight"].T
        x = x + (gate * torch.sigmoid(gate) * (n @ w[at + "mlp.up_proj.weight"].T)) @ w[at + "mlp.down_proj.weight"].T
    head = w["model.embed_tokens.weight"] if config["tie_word_embeddings"] else w["lm_head.weight"]
    return norm(x, w["model.norm.weight"]) @ head.T


def log_likelihood(config, w, context, choice):
    """Of the bytes of a choice after a context; ids are bytes + 1, and 0 begins an empty context. Blanks at the end of a context belong to
    the choice, as in lm-evaluation-harness."""
    context, choice = context.rstrip(), context[len(context.rstrip()):] + choice
    context = [b + 1 for b in context.encode()] or [0]
    choice = [b + 1 for b in choice.encode()]
    ids = (context + choice)[-(config["max_position_embeddings"] + 1):]
    p = torch.log_softmax(reference(config, w, ids[:-1]), -1)[-len(choice):]
    picked = p[torch.arange(len(choice)), torch.tensor(choice)]
    return picked.sum().item(), bool((p.argmax(-1) == torch.tensor(choice)).all())


# ---- tests ------------------------------------------------------------------------------------------------

MODELS = {
    "plain": {},
    "grouped": {"num_key_value_heads": 2},
    "one-key": {"num_key_value_heads": 1, "tie_word_embeddings": True},
    "wide-heads": {"head_dim": 12, "num_attention_heads": 3, "num_key_value_heads": 1},
    "linear": {"rope_scaling": {"rope_type": "linear", "factor": 4.0}},
    "llama3": {"rope_theta": 500000.0, "head_dim": 16,
               "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                "original_max_position_embeddings": 64}},
    "bf16": {"dtype": torch.bfloat16, "shards": 3, "num_key_value_heads": 2},
    "f16": {"dtype": torch.float16, "tie_word_embeddings": True},
}


def test_logits(folder):
    generator = torch.Generator().manual_seed(1)
    for name, changes in MODELS.items():
        config, w = make_model(folder / name, **changes)
        sequences = [torch.randint(0, 257, (n,), generator=generator).tolist() for n in (1, 7, 96)]
        lines = "\n".join(" ".join(map(str, s)) for s in sequences)
        r = regmix("logits", "--model", folder / name, "--out", folder / "logits.npy", stdin=lines + "\n")
        if r.returncode:
            ok(f"logits of {name}", False, r.stderr)
            continue
        got = torch.from_numpy(np.load(folder / "logits.npy"))
        wanted = torch.cat([reference(config, w, s) for s in sequences])
        ok(f"logits of {name}", got.shape == wanted.shape and (got - wanted).abs().max() < 1e-4, (got.shape, wanted.shape))


def items_of(path, n):
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as f:
        return [json.loads(line) for _, line in zip(range(n), filter(str.strip, f))]


def check_task(folder, model, config, w, path, n):
    r = regmix("eval", "--model", model, "--tasks", path, "--limit", n, "--per-item", folder / "items.jsonl", "--json")
    if r.returncode:
        return ok(f"scores of {path.name}", False, r.stderr)
    results = json.loads(r.stdout)["results"][path.name.split(".")[0]]
    worst, right, right_by_byte, bits, greedy = 0.0, [], [], [], []
    for item, line in zip(items_of(path, n), (folder / "items.jsonl").read_text().splitlines()):
        got = json.loads(line)["log_likelihoods"]
        pairs = [(item["context"], c) for c in item["choices"]] if "context" in item else [(c, item["choices"][0]) for c in item["contexts"]]
        scores = [log_likelihood(config, w, *pair) for pair in pairs]
        worst = max(worst, max(abs(a - b[0]) for a, b in zip(got, scores)))
        bytes_of = [len(c.encode()) for _, c in pairs]
        ll = [s[0] for s in scores]
        right.append(ll.index(max(ll)) == item["answer"])
        by_byte = [a / b for a, b in zip(ll, bytes_of)]
        right_by_byte.append(by_byte.index(max(by_byte)) == item["answer"])
        bits.append(-ll[item["answer"]] / math.log(2) / bytes_of[item["answer"]])
        greedy.append(scores[0][1])
    one = len(pairs) == 1
    good = worst < 1e-3 and abs(results["acc,none"] - np.mean(greedy if one else right)) < 1e-9
    good = good and abs(results["bits_per_byte,none"] - np.mean(bits)) < 1e-4
    good = good and abs(results["bits_per_byte_stderr,none"] - np.std(bits, ddof=1) / math.sqrt(len(bits))) < 1e-4
    good = good and (one or abs(results["acc_norm,none"] - np.mean(right_by_byte)) < 1e-9)
    ok(f"scores of {path.name}", good, f"largest difference {worst}; {results}")


def test_scores(folder):
    config, w = make_model(folder / "scored", num_key_value_heads=2, max_position_embeddings=512)
    own = folder / "own.jsonl"
    own.write_text("\n".join(map(json.dumps, [
        {"context": "A question: ", "choices": ["one", "two or more", "\u00e9"], "answer": 2},
        {"context": "Blanks\u00a0\u2003\x1c\t", "choices": ["one", "two"], "answer": 0},
        {"context": "\u00a0\u3000", "choices": ["one", "two"], "answer": 1},
        {"context": "", "choices": ["First.", "Second."], "answer": 0, "task": "x"},
        {"contexts": ["It is", "It was not"], "choices": [" so"], "answer": 1},
        {"context": "Same same", "choices": [" a", " a"], "answer": 1, "task": "x"}])) + "\n\n")
    check_task(folder, folder / "scored", config, w, own, 10)
    r = regmix("eval", "--model", folder / "scored", "--tasks", f"{own},{own}")
    ok("a task that is given twice", r.returncode == 1 and "has the task \"own\" already" in r.stderr, r.stderr)
    for name in ("blimp", "lambada", "hellaswag", "piqa", "social_i_qa", "copa"):
        path = DOWNSTREAM / f"{name}.jsonl.gz"
        if path.exists():
            check_task(folder, folder / "scored", config, w, path, 12)
        else:
            print(f"# SKIP scores of {name}: {path} is missing")


def rolling(config, w, text):
    """Of a whole text, after the end of text: windows as lm-evaluation-harness makes them, the last one full."""
    ids, C, sum_, done = [b + 1 for b in text.encode()], config["max_position_embeddings"], 0.0, 0
    while done < len(ids):
        n = min(C, len(ids) - done)
        end = done + n
        window = [0] + ids[:end] if done == 0 else ids[end - C - 1:end]
        p = torch.log_softmax(reference(config, w, window[:-1]), -1)[-n:]
        sum_ += p[torch.arange(n), torch.tensor(window[-n:])].sum().item()
        done = end
    return sum_


def test_texts(folder):
    config, w = make_model(folder / "reads", num_key_value_heads=2)
    texts = ["One text,\u00a0of  five words.\n", "A longer text. " * 19, "\u00e9t\u00e9"]
    ll, words, size = [rolling(config, w, t) for t in texts], [len(re.split(r"\s+", t)) for t in texts], [len(t.encode()) for t in texts]
    ratio = -sum(ll) / sum(size)
    error = math.sqrt(len(ll) / (len(ll) - 1) * sum((-a - ratio * b) ** 2 for a, b in zip(ll, size))) / sum(size)
    wanted = {"word_perplexity,none": math.exp(-sum(ll) / sum(words)), "byte_perplexity,none": math.exp(ratio),
              "bits_per_byte,none": ratio / math.log(2), "bits_per_byte_stderr,none": error / math.log(2),
              "byte_perplexity_stderr,none": error * math.exp(ratio)}
    (folder / "docs.jsonl").write_text("\n" + "\n".join(json.dumps({"text": t}) for t in texts) + "\n")
    (folder / "prose.txt").write_text(texts[1])
    r = regmix("eval", "--model", folder / "reads", "--tasks", f"{folder / 'docs.jsonl'},{folder / 'prose.txt'}", "--json",
               "--per-item", folder / "items.jsonl")
    if r.returncode:
        return ok("perplexity of texts", False, r.stderr)
    tree, items = json.loads(r.stdout), [json.loads(line) for line in (folder / "items.jsonl").read_text().splitlines()]
    got, one = tree["results"]["docs"], tree["results"]["prose"]
    ok("log-likelihoods of texts", len(items) == 4 and max(abs(i["log_likelihood"] - x) for i, x in zip(items, ll)) < 1e-3, (items, ll))
    ok("perplexity of texts", all(abs(got[k] / x - 1) < 1e-4 for k, x in wanted.items()), (got, wanted))
    ok("counts of texts", tree["texts"]["docs"] == {"documents": 3, "words": sum(words), "bytes": sum(size), "tokens": sum(size)}, tree["texts"])
    ok("one text has no standard error", one["bits_per_byte_stderr,none"] is None
       and abs(one["bits_per_byte,none"] + ll[1] / math.log(2) / size[1]) < 1e-4, one)
    ok("texts are better when they are likelier", tree["higher_is_better"]["docs"]["bits_per_byte"] is False, tree)
    r = regmix("eval", "--model", folder / "reads", "--tasks", folder / "docs.jsonl")
    ok("scores of texts are shown", "word_perplexity" in r.stdout and "3 documents" in r.stdout, r.stdout)
    (folder / "ended.txt").write_text("Lines\nand\u00a0one\n\n")
    (folder / "single.jsonl").write_text('{"context": "a", "choices": ["b", "c"], "answer": 0}\n')
    r = regmix("eval", "--model", folder / "reads", "--tasks", f"{folder / 'ended.txt'},{folder / 'single.jsonl'}", "--json")
    tree = json.loads(r.stdout)
    bits = -rolling(config, w, "Lines\nand\u00a0one\n\n") / math.log(2) / 16
    ok("line feeds at the end of a text count", tree["texts"]["ended"]["bytes"] == 16
       and abs(tree["results"]["ended"]["bits_per_byte,none"] - bits) < 1e-4, (tree, bits))
    ok("one item has no standard error", tree["results"]["single"]["acc_stderr,none"] is None, tree)
    r = regmix("eval", "--model", folder / "reads", "--tasks", f"{folder / 'ended.txt'},{folder / 'single.jsonl'}")
    ok("and none is shown, nor more than one document", r.returncode == 0 and "+-" not in r.stdout and "ended (1 document, 4 words, " in r.stdout, r.stdout)
    (folder / "empty.txt").write_text("  \n")
    r = regmix("eval", "--model", folder / "reads", "--tasks", folder / "empty.txt")
    ok("a file without text", r.returncode == 1 and "empty.txt: has no text" in r.stderr, r.stderr)


def test_errors(folder):
    for text, error in [("", "has no items"), ("{\n", "bad.jsonl:1:"), ("[]\n", "bad.jsonl:1: not a JSON object"),
                        ('{"context": "a", "choices": [], "answer": 0}\n', '"choices" is empty'),
                        ('{"context": "a", "choices": "b", "answer": 0}\n', '"choices" is not a list'),
                        ('{"context": "a", "choices": ["b", "c"], "answer": 0, "answer": 1}\n', "duplicate"),
                        ('{"context": "a", "contexts": ["a", "b"], "choices": ["c"], "answer": 0}\n', 'both "context" and "contexts"'),
                        ('{"context": "\\u0000", "choices": ["b"], "answer": 0}\n', "bad.jsonl:1: a text has the character"),
                        ('{"context": "a", "choices": [""], "answer": 0}\n', "a choice is empty"),
                        ('\n{"context": "a", "choices": ["b"], "answer": 1}\n', "bad.jsonl:2: the answer is 1, wanted 0 to 0"),
                        ('{"choices": ["b"], "answer": 0}\n', "\"context\" is missing")]:
        (folder / "bad.jsonl").write_text(text)
        r = regmix("eval", "--model", folder / "plain", "--tasks", folder / "bad.jsonl", "--out", folder / "bad.json")
        ok(f"error: {error}", r.returncode == 1 and error in r.stderr and not (folder / "bad.json").exists(), r.stderr)
    (folder / "long.jsonl").write_text(json.dumps({"context": "a " * 90, "choices": ["b" * 200, " c"], "answer": 0}) + "\n")
    r = regmix("eval", "--model", folder / "plain", "--tasks", folder / "long.jsonl", "--json")
    ok("an item longer than the context is scored", r.returncode == 0 and json.loads(r.stdout)["truncated"]["long"] == 1, r.stderr)
    r = regmix("logits", "--model", folder / "plain", "--out", folder / "x.npy", stdin="1 2\n300\n")
    ok("an id beyond the vocabulary", r.returncode == 1 and "standard input:2: the id 300" in r.stderr, r.stderr)
    r = regmix("logits", "--model", folder / "plain", "--out", folder / "x.npy", stdin="1 x\n")
    for line, at in ("1 2\0 5\n", 3), ("1 \0\n", 2), ("1 2 \0 3\n", 3):
        r = regmix("logits", "--model", folder / "plain", "--out", folder / "x.npy", stdin=line)
        ok(f"a NUL byte in {line!r}", r.returncode == 1 and f"number {at} of the line is not an id" in r.stderr, r.stderr)
    r = regmix("logits", "--model", folder / "plain", "--out", folder / "x.npy", stdin="1 x\n")
    ok("not an id", r.returncode == 1 and "number 2 of the line is not an id" in r.stderr, r.stderr)


def read_shard(path):
    data = path.read_bytes()
    n = 8 + int.from_bytes(data[:8], "little")
    return json.loads(data[8:n]), data[n:]


def write_shard(path, header, data):
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)


def test_lies(folder):
    """Models that are read but are not what they say: each is refused, and the message names what is wrong."""
    def refused(name, at, wanted, *commands):
        for command in commands or (("logits", "--out", folder / "x.npy"),):
            r = regmix(*command, "--model", at, stdin="1 2\n")
            ok(f"{name}: {command[0]}", r.returncode == 1 and wanted in r.stderr, r.stderr)

    (folder / "one.jsonl").write_text('{"context": "a", "choices": ["b", "c"], "answer": 0}\n')
    every = (("eval", "--tasks", folder / "one.jsonl"), ("generate", "--tokens", 2, "a"), ("logits", "--out", folder / "x.npy"),
             ("export", "--to", "gguf", "--out", folder / "x.gguf"))
    for bad in "nan", "inf", "-inf":
        at = folder / f"weight{bad}"
        _, w = make_model(at)
        w["model.norm.weight"][3] = float(bad)
        for dtype in (torch.float32, torch.bfloat16, torch.float16):
            write_safetensors(at / "model.safetensors", w, dtype)
            refused(f"a weight that is {bad}", at, 'of tensor "model.norm.weight" are NaN or infinite', *(every if dtype == torch.float32 else ()))
    at = folder / "more"
    _, w = make_model(at)
    write_safetensors(at / "model.safetensors", {**w, "foo.bar": torch.ones(2)}, torch.float32)
    refused("one more tensor", at, 'does not have: "foo.bar"')
    write_safetensors(at / "model.safetensors", {**w, "lm_head.weight": torch.ones(257, 32, 1)}, torch.float32)
    refused("three dimensions", at, "has the shape 257 x 32 x 1, config.json wants 257 x 32")
    at = folder / "shards"
    make_model(at, shards=2)
    index = json.loads((at / "model.safetensors.index.json").read_text())
    for name, change in ("another shard", lambda m: m.update({"model.norm.weight": "model-00001-of-00002.safetensors"})), \
            ("and none", lambda m: m.pop("model.norm.weight")), ("one that is not there", lambda m: m.update({"x": "model-00001-of-00002.safetensors"})):
        tree = json.loads(json.dumps(index))
        was = tree["weight_map"]["model.norm.weight"]
        if name == "another shard" and was.startswith("model-00001"):
            tree["weight_map"]["model.norm.weight"] = "model-00002-of-00002.safetensors"
        else:
            change(tree["weight_map"])
        (at / "model.safetensors.index.json").write_text(json.dumps(tree))
        refused(f"an index that names {name}", at, "the index says")
    at = folder / "pickled"
    make_model(at)
    (at / "model.safetensors").rename(at / "pytorch_model.bin")
    refused("a model of PyTorch's own format", at, "convert them to safetensors")


def test_generate(folder):
    run = [regmix("generate", "--model", folder / "plain", "--tokens", 20, "--seed", s, "--json", "ab") for s in (1, 1, 2)]
    texts = [json.loads(r.stdout)["text"] for r in run if r.returncode == 0]
    ok("the same seed gives the same text", len(texts) == 3 and texts[0] == texts[1] != texts[2], run[0].stderr)


# ---- GGUF ---------------------------------------------------------------------------------------------------

def read_gguf(path):
    """Keys and tensors of a GGUF file, by its specification."""
    data, at = path.read_bytes(), 24

    def number(fmt):
        nonlocal at
        value = struct.unpack_from("<" + fmt, data, at)[0]
        at += struct.calcsize(fmt)
        return value

    def text():
        nonlocal at
        n = number("Q")
        at += n
        return data[at - n:at].decode()

    def value(kind):
        if kind == 9:
            kind, n = number("I"), number("Q")
            return [value(kind) for _ in range(n)]
        return text() if kind == 8 else number({4: "I", 5: "i", 6: "f", 7: "?"}[kind])

    magic, version, n, keys = struct.unpack_from("<4sIQQ", data)
    assert (magic, version) == (b"GGUF", 3)
    found = {text(): value(number("I")) for _ in range(keys)}
    infos = [(text(), [number("Q") for _ in range(number("I"))], number("I"), number("Q")) for _ in range(n)]
    start = (at + 31) // 32 * 32
    tensors = {}
    for name, shape, kind, offset in infos:
        count, where = math.prod(shape), start + offset
        if kind == 8:
            blocks = np.frombuffer(data, np.dtype([("d", "<f2"), ("q", "i1", 32)]), count // 32, where)
            x = blocks["d"].astype(np.float32)[:, None] * blocks["q"]
        elif kind == 30:
            x = (np.frombuffer(data, "<u2", count, where).astype(np.uint32) << 16).view(np.float32)
        else:
            x = np.frombuffer(data, {0: "<f4", 1: "<f2"}[kind], count, where).astype(np.float32)
        tensors[name] = x.reshape(shape[::-1])
    return found, tensors


def test_gguf(folder):
    config, w = make_model(folder / "gguf", num_key_value_heads=2)
    theirs = {"token_embd": "model.embed_tokens", "output": "lm_head", "output_norm": "model.norm"}
    for i in range(2):
        for a, b in {"attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj", "attn_v": "self_attn.v_proj",
                     "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm", "ffn_gate": "mlp.gate_proj",
                     "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj"}.items():
            theirs[f"blk.{i}.{a}"] = f"model.layers.{i}.{b}"
    for kind, limit in ("f32", 0), ("f16", 1e-3), ("bf16", 1e-2), ("q8_0", 1e-2):
        r = regmix("export", "--model", folder / "gguf", "--to", "gguf", "--type", kind, "--out", folder / "m.gguf")
        if r.returncode:
            ok(f"GGUF {kind}", False, r.stderr)
            continue
        keys, tensors = read_gguf(folder / "m.gguf")
        worst = 0.0
        for a, b in theirs.items():
            x = w[b + ".weight"]
            if a.endswith(("attn_q", "attn_k")):  # neighbouring channels are turned there
                x = x.view(-1, 2, 4, 32).transpose(1, 2).reshape(x.shape)
            worst = max(worst, float(np.abs(tensors[a + ".weight"] - x.numpy()).max()))
        good = worst <= limit and len(tensors) == len(theirs) and keys["llama.attention.head_count_kv"] == 2
        ok(f"GGUF {kind}", good and len(keys["tokenizer.ggml.tokens"]) == 257 and keys["tokenizer.ggml.pre"] == "gpt-2", (worst, keys))
    r = regmix("export", "--to", "gguf", "--out", folder / "n.gguf")
    ok("GGUF of no model", r.returncode == 2 and "--model DIR is missing" in r.stderr, r.stderr)
    (folder / "alone").mkdir()
    for name in ("config.json", "model.safetensors"):
        (folder / "alone" / name).write_bytes((folder / "gguf" / name).read_bytes())
    r = regmix("export", "--model", folder / "alone", "--to", "gguf", "--out", folder / "n.gguf")
    ok("GGUF without a tokenizer", r.returncode == 1 and "no tokenizer.json there" in r.stderr, r.stderr)
    tokenizer = json.loads((folder / "gguf" / "tokenizer.json").read_text())
    tokenizer["normalizer"] = {"type": "NFC"}
    (folder / "gguf" / "tokenizer.json").write_text(json.dumps(tokenizer))
    r = regmix("export", "--model", folder / "gguf", "--to", "gguf", "--out", folder / "n.gguf")
    ok("GGUF of a tokenizer that llama.cpp has not", r.returncode == 1 and "normalizes text" in r.stderr and not (folder / "n.gguf").exists(), r.stderr)


with tempfile.TemporaryDirectory(prefix="regmix-models-") as scratch:
    test_logits(Path(scratch))
    test_scores(Path(scratch))
    test_texts(Path(scratch))
    test_errors(Path(scratch))
    test_lies(Path(scratch))
    test_generate(Path(scratch))
    test_gguf(Path(scratch))
print(f"1..{count}")
