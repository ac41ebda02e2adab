#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_refusals.py REGMIX TRAIN_PY: what trainers/pytorch refuses: settings, files and options that it cannot
use. It says why, without a traceback, and trains the runs beside them."""
import contextlib
import json
import os
import signal
import subprocess
import sys
import time

from experiment import TRAIN, check, copies, own_copy, refused, result, rewrite, run, train, trainer


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
    good, folders = own_copy(exp, "r2", at + "/good"), {}
    for name, change in changes.items():
        folders[name] = own_copy(exp, "r1", "%s/%s" % (at, name))
        rewrite(folders[name], change)
    ran = train(*folders.values(), good)
    check(ran.returncode == 1 and result(good)["status"] == "done" and "Traceback" not in ran.stderr,
          "a run beside %d damaged ones is trained" % len(changes), ran.stderr)
    for name, folder in folders.items():
        made = result(folder) if os.path.exists(folder + "/result.json") else {}
        check(made.get("status") == "failed" and name in made["error"],
              "failed, with the reason: a wrong %s" % name, made)
    again = own_copy(exp, "r3", at + "/again")
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


run(errors, odd_fields, damaged, wrong_starts)
