#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_check.py REGMIX: what `check` finds wrong, word for word, and what `plan` computes, against the formulas written again here.

Speaks TAP.
"""
import json
import math
import os
import re
import shutil
import sys

from small_experiment import Experiment, ok, tests

HAVE = "there are: a, b, c"
FEW = "%s.tokens: 47 tokens give 2 sequences of 16 tokens, fewer than the 3 domains; raise it"
CAPS = ("the caps of the domains' weights sum to %s, less than 1, so no mixture is possible: large.tokens is more than "
        "sample.max_epochs (%s) times the whole text; lower large.tokens or raise sample.max_epochs")
ONE = ('domain "%s": corpus.max_bytes is 10, so only 1 document is read, but it needs one for training and one for validation: '
       "raise corpus.max_bytes")
FIELD = ('text/%s.jsonl:1: "body" is missing (corpus.text_field names the field with the text); repair the line, or set '
         "corpus.skip_bad to skip such lines")
SHORT = 'domain "%s": its text has %d bytes, too few for one sequence of %d tokens (proxy.context)'
# Settings, and all problems that they are.
PROBLEMS = [
    ("", []),
    ("proxy.tokens=47", [FEW % "proxy"]),
    ("proxy.tokens=48", []),
    ("large.tokens=47", [FEW % "large"]),
    ("large.tokens=47 proxy.tokens=47", [FEW % "proxy", FEW % "large"]),
    ("proxy.tokens=47 proxy.command=true", []),
    ("corpus.max_bytes=10", [ONE % d for d in "abc"]),
    ("corpus.text_field=body", [FIELD % d for d in ("a", "b", "c", "exam")]),
    ("corpus.text_field=body,text", []),
    ("corpus.end_of_text=</s>", ['corpus.end_of_text: a tokenizer that is trained has no token "</s>", but "<|endoftext|>"; remove '
                                 "the setting, or set corpus.tokenizer to the tokenizer with this token"]),
    ("corpus.tokenizer=no.json", ["corpus.tokenizer: cannot read no.json: No such file or directory"]),
    ("corpus.tokenizer=other.json", []),
    ("corpus.tokenizer=other.json corpus.end_of_text=</s>",
     ['corpus.tokenizer: the tokenizer has no token "</s>"; set corpus.end_of_text to the token that ends a text; candidates: '
      "<|endoftext|>"]),
    ("corpus.protect=z", ['corpus.protect: unknown domain "z"; there are: a, b, c, exam']),
    ("target=exm", ['unknown target "exm"; did you mean "exam"?']),
    ("optimize.floor=z=0.1", [f'optimize.floor: --floor z=0.1: unknown domain "z"; {HAVE}']),
    ("optimize.cap=z=0.1", [f'optimize.cap: --cap z=0.1: unknown domain "z"; {HAVE}']),
    ("optimize.fix=z=0.1", [f'optimize.fix: --fix z=0.1: unknown domain "z"; {HAVE}']),
    ("optimize.floor=a=0.5 optimize.cap=a=0.5 optimize.fix=b=0.5", []),
    ("optimize.floor=a=0.6 optimize.cap=a=0.5", ["optimize: --floor a=0.6 and --cap a=0.5 cannot both be kept: loosen one"]),
    ("optimize.floor=a=0.6 optimize.floor=b=0.6", ["optimize: --floor a=0.6 and --floor b=0.6 sum to 1.2 > 1: lower one"]),
    ("optimize.share=x=0.1..0.2:a,z", [f'optimize.share: --share x=0.1..0.2: unknown domain "z"; {HAVE}']),
    ("optimize.share=x=0.1..0.2:a,b", []),
    ("optimize.ordered=a<z", [f'optimize.ordered: --ordered a<z: unknown domain "z"; {HAVE}']),
    ("optimize.ordered=a<b", []),
    ("optimize.than=good.yaml", ["optimize.than needs optimize.no_worse or optimize.worst"]),
    ("optimize.reference=good.yaml", ["optimize.reference needs optimize.max_kl or optimize.kl_penalty"]),
    ("optimize.replicates=10", ["optimize.replicates: 10 are too few for intervals; wanted 20 or more, or 0 for no intervals"]),
    ("optimize.replicates=0", []),
    ("target=a_val_loss target.a=1", ['target: "a" is given twice, once as "a"']),
    ("optimize.metric_group=two=a,b target=two", []),
    ("optimize.metric_group=two=a,z target=two", ['unknown target "z"; there are: a, b, c, exam']),
    ("optimize.metric_group=two=*_val_loss target=two", []),
    ("optimize.metric_group=two=x_* target=two", ['pattern "x_*" matches the loss of no domain (NAME_val_loss)']),
    ("optimize.metric_group=two=a,b target=two target.b=1", ['target: "b" is given twice, once as "b"']),
    ("optimize.metric_group=two=a,b optimize.metric_group=two=a,c target=two", ['metric group "two" is given twice, as "a,b" and as "a,c"; give it once, with all its metrics: two=a,b,a,c']),
    ("optimize.metric_group=two target=exam", ['metric group "two": wanted NAME=METRIC,METRIC,...']),
    ("optimize.no_worse=a=0.1 optimize.no_worse=b", []),
    ("optimize.no_worse=z=0.1", ['optimize.no_worse: unknown metric "z"; there are: a_val_loss, b_val_loss, c_val_loss, exam_val_loss']),
    ("fit.higher_is_better=a", []),
    ("fit.higher_is_better=*_acc", ['fit: higher_is_better "*_acc" matches none of the 4 metrics (a_val_loss, b_val_loss, c_val_loss, ...)']),
    ("fit.higher_is_better=a fit.lower_is_better=*_loss",
     ['fit: metric "a_val_loss" matches both higher_is_better "a" and lower_is_better "*_loss"']),
    ("optimize.worst=true optimize.than=no.yaml", ["optimize.than: no file no.yaml"]),
    ("optimize.max_kl=1 optimize.reference=no.yaml", ["optimize.reference: no file no.yaml"]),
    ("optimize.worst=true optimize.than=bad.yaml", ['optimize.than: bad.yaml:1: the weight of "a" is not a number']),
    ("optimize.worst=true optimize.than=good.yaml optimize.max_kl=1 optimize.reference=good.yaml", []),
    ("compare.against=prior compare.against=uniform compare.against=best_single compare.against=best_run compare.against=single:b compare.against=good.yaml", []),
    ("compare.against=pror", ['compare.against: no file "pror"; did you mean "prior"?']),
    ("compare.against=far_from_all", ["compare.against: no file far_from_all"]),
    ("compare.against=single:z", [f'compare.against: unknown domain "z"; {HAVE}']),
    ("compare.against=bad.yaml", ['compare.against: bad.yaml:1: the weight of "a" is not a number']),
    ("proxy.command=nosuch", ['proxy.command: no program "nosuch" on the PATH']),
    ("large.command=nosuch", ['large.command: no program "nosuch" on the PATH']),
    ("proxy.command=./no.sh", ["proxy.command: ./no.sh does not exist"]),
    ("proxy.command=plain.sh", ["proxy.command: plain.sh is not executable (chmod +x)"]),
    ("proxy.command=./plain.sh", ["proxy.command: ./plain.sh is not executable (chmod +x)"]),
    ("proxy.command=./runs.sh", []),
]
ONE_SIZE = "optimize.for: the runs have one size and one length; add a swarm of another (`swarms`), or remove the key"
RIDGE = 'fit.regressor: "ridge" fits runs of one size and length, but there are several swarms; use "auto" or "scaling"'
LEVEL = 'processor level "avx9" is unknown or not available here; available: '
BIG = "swarms: {big: {width: 24, runs: 4, tokens: 3k%s}}\n"
# Lines of regmix.yaml, what takes the place of what in it, and how all problems begin.
CONFIGS = [
    ("isa: avx9\n", (), ["isa: " + LEVEL]),
    ("isa: ref\n", (), []),
    ("", ("nano, context: 16, tokens: 2k", "nano, context: 16, tokens: 48"), []),
    ("", ("proxy: {layers: 1, heads: 2, width: 16", "proxy: {layers: 1, heads: 2, width: 15"), ["proxy: model: width 15 must be heads (2) times an even number"]),
    ("", ("large: {layers: 1, heads: 2, width: 16", "large: {layers: 1, heads: 2, width: 17"), ["large: model: width 17 must be heads (2) times an even number"]),
    ("", ("starts: 2", "starts: 2, for: '60M,1B'"), [ONE_SIZE]),
    ("", ("starts: 2", "starts: 2, for: 60M"), ["optimize.for: wanted SIZE,TOKENS, as in 1.2B,100G", ONE_SIZE]),
    (BIG % "", ("starts: 2", "starts: 2, for: '60M,1B'"), [RIDGE]),
    (BIG % "", ("regressor: ridge", "regressor: scaling"), []),
    (BIG % "", ("regressor: ridge", "regressor: auto"), []),
    ("swarms: {big: {width: 24, runs: 8, tokens: 3k}}\n", ("ridge", "auto"), []),
    (BIG % ", command: nosuch", ("ridge", "auto"), ['swarms.big.command: no program "nosuch" on the PATH']),
    (BIG % ", context: 1001", ("ridge", "auto"), ["swarms.big.tokens: 3000 tokens give 2 sequences of 1001 tokens, fewer than the 3 domains; raise it"]),
    ("swarms: {big: {width: 24, runs: 9, tokens: 3k}}\n", ("ridge", "auto"), ["swarms.big.runs: 9 runs, but there are 8 mixtures; raise sample.runs or lower it"]),
    ("swarms: {big: {width: 23, runs: 4, tokens: 3k}}\n", ("ridge", "auto"), ["swarms.big: model: width 23 must be heads (2) times an even number"]),
]
# Commands, and the program that is looked for; none: the shell's own, or too complex to tell.
COMMANDS = [("nosuch", 1), ("nosuch -v", 1), ("  nosuch", 1), ("A=1 nosuch", 1), ("A=1 B=2 nosuch x", 1), ("nosuch; true", 1), ("nosuch>log", 1),
            ("nosuch|cat", 1), ("nosuch&", 1), ("A=1", 0), ("A=1 true", 0), ("cd x && nosuch", 0), ("exec nosuch", 0), ("! nosuch", 0),
            ("if true; then nosuch; fi", 0), ("for i in 1; do nosuch; done", 0), ("$nosuch", 0), ("'nosuch'", 0), ("{ nosuch; }", 0), ("sh nosuch", 0),
            ("env nosuch", 0), ("=nosuch", 1)]


def test_problems(e):
    e.put("good.yaml", "{a: 0.5, b: 0.25, c: 0.25}\n")
    e.put("bad.yaml", "{a: zebra, b: 0.25, c: 0.25}\n")
    e.put("plain.sh", "#!/bin/sh\n")
    e.put("runs.sh", "#!/bin/sh\n")
    os.chmod(f"{e.folder}/runs.sh", 0o755)
    for settings, wanted in PROBLEMS:
        found = e.json("check", settings=settings.split())
        got = found if isinstance(found, str) else found["problems"]
        ok(got == wanted and found["ok"] == (not wanted), f"check {settings}: {len(wanted)} problems", got)
    for command, problems in COMMANDS:
        got = e.json("check", settings=[f"proxy.command={command}"])
        got = got if isinstance(got, str) else got["problems"]
        name = "=nosuch" if command.startswith("=") else "nosuch"
        ok(got == [f'proxy.command: no program "{name}" on the PATH'] * problems, f"the program of the command: {command}", got)


def test_configs(e):
    with open(f"{e.folder}/regmix.yaml", encoding="utf-8") as f:
        config = f.read()
    for lines, change, wanted in CONFIGS:
        e.put("c.yaml", (config.replace(*change) if change else config) + lines)
        found = e.json("check", "c.yaml")
        got = found if isinstance(found, str) else found["problems"]
        good = len(got) == len(wanted) and all(g.startswith(w) for g, w in zip(got, wanted))
        ok(good, f"check of a file, {lines.strip() or change[-1:]}: {len(wanted)} problems", got)
    # The scores of a task that eval.tasks names are targets; whatever else has a slash is not.
    e.put("quiz.jsonl", '{"query": "one", "choices": ["red1", "two2"], "gold": 0}\n')
    kinds = ("acc", "acc_norm", "perplexity", "bits_per_byte", "word_perplexity", "byte_perplexity")
    for target in (*(f"quiz/{kind}" for kind in kinds), "quiz/bpb", "quizz/acc"):
        got = e.json("check", settings=["eval.tasks=quiz.jsonl", f"target={target}"])
        got = got if isinstance(got, str) else got["problems"]
        ok((got == []) == (target.split("/")[0] == "quiz" and target.split("/")[1] in kinds), f"check target={target}", got)
    _, out, _ = e.call("check", "--json", before=("env", "REGMIX_ISA=avx9"))
    got = json.loads(out)["problems"]
    ok(len(got) == 1 and got[0].startswith("$REGMIX_ISA: " + LEVEL), "the level of the environment is checked", got)
    # A copy of the text and its tokens, 25 kB for each run, and the models of three mixtures.
    files = os.statvfs(e.folder)
    settings = ["large.layers=200", "large.width=1024", "compare.seeds=1000", "compare.against=prior", "compare.against=uniform"]
    weights = 4 * (2 * 300 * 1024 + 1024 + 200 * (4 * 1024 ** 2 + 3 * 1024 * FFN + 2 * 1024))
    got = e.json("check", settings=settings)["problems"]
    wanted = rf"\S+: about {3000 * weights / 1e12:.1f} TB of disk space are needed, but only [0-9.]+ [kMGT]B are free"
    if 3000 * weights > files.f_bavail * files.f_frsize:
        ok(len(got) == 1 and re.fullmatch(wanted, got[0]), "disk space that is missing is a problem", got)


def test_domains(e):
    sizes = {name: os.path.getsize(f"{e.folder}/text/{name}.jsonl") for name in ("a", "b", "c", "exam")}
    wanted = [{"name": name, "files": 1, "valid_files": 0, "bytes": size, "format": ".jsonl", "valid_only": name == "exam",
               "target": name == "exam", "ok": True} for name, size in sizes.items()]
    found = e.json("check")["domains"]
    ok(found == wanted, "the table of domains", found)
    for context, short in ((sizes["c"] - 1, ""), (sizes["c"], "c"), (max(sizes[d] for d in "abc"), "abc")):
        got = e.json("check", settings=[f"proxy.context={context}", "proxy.tokens=9M"])["problems"]
        ok(got == [SHORT % (d, sizes[d], context) for d in short], f"a sequence of {context} tokens is too long for: {short or 'none'}", got)
    # The caps of the weights, if each byte is a token: a problem; as long as tokens are by guess: a warning.
    train = sum(0.95 * sizes[d] for d in "abc")
    for epochs, tokens in ((4, 1e6), (2, 1e5), (2, 2 * train * 1.01), (2, 2 * train * 0.99), (2, 2 * train / 2.7 * 1.01), (2, 2 * train / 2.7 * 0.99)):
        settings = [f"sample.max_epochs={epochs}", f"large.tokens={tokens:.0f}"]
        caps = epochs * train / int(f"{tokens:.0f}")
        got, said = e.json("check", settings=settings)["problems"], e.call("check", *(x for s in settings for x in ("--set", s)))[2]
        ok(got == [CAPS % (f"{caps:.3g}", epochs)] * (caps < 1), f"check {' '.join(settings)}", got)
        warned = f"warning: by the sizes of the files, {CAPS % (f'{caps / 2.7:.3g}', epochs)}" in said
        ok(warned == (caps >= 1 > caps / 2.7), f"check {' '.join(settings)} warns only where the length of the tokens decides", said)
    e.put("one.yaml", "corpus: {domains: {a: text/a.jsonl, exam: {files: text/exam.jsonl, valid_only: true}}}\ntarget: exam\n")
    got = e.json("check", "one.yaml")["problems"]
    ok(got[0] == 'only one domain to train on ("a"): a mixture needs at least two', "one domain is no mixture", got)
    e.put("none.yaml", "corpus: {domains: {a: {files: text/a.jsonl, valid_only: true}, exam: {files: text/exam.jsonl, valid_only: true}}}\n")
    got = e.json("check", "none.yaml")["problems"]
    ok(got[:2] == ["no target is set; add one to the config, for example `target: a`", "no domain to train on: all domains are valid_only"],
       "neither a target nor a domain to train on", got)


# Of the config of small_experiment.py.
LAYERS, WIDTH, FFN, CONTEXT, BATCH = 1, 16, 32, 16, 256


def figures(e, runs, tokens=2000, vocab=300, evaluations=1, valid=1.0, bytes_a_token=2.7, max_bytes=0, eval_tokens=0, without_text=False,
            max_valid=200_000):
    """parameters, tokens of a run, FLOPs of a token, FLOPs."""
    parameters = 2 * vocab * WIDTH + WIDTH + LAYERS * (4 * WIDTH ** 2 + 3 * WIDTH * FFN + 2 * WIDTH)
    flop = 6 * (LAYERS * (4 * WIDTH ** 2 + 3 * WIDTH * FFN) + vocab * WIDTH) + 6 * LAYERS * CONTEXT * WIDTH
    each = math.ceil(tokens / BATCH) * BATCH
    validated = 0
    for d in e.json("check")["domains"]:
        size = min(d["bytes"], max_bytes or math.inf)
        n = 200_000 if without_text else (1 if d["valid_only"] else 0.05 * valid) * size / bytes_a_token
        n = min(n, max_valid) - 1
        validated += min(n, eval_tokens or math.inf)
    return parameters, each, flop / 1e9, runs * flop * (each + evaluations * validated / 3)


def test_plan(e):
    def near(a, b):
        return abs(a - b) <= 1e-9 * abs(b)

    with open(f"{e.folder}/other.json", encoding="utf-8") as f:
        other = {"bytes_a_token": 4.2, "vocab": len(json.load(f)["model"]["vocab"])}
    cases = [  # settings, what differs from the config, whether proxies and large models alike
        ([], {}, {}),
        (["proxy.tokens=2049", "large.tokens=9k"], {"tokens": 2049}, {"tokens": 9000}),
        (["proxy.eval_half=false", "large.evals=3"], {"evaluations": 1}, {"evaluations": 4}),
        (["proxy.eval_tokens=100"], {"eval_tokens": 100}, {}),
        (["corpus.vocab=9000"], {"vocab": 9000, "bytes_a_token": 4.2}, {"vocab": 9000, "bytes_a_token": 4.2}),
        (["corpus.tokenizer=other.json"], other, other),
        (["corpus.valid_fraction=0.1"], {"valid": 2}, {"valid": 2}),
        (["corpus.max_bytes=10k"], {"max_bytes": 10000}, {"max_bytes": 10000}),
        (["corpus.max_valid_tokens=1000"], {"max_valid": 1000}, {"max_valid": 1000}),
    ]
    for settings, proxies, large in cases:
        plan = e.json("plan", settings=settings)
        for what, differs, runs, half in (("proxies", proxies, 8, 1), ("large", large, 10, 0)):
            differs = {"evaluations": 1 + half, **differs}
            parameters, each, gflop, flops = figures(e, runs, **differs)
            o = plan[what]
            good = o["runs"] == runs and o["parameters"] == parameters and o["tokens_each"] == each and near(o["gflop_per_token"], gflop) and near(o["flops"], flops)
            ok(good, f"plan {' '.join(settings)}: parameters, tokens and FLOPs of {what}", f"{o}\nwanted {parameters} {each} {gflop} {flops}")
            weights = 4 * parameters
            disk = runs * 25e3 + 3 * weights if what == "proxies" else runs * (weights + 25e3)
            ok(near(o["disk_mib"], disk / 2 ** 20), f"plan {' '.join(settings)}: disk of {what}", o)
            ok(4 * weights < o["memory_mib"] * 2 ** 20 < 4e6 + 40 * weights, f"plan {' '.join(settings)}: memory of {what} has weights, gradients and moments", o)
            ok(0 < o["valid_seconds"] < o["seconds"] and o["jobs"] == o["threads"] == 1 and 0 < o["processors_had"] < 1.2, f"plan {' '.join(settings)}: times of {what}", o)
        size = sum(min(d["bytes"], 10000 if "corpus.max_bytes=10k" in settings else math.inf) for d in e.json("check")["domains"])
        tokens = size / (4.2 if "vocab=9" in str(settings) or "tokenizer=" in str(settings) else 2.7) * 2
        p = plan["prepare"]
        ok(p["bytes"] == size and near(p["seconds"], size / 40e6) and near(p["token_files_mib"], tokens / 2 ** 20)
           and near(p["disk_mib"], (1.1 * size + tokens) / 2 ** 20), f"plan {' '.join(settings)}: text", f"{p}\nwanted {size}")
        ok(near(plan["seconds"], p["seconds"] + plan["proxies"]["seconds"] + plan["large"]["seconds"]), f"plan {' '.join(settings)}: the time of all", plan)
    # Two bytes a token hold 65,536 of them.
    for vocab, width in ((65536, 2), (65537, 4)):
        p = e.json("plan", settings=[f"corpus.vocab={vocab}", "proxy.tokens=48", "large.tokens=48"])["prepare"]
        ok(near(p["token_files_mib"] * 2 ** 20, p["bytes"] / 4.2 * width), f"{vocab} tokens take {width} bytes each", p)
    plan = e.json("plan", "--without-text")
    ok(plan["prepare"]["bytes"] == 0 and near(plan["proxies"]["flops"], figures(e, 8, evaluations=2, without_text=True)[3]),
       "plan --without-text takes 200,000 validation tokens of each domain", plan)
    for cores, proxies, large in ((3, 3, 3), (9, 8, 9), (64, 8, 10), (1, 1, 1)):
        plan = e.json("plan", "--cores", str(cores))
        there = plan["elsewhere"]
        good = (there["proxies"]["jobs"], there["large"]["jobs"], there["cores"]) == (proxies, large, cores)
        good = good and near(there["proxies"]["seconds"], plan["proxies"]["seconds"] / 8 * math.ceil(8 / proxies))
        good = good and near(there["large"]["seconds"], plan["large"]["seconds"] / 10 * math.ceil(10 / large))
        ok(good and near(there["seconds"], there["proxies"]["seconds"] + there["large"]["seconds"]), f"plan --cores {cores}", there)


def test_plan_text(e):
    code, out, _ = e.call("plan", "--cores", "4")
    row = {line[:13].strip(): re.findall(r"[\d.e+]+(?: [kMG])?(?= |$)", line[13:]) for line in out.splitlines() if line.startswith(("proxies ", "large models"))}
    p = figures(e, 8, evaluations=2)
    q = figures(e, 10)
    ok(code == 0 and row["proxies"][:4] == ["8", "12 k", "2048", f"{p[3]:.3g}"], "plan prints the figures of the proxies", out)
    ok(row["large models"][:4] == ["10", "12 k", "2048", f"{q[3]:.3g}"], "plan prints those of the large models", out)
    ok(f"The proxies cost {p[3] / (q[3] / 10):.0f} times the FLOPs of one large model" in out, "plan compares the two", out)
    ok("On 4 cores like these it takes about" in out and out.count("(4 at a time)") == 2, "plan prints the time on other machines", out)
    if shutil.which("taskset"):
        _, out, _ = e.call("plan", "--set", "proxy.threads=2", before=("taskset", "-c", str(min(os.sched_getaffinity(0)))))
        had = re.search(r"it had only (\d+) % of the processors that it needed", out)
        ok(had and 0 < int(had[1]) <= 55, "two threads on one processor have at most half of what they need, and plan says so", out)


# What `run` would refuse later, though the config shows it.
LATER = [
    ("fit.regressor=scaling", 'fit.regressor: "scaling" is fitted to runs of several sizes or lengths'),
    ("compare.methods=human", "compare.methods: human is the mixture in the file compare.human, which is not set"),
    ("sample.phases=0.9999,0.0001", "are too few for 2 phases; phase 1 (0.0001 of the tokens) gets none. Raise proxy.tokens"),
    ("corpus.max_valid_tokens=1", "corpus.max_valid_tokens: 1 token has no loss"),
    ("large.tokens=10", "large.tokens: 10 tokens are fewer than one sequence of 16 (large.context)"),
    ("proxy.tokens=10", "proxy.tokens: 10 tokens are fewer than one sequence of 16 (proxy.context)"),
]


def test_later(e):
    for setting, text in LATER:
        code, out, err = e.call("check", "--set", setting)
        ok(code == 1 and text in out + err, f"check: {setting}", out + err)
        code, out, err = e.call("run", "--set", setting)
        ok(code == 1 and text in err and not os.path.exists(f"{e.folder}/corpus"), f"run: {setting} is refused before any work", err)


def all_tests(regmix, folder):
    e = Experiment(regmix, folder)
    e.call("prepare", "-q")
    shutil.copy(f"{e.folder}/tokenizer.json", f"{e.folder}/other.json")
    shutil.rmtree(f"{e.folder}/corpus")
    test_later(e)
    test_problems(e)
    test_configs(e)
    test_domains(e)
    test_plan(e)
    test_plan_text(e)


if __name__ == "__main__":
    sys.exit(tests(all_tests))
