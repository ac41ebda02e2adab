# SPDX-License-Identifier: Apache-2.0
"""A tiny experiment that regmix and trainers/pytorch both train, on the CPU, and what they made of it.
A test that imports this is called with REGMIX TRAIN_PY and speaks TAP; where PyTorch is missing, all
of it is skipped. REGMIX_LONG=1 (make pytorch): as many steps as the documents speak of."""
import contextlib
import importlib.util
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import traceback

REGMIX, TRAIN = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
AGREE = 1e-4  # nats
STEPS = 100 if os.environ.get("REGMIX_LONG") else 40

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


def refused(name, wanted, ran):
    check(ran.returncode == 1 and wanted in ran.stderr and "Traceback" not in ran.stderr,
          "refused: " + name, ran.stderr)


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


# Three layers of odd sizes, as quick as can be.
SMALL = ["proxy.layers=3", "proxy.heads=1", "proxy.width=16", "proxy.ffn=24", "proxy.clip=0", "proxy.context=8",
         "proxy.batch_tokens=8", "proxy.tokens=%d" % (8 * STEPS), "proxy.weight_decay=0.3"]


def regmix_trains(exp, settings):
    return regmix("train", "-C", exp, "-q", "--redo", *[x for s in settings for x in ("--set", s)])


def run(*parts):
    """Each part of a test gets an experiment that regmix trained, and a folder to work in."""
    with tempfile.TemporaryDirectory() as scratch:
        exp = scratch + "/exp"
        make_corpus(exp)
        done = regmix_trains(exp, SMALL)
        assert done.returncode == 0, done.stderr
        for part in parts:
            part(exp, scratch)
    print("1..%d" % cases)


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


def copies(exp, at, **changes):
    return [own_copy(exp, run, "%s/%s" % (at, run), **changes) for run in ("r1", "r2", "r3")]


def rewrite(folder, change):
    """run.json, changed."""
    with open(folder + "/run.json") as file:
        o = json.load(file)
    change(o)
    with open(folder + "/run.json", "w") as file:
        json.dump(o, file)


def same_results(folders, others):
    return all(result(a)["loss_nats"] == result(b)["loss_nats"] and
               result(a)["half"] == result(b)["half"] and
               [x.get("loss_nats") for x in lines(a)] == [x.get("loss_nats") for x in lines(b)]
               for a, b in zip(folders, others))


def checkpoints(folder):
    return [name for name in os.listdir(folder) if name.endswith(".pt")]


def until_lines(folder, wanted, process):
    """Waits until the log of a run has so many lines, or the process has ended."""
    until = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < until:
        if os.path.exists(folder + "/log.jsonl") and len(lines(folder)) >= wanted:
            break
        time.sleep(0.02)
