#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_processes.py REGMIX TRAIN_PY: several processes of trainers/pytorch at one training, each with all
weights or with a share of them."""
import os
import shutil
import socket
import subprocess
import sys

from experiment import (AGREE, STEPS, TRAIN, check, checkpoints, copies, differ, own_copy, refused,
                        result, rewrite, run, same_results, torch, train, trainer, until_lines)
import plan as planning  # of trainers/pytorch


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
        until_lines(folders[0], kill_at, running[0])
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
    """Two processes with half of the sequences each."""
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


# A step takes long here; a few of them will do.
SPLIT = {**UNEVEN, "tokens": UNEVEN["tokens"] if STEPS > 40 else 240}


def split_weights(exp, scratch):
    """Three processes with a share of the weights each. Three divide neither the tensors nor the
    sequences of a step, so in some passes a process has none."""
    thirds, split = ["--weights", "split", "--micro", "1"], ["--weights", "split"]
    whole, cut, narrow, wide, one = (
        copies(exp, "%s/split-%s" % (scratch, name), **SPLIT, keep_model=True,
               checkpoint_s=0 if name == "cut" else 60)[:2]
        for name in ("whole", "cut", "narrow", "wide", "one"))
    train(*one)
    codes = ranks(whole, processes=3, args=thirds)
    made = result(whole[0])["made_by"] if codes == [0, 0, 0] else {}
    check(agree(whole, one) and (made["weights"], made["processes"]) == ("split", 3),
          "three processes that split the weights train what one does", codes)
    ranks(cut, kill_at=2, processes=3, args=thirds)
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


class Second(trainer.World):
    """A process that hears from the first one that no run is left."""

    def __init__(self):
        self.size, self.rank, self.device = 2, 1, torch.device("cpu")

    def from_first(self, x):
        return []


def limits_of_groups(exp, scratch):
    """A container or a job of a batch system may have less memory than the machine."""
    root = scratch + "/groups"
    files = {"": {}, "job": {"memory.max": "1000000", "memory.current": "400000"},
             "job/step": {"memory.max": "max", "memory.current": "300000"},
             "memory/job": {"memory.limit_in_bytes": "900000", "memory.usage_in_bytes": "100000"}}
    stat = "anon 5\ninactive_file 70000\nactive_file 30000"
    for folder, contents in files.items():
        os.makedirs(os.path.join(root, folder), exist_ok=True)
        for name, text in {**contents, "memory.stat": stat}.items():
            with open(os.path.join(root, folder, name), "w") as file:
                file.write(text + "\n")
    left = []
    for text in ("0::/job/step\n", "4:memory:/job\n0::/\n", "4:cpu,memory:/job/none\n", "0::/\n", "3:cpu:/job\n"):
        with open(root + "/own", "w") as file:
            file.write(text)
        left.append(planning.group_memory(root + "/own", root))
    check(left == [700000, 900000, 900000, float("inf"), float("inf")], "limits of control groups count", left)


def first_looks(exp, scratch):
    """Of several processes the first one says which runs are done: files reach the others later."""
    run = trainer.Run(own_copy(exp, "r1", scratch + "/stale"))
    second = trainer.Trainer.__new__(trainer.Trainer)
    second.world = Second()
    check(not run.is_done() and second.train([run]), "a run that the first process calls done is done")


def several(exp, scratch):
    if has_processes():
        data_parallel(exp, scratch)
        split_weights(exp, scratch)


run(plans_a_split, memory_of_a_share, limits_of_groups, first_looks, several)
