# SPDX-License-Identifier: Apache-2.0
"""Checkpoints: each run has its own, pytorch-<step>.pt in its folder, so that runs can be stacked
in another way afterwards. The old ones go when all runs of the batch have the new one. So a kill at
any moment leaves a step that all of them have."""
import glob
import json
import os
import re
import sys

import torch

from fields import Refused

OF_MODEL = "weights", "moments"
TENSORS = "order", *OF_MODEL


def path_of(run, step):
    return os.path.join(run.folder, "pytorch-%d.pt" % step)


def steps_of(run):
    found = glob.glob(os.path.join(glob.escape(run.folder), "pytorch-*.pt"))
    numbers = (re.fullmatch(r"pytorch-(\d+)\.pt", os.path.basename(path)) for path in found)
    return {int(m.group(1)) for m in numbers if m}


def remove(run, keep=None):
    for step in steps_of(run):
        if step != keep:
            os.unlink(path_of(run, step))
    for left in glob.glob(os.path.join(glob.escape(run.folder), "*.tmp-*")):
        os.unlink(left)


def packed(state):
    """Numbers and texts as JSON: `weights_only` of PyTorch 1.13 reads no float outside a tensor."""
    plain = {k: x for k, x in state.items() if k not in TENSORS}
    return {"plain": json.dumps(plain), **{k: state[k] for k in TENSORS}}


def unpacked(state):
    return {**json.loads(state["plain"]), **{k: state[k] for k in TENSORS}}


def save(runs, states):
    """states: of each run that is still trained, made one at a time, since each is a copy."""
    step = None
    for run, state in zip(runs, states):
        step = state["step"]
        temporary = path_of(run, state["step"]) + ".tmp-%d" % os.getpid()
        with open(temporary, "wb") as file:
            torch.save(packed({"question": run.question(), **state}), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path_of(run, state["step"]))
    for run in runs:
        remove(run, step)


def load(run, step):
    """The state, or None if the file is damaged or of another training. One that cannot be read now
    may be whole: it is not given up."""
    try:
        state = unpacked(torch.load(path_of(run, step), map_location="cpu", weights_only=True))
        if state["question"] == run.question() and state["step"] == step:
            return state
        why = "it is of another training"
    except OSError as error:
        raise Refused("%s cannot be read (%s). To begin the run again without it, remove it"
                      % (path_of(run, step), error.strerror or error))
    except MemoryError:
        raise Refused("%s cannot be read, since there is too little memory: train fewer runs at a "
                      "time (--runs)" % path_of(run, step))
    except Exception as error:  # whatever a damaged file leads to
        if "allocate memory" in str(error):
            raise
        why = str(error).split("\n")[0][:200]
    print("train.py: %s is not used, since %s" % (path_of(run, step), why), file=sys.stderr)
    return None


def resume(runs, world):
    """[(runs, their states or None)]: those that go on from the same step, together. The first
    process reads the files; the others get all but the tensors of the models."""
    found = in_this_process(runs) if world.first else []
    small = [([runs.index(run) for run in part],
              [{k: x for k, x in s.items() if k not in OF_MODEL} for s in states or ()])
             for part, states in found]
    small = world.from_first(small)
    return found if world.first else [([runs[i] for i in part], states or None)
                                      for part, states in small]


def in_this_process(runs):
    out, left = [], list(runs)
    have = {run: steps_of(run) for run in runs}
    while left:
        step = max((s for run in left for s in have[run]), default=None)
        here = [run for run in left if step in have[run]]
        if step is None or not here:
            out.append((left, None))
            break
        # the last step that all have is better than two groups
        common = set.intersection(*(have[run] for run in left))
        if common and step not in common:
            step, here = max(common), left
        states = [load(run, step) for run in here]
        for run, state in zip(here, states):
            if state is None:
                have[run].discard(step)
        if None not in states:
            out.append((here, states))
            left = [run for run in left if run not in here]
    return out
