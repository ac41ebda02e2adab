#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_settings.py REGMIX: what each setting makes out of date.

A small experiment is run to its end. Then every key of the config is set to another value, and a
dry run says from which step on the work would be done again. A new key of the sections below needs
a row. Speaks TAP.
"""
import json
import math
import os
import re
import shutil
import sys

from small_experiment import Experiment, ok, tests

# The first step that a setting makes out of date: those after it are done again as well. The
# optimum is searched again after any change that it may depend on, which takes a moment.
FIRST_STEP = """
prepare   corpus.text_field=body corpus.separator=--- corpus.encoding=windows-1251 corpus.valid_fraction=0.1
prepare   corpus.max_valid_tokens=100 corpus.max_bytes=9k corpus.max_document=1M corpus.skip_bad=true corpus.dedup=false
prepare   corpus.near_duplicates=0.5 corpus.protect=a corpus.overlap=14 corpus.end_of_text=</s> corpus.vocab=301
prepare   corpus.tokenizer_bytes=9M corpus.tokenizer=other.json
optimize  corpus.max_overlap=0.25 corpus.leave_out=x corpus.min_probability=0.5 corpus.hosts=x.org corpus.max_hosts=21
optimize  corpus.max_domains=1001 corpus.folder=x
prepare   corpus.specials=tokens
sample    seed=43 sample.runs=9 sample.temper=0.25 sample.min_strength=0.05 sample.max_strength=2.5 sample.strengths=16
sample    sample.tries=101 sample.grid=1e-4 sample.cap_ratio=7.5 sample.max_epochs=5000 sample.min_coverage=0.05
sample    sample.phases=0.8,0.2 sample.domain_epochs=a=9000
optimize  sample.tree=false
train     proxy.layers=2 proxy.heads=1 proxy.width=20 proxy.ffn=33 proxy.context=17 proxy.tokens=3k proxy.batch_tokens=128
train     proxy.micro_tokens=128 proxy.lr=1e-3 proxy.min_lr=0.05 proxy.warmup=0.1 proxy.schedule=cosine proxy.beta1=0.8
train     proxy.beta2=0.9 proxy.eps=1e-9 proxy.weight_decay=0.2 proxy.clip=2 proxy.eval_tokens=64 proxy.eval_half=false
train     proxy.command=true proxy.model=micro
nothing   proxy.evals=1 proxy.checkpoint_s=30 proxy.threads=2 proxy.timeout=60 proxy.grace=5 proxy.may_fail=0.5
optimize  proxy.repeat=none proxy.trainer=regmix proxy.keep_models=true
fit       fit.regressor=gp fit.folds=4 fit.skip_missing=true fit.normalize=true fit.higher_is_better=a fit.lower_is_better=a
fit       ridge.alpha=0.5 ridge.sqrt=true exp.terms=2 power.own=false power.robust=true trees.rounds=10 trees.leaves=4
fit       trees.learning_rate=0.1 trees.min_data_in_leaf=2 trees.min_hessian=0.1 trees.max_bin=9 trees.min_data_in_bin=2
fit       trees.lambda_l1=1 trees.lambda_l2=1 trees.min_gain=1 trees.max_depth=3
optimize  optimize.method=simulate optimize.samples=9 optimize.top=9 optimize.strength=2 optimize.starts=3 optimize.guard=false
optimize  optimize.replicates=9 optimize.level=0.8 optimize.floor=a=0.1 optimize.cap=a=0.9 optimize.fix=a=0.2
optimize  optimize.share=a+b=0.2 optimize.ordered=a>=b optimize.drop_below=0.01 optimize.reference=x optimize.max_kl=0.1
optimize  optimize.kl_penalty=1 optimize.metric_group=g=exam optimize.no_worse=exam optimize.than=x optimize.worst=true
optimize  optimize.weigh=signal optimize.min_signal=0.5
optimize  target=a
nothing   jobs=2 isa=ref compare.human=x compare.budget=1M
"""

# What of the large models of 4 mixtures (the prior is the uniform one) with 2 seeds each `compare` would train: nothing, all, or the number.
LARGE_RUNS = """
all   large.layers=2 large.heads=1 large.width=20 large.ffn=33 large.context=17 large.tokens=3k large.batch_tokens=128
all   large.micro_tokens=128 large.lr=1e-3 large.min_lr=0.05 large.warmup=0.1 large.schedule=constant large.beta1=0.8
all   large.beta2=0.9 large.eps=1e-9 large.weight_decay=0.2 large.clip=2 large.eval_tokens=64 large.eval_half=true
all   large.model=micro large.command=true
none  large.evals=1 large.checkpoint_s=30 large.threads=2 large.timeout=60 large.grace=5 large.may_fail=0.5 large.trainer=regmix
4/12  compare.seeds=3
4/8   compare.first_seed=2
none  compare.against=prior
2/4   compare.against=single:b
"""
# Keys that other tests have (test_domains.sh, test_init.sh, test_methods.sh, test_tasks.sh). So they have the sections of the
# methods of `compare --methods`, which this experiment does not use.
ELSEWHERE = r"(proxy|large)\.init|corpus\.(domain_field|classifier|domains\..*)|compare\.methods|eval\..*|target\..*"

def rows(table):
    """(what, key, setting) of each cell."""
    for line in table.strip().splitlines():
        what, *settings = line.split()
        for setting in settings:
            yield what, setting.partition("=")[0], setting


def keys_of(path):
    """The keys of resolved.yaml, with dots."""
    above, found = [], []
    with open(path, encoding="utf-8") as f:
        for line in f:
            if m := re.match(r"( *)([\w.]+):(.*)", line):
                above = above[:len(m.group(1)) // 2] + [m.group(2)]
                found.append(".".join(above))
    return [k for k in found if not any(other.startswith(k + ".") for other in found)]


def test_settings(e):
    ok(e.would("run") == {"report": "would be written again, as always"} or not e.would("run"), "after a run nothing is to do", e.would("run"))
    seen = set()
    for step, key, setting in rows(FIRST_STEP):
        seen.add(key)
        would = e.would("run", setting)
        first = next(iter(would), "nothing") if isinstance(would, dict) else would
        ok(first == step, f"{setting}: {step} and what depends on it is out of date", f"got: {first}")
    for wanted, key, setting in rows(LARGE_RUNS):
        seen.add(key)
        would = e.would("compare", setting)
        what = would.get("compare", "none") if isinstance(would, dict) else would
        found = re.match(r"would train (\d+) of (\d+) runs", what)
        got = what if not found else "all" if found[1] == found[2] else f"{found[1]}/{found[2]}"
        ok(got == wanted, f"{setting}: {wanted} of the large models are out of date", f"got: {got}")
    sections = {k.partition(".")[0] for k in seen}
    e.put("byhand.json", json.dumps(e.read("runs/0001/result.json")))
    result = e.read("runs/0001/result.json")
    result["loss_nats"]["a"] += 1
    e.put("runs/0001/result.json", json.dumps(result))
    for settings, wanted in (((), "1 finished run, which took "), (("--set", "proxy.lr=1e-3"), "8 finished runs, which took ")):
        code, _, said = e.call("train", *settings)
        changed = "lr, " * bool(settings) + "the losses in runs/0001/result.json, by hand"
        ok(code == 1 and wanted in said and f"would no longer be used (changed: {changed}); " in said, f"what {changed} changes is said before anything is done", said)
    os.replace(f"{e.folder}/byhand.json", f"{e.folder}/runs/0001/result.json")
    missing = [k for k in keys_of(f"{e.folder}/resolved.yaml") if k not in seen and k.partition(".")[0] in sections and not re.fullmatch(ELSEWHERE, k)]
    ok(not missing, "every key of these sections has a row in a table of this test", f"without a row: {' '.join(missing)}")


# Of this experiment, as they have been since 0.2.0. Where one changes, finished work of users is
# done again: so a number in its hash must have been raised on purpose.
FINGERPRINTS = {
    ("corpus/corpus.json", "fingerprint"): "c2489f34b1834552",
    ("corpus/corpus.json", "tokenizer_fingerprint"): "583c08409140a97f",
    ("corpus/corpus.json", "tokenizer_hash"): "1373100e0886feb3",
    ("corpus/corpus.json", "hash"): "ddd19515912eb494",
    ("mixtures.json", "fingerprint"): "e3ff1283393b00bd",
    ("mixtures.json", "content"): "915038bd11be3914",
    ("runs/0001/result.json", "fingerprint"): "09e99a57d1437b5b",
}


# The keys of the files that other programs read, and of those that a later regmix reads.
RESULT = ("run status seed mixture model parameters lr steps tokens flops valid_flops wall_s tokens_per_s loss_nats bits_per_byte half epochs "
          "tokens_by_domain fingerprint made_by nats_hash")
KEYS = {
    "runs/0001/result.json": RESULT,
    "runs/0001/run.json": "corpus_hash vocab seed mixture training name corpus keep_model folder tokenizer end_of_text domains",
    "large/optimum/1/result.json": RESULT.replace(" half", "") + " model_hash",
    "corpus/corpus.json": "version vocab end_of_text tokenizer_hash hash fingerprint tokenizer_fingerprint domains lost content_hash",
    "mixtures.json": "fingerprint inputs content before",
    "large/comparison.json": "target seeds tokens rows made_by content_hash",
    "fit/fit.json": "version domains raw runs ids mixtures mean_mixture metrics options made_by tokens budget run_tokens tokenizer hashes half_agreement "
                    "content_hash",
}
MADE_BY = {"runs/0001/result.json": "version isa corpus", "large/comparison.json": "version seed", "fit/fit.json": "version seed fingerprint inputs"}


def test_keys(e):
    for file, wanted in KEYS.items():
        missing = set(wanted.split()) - set(e.read(file))
        ok(not missing, f"{file} has its keys", f"missing: {missing}; there are: {list(e.read(file))}")
    for file, wanted in MADE_BY.items():
        missing = set(wanted.split()) - set(e.read(file)["made_by"])
        ok(not missing, f"{file} says what made it", f"missing: {missing}; there are: {list(e.read(file)['made_by'])}")
    with open(f"{e.folder}/runs/0001/log.jsonl", encoding="utf-8") as f:
        lines = [json.loads(line) for line in f]
    result = e.read("runs/0001/result.json")
    steps = [x for x in lines if "loss_nats" in x]
    ok([x["step"] for x in steps] == list(range(1, result["steps"] + 1)) and steps[-1]["tokens"] == result["tokens"] == 256 * result["steps"], "log.jsonl has a line for each step", lines)
    ok(set(steps[0]) >= {"step", "tokens", "loss_nats", "lr", "grad_norm", "tokens_per_s", "wall_s"}, "of these numbers", steps[0])
    valid = [x for x in lines if "valid_nats" in x]
    ok(len(valid) == 2 and all(abs(x - result["loss_nats"][d]) < 1e-6 for d, x in valid[-1]["valid_nats"].items()) and valid[0]["step"] == result["steps"] // 2, "and one for each validation", valid)
    ok(abs(sum(result["tokens_by_domain"].values()) - result["tokens"]) <= 1, "the tokens of the domains sum to those of the run", result["tokens_by_domain"])
    corpus = {d["name"]: d for d in e.read("corpus/corpus.json")["domains"]}
    whole = {d: (corpus[d]["train_tokens"] - 1) // 16 * 16 for d in result["epochs"]}  # of sequences of 16
    wrong = {d: x for d, x in result["epochs"].items() if abs(x - result["tokens_by_domain"][d] / whole[d]) > 1e-9}
    ok(not wrong, "epochs are tokens read over tokens of whole sequences", wrong)
    wrong = {d: x for d, x in result["bits_per_byte"].items()
             if abs(x - result["loss_nats"][d] / math.log(2) * corpus[d]["valid_tokens"] / corpus[d]["valid_bytes"]) > 0.05 * x}
    ok(not wrong, "bits per byte are nats per token, the tokens' length and log 2", wrong)


def test_fingerprints(e):
    for (file, key), wanted in FINGERPRINTS.items():
        got = e.read(file).get(key)
        ok(got == wanted, f"{key} of {file} is what it was", got)
    fit, corpus = e.read("fit/fit.json"), e.read("corpus/corpus.json")
    domains = [d for d in corpus["domains"] if not d["valid_only"]]
    wanted = {"tokens": [d["train_tokens"] for d in domains], "budget": 2000, "run_tokens": 2000, "tokenizer": corpus["tokenizer_hash"],
              "domains": [d["name"] for d in domains], "runs": 8}
    got = {k: fit.get(k) for k in wanted}
    ok(got == wanted, "a fit knows the tokens of its experiment", got)
    e.call("fit", "-q", "--out", "other", "--budget", "9k", "--run-tokens", "3k")
    got = {k: e.read("other/fit.json").get(k) for k in ("budget", "run_tokens", "tokens")}
    ok(got == {"budget": 9000, "run_tokens": 3000, "tokens": wanted["tokens"]}, "or those that are given", got)


def test_text(e):
    """Files: their content counts, not their times or their place."""
    path = f"{e.folder}/text/a.jsonl"
    os.utime(path, (1, 1))
    ok("prepare" not in e.would("run"), "another time of a file changes nothing", e.would("run"))
    with open(path, "a", encoding="utf-8") as f:
        f.write('{"text": "one more"}\n')
    would = e.would("run")
    ok("prepare" in would, "another document does", would)
    with open(path, "rb+") as f:
        f.truncate(os.path.getsize(path) - len('{"text": "one more"}\n'))
    e.call("prepare", "-q")
    ok("prepare" not in e.would("run"), "without it the corpus is the old one", e.would("run"))


def test_estimate(e):
    """The counts and the time of a dry run, from runs of a known duration."""
    paths = e.results()
    for path in paths:
        with open(path, encoding="utf-8") as f:
            result = json.load(f)
        result["wall_s"] = 100.0
        with open(path, "w", encoding="utf-8") as f:
            json.dump(result, f)
    ok("train" not in e.would("run"), "how long a run took is no part of its question", e.would("run"))
    for path in paths[:3]:
        os.remove(path)

    def train(*settings):
        return e.would("train", *settings)["train"]

    wanted = "would train 3 of 8 runs (5 are done), in about 5 min 0 s (estimated from the finished runs)"
    ok(train() == wanted, "three runs of 100 s, one after the other", train())
    wanted = wanted.replace("5 min 0 s", "3 min 20 s")
    ok(train("jobs=2") == wanted, "two at a time take two rounds", train("jobs=2"))
    wanted = "would train 8 of 8 runs (0 are done); 5 of other settings would be set aside, in about 13 min 20 s (estimated from the finished runs)"
    ok(train("proxy.lr=1e-3") == wanted, "runs of other settings are an estimate as well", train("proxy.lr=1e-3"))
    for path in paths[3:]:
        os.remove(path)
    wanted = "would train 8 of 8 runs (0 are done); `regmix plan` estimates how long that takes"
    ok(train() == wanted, "without a finished run there is no estimate", train())


def all_tests(regmix, folder):
    e = Experiment(regmix, folder)
    code, _, said = e.call("run")
    if code:
        sys.exit(f"Bail out! the experiment does not run: {said}")
    done = ["prepare: the corpus is up to date", "sample: mixtures.csv is up to date", "train: all 8 runs are done", "fit: up to date",
            "optimize: up to date"]
    ok(not any(x in said for x in done), "a first run does every step", said)
    said = e.call("run")[2]
    ok(all(x in said for x in done), "a second one says which steps have nothing to do", said)
    shutil.copy(f"{e.folder}/tokenizer.json", f"{e.folder}/other.json")
    test_keys(e)
    test_fingerprints(e)
    test_settings(e)
    test_text(e)
    test_estimate(e)


if __name__ == "__main__":
    sys.exit(tests(all_tests))
