# SPDX-License-Identifier: Apache-2.0
"""Several processes that train the same runs (torchrun): each takes a part of every step's
sequences and some of AdamW's moments. The first process alone writes files."""
import os
import re

import torch
import torch.distributed as dist

from fields import Refused


def whole_in_environment(name, default):
    text = os.environ.get(name) or str(default)
    if not re.fullmatch("[0-9]{1,9}", text):
        raise Refused('%s in the environment is "%s"; torchrun sets it to a whole number'
                      % (name, text))
    return int(text)


class World:
    def __init__(self, device):
        self.size = whole_in_environment("WORLD_SIZE", 1)
        self.rank = whole_in_environment("RANK", 0) if self.size > 1 else 0
        self.device = device
        if self.size > 1 and not dist.is_available():
            raise Refused("this PyTorch (%s) cannot train in several processes; start train.py "
                          "without torchrun, or install a PyTorch with torch.distributed"
                          % torch.__version__)
        if self.size > 1 and not dist.is_initialized():
            dist.init_process_group("nccl" if device.type == "cuda" else "gloo")

    @property
    def first(self):
        return self.rank == 0

    def mine(self, n):
        """Which of n things this process takes."""
        return range(self.rank, n, self.size)

    def add_up(self, tensors):
        if self.size > 1:
            for tensor in tensors:
                dist.all_reduce(tensor)

    def to_owners(self, tensors, owners):
        """Adds each tensor up in the process that owns it; the others have nothing of use then."""
        if self.size > 1:
            for tensor, owner in zip(tensors, owners):
                dist.reduce(tensor, owner)

    def from_owners(self, tensors, owners):
        if self.size > 1:
            for tensor, owner in zip(tensors, owners):
                dist.broadcast(tensor, owner)

    def gather(self, part):
        """(size, ...): the parts of all processes."""
        if self.size == 1:
            return part[None]
        parts = part.new_empty(self.size, *part.shape)
        if self.device.type == "cuda":
            dist.all_gather_into_tensor(parts, part)
        else:
            dist.all_gather(list(parts), part)
        return parts

    def reduce_scatter(self, parts):
        """The sum over all processes of this one's part; parts (size, ...), which are lost."""
        if self.size > 1 and self.device.type == "cuda":
            mine = torch.empty_like(parts[0])
            dist.reduce_scatter_tensor(mine, parts)
            return mine
        self.to_owners(parts, range(self.size))  # gloo has no reduce_scatter
        return parts[self.rank].clone()

    def from_first(self, x):
        """What the first process has, in all: a tensor in place, or anything small."""
        if self.size == 1:
            return x
        if isinstance(x, torch.Tensor):
            dist.broadcast(x, 0)
            return x
        box = [x]
        dist.broadcast_object_list(box)
        return box[0]

    def any(self, *flags):
        """Each flag: set in some process. All must do the same."""
        if self.size == 1:
            return flags
        both = torch.tensor([float(f) for f in flags], device=self.device)
        dist.all_reduce(both, dist.ReduceOp.MAX)
        return [bool(f) for f in both.tolist()]

    def least(self, number):
        if self.size == 1:
            return number
        x = torch.tensor(float(number), dtype=torch.float64, device=self.device)
        dist.all_reduce(x, dist.ReduceOp.MIN)
        return int(x)

    def meet(self):
        if self.size > 1:
            dist.barrier()

    def leave(self):
        """The last call. A process that ends while others still listen to it may abort."""
        if self.size > 1 and dist.is_initialized():
            dist.destroy_process_group()
