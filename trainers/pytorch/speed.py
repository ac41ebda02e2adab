# SPDX-License-Identifier: Apache-2.0
"""train.py --speed SETTINGS : how fast such runs would be trained here, for `regmix plan`, which
asks before there is a run or a corpus. The tokens are random. SETTINGS is JSON: "training" as in
run.json, "vocab", and the number of "runs" of this process. The answer is a line of JSON."""
import json
import tempfile
import time

import torch

from batch import Batch
from fields import SPEED, Refused, check
from plan import Plan
from trial import DEFAULTS, make_runs
from world import World

GROWTH = 8  # from one number of stacked runs that is measured to the next
MOST_TOKENS = 4096  # of a step on a processor; as much is one pass or more


def clock(device):
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.monotonic()


def median_s(work, device, until):
    """Of three calls, or of fewer once the time is over, after one to warm up."""
    times = []
    work()
    while not times or len(times) < 3 and clock(device) < until:
        began = clock(device)
        work()
        times.append(clock(device) - began)
    return sorted(times)[len(times) // 2]


def of_stacked(R, question, trainer, until):
    """Tokens per second of training and of validation, all R runs together."""
    args = trainer.args
    with tempfile.TemporaryDirectory() as folder:
        runs = make_runs(folder, question["vocab"], R, question["training"])
        plan = Plan(runs[0], R, trainer.dtype, trainer.memory, R, args.micro)
        batch = Batch(runs, None, plan, trainer.dtype, World(trainer.device))
    run = runs[0]
    ids = torch.randint(run.vocab, (R, plan.micro, run.context + 1), device=trainer.device)

    def validate():
        with torch.no_grad():
            batch.model.losses(ids[..., :-1], ids[..., 1:], plan.chunk)
    step = median_s(lambda: batch.one_step(1e-4), trainer.device, until)
    valid = median_s(validate, trainer.device, until)
    return R * run.step_tokens / step, R * plan.micro * run.context / valid


def device_name(device):
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "the processor"


def read(text):
    try:
        question = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Refused("--speed: wanted JSON with %s: %s" % (", ".join(SPEED), error))
    check(question, SPEED, "--speed")
    question["training"] = {**DEFAULTS, **question["training"]}
    return question


def speed(text, trainer, seconds):
    question = read(text)
    training = question["training"]
    with tempfile.TemporaryDirectory() as folder:
        plan = trainer.plan(make_runs(folder, question["vocab"], 1, training) * question["runs"])
    if trainer.device.type == "cpu":  # steps of many tokens take too long, and are no faster
        training["batch_tokens"] = min(training["batch_tokens"], MOST_TOKENS)
    R, until = 1, time.monotonic() + seconds
    while True:
        began = time.monotonic()
        rates = of_stacked(R, question, trainer, until)
        took = time.monotonic() - began
        if R == plan.R or time.monotonic() + GROWTH * took > until:
            break
        R = min(R * GROWTH, plan.R)
    print(json.dumps({
        "device": trainer.device.type, "name": device_name(trainer.device),
        "torch": torch.__version__, "precision": str(trainer.dtype)[6:], "stacked": plan.R,
        "measured": R, "tokens_per_s": rates[0], "valid_tokens_per_s": rates[1],
        "memory": plan.needs(plan.R, plan.micro)}))
