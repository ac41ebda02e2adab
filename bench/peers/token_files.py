#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""token_files.py REGMIX EXPERIMENT indexed_dataset.py: exports the corpus of an experiment, and holds the files against
other programs: the bytes against Megatron-LM's own writer (its file megatron/core/datasets/indexed_dataset.py) and NumPy's, the ids
against what nanoGPT and OLMo-core read with NumPy. Then each export is prepared as a corpus again: the ids must be the same.
Needs NumPy.
"""
import json
import os
import subprocess
import sys
import tempfile
import types
from collections import Counter

import numpy


def megatron(path):
    """The names in Megatron-LM's file. What it imports and does not need for writing is replaced."""
    for name in ["torch", "megatron", "megatron.core", "megatron.core.datasets", "megatron.core.datasets.object_storage_utils",
                 "megatron.core.msc_utils", "megatron.core.utils"]:
        sys.modules[name] = module = types.ModuleType(name)
        module.__getattr__ = lambda attribute: type(attribute, (), {})
    sys.modules["torch"].utils = types.SimpleNamespace(data=types.SimpleNamespace(Dataset=object))
    msc = sys.modules["megatron.core.msc_utils"]
    msc.MultiStorageClientFeature = types.SimpleNamespace(is_enabled=lambda: False)
    msc.maybe_msc = types.SimpleNamespace(open=open, os=os)
    names = {"__name__": "indexed_dataset"}
    exec(compile(open(path).read(), path, "exec"), names)
    return names


def ids_of(path):
    head = open(path, "rb").read(64)
    return numpy.fromfile(path, dtype="<u%d" % int.from_bytes(head[12:16], "little"), offset=64)


def ends_of(ids, end_of_text):
    ends = list(numpy.flatnonzero(ids == end_of_text) + 1)
    return ends if ends and ends[-1] == len(ids) else ends + [len(ids)]


def documents(ids, end_of_text):
    ends = ends_of(ids, end_of_text)
    return Counter(ids[a:b].astype("<u4").tobytes() for a, b in zip([0] + ends, ends))


def same_bytes(a, b):
    return open(a, "rb").read() == open(b, "rb").read()


regmix, experiment, source = map(os.path.abspath, sys.argv[1:4])
names = megatron(source)
corpus = json.load(open(f"{experiment}/corpus/corpus.json"))
end_of_text, vocab = corpus["end_of_text"], corpus["vocab"]
failed = checked = 0
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)

    def check(what, good):
        global failed, checked
        checked += 1
        if not good:
            failed += 1
            print("not ok -", what)
    for kind in ("megatron", "nanogpt", "olmo", "npy"):
        subprocess.run([regmix, "export", "-q", "-C", experiment, "--token-files", kind, "--out", kind], check=True)
    width = numpy.uint16 if vocab <= 65536 else numpy.uint32
    for domain in corpus["domains"]:
        for split in ("train", "valid"):
            path = f"{experiment}/corpus/{domain['name']}/{split}.bin"
            if not os.path.exists(path):
                continue
            ids, name = ids_of(path), f"{split}/{domain['name']}"
            dtype = names["DType"].optimal_dtype(vocab)
            builder, start = names["IndexedDatasetBuilder"]("m.bin", dtype=dtype), 0
            for end in ends_of(ids, end_of_text):
                builder.data_file.write(ids[start:end].astype(dtype).tobytes())
                builder.sequence_lengths.append(end - start)
                builder.end_document()
                start = end
            builder.finalize("m.idx")
            for ending in ("bin", "idx"):
                check(f"Megatron's {name}.{ending}", same_bytes(f"m.{ending}", f"megatron/{name}.{ending}"))
            check(f"nanoGPT's {name}", (numpy.memmap(f"nanogpt/{name}.bin", dtype=width, mode="r") == ids).all())
            check(f"OLMo's {name}", (numpy.memmap(f"olmo/{name}.npy", dtype=width, mode="r") == ids).all())
            numpy.save("n.npy", ids.astype(width))
            check(f"NumPy's {name}", same_bytes("n.npy", f"npy/{name}.npy"))
    train = [d["name"] for d in corpus["domains"] if os.path.exists(f"{experiment}/corpus/{d['name']}/train.bin")]
    for kind in ("megatron", "nanogpt", "olmo", "npy"):
        os.makedirs(f"again-{kind}")
        with open(f"again-{kind}/regmix.yaml", "w") as f:
            json.dump({"corpus": {"tokenizer": f"{work}/{kind}/tokenizer.json", "dedup": False, "overlap": 0, "domains": {
                name: {"files": [f"{work}/{kind}/train/{name}{'.npy' if kind in ('olmo', 'npy') else '.bin'}"]} for name in train}},
                "target": train[0]}, f)
        subprocess.run([regmix, "prepare", "-q", "-C", f"again-{kind}"], check=True)
        for name in train:
            got = sum((documents(ids_of(f"again-{kind}/corpus/{name}/{s}.bin"), end_of_text) for s in ("train", "valid")), Counter())
            check(f"{kind}: {name} again", got == documents(ids_of(f"{experiment}/corpus/{name}/train.bin"), end_of_text))
print(f"{checked - failed} passed, {failed} failed")
sys.exit(failed > 0)
