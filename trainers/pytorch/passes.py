# SPDX-License-Identifier: Apache-2.0
"""A pass: sequences go forward and backward, and their gradients are added to those that are there.
On a GPU a pass of a small model is thousands of short kernels. A CUDA graph starts them all at
once, and torch.compile joins them. REGMIX_GRAPHS and REGMIX_COMPILE (on, off) choose. Without a
choice there are graphs on CUDA with PyTorch 2, and nothing is compiled, since that changes
rounding. What fails, or gives other losses, is not used: a warning says so."""
import os
import sys

import torch

from run import Refused

AGREE = 1e-3  # relative; the same kernels but for the order of some sums


def is_new():
    return int(torch.__version__.split(".")[0]) >= 2


def wanted(name, by_default, missing):
    """missing: why it cannot be, or None."""
    choice = os.environ.get(name, "")
    if choice not in ("", "on", "off"):
        raise Refused('%s is "%s" in the environment; wanted on, off or nothing' % (name, choice))
    if choice == "on" and missing:
        raise Refused("%s=on: %s; unset it" % (name, missing))
    return not missing and (choice == "on" or by_default and not choice)


def choices(device):
    """Whether there are to be graphs, and compiled code."""
    no_compile = None if hasattr(torch, "compile") else \
        "this PyTorch (%s) has no torch.compile; 2.0 or newer has it" % torch.__version__
    no_graphs = None if device.type == "cuda" else "CUDA graphs need a GPU"
    return wanted("REGMIX_GRAPHS", is_new(), no_graphs), wanted("REGMIX_COMPILE", False, no_compile)


def captured(work):
    """(the graph of what work does, what it returns), after two calls to warm up."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(2):
            work()
    torch.cuda.current_stream().wait_stream(stream)
    torch.cuda.empty_cache()
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        out = work()
    return graph, out


class Passes:
    def __init__(self, model, adamw, chunk):
        self.model, self.adamw, self.chunk = model, adamw, chunk
        self.try_graph, self.try_compile = choices(model.device)
        if model.shares:  # its weights come and go
            self.try_graph = self.try_compile = False
        self.graph = self.body = None
        self.how = "eager"

    def __call__(self, ids, fresh):
        """Losses (R, M) of ids (R, n, T + 1). fresh: the gradients are zero."""
        if fresh and self.try_compile:
            self.try_compile = False
            return self.first_compiled(ids)
        if fresh and self.try_graph:
            self.try_graph = False
            return self.first_of_graph(ids)
        if self.graph and ids.shape == self.ids.shape:
            return self.replay(ids)
        return self.plain(ids)

    def plain(self, ids):
        losses = self.model.losses(ids[..., :-1], ids[..., 1:], self.chunk, True, self.body)
        losses.sum().backward()
        return losses.detach()

    def replay(self, ids):
        self.ids.copy_(ids)
        self.graph.replay()
        return self.out.clone()

    def first_compiled(self, ids):
        try:
            self.body = torch.compile(self.model.body, dynamic=False)
            losses = self.plain(ids)
            self.how = "compiled"
            return losses
        except Exception as error:  # whatever a compiler may fail with
            self.body = None
            return self.without("torch.compile", error, ids)

    def first_of_graph(self, ids):
        losses, squares = self.plain(ids), self.squares()
        self.clear()
        try:
            self.ids = ids.clone()
            self.graph, self.out = captured(lambda: self.plain(self.ids))
            self.clear()
            if not (same(self.replay(ids), losses) and same(self.squares(), squares)):
                raise RuntimeError("its losses or gradients are not those without it")
            self.how += ", a CUDA graph"
            return losses
        except Exception as error:  # of the driver, of the memory, or the one above
            self.graph = self.out = self.ids = None
            return self.without("a CUDA graph", error, ids)

    def without(self, what, error, ids):
        print("train.py: training goes on without %s: %s"
              % (what, str(error).strip().split("\n")[0][:200]), file=sys.stderr, flush=True)
        self.clear()
        return self.plain(ids)

    def clear(self):
        for gradient in self.adamw.gradients():
            gradient.zero_()

    def squares(self):
        """Of the gradients of each run."""
        return torch.stack([g.flatten(1).square().sum(1) for g in self.adamw.gradients()]).sum(0)


def same(a, b):
    return torch.allclose(a.float(), b.float(), rtol=AGREE, atol=AGREE, equal_nan=True)
