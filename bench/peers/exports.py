#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""exports.py REGMIX CHECKOUTS: gives each export to the code of the trainer that reads it.

CHECKOUTS is a folder with source trees of the trainers, named as in TRAINERS below; one that is missing is skipped by name.
Nothing of them is installed: functions and classes that read a mixture are taken out of their files and run with what
they import replaced. Where that cannot be done, the names and keyword arguments of the export are looked up in their
definitions. Needs PyYAML and numpy (Debian: python3-yaml, python3-numpy). Exit status 1: some export is not read.
"""
import ast
import dataclasses
import json
import math
import os
import shlex
import subprocess
import sys
import tempfile
import types
import typing
from pathlib import Path

import numpy
import yaml

WEIGHTS = {"web": 0.7, "code": 0.2, "books": 0.0996, "rare": 0.0004}
TOKENS = {"web": 1e12, "code": 1e10, "books": 3e10, "rare": 1e6}
BUDGET, LENGTH = 200e9, 4096


def export(regmix, to):
    with tempfile.TemporaryDirectory() as folder:
        mixture, tokens = Path(folder, "mixture.json"), Path(folder, "tokens.yaml")
        mixture.write_text(json.dumps(WEIGHTS))
        tokens.write_text(yaml.safe_dump(TOKENS))
        return subprocess.run([regmix, "export", "-q", "--to", to, "--mixture", mixture, "--prefix", "/data/", "--tokens", tokens,
                               "--budget", str(int(BUDGET)), "--sequence-length", str(LENGTH)],
                              check=True, capture_output=True, text=True).stdout


class Anything(types.ModuleType):
    """Stands for a module that is not there: any attribute is another one."""

    def __getattr__(self, name):
        return Anything(name) if not name.startswith("__") else super().__getattribute__(name)

    def __call__(self, *args, **kwargs):
        return args[0] if len(args) == 1 and callable(args[0]) else self


def definitions(path, *names, given=()):
    """Functions, classes and constants of a file by name, run alone."""
    tree = ast.parse(path.read_text())
    wanted = [node for node in tree.body
              if getattr(node, "name", None) in names
              or isinstance(node, ast.Assign) and getattr(node.targets[0], "id", None) in names]
    found = {getattr(node, "name", None) or node.targets[0].id for node in wanted}
    assert found == set(names), f"{path}: no {set(names) - found}"
    space = {**vars(typing), "dataclass": dataclasses.dataclass, "field": dataclasses.field, "json": json, "np": numpy, "math": math,
             "cast": lambda _, x: x, "log": Anything("log"), "logger": Anything("logger"), "os": os, **dict(given)}
    exec(compile(ast.Module([ast.parse("from __future__ import annotations").body[0], *wanted], []), str(path), "exec"), space)
    return [space[name] for name in names]


def keywords(path, name):
    """Keyword arguments that a class or function of a file takes, its bases in the same file included; None: any."""
    parts = name.split(".")
    tree = ast.parse(path.read_text())
    scope, node = tree.body, None
    for part in parts:
        node = next((n for n in scope if getattr(n, "name", None) == part), None)
        if node is None and part == "Config" and parts[-1] == "Config":
            return keywords(path, parts[0] + "Config")  # Config: ClassVar = <Name>Config
        assert node is not None, f"{path}: no {name}"
        scope = node.body
    if isinstance(node, ast.FunctionDef):
        return {a.arg for a in node.args.args + node.args.kwonlyargs}
    init = next((n for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__"), None)
    if init:
        return {a.arg for a in init.args.args + init.args.kwonlyargs} - {"self"}
    found = {n.target.id for n in node.body if isinstance(n, ast.AnnAssign)}
    for base in node.bases:
        if any(getattr(n, "name", None) == getattr(base, "id", "") for n in tree.body):
            found |= keywords(path, base.id)
    return found


def check_python(text, package, places):
    """Every imported name is defined where `places` says, and takes the keyword arguments it is given."""
    tree = ast.parse(text)
    imported = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert imported == {p.split(".")[0] for p in places if "." not in p}, imported
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = ast.unparse(node.func)
        place = places.get(name)
        if place is None:
            assert name.split(".")[0] not in imported, f"{name} is called, and nothing says where it is"
            continue
        file, inner = place
        used, taken = {k.arg for k in node.keywords}, keywords(package / file, inner)
        assert used <= taken, f"{name} does not take {used - taken}"


def sources_of(text):
    tree = ast.parse(text)
    return next(ast.literal_eval(n.value) for n in tree.body if isinstance(n, ast.Assign) and n.targets[0].id == "SOURCES")


def same(weights):
    assert weights == {f"/data/{name}": w for name, w in WEIGHTS.items()}, weights


# ---- one function a trainer: (text of the export, checkout)


def olmo_core(texts, repo):
    class Config:
        pass

    given = {"Config": Config, "OLMoConfigurationError": ValueError, "PathOrStr": str}
    path = repo / "src/olmo_core/data/source_mixture.py"
    source, sources, details, dataset = definitions(path, "SourceMixtureConfig", "SourceMixtureList", "SourceTokenDetails",
                                                    "SourceMixtureDatasetConfig", given=given)
    mixture = sources([source(**s) for s in yaml.safe_load(texts["olmo-core"])["sources"]])
    same({s.paths[0]: s.target_ratio for s in mixture.sources})
    for s in mixture.sources:
        s.validate()
        s._resolved_paths = s.paths

    class Built(Exception):
        pass

    def details_of_path(*_, **__):
        raise Built  # past the check for too few tokens

    dataset._count_tokens_for_paths = lambda self, paths, source, npdtype: int(TOKENS[source])
    dataset.get_paths_and_tokens_for_source = details_of_path
    try:
        dataset(source_list=mixture, requested_tokens=int(BUDGET), global_batch_size=LENGTH, render_tables=False).build(
            npdtype=None, sequence_length=LENGTH)
    except Built:
        pass
    composable = "src/olmo_core/data/composable/"
    check_python(texts["olmo-core-composable"], repo / composable, {
        "ConcatAndChunkInstanceSource": None, "MixingInstanceSource": None, "NumpyDocumentSource": None,
        "MixingInstanceSource.Config": ("mixing_instance_source.py", "MixingInstanceSourceConfig"),
        "MixingInstanceSource.Spec.Config": ("mixing_instance_source.py", "MixingInstanceSourceSpecConfig"),
        "ConcatAndChunkInstanceSource.Config": ("concat_and_chunk_instance_source.py", "ConcatAndChunkInstanceSourceConfig"),
        "NumpyDocumentSource.Config": ("numpy_document_source.py", "NumpyDocumentSourceConfig")})
    same({path: w for _, path, w, _ in sources_of(texts["olmo-core-composable"])})


def blend(repo, file, texts):
    """Megatron-LM's and Megatron Bridge's reading of the three forms."""
    core = repo.parent / "Megatron-LM/megatron/core/datasets/utils.py"  # Bridge imports it from there
    from_list, = definitions(core, "get_blend_from_list", given={"log_single_rank": Anything("log"), "logging": Anything("logging")})
    read, = definitions(repo / file, "get_blend_and_blend_per_split", given={"get_blend_from_list": from_list, "maybe_msc": types.SimpleNamespace(open=open)})
    with tempfile.TemporaryDirectory() as folder:
        args, splits = Path(folder, "args"), Path(folder, "splits.json")
        args.write_text(texts["megatron-args"])
        splits.write_text(texts["megatron-json"])

        def call(**k):
            if "bridge" in file:
                return read(**k)
            return read(types.SimpleNamespace(**{"data_path": k.get("data_paths"), "data_args_path": k.get("data_args_path"),
                                                 "per_split_data_args_path": k.get("per_split_data_args_path"), "train_data_path": None,
                                                 "valid_data_path": None, "test_data_path": None}))

        for got in (call(data_paths=texts["megatron"].split())[0], call(data_args_path=str(args))[0],
                    call(per_split_data_args_path=str(splits))[1][0]):
            same(dict(zip(*got)))


def megatron_lm(texts, repo):
    files = [f for f in (repo / "megatron/training").rglob("*.py") if "def get_blend_and_blend_per_split(" in f.read_text()]
    blend(repo, str(files[0].relative_to(repo)), texts)


def megatron_bridge(texts, repo):
    blend(repo, "src/megatron/bridge/data/loaders.py", texts)
    space = {}
    exec(texts["megatron-bridge"], space)
    config = types.SimpleNamespace(dataset=types.SimpleNamespace())
    space["set_mixture"](config)
    same(dict(zip(*config.dataset.blend)))


def maxtext(texts, repo):
    seen = {}

    class IterDataset:
        @staticmethod
        def mix(datasets, weights):
            seen.update(weights)

    grain = Anything("grain")
    grain.IterDataset = IterDataset
    read, = definitions(repo / "src/maxtext/input_pipeline/grain_data_processing.py", "get_datasets",
                        given={"grain": grain, "futures": __import__("concurrent.futures").futures,
                               "find_data_files": lambda pattern, **_: [pattern], "_apply_mapdataset_transforms": lambda d, *_, **__: d})
    with tempfile.NamedTemporaryFile("w", suffix=".json") as f:
        f.write(texts["maxtext"])
        f.flush()
        read("", "arrayrecord", True, 0, 1, None, 0, 1, 1, 1, 1, 2, mixture_config_path=f.name)
    assert all(math.isclose(seen[n], w) for n, w in WEIGHTS.items()), seen


def levanter(texts, repo):
    data = yaml.safe_load(texts["levanter"])["data"]
    text = repo / "src/levanter/data/text.py"
    fields = keywords(text, "LMMixtureDatasetConfig")
    assert set(data) <= fields, set(data) - fields
    for config in data["configs"].values():
        assert set(config) <= keywords(text, "UrlDatasetSourceConfig"), config
    assert data["train_weights"] == WEIGHTS
    mixture = ast.parse((repo / "src/levanter/data/mixture.py").read_text())
    method = next(n for c in mixture.body if isinstance(c, ast.ClassDef) for n in c.body
                  if getattr(n, "name", "") == "_compute_expected_counts_per_block")
    space = {"np": numpy, "warnings": Anything("warnings"), "logger": Anything("logger"), "dict": dict}
    exec(compile(ast.Module([method], []), "mixture.py", "exec"), space)
    holder = types.SimpleNamespace(datasets=WEIGHTS, dataset_index=list(WEIGHTS))
    counts = space["_compute_expected_counts_per_block"](holder, WEIGHTS, data["mixture_block_size"])
    assert (counts > 0).all() and counts.sum() == data["mixture_block_size"] < 2**16, counts


def streaming(texts, repo):
    data = yaml.safe_load(texts["streaming"])
    assert data.pop("epoch_size") == math.ceil(BUDGET / LENGTH)
    assert "epoch_size" in keywords(repo / "streaming/base/dataset.py", "StreamingDataset")
    for name, stream in data["streams"].items():
        assert set(stream) <= keywords(repo / "streaming/base/stream.py", "Stream"), stream
        assert stream["proportion"] == WEIGHTS[name]


def torchtitan(texts, repo):
    data = "torchtitan/components/data/"
    check_python(texts["torchtitan"], repo, {
        "ConcatThenSplitPackingConfig": (data + "packing.py", "ConcatThenSplitPackingConfig"),
        "DatasetMixConfig": (data + "dataset.py", "DatasetMixConfig"), "GrainDataLoader": None,
        "GrainDataLoader.Config": (data + "loader.py", "GrainDataLoader.Config"), "HuggingFaceStreamingSource": None,
        "HuggingFaceStreamingSource.Config": (data + "sources.py", "HuggingFaceStreamingSource.Config"),
        "SingleDatasetConfig": (data + "dataset.py", "SingleDatasetConfig"),
        "WeightedDataset": (data + "dataset.py", "WeightedDataset"), "TextProcessor": None,
        "TextProcessor.Config": ("torchtitan/hf_datasets/text_datasets.py", "TextProcessor.Config")})
    exported = ast.literal_eval(next(n.value for n in ast.parse((repo / data / "__init__.py").read_text()).body
                                     if isinstance(n, ast.Assign)))
    assert {"DatasetMixConfig", "WeightedDataset", "GrainDataLoader"} <= set(exported)
    same({path: w for _, path, w in sources_of(texts["torchtitan"])})


def litdata(texts, repo):
    streaming_files = "src/litdata/streaming/"
    for name, file in (("CombinedStreamingDataset", "combined.py"), ("StreamingDataset", "dataset.py"), ("TokensLoader", "item_loader.py")):
        used = {"CombinedStreamingDataset": {"datasets", "weights", "seed", "iterate_over_all"},
                "StreamingDataset": {"input_dir", "item_loader", "shuffle", "drop_last"}, "TokensLoader": {"block_size"}}[name]
        assert used <= keywords(repo / streaming_files / file, name), name

    # Their iterator over ours: the smallest source ends many times, the mixture never.
    class StreamingDataset:
        def __init__(self, input_dir, **_):
            self.name, self.epoch = input_dir, 0
            self.n = {"/data/rare": 3, "/data/books": 10}.get(input_dir, 100)

        def __iter__(self):
            self.at = 0
            return self

        def __next__(self):
            if self.at == self.n:
                self.epoch += 1
                raise StopIteration
            self.at += 1
            return self.name

    iterator, batching = definitions(repo / streaming_files / "combined.py", "_CombinedDatasetIterator", "BatchingMethod",
                                     given={"random": __import__("random"), "deepcopy": __import__("copy").deepcopy, "Iterator": object,
                                            "emit_trace": Anything("trace"), "CAT_EPOCH": "", "__NUM_SAMPLES_YIELDED_KEY__": "",
                                            "__SAMPLES_KEY__": "", "BatchingMethodType": str, "Sequence": typing.Sequence})
    space = {"StreamingDataset": StreamingDataset, "TokensLoader": Anything("t"), "CombinedStreamingDataset": lambda **k: k}
    exec("\n".join(line for line in texts["litgpt"].splitlines() if not line.startswith("from ")), space)
    mixed = space["mixed_dataset"](LENGTH)
    it = iterator(mixed["datasets"], 42, mixed["weights"], False, None, 1, batching.STRATIFIED, False)
    drawn = [next(it) for _ in range(20000)]
    for name, w in WEIGHTS.items():
        assert abs(drawn.count(f"/data/{name}") / 20000 - w) < 0.02, name


def trl(texts, repo):
    config, = definitions(repo / "trl/scripts/utils.py", "DatasetConfig")
    same({d.path: d.fraction for d in (config(**entry) for entry in yaml.safe_load(texts["trl"])["datasets"])})


def torchtune(texts, repo):
    entries = yaml.safe_load(texts["torchtune"])["datasets"]
    same({d["source"]: d["weight"] for d in entries})
    theirs = yaml.safe_load((repo / "recipes/configs/dev/11B_lora_multi_dataset.yaml").read_text())["datasets"]
    assert set(entries[0]) <= set(theirs[0]), set(entries[0]) - set(theirs[0])


def axolotl(texts, repo):
    entries = yaml.safe_load(texts["axolotl"])["datasets"]
    fields = keywords(repo / "src/axolotl/utils/schemas/datasets.py", "SFTDataset")
    tokens = dict.fromkeys(WEIGHTS, 0)
    for e in entries:
        assert set(e) <= fields, set(e) - fields
        name = e["path"].removeprefix("/data/")
        tokens[name] += TOKENS[name] / e.get("shards", 1)
    assert all(abs(tokens[n] / BUDGET / w - 1) < 0.03 or w * BUDGET / TOKENS[n] > 1000 for n, w in WEIGHTS.items()), tokens


def open_lm(texts, repo):
    words = shlex.split(texts["dclm"])
    tree = ast.parse((repo / "open_lm/params.py").read_text())
    options = {n.args[0].value: {k.arg: ast.unparse(k.value) for k in n.keywords} for n in ast.walk(tree)
               if isinstance(n, ast.Call) and getattr(n.func, "attr", "") == "add_argument" and isinstance(n.args[0], ast.Constant)}
    at = words.index("--train-data-mix-weights")
    assert options["--dataset-manifest"]["nargs"] == "'+'" and options["--train-data-mix-weights"]["nargs"] == "'+'"
    same(dict(zip(words[1:at], map(float, words[at + 1:]))))


def datasets(texts, repo):
    assert {"probabilities", "seed", "stopping_strategy"} <= keywords(repo / "src/datasets/combine.py", "interleave_datasets")
    iterable = ast.parse((repo / "src/datasets/iterable_dataset.py").read_text())
    methods = {n.name: n for c in iterable.body if getattr(c, "name", "") == "IterableDataset" for n in c.body if hasattr(n, "name")}
    assert "Optional" in ast.unparse(methods["repeat"].args.args[1].annotation) and "take" in methods
    same({path: w for _, path, w in sources_of(texts["huggingface"])})


def regmix_authors(texts, repo):
    source = (repo / "model_training/pretrain/tinyllama.py").read_text()
    start = source.index("            config = yaml.safe_load(f)")
    loading = source[source.index("            if \"data_seed\"", start):source.index("            # see if any local variable", start)]
    space = {"config": yaml.safe_load(texts["regmix"])}
    exec("if True:\n" + loading, space)
    assert dict(space["train_data_config"]) == WEIGHTS and len(space["val_data_config"]) == len(WEIGHTS)


TRAINERS = {"OLMo-core": olmo_core, "Megatron-LM": megatron_lm, "Megatron-Bridge": megatron_bridge, "maxtext": maxtext,
            "levanter": levanter, "streaming": streaming, "torchtitan": torchtitan, "litData": litdata, "trl": trl,
            "torchtune": torchtune, "axolotl": axolotl, "open_lm": open_lm, "datasets": datasets, "regmix": regmix_authors}
FORMATS = ["olmo-core", "olmo-core-composable", "megatron", "megatron-args", "megatron-json", "megatron-bridge", "maxtext", "levanter",
           "streaming", "torchtitan", "litgpt", "trl", "torchtune", "axolotl", "dclm", "huggingface", "regmix"]


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    texts = {to: export(sys.argv[1], to) for to in FORMATS}
    failed = 0
    for name, check in TRAINERS.items():
        repo = Path(sys.argv[2], name)
        if not repo.is_dir():
            print(f"{name:16} skipped: no {repo}")
            continue
        try:
            check(texts, repo)
            print(f"{name:16} reads it")
        except Exception as error:  # whatever a trainer's code raises is the answer
            failed += 1
            print(f"{name:16} FAILS: {type(error).__name__}: {error}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
