#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_passes.py REGMIX TRAIN_PY: the graphs and the compiled code of trainers/pytorch, with stand-ins for
a GPU and for PyTorch 2."""
import os

from experiment import check, copies, own_copy, refused, result, run, same_results, torch, train
import passes  # after experiment, which knows where it is


class FakeGraph:
    """What a CUDA graph does, on the processor: the same work on the same memory."""

    def __init__(self, work, wrong):
        self.work, self.wrong, self.out = work, wrong, work()

    def replay(self):
        if not self.wrong:
            self.out.copy_(self.work())


def faster_passes(exp, scratch):
    """Graphs and compiled code: what they do without a GPU and PyTorch 2, with stand-ins for both."""
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


run(faster_passes)
