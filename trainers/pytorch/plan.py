# SPDX-License-Identifier: Apache-2.0
"""How many runs are stacked, and how many sequences go through them at once: as many as the memory
holds. The estimate is of what PyTorch keeps for the backward pass, counted once for each shape."""
import math
import os

import torch

from adamw import owners
from fields import Refused
from model import SDPA, tensor_table

GIB = 1 << 30
CHUNK_SHARE = 0.1  # of the memory, for the logits of a chunk and what is made from them
RUNS = 512  # stacked in one process, or fewer


def number_in(path):
    with open(path) as file:
        return int(file.read())


def left_in(folder, names):
    """Bytes that a control group may still take. What it has of files goes when memory is short."""
    limit, used = (number_in(os.path.join(folder, name)) for name in names)
    with open(os.path.join(folder, "memory.stat")) as file:
        stat = dict(line.split() for line in file)
    kind = "total_" if "total_inactive_file" in stat else ""  # with those below it
    files = sum(int(stat.get(kind + name, 0)) for name in ("inactive_file", "active_file"))
    return max(limit - used + files, 0)


def group_memory(own="/proc/self/cgroup", root="/sys/fs/cgroup"):
    """Bytes left by the limits of a container or of a batch system's job; infinity: no limits."""
    left = math.inf
    try:
        with open(own) as file:
            groups = [line.strip().split(":", 2)[1:] for line in file]
    except OSError:
        return left
    for kinds, path in groups:
        if kinds and "memory" not in kinds.split(","):
            continue
        names = ("memory.limit_in_bytes", "memory.usage_in_bytes") if kinds else \
            ("memory.max", "memory.current")
        folder = os.path.join(root, "memory" if kinds else "")
        for part in ["", *path.strip("/").split("/")]:  # a limit of one above holds too
            folder = os.path.join(folder, part)
            try:
                left = min(left, left_in(folder, names))
            except (OSError, ValueError):  # "max": no limit
                pass
    return left


def processor_memory():
    free = 8 * GIB
    try:
        with open("/proc/meminfo") as file:
            for line in file:
                if line.startswith("MemAvailable"):
                    free = int(line.split()[1]) * 1024
    except OSError:
        pass
    return int(min(free, group_memory()))


def free_memory(device):
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0] * 0.92)
    return int(processor_memory() * 0.6)


def most_owned(run, processes):
    """Parameters whose moments one process has."""
    sizes = [sum(rows for _, rows in parts) * (columns or 1)
             for _, parts, columns, _ in tensor_table(run)]
    owner = owners(sizes, processes)
    return max(sum(n for n, o in zip(sizes, owner) if o == rank) for rank in range(processes))


class Plan:
    """Of `n` runs like `run`: R at a time, `micro` sequences of each in a pass, `chunk` tokens of
    each in a piece of the head. `split`: the weights are split over the processes, because one run
    does not fit without that, or because `weights` says so."""

    def __init__(self, run, n, dtype, memory, max_runs=0, micro=0, processes=1, weights=None):
        self.run, self.memory, self.size = run, memory, torch.finfo(dtype).bits // 8
        self.processes, self.split = processes, weights == "split"
        if not weights and self.needs(1, micro or 1) > memory:
            self.split = True
        most = min(n, max_runs or RUNS)
        while most > 1 and self.needs(most, micro or 1) > memory:
            most -= max(most // 16, 1)
        self.R = -(-n // -(-n // most))  # the same number in each batch, or nearly
        if self.needs(self.R, micro or 1) > memory:
            raise Refused("%s: one run needs about %.3g GiB of memory, and there are %.3g GiB "
                          "free: end what else uses it, take a GPU with more, start more "
                          "processes (torchrun), or make context or the model smaller"
                          % (run.path, self.needs(1, micro or 1) / GIB, memory / GIB))
        self.micro = micro or run.batch
        while not micro and self.micro > 1 and self.needs(self.R, self.micro) > memory:
            self.micro -= max(self.micro // 8, 1)
        self.micro = min(self.micro, run.batch)
        self.chunk = self.chunk_of(self.R)

    def chunk_of(self, R):
        tokens = int(self.memory * CHUNK_SHARE) // (R * self.run.vocab * (8 + 2 * self.size))
        return max(min(tokens, 16384), 1)

    def of_weights(self):
        """Bytes of a run: weights, gradients, moments; what the head or a layer makes of them."""
        run, n = self.run, self.run.parameters()
        head, layer = run.vocab * run.sizes[2], run.body_parameters() // run.sizes[0]
        if self.split:
            return 16 * -(-n // self.processes) + max(12 * head, (8 + 2 * self.size) * layer)
        return n * (8 if self.size == 4 else 10) + 8 * most_owned(run, self.processes) + 12 * head

    def needs(self, R, micro):
        """Bytes: weights and what belongs to them; activations; the logits of a chunk."""
        run = self.run
        layers, heads, width, ffn = run.sizes
        scores = 0 if SDPA else heads * run.context * (4 + self.size)
        layer = width * (54 if self.size == 4 else 42) + ffn * 4 * self.size + scores
        kept = layer + layers * width * 4 if self.split else layers * layer
        tokens = micro * run.context
        chunk = min(self.chunk_of(R), tokens) * run.vocab * (8 + 2 * self.size)
        return int(R * (self.of_weights() + 1.3 * tokens * (kept + 20 * width) + chunk))

    def text(self, n):
        run = self.run
        split = "" if not self.split else "the weights split over %d processes, " % self.processes \
            if self.processes > 1 else "each layer computed twice, "
        return ("%d run%s of %d parameters: %d at a time, %d of %d sequences of a step in a pass, "
                "%d tokens in a piece of the head; %sabout %.2f of %.2f GiB"
                % (n, "" if n == 1 else "s", run.parameters(), self.R, self.micro, run.batch,
                   self.chunk, split, self.needs(self.R, self.micro) / GIB, self.memory / GIB))
