# SPDX-License-Identifier: Apache-2.0
"""The random numbers of regmix (src/base/rng.c): Philox4x32-10 of Salmon, Moraes, Dror and Shaw (SC
2011), a keyed bijection of a counter. Here many counters go through it at once, as int64 tensors.
"""
import math

import torch

from xxh3 import xxh3

FOR_WEIGHTS, FOR_ORDER = 2, 3  # rmx_purpose
LOW = 0xFFFFFFFF


def philox(counter, key):
    """Four words of 32 bits for each counter. counter: 4 and key: 2, integers or int64 tensors."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        p0, p1 = c0 * 0xD2511F53, c2 * 0xCD9E8D57  # 64 bits; int64 keeps them all
        c0, c1, c2, c3 = (p1 >> 32 & LOW) ^ c1 ^ k0, p1 & LOW, (p0 >> 32 & LOW) ^ c3 ^ k1, p0 & LOW
        k0, k1 = (k0 + 0x9E3779B9) & LOW, (k1 + 0xBB67AE85) & LOW
    return c0, c1, c2, c3


class Stream:
    """rmx_rng_make(seed, run, purpose): the numbers one by one, or many normal ones at once."""

    def __init__(self, seed, run, purpose):
        self.key = ((seed & LOW) ^ (run >> 32) * 0x85EBCA6B & LOW, seed >> 32)
        self.run, self.purpose = run & LOW, purpose
        self.position, self.left = 0, []

    def u32(self):
        if not self.left:
            self.left = list(philox((self.position & LOW, self.position >> 32, self.run,
                                     self.purpose), self.key))
            self.position += 1
        return self.left.pop(0)

    def u64(self):
        high = self.u32()
        return high << 32 | self.u32()

    def below(self, n):
        most = (1 << 64) - 1
        limit = most - most % n
        while True:
            x = self.u64()
            if x < limit:
                return x % n

    def normal(self, out, deviation):
        """Fills the flat tensor `out` with normal numbers, which begin at position 0."""
        piece = 1 << 20
        for at in range(0, out.numel(), piece):
            n = min(piece, out.numel() - at)
            block = torch.arange(at, at + n, dtype=torch.int64, device=out.device)
            words = philox((block & LOW, block >> 32, self.run, self.purpose), self.key)
            # the upper 53 of 64 bits
            u, v = ((words[i] << 21 | words[i + 1] >> 11).double() * 2.0**-53 for i in (0, 2))
            normal = torch.sqrt(-2 * torch.log(1 - u)) * torch.cos(2 * math.pi * v)
            out[at:at + n] = normal * deviation


def weights_stream(seed, tensor):
    return Stream(seed, xxh3(tensor.encode()), FOR_WEIGHTS)


def half_bits(n):
    """Half the bits of a block of the permutation of 0 .. n-1."""
    half = 3
    while half < 32 and n > 1 << 2 * half:
        half += 1
    return half


def feistel(n, half, key, block):
    mask = (torch.ones_like(half) << half) - 1
    left, right = block >> half, block & mask
    for turn in range(6):
        mixed = philox((right & LOW, turn, n & LOW, n >> 32), key)
        left, right = right, left ^ (mixed[0] & mask)
    return left << half | right


def permuted(n, half, key0, key1, place):
    """Element `place` of the permutation of 0 .. n-1 that the key chooses; int64 tensors of one
    length. As in src/corpus/permutation.c, what is not below n goes through the network again."""
    place = feistel(n, half, (key0, key1), place)
    while True:
        out = (place >= n).nonzero().squeeze(1)
        if not out.numel():
            return place
        again = [x[out] for x in (n, half, key0, key1, place)]
        place[out] = feistel(*again[:2], again[2:4], again[4])
