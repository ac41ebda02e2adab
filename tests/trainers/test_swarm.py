#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_swarm.py REGMIX TRAIN_PY: proxy.trainer: pytorch, from regmix train and regmix plan."""
import contextlib
import glob
import json
import os
import pty
import re
import resource
import shutil
import subprocess
import sys
import types

from experiment import AGREE, REGMIX, TRAIN, check, regmix_trains, result, run, torch, until_lines
import files  # of trainers/pytorch


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
    if os.environ.get("FAIL_BEFORE") == run["name"]:
        sys.exit("out of luck")
    json.dump({"loss_nats": {d: 1.5 for d in run["domains"]}}, open(folder + "/result.json", "w"))
    if os.environ.get("FAIL_AFTER") == "one":
        sys.exit("out of luck")
if os.environ.get("FAIL_AFTER") == "sleep":
    import time; time.sleep(60)
"""


@contextlib.contextmanager
def few_files(most):
    """A process may have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def many_logs(exp, scratch):
    """The logs of more runs than a process may have files open."""
    runs = [types.SimpleNamespace(folder="%s/logs/%d" % (scratch, i)) for i in range(100)]
    for one in runs:
        os.makedirs(one.folder)
    with few_files(64):
        logs = [files.Log(one, "a\n", True) for one in runs]
        for log in logs:
            log.add("b\n")
    texts = {open(one.folder + "/log.jsonl").read() for one in runs}
    check(texts == {"a\nb\n"} and logs[0].text == "a\nb\n", "logs are not kept open", texts)


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
    good, said = swarm_train(exp, fake=fake, FAIL_AFTER="one", text="run r2 (of 3 that one process trains) failed")
    check(good and said.count("trying again") == 2 and "run r3 (of 2 that one process trains) failed" in said,
          "a process that fails is tried again as long as it finishes runs", said)
    again()
    good, said = swarm_train(exp, fake=fake, FAIL_BEFORE="r3", wanted=1,
                             text="run r3 (of 3 that one process trains) failed")
    check(good and said.count("trying again") == 2 and said.count("given up") == 1,
          "a process that fails is reported once, and given up", said)
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
    deep = scratch + ("/" + "d" * 200) * 3
    shutil.copytree(exp, deep, ignore=shutil.ignore_patterns("runs", "metrics*", "eval*"))
    with open(deep + "/mixtures.csv", "w") as file:
        file.write("run,code,prose,mail\n" + "".join("r%d,0.5,0.3,0.2\n" % i for i in range(250)))
    good, said = swarm_train(deep, fake=fake, text="250 runs done", CUDA_VISIBLE_DEVICES="0")
    stacked = [open(path).read().split()[1] for path in glob.glob(deep + "/runs/*/gpu")]
    check(good and len(stacked) == 2, "hundreds of long paths are too long for one command", said)
    shutil.rmtree(deep + "/runs")
    with few_files(150):
        good, said = swarm_train(deep, fake=fake, text="250 runs done", CUDA_VISIBLE_DEVICES="0")
    check(good, "no more runs in one process than it may have files open", said)
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


# What plan trains a little of, so that it need not be much.
LITTLE = [x for s in ("large.model=nano", "large.context=32", "large.batch_tokens=512", "proxy.batch_tokens=512")
          for x in ("--set", s)]


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
                                ("check", ("check", *with_it), 1), ("plan", ("plan", *with_it, *LITTLE), 0),
                                ("doctor", ("doctor", "-C", here), 1)):
        for python, wanted in ((bare, "has no PyTorch"), ("/no/python", "no such program")):
            told = subprocess.run([REGMIX, *command], capture_output=True, text=True, cwd=here,
                                  env={**os.environ, "REGMIX_PYTHON": python})
            said = told.stdout + told.stderr
            check((told.returncode > 0) == code and wanted in said and "REGMIX_PYTHON" in said,
                  "%s: %s" % (name, wanted), said)
    check(not glob.glob(exp + "/runs/*/log.txt"), "and no run was tried")


def swarm(exp, scratch):
    sets = ["proxy.tokens=6400", "proxy.batch_tokens=64", "proxy.lr=1e-3", "proxy.checkpoint_s=0"]
    regmix_trains(exp, sets)
    ours = [result(exp + "/runs/" + run)["loss_nats"] for run in ("r1", "r2", "r3")]
    good, said = swarm_train(exp, *sets, wanted=1, text="changed: trainer")
    check(good, "results of one trainer do not pass for those of the other", said)
    shutil.rmtree(exp + "/runs")
    process = subprocess.Popen([REGMIX, "train", "-C", exp, *[x for s in (*sets, "proxy.trainer=pytorch")
                                                             for x in ("--set", s)]],
                               stderr=subprocess.DEVNULL,
                               env={**os.environ, "REGMIX_PYTHON": sys.executable, "REGMIX_DEVICE": "cpu",
                                    "OMP_NUM_THREADS": "1"})
    until_lines(exp + "/runs/r1", 21, process)
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
    told = subprocess.run([REGMIX, "plan", "-C", exp, "--json", "--set", "proxy.trainer=pytorch", *LITTLE],
                          capture_output=True, text=True,
                          env={**os.environ, "REGMIX_PYTHON": python, **env})
    return (json.loads(told.stdout) if told.returncode == 0 else {}), told.stderr


def plans(exp, _):
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


run(many_logs, processes, old_pytorch, without_pytorch, swarm, progress, one_refused, plans)
