# SPDX-License-Identifier: Apache-2.0
"""A model whose weights are split over the processes: of each tensor a process keeps a share, with
its gradient and its moments. A part of the model (the embedding, a layer, the head) has its weights
whole only while it works. In the backward pass a part works once more, so that no activations but
its input are kept until then."""
import torch
import torch.nn.functional as F


class Shares:
    """A whole tensor is (R, ...). Each process has (R, s) of it: the n numbers of a run are cut
    into as many pieces of s as there are processes, the last ones filled up with zeros."""

    def __init__(self, world):
        self.world, self.shape = world, {}

    def pieces(self, whole):
        """(processes, R, s)."""
        flat = whole.reshape(len(whole), -1)
        missing = -flat.shape[1] % self.world.size
        flat = F.pad(flat, (0, missing)) if missing else flat
        return flat.view(len(whole), self.world.size, -1).transpose(0, 1).contiguous()

    def keep(self, name, whole):
        """The share of this process."""
        self.shape[name] = whole.shape
        return self.pieces(whole)[self.world.rank].clone()

    def whole(self, names, shares):
        """The tensors, in one message. All processes call it."""
        sizes = [share.shape[1] * share.element_size() for share in shares]
        sent = torch.cat([share.view(torch.uint8) for share in shares], 1)
        out = []
        for name, share, part in zip(names, shares, self.world.gather(sent).split(sizes, 2)):
            flat = part.transpose(0, 1).reshape(len(share), -1).view(share.dtype)
            shape = self.shape[name]
            out.append(flat[:, :shape[1:].numel()].contiguous().view(shape))
        return out

    def sum(self, gradients):
        """The shares of the sums over all processes, in float32, in one message."""
        pieces = [self.pieces(gradient.float()) for gradient in gradients]
        shares = self.world.reduce_scatter(torch.cat(pieces, 2))
        return shares.split([piece.shape[2] for piece in pieces], 1)


class Part(torch.autograd.Function):
    """work(weights, x), where `weights` are those of these names."""

    @staticmethod
    def forward(ctx, model, work, names, x, *shares):
        ctx.of = model, work, names
        ctx.save_for_backward(x, *shares)
        return work(model.whole(names, shares), x)

    @staticmethod
    def backward(ctx, gradient):
        model, work, names = ctx.of
        x, *shares = ctx.saved_tensors
        x = x.detach().requires_grad_(x.is_floating_point())
        weights = [w.detach().requires_grad_() for w in model.whole(names, shares)]
        with torch.enable_grad():
            y = work(weights, x)
        wanted = weights + [x] * x.requires_grad
        gradients = list(torch.autograd.grad(y, wanted, gradient))
        of_x = gradients.pop() if x.requires_grad else None
        del weights, wanted, y  # before the gradients are copied
        return (None, None, None, of_x, *model.shares.sum(gradients))
