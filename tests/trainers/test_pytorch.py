#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_pytorch.py REGMIX TRAIN_PY: trainers/pytorch trains what regmix's own trainer trains. Both
train the same runs of a tiny corpus on the CPU; losses, validation and the kept model must agree.
Speaks TAP; where PyTorch is missing, all is skipped."""
import contextlib
import errno
import glob
import importlib.util
import io
import json
import os
import pty
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

REGMIX, TRAIN = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
AGREE = 1e-4  # nats

if importlib.util.find_spec("torch") is None:
    if sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # Debian's python3-torch
    print("1..0 # SKIP PyTorch is not installed (Debian: apt-get install python3-torch)")
    sys.exit(0)

sys.path.insert(0, os.path.dirname(TRAIN))
os.environ["CUDA_VISIBLE_DEVICES"] = ""
import torch  # noqa: E402
import train as trainer  # noqa: E402

torch.set_num_threads(1)
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


class Ran:
    returncode, stdout, stderr = 0, "", ""


def train(*folders, args=()):
    """train.py with these arguments, in this process: PyTorch takes seconds to start."""
    ran, out, errors = Ran(), io.StringIO(), io.StringIO()
    sys.argv = [TRAIN, *(args if "--device" in args else ["--device", "cpu", *args]), *folders]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(errors):
        try:
            ran.returncode = trainer.main()
        except trainer.Refused as refused:
            ran.returncode = 1
            print(refused, file=errors)
        except Exception:  # pylint: disable=broad-except
            ran.returncode = 2
            traceback.print_exc(file=errors)
    ran.stdout, ran.stderr = out.getvalue(), errors.getvalue()
    return ran


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
        passes = ["--micro", "2"] if "passes" in name else []
        ran = [train(*call, args=passes) for call in calls]
        for folder, run in zip(sum(calls, []), ("r1", "r2", "r3", "r2")):
            title = "%s: %s, %s" % (name, run, "stacked" if folder in folders else "alone")
            if any(x.returncode for x in ran):
                check(False, title, ran[0].stderr + ran[-1].stderr)
                continue
            most = differ(folder, "%s/runs/%s" % (exp, run))
            check(most is not None and most < AGREE, "%s: within %g nats" % (title, AGREE), most)


def phases(exp, scratch):
    """A run whose mixture changes after three quarters, beside one that has one mixture."""
    with open(exp + "/runs/r1/run.json") as file:
        names = list(json.load(file)["mixture"])
    first, second = ([1.0 / len(names)] * len(names), [1.0] + [0.0] * (len(names) - 1))
    asked = [{"share": share, "mixture": dict(zip(names, w))}
             for share, w in ((0.75, first), (0.25, second))]
    mean = {n: 0.75 * a + 0.25 * b for n, a, b in zip(names, first, second)}
    changes = {"phases": asked, "mixture": mean, "name": "phased", "lr": 1e-3}
    theirs = own_copy(exp, "r1", scratch + "/phases/theirs", **changes)
    with open(exp + "/regmix.yaml") as file:
        isa = "ref" if "isa: ref" in file.read() else "avx2"
    done = subprocess.run([REGMIX, "worker", theirs], capture_output=True, text=True,
                          env={**os.environ, "REGMIX_ISA": isa})
    ours = own_copy(exp, "r1", scratch + "/phases/ours", **changes)
    plain = own_copy(exp, "r1", scratch + "/phases/plain")
    ran = train(ours, plain)
    if done.returncode or ran.returncode:
        return check(False, "phases", done.stderr + ran.stderr)
    most = differ(ours, theirs)
    check(most is not None and most < AGREE, "phases: within %g nats" % AGREE, most)
    check(result(ours)["phases"] == result(theirs)["phases"], "phases: result.json has them")
    few = own_copy(exp, "r1", scratch + "/phases/few", **{**changes, "tokens": 8})
    refused("fewer steps than phases", "too few for its 2 phases", train(few))


def kept_model(exp, scratch):
    folder = own_copy(exp, "r1", scratch + "/kept", keep_model=True)
    ran = train(folder)
    if ran.returncode:
        return check(False, "a model", ran.stderr)
    theirs = own_copy(exp, "r1", scratch + "/kept-regmix", keep_model=True)
    regmix("worker", theirs)
    for name in ("config.json", "generation_config.json", "tokenizer_config.json",
                 "special_tokens_map.json", "tokenizer.json"):
        with open("%s/%s" % (folder, name)) as a, open("%s/%s" % (theirs, name)) as b:
            check(json.load(a) == json.load(b), "%s is that of regmix's own trainer" % name)
    # regmix's own trainer warns of a checkpoint that it cannot read
    for broken in (False, True):
        other = own_copy(exp, "r2", scratch + "/reads%d" % broken)
        with open(folder + "/model.safetensors", "rb") as file:
            data = bytearray(file.read())
        data[-100] ^= broken
        with open(other + "/checkpoint.safetensors", "wb") as file:
            file.write(data)
        told = regmix("worker", other)
        refused = "cannot be used" in told.stdout + told.stderr
        check(refused == broken and told.returncode == 0,
              "regmix refuses a damaged model" if broken else "regmix reads the model",
              told.stdout[:300] + told.stderr)


def begins_with_a_model(exp, scratch):
    """The model that one run keeps is what another begins with."""
    model = own_copy(exp, "r1", scratch + "/start", keep_model=True, heads=2)
    train(model)
    with open(model + "/config.json") as file:
        config = json.load(file)
    changed = exp + "-init"
    shutil.copytree(exp, changed)
    done = regmix("train", "-C", changed, "-q", "--redo", "--set", "proxy.init=" + model,
                  "--set", "proxy.context=%d" % config["max_position_embeddings"])
    ours = own_copy(changed, "r2", scratch + "/from-model")
    ran = train(ours)
    if done.returncode or ran.returncode:
        return check(False, "a training that begins with a model", done.stderr + ran.stderr)
    first, random = lines(ours)[0]["loss_nats"], lines(model)[0]["loss_nats"]
    check(first < random - 0.2, "a training begins with the weights of a model", (first, random))
    most = differ(ours, changed + "/runs/r2")
    check(most is not None and most < AGREE, "and goes on as regmix's own: within %g" % AGREE, most)
    config["num_key_value_heads"], config["tie_word_embeddings"] = 1, True
    with open(model + "/config.json", "w") as file:
        json.dump(config, file)
    other = own_copy(exp, "r3", scratch + "/from-grouped", init=model)
    refused("a model of grouped queries", "has grouped-query attention, tied embeddings",
            train(other))


def same_results(folders, others):
    return all(result(a)["loss_nats"] == result(b)["loss_nats"] and
               result(a)["half"] == result(b)["half"] and
               [x.get("loss_nats") for x in lines(a)] == [x.get("loss_nats") for x in lines(b)]
               for a, b in zip(folders, others))


def start_and_end(folders, signal_number, done_lines):
    """Starts the training, sends the signal once the log has so many lines; the exit code."""
    process = subprocess.Popen([sys.executable, TRAIN, "--device", "cpu", *folders],
                               stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if os.path.exists(folders[0] + "/log.jsonl") and len(lines(folders[0])) >= done_lines:
            break
        time.sleep(0.02)
    process.send_signal(signal_number)
    return process.wait()


def copies(exp, at, **changes):
    return [own_copy(exp, run, "%s/%s" % (at, run), **changes) for run in ("r1", "r2", "r3")]


def checkpoints(folder):
    return [name for name in os.listdir(folder) if name.endswith(".pt")]


def interruptions(exp, scratch):
    whole, cut = copies(exp, scratch + "/whole"), copies(exp, scratch + "/cut", checkpoint_s=0)
    train(*whole)
    code = start_and_end(cut, signal.SIGTERM, 10)
    check(code == 143 and all(len(checkpoints(f)) == 1 for f in cut),
          "SIGTERM: a checkpoint of each run, code 143", code)
    for at in (30, 60):
        start_and_end(cut, signal.SIGKILL, at)
    check(any(checkpoints(f) for f in cut), "SIGKILL leaves checkpoints")
    ran = train(*cut)
    check(ran.returncode == 0 and "is not used" not in ran.stderr and same_results(cut, whole),
          "after three interruptions the results have the same bits", ran.stderr)
    check(not any(checkpoints(f) for f in cut), "and no checkpoint is left")
    before = os.stat(cut[0] + "/result.json").st_mtime_ns
    again = train(*cut)
    check(again.returncode == 0 and os.stat(cut[0] + "/result.json").st_mtime_ns == before,
          "finished runs are not trained again", again.stderr)
    return whole


def divergence(exp, scratch, whole):
    """One of the stacked runs gets a weight that is no number."""
    folders = copies(exp, scratch + "/diverged", checkpoint_s=0)
    code = start_and_end(folders, signal.SIGINT, 20)
    check(code == 130 and checkpoints(folders[1]), "SIGINT: checkpoints, code 130", code)
    name = "%s/%s" % (folders[1], checkpoints(folders[1])[0])
    state = torch.load(name)
    state["weights"]["norm"][3] = float("nan")
    torch.save(state, name)
    ran = train(*folders)
    check(ran.returncode == 0 and result(folders[1])["status"] == "diverged" and
          "loss_nats" not in result(folders[1]), "a run whose loss is no number diverged", ran.stderr)
    check(same_results(folders[::2], whole[::2]), "and the runs beside it have the same bits")
    damaged = own_copy(exp, "r1", scratch + "/damaged")
    with open(damaged + "/pytorch-7.pt", "w") as file:
        file.write("no checkpoint")
    ran = train(damaged)
    check("is not used" in ran.stderr and ran.returncode == 0,
          "a damaged checkpoint is reported, and the run starts again", ran.stderr)


def unreadable(exp, scratch):
    """A checkpoint that cannot be read now is no damaged one."""
    folder = own_copy(exp, "r1", scratch + "/unreadable", tokens=800)
    path = folder + "/pytorch-7.pt"
    with open(path, "w") as file:
        file.write("it may be whole")
    load = torch.load

    def fails(*_, **__):
        raise OSError(errno.EIO, os.strerror(errno.EIO), path)
    torch.load = fails
    ran = train(folder)
    torch.load = load
    refused("a checkpoint that cannot be read", "Input/output error", ran)
    check(os.path.exists(path) and not os.path.exists(folder + "/log.jsonl"), "and it is left there")


def diverged_with_model(exp, scratch):
    """A run that is to keep its model, and diverges, is done: there is no model."""
    folder = own_copy(exp, "r1", scratch + "/no-model", keep_model=True, clip=0, beta2=0, eps=1e-30,
                      **{**UNEVEN, "lr": 10})
    batch, trained = trainer.Batch, []

    def counted(*what):
        trained.append(what)
        assert len(trained) == 1, "trained again"
        return batch(*what)
    trainer.Batch = counted
    ran = train(folder)
    trainer.Batch = batch
    check(ran.returncode == 0 and result(folder)["status"] == "diverged",
          "a run that diverged without a model is not trained again", ran.stderr)


class Second(trainer.World):
    """A process that hears from the first one that no run is left."""

    def __init__(self):
        self.size, self.rank, self.device = 2, 1, torch.device("cpu")

    def from_first(self, x):
        return []


def first_looks(exp, scratch):
    """Of several processes the first one says which runs are done: files reach the others later."""
    run = trainer.Run(own_copy(exp, "r1", scratch + "/stale"))
    second = trainer.Trainer.__new__(trainer.Trainer)
    second.world = Second()
    check(not run.is_done() and second.train([run]), "a run that the first process calls done is done")


def refused(name, wanted, ran):
    check(ran.returncode == 1 and wanted in ran.stderr and "Traceback" not in ran.stderr,
          "refused: " + name, ran.stderr)


def errors(exp, scratch):
    at = scratch + "/errors"
    with open(exp + "/runs/r1/run.json") as file:
        domains = json.load(file)["domains"]
    gone = {**domains, "code": {**domains["code"], "train": at + "/nowhere.bin"}}
    other = {**domains, "code": {**domains["code"], "train": domains["prose"]["train"]}}
    runs = {
        "a folder without run.json": (at, "give the folder of a run"),
        "a field that it does not know": (own_copy(exp, "r1", at + "/1", stages=[]), '"stages"'),
        "a setting that it does not know":
            (own_copy(exp, "r1", at + "/2", training={"tie": True}), '"tie"'),
        "a method that steers":
            (own_copy(exp, "r1", at + "/3", steering={"method": "doremi"}), '"doremi"'),
        "a node without the corpus":
            (own_copy(exp, "r1", at + "/4", domains=gone), "copy the folder corpus/ there"),
        "tokens of another corpus":
            (own_copy(exp, "r1", at + "/5", domains=other), "is of another corpus"),
        "a hash of another corpus":
            (own_copy(exp, "r1", at + "/8", corpus_hash="0" * 16), "are of another corpus"),
        "no CUDA": (own_copy(exp, "r1", at + "/6"), "nvidia-smi"),
        "too little memory for one run": (own_copy(exp, "r1", at + "/7"), "one run needs about"),
    }
    for name, (folder, wanted) in runs.items():
        args = ["--memory", "0.0001"] if "memory" in name else \
            ["--device", "cuda"] if "CUDA" in name else []
        refused(name, wanted, train(folder, args=args))
    good, bad = own_copy(exp, "r1", at + "/good"), own_copy(exp, "r2", at + "/bad", stages=[])
    ran = train(bad, good)
    check(ran.returncode == 1 and result(good)["status"] == "done" and '"stages"' in ran.stderr,
          "a run that is refused does not stop the others", ran.stderr)
    check(result(bad)["status"] == "failed" and '"stages"' in result(bad)["error"],
          "and its result says why", result(bad))
    folders = copies(exp, scratch + "/plan")
    told = train(*folders, args=["--plan", "--runs", "2"])
    check(told.returncode == 0 and "3 runs of" in told.stdout and ": 2 at a time" in told.stdout and
          not os.path.exists(folders[0] + "/log.jsonl"), "--plan prints, and trains nothing",
          told.stdout + told.stderr)


def rewrite(folder, change):
    """run.json, changed."""
    with open(folder + "/run.json") as file:
        o = json.load(file)
    change(o)
    with open(folder + "/run.json", "w") as file:
        json.dump(o, file)


def places(o, at=()):
    """The ways to all fields of a tree."""
    for key in o if isinstance(o, dict) else range(len(o)) if isinstance(o, list) else ():
        yield at + (key,)
        yield from places(o[key], at + (key,))


# Hardly any field can be one of these.
ODD = (None, "x", -1, 0, 1e30, [], {}, True, [1], "a\0b", "\ud800", float("nan"), 10**400)


def odd_fields(exp, scratch):
    """Each field in turn is what it cannot be. It is refused, or fits, but never a traceback."""
    folder = own_copy(exp, "r1", scratch + "/odd", keep_model=True)
    with open(folder + "/run.json") as file:
        whole = json.load(file)
    whole["phases"] = [{"share": 0.5, "mixture": whole["mixture"]}] * 2
    broken, fit = [], set()
    for place in list(places(whole)):
        for value in ODD:
            changed = at = json.loads(json.dumps(whole))
            for key in place[:-1]:
                at = at[key]
            at[place[-1]] = value
            with open(folder + "/run.json", "w") as file:
                json.dump(changed, file)
            try:
                trainer.Run(folder)
                fit.add((place, repr(value)))
            except trainer.Refused:
                pass
            except Exception as error:  # pylint: disable=broad-except
                broken.append("%s: %r: %r" % (place, value, error))
    check(not broken, "odd fields of run.json: no traceback", "\n".join(broken))
    wrong = [x for x in fit if "training" in x[0] and x[1] in ("-1", "1e+30", "[]", "{}", "nan")]
    check(fit and not wrong, "odd settings are refused", wrong)


def damaged(exp, scratch):
    """Nothing that is wrong with one run keeps the others from being trained."""
    at = scratch + "/damage"
    changes = {
        "seed": lambda o: o.update(seed="x"),
        "lr": lambda o: o["training"].update(lr="x"),
        "context": lambda o: o["training"].update(context=0),
        "tokens": lambda o: o["training"].update(tokens=-5),
        "domains": lambda o: o.update(domains=[1]),
        "domain": lambda o: o["domains"]["code"].update(train_tokens="x"),
        "vocab": lambda o: o.update(vocab=2),
        "folder": lambda o: o.update(folder=at + "/good"),
        "valid": lambda o: o["domains"]["exam"].update(valid="/nowhere/valid.bin"),
        "tokenizer": lambda o: o.update(tokenizer=o["domains"]["exam"]["valid"], keep_model=True),
    }
    good, folders = own_copy(exp, "r2", at + "/good", tokens=800), {}
    for name, change in changes.items():
        folders[name] = own_copy(exp, "r1", "%s/%s" % (at, name), tokens=800)
        rewrite(folders[name], change)
    ran = train(*folders.values(), good)
    check(ran.returncode == 1 and result(good)["status"] == "done" and "Traceback" not in ran.stderr,
          "a run beside %d damaged ones is trained" % len(changes), ran.stderr)
    for name, folder in folders.items():
        made = result(folder) if os.path.exists(folder + "/result.json") else {}
        check(made.get("status") == "failed" and name in made["error"],
              "failed, with the reason: a wrong %s" % name, made)
    again = own_copy(exp, "r3", at + "/again", tokens=800)
    os.symlink(again, at + "/link")
    ran = train(again, at + "/link", again + "/")
    check(ran.returncode == 0 and ran.stderr.count("given twice") == 2 and "1 run of" in ran.stderr,
          "a folder that is given twice is one run", ran.stderr)


def wrong_starts(exp, scratch):
    folder = own_copy(exp, "r1", scratch + "/starts")
    for device in ("tpu", "mps", "cuda:x", "meta", "cpu:0:1"):
        refused("device " + device, "this trainer knows cpu", train(folder, args=["--device", device]))
    for args in (["--runs", "0"], ["--micro", "-1"], ["--memory", "nan"], ["--seconds", "0"]):
        with contextlib.suppress(SystemExit):
            ran = train(folder, args=args)
            check(False, "%s %s is refused" % tuple(args), ran.stderr)
            continue
        check(not os.path.exists(folder + "/log.jsonl"), "%s %s is refused" % tuple(args))
    for text in ("[]", "{}", "x", "[" * 99999, '{"training": [], "vocab": 9, "runs": 1}',
                 '{"training": {"model": "nano"}, "vocab": 99, "runs": "x"}'):
        refused("--speed " + text[:40], "--speed", train(args=["--speed", text]))
    # SIGINT while PyTorch is imported: from 50 ms after the start
    for wait_s in (0.05, 0.3):
        process = subprocess.Popen([sys.executable, "-S", "-c", SLEEPY % TRAIN, "--device", "cpu", folder],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        process.stdout.readline()
        time.sleep(wait_s)
        process.send_signal(signal.SIGINT)
        told = process.communicate()[1]
        check(process.returncode == -signal.SIGINT and not told, "SIGINT during the start: no traceback",
              "%s %s" % (process.returncode, told))


# train.py with a torch that takes a while to be imported
SLEEPY = """import importlib.util, runpy, sys
class Slow:
    @staticmethod
    def find_spec(name, path=None, target=None):
        if name == "torch":
            return importlib.util.spec_from_loader(name, Slow, origin="slow")
    @staticmethod
    def create_module(spec):
        return None
    @staticmethod
    def exec_module(module):
        import time
        print("importing", flush=True)
        time.sleep(20)
sys.meta_path.insert(0, Slow)
sys.argv[0] = %r
runpy.run_path(sys.argv[0], run_name="__main__")
"""


# ---- several processes, one training

def ranks(folders, kill_at=None, processes=2, args=()):
    """Several processes, as torchrun starts them; their exit codes."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    running = [subprocess.Popen(
        [sys.executable, TRAIN, "--device", "cpu", "--micro", "2", *args, *folders], stderr=subprocess.DEVNULL,
        env={**os.environ, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "WORLD_SIZE": str(processes),
             "RANK": str(k), "LOCAL_RANK": str(k), "OMP_NUM_THREADS": "1"}) for k in range(processes)]
    if kill_at:
        until = time.monotonic() + 120
        while time.monotonic() < until and running[0].poll() is None and not (
                os.path.exists(folders[0] + "/log.jsonl") and len(lines(folders[0])) >= kill_at):
            time.sleep(0.02)
        for process in running:
            process.kill()
    return [process.wait() for process in running]


def has_processes():
    import torch.distributed
    if not torch.distributed.is_available():
        check(True, "several processes # SKIP this PyTorch has no torch.distributed")
    return torch.distributed.is_available()


def agree(folders, others):
    return all(differ(a, b) is not None and differ(a, b) < AGREE for a, b in zip(folders, others))


def elsewhere(folders, name):
    """Copies, with all that is in them."""
    copied = [shutil.copytree(f, f + name) for f in folders]
    for folder in copied:
        rewrite(folder, lambda o: o.update(folder=folder))
    return copied


# five sequences a step: an uneven share
UNEVEN = {"tokens": 800, "context": 8, "batch_tokens": 40, "lr": 1e-3}


def data_parallel(exp, scratch):
    """The folders of two runs as one process trains them."""
    one, two = (copies(exp, "%s/%s" % (scratch, name), **UNEVEN, checkpoint_s=0)[:2] for name in ("one", "two"))
    train(*one)
    ranks(two, kill_at=8)
    check(any(checkpoints(f) for f in two), "two processes that are killed leave a checkpoint")
    then_one = elsewhere(two, "-then-one")
    ran = train(*then_one)
    check(ran.returncode == 0 and "is not used" not in ran.stderr and agree(then_one, one),
          "one process goes on with the checkpoint of two: it has all moments", ran.stderr)
    codes = ranks(two)
    check(codes == [0, 0] and agree(two, one) and result(two[0])["made_by"]["processes"] == 2,
          "two processes go on, and train what one does", codes)
    run = trainer.Run(one[0])
    needs = [trainer.Plan(run, 1, torch.float32, 1 << 33, 1, 1, n).needs(1, 1) for n in (1, 2, 99)]
    halved = needs[0] - 4 * run.parameters()
    check(halved <= needs[1] < 1.05 * halved and halved > needs[2],
          "each of two processes has half of AdamW's moments", needs)
    return one


def split_weights(exp, scratch, one):
    """Three processes with a share of the weights each. Three divide neither the tensors nor the
    sequences of a step, so in some passes a process has none."""
    thirds, split = ["--weights", "split", "--micro", "1"], ["--weights", "split"]
    whole, cut, narrow, wide = (
        copies(exp, "%s/split-%s" % (scratch, name), **UNEVEN, keep_model=True,
               checkpoint_s=0 if name == "cut" else 60)[:2] for name in ("whole", "cut", "narrow", "wide"))
    codes = ranks(whole, processes=3, args=thirds)
    made = result(whole[0])["made_by"] if codes == [0, 0, 0] else {}
    check(agree(whole, one) and (made["weights"], made["processes"]) == ("split", 3),
          "three processes that split the weights train what one does", codes)
    ranks(cut, kill_at=8, processes=3, args=thirds)
    check(any(checkpoints(f) for f in cut), "killed, they leave a checkpoint")
    then_one = elsewhere(cut, "-then-one")
    codes = ranks(cut, processes=3, args=thirds)
    hashes = [[result(f).get("model_hash") for f in folders] for folders in (cut, whole)]
    check(codes == [0, 0, 0] and same_results(cut, whole) and hashes[0] == hashes[1] and None not in hashes[0],
          "as many go on, and end with the same bits and the same model", "%s %s" % (codes, hashes))
    ran = train(*then_one)
    check(ran.returncode == 0 and "is not used" not in ran.stderr and agree(then_one, one),
          "one process goes on with their checkpoint", ran.stderr)
    train(*wide, args=["--precision", "bfloat16"])
    codes = ranks(narrow, args=split + ["--precision", "bfloat16"])
    nats = [list(result(f[0])["loss_nats"].values()) for f in (wide, narrow, one)]
    apart = [max(abs(a - b) for a, b in zip(nats[1], x)) for x in (nats[0], nats[2])]
    check(codes == [0, 0] and apart[0] < 0.01 and apart[1] > 0, "in bfloat16 too", apart)


class AsOneOf(trainer.World):
    """A process that computes as if it had equals, which send zeros."""

    def __init__(self, size):
        self.size, self.rank, self.device = size, 0, torch.device("cpu")

    def gather(self, part):
        return torch.cat([part[None], part.new_zeros(self.size - 1, *part.shape)])

    def reduce_scatter(self, parts):
        return parts[0].clone()

    def nothing(self, *_):
        pass

    add_up = to_owners = from_owners = meet = nothing


def allocated(work):
    """Bytes of tensors that work leaves in memory, and the most that it had."""
    with torch.autograd.profiler.profile(profile_memory=True) as profile:
        made = work()
    events = [e for e in profile.kineto_results.events() if e.name() == "[memory]"]
    events.sort(key=lambda e: e.start_ns() if hasattr(e, "start_ns") else e.start_us())
    sums = torch.tensor([e.nbytes() for e in events]).cumsum(0)
    return made, int(sums[-1]), int(sums.max())


def memory_of(run, weights, processes):
    """Bytes of tensors between two steps, the most in a step, and what the plan expects."""
    plan = trainer.Plan(run, 1, torch.float32, 1 << 33, 1, 1, processes, weights)
    def begin():
        batch = trainer.Batch([run], None, plan, torch.float32, AsOneOf(processes))
        batch.one_step(1e-3)
        return batch
    batch, kept, _ = allocated(begin)
    _, _, most = allocated(lambda: batch.one_step(1e-3))
    return kept, kept + most, plan.needs(1, 1)


def memory_of_a_share(exp, scratch):
    """What a process has in memory if the weights are split."""
    run = trainer.Run(own_copy(exp, "r1", scratch + "/share", **WIDE))
    n, layer = run.parameters(), run.body_parameters() // 8
    kept, most, expected = memory_of(run, "split", 4)
    _, whole, _ = memory_of(run, "whole", 4)
    check(4 * n <= kept < 4.2 * n, "a fourth of weights, gradients and moments", "%s of %d" % (kept, 16 * n))
    check(most - kept < 16 * layer + 12 * run.vocab * 64 and most < expected and most < 0.6 * whole,
          "and no more than a layer beside it", "%s %s %s %s" % (kept, most, expected, whole))


# what counts is the weights
WIDE = {"context": 8, "batch_tokens": 8, "layers": 8, "heads": 2, "width": 64, "ffn": 128}


def plans_a_split(exp, scratch):
    """Weights are split where one run does not fit without that."""
    run = trainer.Run(own_copy(exp, "r1", scratch + "/plan-split", **WIDE))
    def plan(memory, processes, weights=None):
        return trainer.Plan(run, 1, torch.float32, memory, 1, 1, processes, weights)
    whole = plan(1 << 33, 4, "whole").needs(1, 1)
    split = plan(1 << 33, 4, "split").needs(1, 1)
    roomy, tight = plan(whole + 1, 4), plan(whole - 1, 4)
    check(split < 0.6 * whole and not roomy.split and tight.split and
          "the weights split over 4 processes" in tight.text(1) and "split" not in roomy.text(1),
          "weights are split where they do not fit whole", "%s %s" % (whole, split))
    for memory, weights in ((whole - 1, "whole"), (split - 1, "split"), (split - 1, None)):
        try:
            plan(memory, 4, weights)
            check(False, "too little memory, --weights %s" % weights)
        except trainer.Refused as refused:
            check("start more processes" in str(refused), "too little memory, --weights %s" % weights)


# ---- proxy.trainer: pytorch

def swarm_train(exp, *sets, fake=None, wanted=0, text="", **env):
    """regmix train with PyTorch, or with a program in its place; (it went as wanted, what it said)."""
    words = [x for s in ("proxy.trainer=pytorch", *sets) for x in ("--set", s)]
    told = subprocess.run([REGMIX, "train", "-C", exp, *words], capture_output=True, text=True,
                          env={**os.environ, "REGMIX_PYTHON": sys.executable, "REGMIX_DEVICE": "cpu",
                               "OMP_NUM_THREADS": "1", **({"REGMIX_PYTORCH": fake} if fake else {}), **env})
    said = told.stdout + told.stderr
    return told.returncode == wanted and text in said, said


FAKE = """import json, os, sys
with open(sys.argv[1] + "/gpu", "w") as file:
    file.write("%s %s" % (os.environ.get("CUDA_VISIBLE_DEVICES"), len(sys.argv) - 1))
for folder in sys.argv[1:]:
    if os.path.exists(folder + "/result.json"):
        continue
    run = json.load(open(folder + "/run.json"))
    json.dump({"loss_nats": {d: 1.5 for d in run["domains"]}}, open(folder + "/result.json", "w"))
    if os.environ.get("FAIL_AFTER") == "one":
        sys.exit("out of luck")
if os.environ.get("FAIL_AFTER") == "sleep":
    import time; time.sleep(60)
"""


def processes(exp, scratch):
    """What regmix makes of the processes, with a program in the place of train.py."""
    fake = scratch + "/fake.py"
    with open(fake, "w") as file:
        file.write(FAKE)
    again = lambda: shutil.rmtree(exp + "/runs", ignore_errors=True)
    again()
    good, said = swarm_train(exp, fake=fake, text="3 runs done", CUDA_VISIBLE_DEVICES="3,GPU-5")
    gpus = sorted(open(path).read() for path in glob.glob(exp + "/runs/*/gpu"))
    check(good and gpus == ["3 2", "GPU-5 1"], "one process for each GPU, an even share of the runs each",
          "%s %s" % (gpus, said))
    again()
    good, said = swarm_train(exp, fake=fake, FAIL_AFTER="one", wanted=1,
                             text="run r2 (of 3 that one process trains) failed")
    check(good and said.count("trying again") == 1, "a process that fails is reported once", said)
    check(os.path.exists(exp + "/runs/r1/result.json") and os.path.exists(exp + "/runs/r2/result.json"),
          "and the runs that it finished are done", os.listdir(exp + "/runs/r2"))
    check("stacked with 2 others; the output is in" in open(exp + "/runs/r2/log.txt").read(),
          "log.txt says where the output is")
    good, said = swarm_train(exp, fake=fake, text="1 run done")
    check(good, "the same command goes on with the others", said)
    again()
    good, said = swarm_train(exp, "proxy.timeout=1s", "proxy.grace=1s", fake=fake, FAIL_AFTER="sleep",
                             text="3 runs done")
    check("ran longer than" in open(exp + "/runs/r1/log.txt").read(), "proxy.timeout ends a process", said)
    again()
    with open(scratch + "/loud.py", "w") as file:
        file.write("import sys\nprint('a ' * 300)\nsys.exit('the reason: ' + 'b' * 400 + ' its end')")
    good, said = swarm_train(exp, fake=scratch + "/loud.py", wanted=1, text="Mend the cause")
    check(good and "may_fail" not in said and "the reason: bbb" in said and "bb its end" in said,
          "all runs failed: the whole reason, and no advice to go on without all of them", said)
    again()
    good, said = swarm_train(exp, fake=scratch + "/nowhere.py", wanted=1, text="set REGMIX_PYTORCH to its path")
    check(good, "a trainer that is not there", said)


def old_pytorch(exp, scratch):
    """A PyTorch that is too old is found before any run is tried, and without importing it."""
    old = scratch + "/old/torch"
    os.makedirs(old)
    with open(old + "/__init__.py", "w") as file:
        file.write("import sys\nsys.exit('imported')\n")
    with open(old + "/version.py", "w") as file:
        file.write("__version__ = '1.12.1+cu113'\n")
    shutil.rmtree(exp + "/runs", ignore_errors=True)
    good, said = swarm_train(exp, PYTHONPATH=scratch + "/old", wanted=1,
                             text="has PyTorch 1.12.1+cu113; wanted 1.13 or newer")
    check(good and "REGMIX_PYTHON" in said and not glob.glob(exp + "/runs/*/log.txt"),
          "a PyTorch that is too old", said)


def without_pytorch(exp, scratch):
    """A python that has no PyTorch is found before any run is tried."""
    bare, here = scratch + "/bare-python", scratch + "/experiment"
    with open(bare, "w") as file:
        file.write('#!/bin/sh\nexec "%s" -S "$@"\n' % sys.executable)
    os.chmod(bare, 0o755)
    os.makedirs(here + "/torch")  # no PyTorch, though it has its name
    shutil.copy(exp + "/regmix.yaml", here)
    with open(here + "/regmix.yaml", "a") as file:
        file.write("large: {trainer: pytorch}\n")
    shutil.rmtree(exp + "/runs", ignore_errors=True)
    with_it = ("-C", exp, "--set", "proxy.trainer=pytorch")
    for name, command, code in (("train", ("train", *with_it), 1),
                                ("train --dry-run", ("train", "--dry-run", *with_it), 0),
                                ("check", ("check", *with_it), 1), ("plan", ("plan", *with_it), 0),
                                ("doctor", ("doctor", "-C", here), 1)):
        for python, wanted in ((bare, "has no PyTorch"), ("/no/python", "no such program")):
            told = subprocess.run([REGMIX, *command], capture_output=True, text=True, cwd=here,
                                  env={**os.environ, "REGMIX_PYTHON": python})
            said = told.stdout + told.stderr
            check((told.returncode > 0) == code and wanted in said and "REGMIX_PYTHON" in said,
                  "%s: %s" % (name, wanted), said)
    check(not glob.glob(exp + "/runs/*/log.txt"), "and no run was tried")


def swarm(exp, scratch):
    sets = [s for s in SETTINGS[0][1]] + ["proxy.checkpoint_s=0"]
    shutil.rmtree(exp + "/runs")
    regmix("train", "-C", exp, "-q", *[x for s in sets for x in ("--set", s)])
    ours = [result(exp + "/runs/" + run)["loss_nats"] for run in ("r1", "r2", "r3")]
    good, said = swarm_train(exp, *sets, wanted=1, text="changed: trainer")
    check(good, "results of one trainer do not pass for those of the other", said)
    shutil.rmtree(exp + "/runs")
    process = subprocess.Popen([REGMIX, "train", "-C", exp, *[x for s in (*sets, "proxy.trainer=pytorch")
                                                             for x in ("--set", s)]],
                               stderr=subprocess.DEVNULL,
                               env={**os.environ, "REGMIX_PYTHON": sys.executable, "REGMIX_DEVICE": "cpu",
                                    "OMP_NUM_THREADS": "1"})
    log = exp + "/runs/r1/log.jsonl"
    until = time.monotonic() + 120
    while time.monotonic() < until and not (os.path.exists(log) and len(lines(os.path.dirname(log))) > 20):
        time.sleep(0.02)
    process.kill()
    process.wait()
    good, said = swarm_train(exp, *sets, text="3 runs done")
    theirs = [result(exp + "/runs/" + run)["loss_nats"] for run in ("r1", "r2", "r3")] if good else []
    check(good and all(abs(a[d] - b[d]) < AGREE for a, b in zip(ours, theirs) for d in a),
          "proxy.trainer: pytorch, killed and started again, measures what regmix does", said)
    good, said = swarm_train(exp, *sets, text="all 3 runs are done")
    check(good, "finished runs are not run again", said)


SLOW = """import json, sys, time
runs = [json.load(open(folder + "/run.json")) for folder in sys.argv[1:]]
for i in range(1, 21):
    for folder, run in zip(sys.argv[1:], runs):
        with open(folder + "/log.jsonl", "a") as log:
            log.write(json.dumps({"step": i, "tokens": run["training"]["tokens"] * i // 20, "loss_nats": 2.0}) + "\\n")
    time.sleep(0.4)
for folder, run in zip(sys.argv[1:], runs):
    json.dump({"loss_nats": {d: 1.5 for d in run["domains"]}}, open(folder + "/result.json", "w"))
"""


def progress(exp, scratch):
    """The line that a terminal shows moves while one process trains all runs."""
    slow, seen = scratch + "/slow.py", b""
    with open(slow, "w") as file:
        file.write(SLOW)
    shutil.rmtree(exp + "/runs", ignore_errors=True)
    screen, end = pty.openpty()
    process = subprocess.Popen(
        [REGMIX, "train", "-C", exp, "--set", "proxy.trainer=pytorch"], stdout=subprocess.DEVNULL, stderr=end,
        env={**os.environ, "REGMIX_PYTHON": sys.executable, "REGMIX_PYTORCH": slow, "TERM": "xterm"})
    os.close(end)
    with contextlib.suppress(OSError):  # EIO: nobody writes any more
        while True:
            part = os.read(screen, 4096)
            if not part:
                break
            seen += part
    os.close(screen)
    code = process.wait()
    shares = [int(x) for x in re.findall(rb"(\d+) %", seen)]
    moved = {x for x in shares if 0 < x < 100}
    check(code == 0 and len(moved) >= 2 and shares == sorted(shares),
          "the progress of a batch moves, and never back", "%s %s" % (shares, seen))


STRICT = """import json, os, sys
TRAIN = %r
sys.path.insert(0, os.path.dirname(TRAIN))
path = next((f for f in sys.argv[1:] if f.endswith("/r2")), "") + "/run.json"
if os.path.exists(path):  # as if regmix were of another version than the trainer
    run = json.load(open(path))
    json.dump({**run, "stages": []}, open(path, "w"))
os.execv(sys.executable, [sys.executable, TRAIN, *sys.argv[1:]])
"""


def one_refused(exp, scratch):
    """One run of a batch is refused by train.py, the others are trained."""
    strict = scratch + "/strict.py"
    with open(strict, "w") as file:
        file.write(STRICT % TRAIN)
    shutil.rmtree(exp + "/runs", ignore_errors=True)
    good, said = swarm_train(exp, fake=strict, wanted=1)
    told = [line for line in said.splitlines() if "stages" in line]
    check(good and len(told) >= 1 and "r2" in told[0] and "r1" not in said and "r3" not in said,
          "regmix train names the run that is refused, and the reason", said)
    check(all(result("%s/runs/%s" % (exp, r)).get("loss_nats") for r in ("r1", "r3")) and
          not os.path.exists(exp + "/runs/r2/result.json"), "and the others of its batch are done", said)
    good, said = swarm_train(exp, text="1 run done")
    check(good and result(exp + "/runs/r2").get("loss_nats"),
          "a trainer that knows the run trains it alone", said)


def plan(exp, python, **env):
    told = subprocess.run([REGMIX, "plan", "-C", exp, "--json", "--set", "proxy.trainer=pytorch"],
                          capture_output=True, text=True,
                          env={**os.environ, "REGMIX_PYTHON": python, **env})
    return (json.loads(told.stdout) if told.returncode == 0 else {}), told.stderr


def plans(exp):
    """What regmix plan knows of this trainer: its own speed, or why that is not known."""
    measured, told = plan(exp, sys.executable, REGMIX_DEVICE="cpu")
    proxies, own = measured.get("proxies", {}), measured.get("proxies", {}).get("pytorch", {})
    check(own.get("device") == "cpu" and own["tokens_per_s"] == proxies["tokens_per_s"] and
          "proxies: trained by PyTorch %s on the processor in float32" % torch.__version__ in told,
          "plan measures the speed of PyTorch", told)
    check(own and abs(proxies["seconds"] - proxies["valid_seconds"] - proxies["runs"] *
                      proxies["tokens_each"] / own["tokens_per_s"]) < 1e-6 * proxies["seconds"],
          "and its time is that of all runs at this speed", proxies)
    check("large" in measured and "pytorch" not in measured["large"],
          "large models that regmix trains are measured with regmix")
    earlier = os.path.abspath(exp + "/earlier-python")  # its train.py knows nothing of plans
    with open(earlier, "w") as file:
        file.write('#!/bin/sh\ncase "$*" in *train.py*) echo; exit ;; esac\nexec "%s" "$@"\n' % sys.executable)
    os.chmod(earlier, 0o755)
    for name, python, env, wanted in (
            ("no CUDA", sys.executable, {"REGMIX_DEVICE": "cuda"}, "nvidia-smi"),
            ("no python", "/no/python", {"REGMIX_DEVICE": "cpu"}, "no such program"),
            ("another train.py", earlier, {}, "use the train.py of this version")):
        other, told = plan(exp, python, **env)
        check("proxies: PyTorch's speed cannot be measured: " in told and wanted in told and
              other["proxies"]["seconds"] > 0 and "pytorch" not in other["proxies"],
              "plan without PyTorch's speed says why: " + name, told)


class FakeGraph:
    """What a CUDA graph does, on the processor: the same work on the same memory."""

    def __init__(self, work, wrong):
        self.work, self.wrong, self.out = work, wrong, work()

    def replay(self):
        if not self.wrong:
            self.out.copy_(self.work())


def faster_passes(exp, scratch):
    """Graphs and compiled code: what they do without a GPU and PyTorch 2, with stand-ins for both."""
    import passes
    plain = copies(exp, scratch + "/eager")
    train(*plain)
    kept = passes.captured, passes.choices
    compiled = []

    def compile_well(body, **_):
        return lambda tokens: compiled.append(1) or body(tokens)

    def fail(*_, **__):
        raise RuntimeError("no compiler\nhere")

    def graph(wrong):
        def capture(work):
            fake = FakeGraph(work, wrong)
            return fake, fake.out
        return capture

    cases = [("a graph", (True, False), graph(False), None, "eager, a CUDA graph", ""),
             ("a graph that is wrong", (True, False), graph(True), None, "eager", "are not those without it"),
             ("a graph that fails", (True, False), fail, None, "eager", "without a CUDA graph: no compiler"),
             ("compiled code", (False, True), None, compile_well, "compiled", ""),
             ("a compiler that fails", (False, True), None, fail, "eager", "without torch.compile: no compiler")]
    had = getattr(torch, "compile", None)
    for i, (name, chosen, capture, compiler, how, told) in enumerate(cases):
        folders = copies(exp, "%s/faster%d" % (scratch, i))
        passes.captured, passes.choices, torch.compile = capture, lambda _, c=chosen: c, compiler
        ran = train(*folders)
        good = ran.returncode == 0 and told in ran.stderr and "\n" not in told and \
            bool(told) == ("goes on without" in ran.stderr) and same_results(folders, plain)
        check(good and result(folders[0])["made_by"]["passes"] == how, name + ": the same bits", ran.stderr)
    check(compiled, "the compiled code was called")
    passes.captured, passes.choices = kept
    if had:
        torch.compile = had
    else:
        del torch.compile
    for name, value, wanted in (("REGMIX_GRAPHS", "on", "need a GPU"), ("REGMIX_GRAPHS", "yes", "on, off or nothing"),
                                ("REGMIX_COMPILE", "on", "2.0 or newer")):
        if wanted.startswith("2") and had:
            continue
        os.environ[name] = value
        ran = train(own_copy(exp, "r1", "%s/refused-%s-%s" % (scratch, name, value)))
        del os.environ[name]
        refused("%s=%s" % (name, value), wanted, ran)
    chosen = [passes.choices(torch.device(d)) for d in ("cpu", "cuda")]
    check(chosen == [(False, False), (passes.is_new(), False)], "off on the processor, graphs on CUDA with PyTorch 2")


def bfloat16(exp, scratch):
    """The precision of GPUs, on the processor: no more than rounding away from float32."""
    wide, narrow = copies(exp, scratch + "/wide"), copies(exp, scratch + "/narrow")
    train(*wide)
    ran = train(*narrow, args=["--device", "cpu", "--precision", "bfloat16"])
    most = max(abs(x - result(b)["loss_nats"][d]) for a, b in zip(wide, narrow)
               for d, x in result(a)["loss_nats"].items()) if ran.returncode == 0 else None
    check(ran.returncode == 0 and 0 < most < 0.05 and
          result(narrow[0])["made_by"]["precision"] == "bfloat16",
          "bfloat16 is within 0.05 nats of float32", "%s %s" % (most, ran.stderr))


def main():
    with tempfile.TemporaryDirectory() as scratch:
        exp = scratch + "/exp"
        make_corpus(exp)
        agreement(exp, scratch)
        phases(exp, scratch)
        kept_model(exp, scratch)
        begins_with_a_model(exp, scratch)
        divergence(exp, scratch, interruptions(exp, scratch))
        unreadable(exp, scratch)
        diverged_with_model(exp, scratch)
        first_looks(exp, scratch)
        faster_passes(exp, scratch)
        errors(exp, scratch)
        odd_fields(exp, scratch)
        damaged(exp, scratch)
        wrong_starts(exp, scratch)
        plans_a_split(exp, scratch)
        memory_of_a_share(exp, scratch)
        if has_processes():
            split_weights(exp, scratch, data_parallel(exp, scratch))
        processes(exp, scratch)
        old_pytorch(exp, scratch)
        without_pytorch(exp, scratch)
        swarm(exp, scratch)
        progress(exp, scratch)
        one_refused(exp, scratch)
        plans(exp)
        bfloat16(exp, scratch)
    print("1..%d" % cases)


main()
