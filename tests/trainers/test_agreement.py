#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_agreement.py REGMIX TRAIN_PY: trainers/pytorch trains what regmix's own trainer trains: losses,
validation and the kept model agree."""
import json
import os
import shutil
import subprocess

from experiment import (AGREE, REGMIX, SMALL, STEPS, check, copies, differ, lines, own_copy,
                        refused, regmix, regmix_trains, result, run, train)

# Rounding errors grow from step to step: two kernels of regmix, too, part at large learning rates.
# Sizes, schedules and passes that are not alike.
SETTINGS = [
    ("nano", ["proxy.tokens=%d" % (256 * STEPS), "proxy.batch_tokens=256", "proxy.lr=1e-3"]),
    ("micro, cosine, two passes a step, the second smaller",
     ["proxy.model=micro", "proxy.tokens=%d" % (48 * STEPS), "proxy.lr=1e-3", "proxy.batch_tokens=48",
      "proxy.micro_tokens=32", "proxy.schedule=cosine", "proxy.context=16", "proxy.evals=3", "proxy.eval_tokens=100"]),
    ("own sizes, no clipping", SMALL),
]


def agreement(exp, scratch):
    for i, (name, settings) in enumerate(SETTINGS):
        done = regmix_trains(exp, settings)
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
    model = own_copy(exp, "r1", scratch + "/start", keep_model=True, heads=2, tokens=800)
    train(model)
    with open(model + "/config.json") as file:
        config = json.load(file)
    changed = exp + "-init"
    shutil.copytree(exp, changed)
    done = regmix_trains(changed, ["proxy.init=" + model,
                                   "proxy.context=%d" % config["max_position_embeddings"]])
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


run(agreement, phases, kept_model, begins_with_a_model, bfloat16)
