#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_interruptions.py REGMIX TRAIN_PY: trainers/pytorch, ended at any time, goes on to the same bits; a
run that diverges, or a damaged checkpoint, harms no other."""
import errno
import os
import signal
import subprocess
import sys

from experiment import (TRAIN, check, checkpoints, copies, own_copy, refused, result, run,
                        same_results, torch, train, trainer, until_lines)

TOKENS = 800  # 100 steps: time enough to be interrupted


def start_and_end(folders, signal_number, done_lines):
    """Starts the training, sends the signal once the log has so many lines; the exit code."""
    process = subprocess.Popen([sys.executable, TRAIN, "--device", "cpu", *folders],
                               stderr=subprocess.DEVNULL, env={**os.environ, "OMP_NUM_THREADS": "1"})
    until_lines(folders[0], done_lines, process)
    process.send_signal(signal_number)
    return process.wait()


def interruptions(exp, scratch):
    whole = copies(exp, scratch + "/whole", tokens=TOKENS)
    cut = copies(exp, scratch + "/cut", tokens=TOKENS, checkpoint_s=0)
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
    divergence(exp, scratch, whole)


def divergence(exp, scratch, whole):
    """One of the stacked runs gets a weight that is no number."""
    folders = copies(exp, scratch + "/diverged", tokens=TOKENS, checkpoint_s=0)
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


def one_state_at_a_time(exp, scratch):
    """A checkpoint of many runs takes the memory of one more, not of twice as many."""
    order, state, save = [], trainer.Batch.state, torch.save

    def made(self, r, *what):
        order.append("made")
        return state(self, r, *what)

    def saved(*what):
        order.append("saved")
        return save(*what)
    trainer.Batch.state, torch.save = made, saved
    ran = train(*copies(exp, scratch + "/states", tokens=120, context=8, batch_tokens=40, checkpoint_s=0))
    trainer.Batch.state, torch.save = state, save
    check(ran.returncode == 0 and len(order) > 2 and order == ["made", "saved"] * (len(order) // 2),
          "a checkpoint copies one run at a time", "%s %s" % (order[:8], ran.stderr))


def diverged_with_model(exp, scratch):
    """A run that is to keep its model, and diverges, is done: there is no model."""
    folder = own_copy(exp, "r1", scratch + "/no-model", keep_model=True, clip=0, beta2=0, eps=1e-30,
                      tokens=800, context=8, batch_tokens=40, lr=10)
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


run(interruptions, unreadable, one_state_at_a_time, diverged_with_model)
