# SPDX-License-Identifier: Apache-2.0
"""Token files, and the order in which sequences are drawn from them: for each run, the sequences
that regmix's own trainer draws (src/corpus/stream_fixed.c has the reasons)."""
import os
import struct

import torch

from philox import FOR_ORDER, Stream, half_bits, permuted
from fields import Refused


LOOKED_AT = 1 << 22  # tokens at the start of a file; the others when a sequence is made of them


def token_file(path, tokens, vocab):
    """The ids as a tensor that maps the file: int16 (to be read as unsigned) or int32."""
    width = 2 if vocab <= 65536 else 4
    try:
        with open(path, "rb") as file:
            head = file.read(64)
    except OSError as error:
        raise Refused("%s: %s. The tokens of the corpus must be reachable on each machine that "
                      "trains, under this path: copy the folder corpus/ there, or put the "
                      "experiment on a shared disk" % (path, error.strerror))
    if len(head) < 64 or head[:8] != b"RMXTOKEN":
        raise Refused("%s is not a token file; `regmix prepare` writes it" % path)
    version, ids_width, n = struct.unpack_from("<IIQ", head, 8)
    if (version, ids_width, n) != (1, width, tokens) or os.path.getsize(path) != 64 + width * n:
        raise Refused("%s has version %d, %d bytes an id, %d ids and %d bytes; run.json wants "
                      "version 1, %d bytes an id, %d ids: it is of another corpus, or was cut off. "
                      "Copy the corpus again, or run `regmix prepare`"
                      % (path, version, ids_width, n, os.path.getsize(path), width, tokens))
    dtype, skip = (torch.int16, 32) if width == 2 else (torch.int32, 16)
    ids = torch.from_file(path, shared=False, size=skip + n, dtype=dtype)[skip:]
    check_ids(ids[:LOOKED_AT], vocab, path)
    return ids


def check_ids(ids, vocab, path):
    """A token that the model has no row for would end the training of all runs beside this one."""
    for part in ids.split(1 << 20) if ids.numel() else ():
        low, top = (int(x) for x in widened(part).aminmax())
        if low < 0 or top >= vocab:
            raise Refused('%s has the token %d, but "vocab" in run.json is %d: the file is of '
                          "another corpus, or is damaged. Run `regmix prepare`"
                          % (path, low if low < 0 else top, vocab))


def widened(ids):
    return ids.long() & 0xFFFF if ids.dtype == torch.int16 else ids.long()


class Tokens:
    """The training tokens of the domains that some run draws from, in one tensor on the device if
    they take no more than `room` bytes there, else in their files."""

    def __init__(self, run, used, device, room):
        self.device = device
        self.files = [token_file(run.domains[name]["train"], run.domains[name]["train_tokens"],
                                 run.corpus_vocab) if use else None
                      for name, use in zip(run.names, used)]
        self.vocab = run.corpus_vocab
        for name in run.domains:  # not only found to be missing after the training
            if run.valid_tokens(name):
                domain = run.domains[name]
                token_file(domain["valid"], domain["valid_tokens"], run.corpus_vocab)
        have = [f for f in self.files if f is not None]
        self.all = None
        if device.type == "cuda" and sum(f.numel() * f.element_size() for f in have) <= room:
            self.all = torch.cat(have).to(device)
            check_ids(self.all, self.vocab, "the corpus")
            sizes = [0 if f is None else f.numel() for f in self.files]
            self.begin = torch.tensor([sum(sizes[:d]) for d in range(len(sizes))])

    def windows(self, domain, start, length):
        """Ids (n, length) on the device; domain and start: int64 (n)."""
        reach = torch.arange(length)
        if self.all is not None:
            first = (self.begin[domain] + start).to(self.device, non_blocking=True)
            return widened(self.all[first[:, None] + reach.to(self.device)])
        out = torch.empty(len(start), length, dtype=torch.int64)
        for d in domain.unique().tolist():
            here = domain == d
            out[here] = widened(self.files[d][start[here][:, None] + reach])
        check_ids(out.view(-1), self.vocab, "the corpus")
        return out.to(self.device, non_blocking=True)


class Order:
    """Which window of which domain each of R runs takes next. State: (R, D) tensors."""

    def __init__(self, runs):
        self.T, self.seeds = runs[0].context, [r.seed for r in runs]
        self.tokens = [runs[0].domains.get(n, {}).get("train_tokens") or 0 for n in runs[0].names]
        self.mixture = torch.tensor([r.mixture for r in runs], dtype=torch.float64)
        R, D = self.mixture.shape
        self.rows, self.used = torch.arange(R), self.mixture > 0
        self.runs, self.phases = runs, None
        self.choose(0)
        self.credit = torch.zeros(R, D, dtype=torch.float64)
        self.epoch, self.position, self.sequences = torch.zeros(3, R, D, dtype=torch.int64)
        # windows, shift, half, key0, key1 of the present epoch
        self.walk = torch.zeros(R, D, 5, dtype=torch.int64)
        for r, d in self.used.nonzero().tolist():
            self.begin_epoch(r, d, 0)

    def begin_epoch(self, r, d, epoch):
        rng = Stream(self.seeds[r], d, FOR_ORDER)
        rng.position = 2 * epoch
        key = rng.u32(), rng.u32()
        shift = rng.below(min(self.tokens[d] - self.T, self.T))
        windows = (self.tokens[d] - 1 - shift) // self.T
        self.epoch[r, d], self.position[r, d] = epoch, 0
        self.walk[r, d] = torch.tensor([windows, shift, half_bits(windows), *key])

    def choose(self, step):
        """The mixture of each run at this step; credits and epochs go on from phase to phase."""
        phases = [run.phase_at(step) for run in self.runs]
        if phases == self.phases:
            return
        self.phases = phases
        self.mixture = torch.tensor([run.mixture_at(step) for run in self.runs],
                                    dtype=torch.float64)
        self.now = self.mixture > 0
        self.last_used = (self.now * torch.arange(self.now.shape[1])).argmax(1)

    def next_domains(self):
        self.credit += self.mixture
        due = (1 - self.credit) / self.mixture
        due[~(self.now & (self.credit > 0))] = torch.inf
        soonest, domain = due.min(1)
        domain = torch.where(soonest < torch.inf, domain, self.last_used)
        self.credit[self.rows, domain] -= 1
        return domain

    def next(self, n):
        """domain and start, each (R, n), of the next n sequences of each run."""
        domains, places, walks = [], [], []
        for _ in range(n):
            d = self.next_domains()
            ended = self.position[self.rows, d] == self.walk[self.rows, d, 0]
            for r in ended.nonzero().squeeze(1).tolist():
                self.begin_epoch(r, int(d[r]), int(self.epoch[r, d[r]]) + 1)
            domains.append(d)
            places.append(self.position[self.rows, d])
            walks.append(self.walk[self.rows, d])
            self.position[self.rows, d] += 1
            self.sequences[self.rows, d] += 1
        walk = torch.stack(walks, 1).flatten(0, 1)
        windows, shift, half, key0, key1 = walk.unbind(1)
        place = permuted(windows, half, key0, key1, torch.stack(places, 1).flatten())
        return torch.stack(domains, 1), (shift + self.T * place).view(-1, n)

    def epochs(self, r):
        """How often run r went through each domain."""
        windows = self.walk[r, :, 0].clamp(min=1)
        return (self.epoch[r] + self.position[r].double() / windows).tolist()

    def state(self):
        return {k: getattr(self, k) for k in ("credit", "epoch", "position", "sequences", "walk")}

    def load(self, state):
        for key, value in state.items():
            getattr(self, key).copy_(value)
