#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_pytorch.py REGMIX TRAIN_PY: trainers/pytorch trains what regmix's own trainer trains. Both
train the same runs of a tiny corpus on the CPU; losses, validation and the kept model must agree.
Speaks TAP; where PyTorch is missing, all is skipped."""
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile

REGMIX, TRAIN = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
AGREE = 1e-4  # nats

if importlib.util.find_spec("torch") is None:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # Debian's python3-torch
    print("1..0 # SKIP PyTorch is not installed (Debian: apt-get install python3-torch)")
    sys.exit(0)

cases = 0


def check(good, name, why=""):
    global cases
    cases += 1
    print("%s %d - %s" % ("ok" if good else "not ok", cases, name))
    if not good:
        print("\n".join("# " + line for line in str(why).splitlines()[-12:]))
    sys.stdout.flush()


def regmix(*args):
    return subprocess.run([REGMIX, *args], capture_output=True, text=True)


def train(*folders, args=(), env=None):
    return subprocess.run([sys.executable, TRAIN, *args, *folders], capture_output=True, text=True,
                          env={**os.environ, "OMP_NUM_THREADS": "1", **(env or {})})


def words(seed, n):
    """Text with something to learn: each word is likely to be followed by one of a few."""
    rng, out, at = random.Random(seed), [], 0
    for i in range(n):
        at = (at * 7 + rng.randrange(4) + seed) % 200
        out.append("w%03d" % at + ("\n%\n" if rng.random() < 0.02 else " "))
    return "".join(out)


def make_corpus(exp):
    os.makedirs(exp + "/text")
    for seed, domain in enumerate(("code", "prose", "mail", "exam")):
        with open("%s/text/%s.txt" % (exp, domain), "w") as file:
            file.write(words(seed + 1, 900 if domain == "mail" else 6000))
    with open(exp + "/regmix.yaml", "w") as file:
        file.write("corpus:\n  domains:\n    code: text/code.txt\n    prose: text/prose.txt\n"
                   "    mail: text/mail.txt\n    exam: {files: text/exam.txt, valid_only: true}\n"
                   "  vocab: 320\n  overlap: 0\n  max_valid_tokens: 500\n"
                   "isa: avx2\ntarget: exam\nproxy: {model: nano, context: 32, tokens: 8k}\n")
    with open(exp + "/mixtures.csv", "w") as file:
        file.write("run,code,prose,mail\nr1,0.5,0.3,0.2\nr2,0.1,0.2,0.7\nr3,0,0.95,0.05\n")
    done = regmix("prepare", "-C", exp, "-q")
    if "avx2" in done.stderr:  # a processor without it: the slow kernels, in float32 too
        done = regmix("prepare", "-C", exp, "-q", "--set", "isa=ref")
        subprocess.run(["sed", "-i", "s/isa: avx2/isa: ref/", exp + "/regmix.yaml"], check=True)
    assert done.returncode == 0, done.stderr


def lines(folder):
    with open(folder + "/log.jsonl") as file:
        return [json.loads(line) for line in file]


def result(folder):
    with open(folder + "/result.json") as file:
        return json.load(file)


def differ(ours, theirs):
    """The largest difference of the losses of two logs and results; None: they are not alike."""
    a, b = lines(ours), lines(theirs)
    if [sorted(x) for x in a] != [sorted(x) for x in b]:
        return None
    most = 0.0
    for x, y in zip(a, b):
        if x["step"] != y["step"] or x["tokens"] != y["tokens"]:
            return None
        for key in ("loss_nats",):
            if key in x:
                most = max(most, abs(x[key] - y[key]))
        if "grad_norm" in x and abs(x["grad_norm"] - y["grad_norm"]) > 0.01 * y["grad_norm"]:
            return None
        if "lr" in x and abs(x["lr"] - y["lr"]) > 1e-8 * x["lr"]:
            return None
        for domain, nats in x.get("valid_nats", {}).items():
            most = max(most, abs(nats - y["valid_nats"][domain]))
    a, b = result(ours), result(theirs)
    for key in ("tokens_by_domain", "epochs", "steps", "tokens", "parameters", "model", "flops",
                "valid_flops", "lr"):
        if a[key] != b[key]:
            print("# %s: %s and %s" % (key, a[key], b[key]))
            return None
    for domain, nats in a["loss_nats"].items():
        most = max(most, abs(nats - b["loss_nats"][domain]),
                   abs(a["bits_per_byte"][domain] - b["bits_per_byte"][domain]),
                   abs(a["half"]["loss_nats"][domain] - b["half"]["loss_nats"][domain]))
    return most


def own_copy(exp, run, into, **changes):
    """A folder with the run.json of a run that regmix trained, without what that training left."""
    os.makedirs(into)
    with open("%s/runs/%s/run.json" % (exp, run)) as file:
        o = json.load(file)
    o["folder"] = into
    for key, value in changes.items():
        (o["training"] if key in o["training"] else o)[key] = value
    with open(into + "/run.json", "w") as file:
        json.dump(o, file)
    return into


# Rounding errors grow from step to step: two kernels of regmix, too, part at large learning rates.
# 100 steps and more; sizes, schedules and passes that are not alike
SETTINGS = [
    ("nano", ["proxy.tokens=25600", "proxy.batch_tokens=256", "proxy.lr=1e-3"]),
    ("micro, cosine, two passes a step, the second smaller",
     ["proxy.model=micro", "proxy.tokens=4800", "proxy.lr=1e-3", "proxy.batch_tokens=48", "proxy.micro_tokens=32",
      "proxy.schedule=cosine", "proxy.context=16", "proxy.evals=3", "proxy.eval_tokens=100"]),
    ("own sizes, no clipping",
     ["proxy.layers=3", "proxy.heads=1", "proxy.width=16", "proxy.ffn=24", "proxy.clip=0",
      "proxy.context=8", "proxy.batch_tokens=8", "proxy.tokens=800", "proxy.weight_decay=0.3"]),
]


def agreement(exp, scratch):
    for i, (name, settings) in enumerate(SETTINGS):
        sets = [x for s in settings for x in ("--set", s)]
        done = regmix("train", "-C", exp, "-q", "--redo", *sets)
        if done.returncode:
            check(False, name, done.stderr)
            continue
        at = "%s/agree%d" % (scratch, i)
        folders = [own_copy(exp, run, "%s/%s" % (at, run)) for run in ("r1", "r2", "r3")]
        calls = [folders] if i else [folders, [own_copy(exp, "r2", at + "/alone")]]
        ran = [train(*call) for call in calls]
        for folder, run in zip(sum(calls, []), ("r1", "r2", "r3", "r2")):
            title = "%s: %s, %s" % (name, run, "stacked" if folder in folders else "alone")
            if any(x.returncode for x in ran):
                check(False, title, ran[0].stderr + ran[-1].stderr)
                continue
            most = differ(folder, "%s/runs/%s" % (exp, run))
            check(most is not None and most < AGREE, "%s: within %g nats" % (title, AGREE), most)


def kept_model(exp, scratch):
    folder = own_copy(exp, "r1", scratch + "/kept", keep_model=True)
    ran = train(folder)
    if ran.returncode:
        return check(False, "model.bin", ran.stderr)
    # regmix's own trainer warns of a checkpoint that it cannot read
    for broken in (False, True):
        other = own_copy(exp, "r2", scratch + "/reads%d" % broken)
        with open(folder + "/model.bin", "rb") as file:
            data = bytearray(file.read())
        data[-100] ^= broken
        with open(other + "/checkpoint.bin", "wb") as file:
            file.write(data)
        told = regmix("worker", other)
        refused = "cannot be used" in told.stdout + told.stderr
        check(refused == broken and told.returncode == 0,
              "regmix refuses a damaged model.bin" if broken else "regmix reads model.bin",
              told.stdout[:300] + told.stderr)


def main():
    with tempfile.TemporaryDirectory() as scratch:
        exp = scratch + "/exp"
        make_corpus(exp)
        agreement(exp, scratch)
        kept_model(exp, scratch)
    print("1..%d" % cases)


main()
