# SPDX-License-Identifier: Apache-2.0
"""train.py RUN_FOLDER... : trains the runs in these folders, stacked, as docs/trainer.md asks: each
folder has a run.json and gets log.jsonl, result.json and, where it is to be kept, a model. A run
that is finished is not trained again; one that was interrupted goes on from its checkpoint."""
import _signal  # `signal` itself takes some milliseconds

if __name__ == "__main__":  # PyTorch takes seconds to start; a signal ends that without a traceback
    _signal.signal(_signal.SIGINT, _signal.SIG_DFL)

import argparse
import importlib.util
import os
import re
import sys

if getattr(importlib.util.find_spec("torch"), "origin", None) is None:
    sys.exit("train.py: PyTorch is not installed for %s. Set REGMIX_PYTHON to the python that has "
             "it, or install it (Debian: apt-get install python3-torch; others: "
             "https://pytorch.org)" % sys.executable)
import torch

OLDEST = (1, 13)
if tuple(int(x) for x in torch.__version__.split(".")[:2]) < OLDEST:
    sys.exit("train.py: this is PyTorch %s; wanted 1.13 or newer: install a newer one"
             % torch.__version__)

import checkpoint
from batch import Batch, Stop
from fields import Refused
from files import mark_failed
from passes import choices
from plan import GIB, Plan, free_memory
from run import Run
from speed import speed
from world import World, whole_in_environment


def groups(runs):
    """Lists of runs that can be stacked, in the order in which they were given."""
    out = {}
    for run in runs:
        out.setdefault(run.together(), []).append(run)
    return list(out.values())


def is_short_of_memory(error):
    return "out of memory" in str(error) or "can't allocate memory" in str(error)


class Trainer:
    def __init__(self, args):
        self.args, self.device = args, device_of(args)
        choices(self.device)  # refused here, before any run
        self.world = World(self.device)
        self.dtype = {"float32": torch.float32, "bfloat16": torch.bfloat16}[
            args.precision or ("bfloat16" if self.device.type == "cuda" else "float32")]
        free = free_memory(self.device) // (self.world.size if self.device.type == "cpu" else 1)
        self.memory = int(args.memory * GIB) if args.memory else self.world.least(free)

    def plan(self, runs):
        return Plan(runs[0], len(runs), self.dtype, self.memory, self.args.runs, self.args.micro,
                    self.world.size, self.args.weights)

    def left(self, runs):
        """Those that are not done. The first process looks: what the others see of its files may be
        older, and all must do the same."""
        left = [i for i, run in enumerate(runs) if not run.is_done()] if self.world.first else None
        return [runs[i] for i in self.world.from_first(left)]

    def train(self, runs):
        """False: it was asked to stop."""
        left = self.left(runs)
        while left:
            plan = self.plan(left)
            if self.world.first:
                print("train.py: " + plan.text(len(left)), file=sys.stderr, flush=True)
            try:
                if not self.train_batch(left[:plan.R], plan):
                    return False
            except RuntimeError as error:
                if not is_short_of_memory(error) or not self.less_memory(plan):
                    raise
                left = self.left(left)
                continue
            trained, left = left[:plan.R], self.left(left)
            lost = [run for run in trained if run in left]
            if lost:
                raise Refused("%s: the run was trained, but its result is not in the folder; look "
                              "whether another process works in it" % lost[0].path)
        return True

    def train_batch(self, runs, plan):
        return all(Batch(part, states, plan, self.dtype, self.world).train()
                   for part, states in checkpoint.resume(runs, self.world))

    def less_memory(self, plan):
        """The estimate was too low: the next try takes less. False: there is no smaller one."""
        if plan.R == 1 and plan.micro == 1 or self.world.size > 1:
            return False
        self.memory = min(int(plan.needs(plan.R, plan.micro) * 0.7), int(self.memory * 0.9))
        print("train.py: the memory was too small for that; trying with less at a time",
              file=sys.stderr)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()
        return True


def device_of(args):
    name = args.device or os.environ.get("REGMIX_DEVICE")
    if name and not re.fullmatch(r"cpu|cuda(:[0-9]{1,4})?", name):
        raise Refused('the device is "%s" (--device, or REGMIX_DEVICE in the environment); this '
                      "trainer knows cpu, cuda, and cuda:1, cuda:2, ..." % name)
    if not name and torch.version.cuda is None and not torch.cuda.is_available():
        print("train.py: this PyTorch (%s) is one without CUDA, so the runs are trained on the "
              "processor" % torch.__version__, file=sys.stderr)
        name = "cpu"
    name = name or "cuda"
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise Refused("PyTorch finds no CUDA device. Check that `nvidia-smi` lists a GPU, that "
                      "CUDA_VISIBLE_DEVICES is not empty, and that this PyTorch (%s) was built "
                      "with CUDA. To train on the processor, slowly: --device cpu, or "
                      "REGMIX_DEVICE=cpu in the environment" % torch.__version__)
    if name == "cuda":
        name = "cuda:%d" % whole_in_environment("LOCAL_RANK", 0)
    device = torch.device(name)
    if device.type == "cuda" and device.index >= torch.cuda.device_count():
        raise Refused("there is no device %s: PyTorch finds %d of them. Take another (--device, "
                      "REGMIX_DEVICE), or start fewer processes"
                      % (name, torch.cuda.device_count()))
    if device.type == "cuda":
        torch.cuda.set_device(device)
    return device


def positive(kind):
    def number(text):
        x = kind(text)
        if not 0 < x < 1e12:
            raise ValueError(text)
        return x
    number.__name__ = "positive " + ("number" if kind is float else "whole number")
    return number


def arguments():
    parser = argparse.ArgumentParser(description="Trains the runs in these folders, stacked.")
    parser.add_argument("folders", nargs="*", metavar="RUN_FOLDER",
                        help="a folder with a run.json, such as runs/0001")
    parser.add_argument("--plan", action="store_true",
                        help="print how many runs and sequences go through at once, and end")
    parser.add_argument("--speed", metavar="SETTINGS", help="measure the speed of runs with these "
                        "settings (JSON: training, vocab, runs), print it as JSON, and end")
    parser.add_argument("--seconds", type=positive(float), default=15,
                        help="for --speed: about so long")
    parser.add_argument("--device", help="cuda, cuda:1, cpu (default: $REGMIX_DEVICE, else cuda; "
                        "cpu where this PyTorch was built without CUDA)")
    parser.add_argument("--precision", choices=("float32", "bfloat16"),
                        help="of the products (default: bfloat16 on CUDA, float32 on a processor)")
    parser.add_argument("--runs", type=positive(int), default=0, metavar="R",
                        help="runs stacked (default: as many as the memory holds, up to 512)")
    parser.add_argument("--micro", type=positive(int), default=0, metavar="N",
                        help="sequences of a run in a pass (default: as many as the memory "
                        "holds)")
    parser.add_argument("--weights", choices=("whole", "split"),
                        help="whether each process of torchrun has all weights or a share of them "
                        "(default: whole if one run then fits into the memory)")
    parser.add_argument("--memory", type=positive(float), default=0, metavar="GIB",
                        help="memory to use (default: what is free)")
    args = parser.parse_args()
    if not args.folders and not args.speed:
        parser.error("give the folders of runs, such as runs/0001")
    return args


def without_doubles(folders):
    """A folder that is given twice, under whatever names, is one run."""
    out = {}
    for folder in folders:
        if out.setdefault(os.path.realpath(folder), folder) is not folder:
            print("train.py: %s is given twice; it is trained once" % folder, file=sys.stderr)
    return list(out.values())


class Refusals:
    """What cannot be trained does not keep the other runs from being trained."""

    def __init__(self, trainer, mark):
        self.trainer, self.mark, self.any = trainer, mark, False

    def attempt(self, folders, work, *what):
        """What the work returns; None: it refused these runs."""
        try:
            return work(*what)
        except Refused as refused:
            if self.trainer.world.size > 1:  # the other processes may not have refused it
                raise
            self.any = True
            print("train.py: %s" % refused, file=sys.stderr, flush=True)
            for folder in folders if self.mark else ():
                mark_failed(folder, str(refused))
            return None


def main():
    args = arguments()
    trainer = Trainer(args)
    if args.speed:
        speed(args.speed, trainer, args.seconds)
        return 0
    refusals = Refusals(trainer, not args.plan)
    runs = [refusals.attempt([folder], Run, folder) for folder in without_doubles(args.folders)]
    Stop.listen()
    for group in groups([run for run in runs if run]):
        folders = [run.folder for run in group if not run.is_done()]
        if args.plan:
            plan = refusals.attempt(folders, trainer.plan, group)
            if plan and trainer.world.first:
                print(plan.text(len(group)))
        elif refusals.attempt(folders, trainer.train, group) is False:
            trainer.world.leave()
            return Stop.code()
    trainer.world.leave()
    return 1 if refusals.any else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Refused as refused:
        sys.exit("train.py: %s" % refused)
