# SPDX-License-Identifier: Apache-2.0
"""XXH3, 64 bits, of Yann Collet, as its specification has it. The name of a weight tensor goes
through it to key the tensor's random numbers, and model.safetensors has a hash of itself. No input
of 129 to 240 bytes occurs, so that branch is left out. The long branch adds up many blocks at a
time, with tensors.
"""
import struct

import torch

ALL = (1 << 64) - 1
P32_1, P32_2, P32_3 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D
P64_1, P64_2, P64_3 = 0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9
P64_4, P64_5 = 0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")


def u32(data, at):
    return struct.unpack_from("<I", data, at)[0]


def u64(data, at):
    return struct.unpack_from("<Q", data, at)[0]


def fold(a, b):
    product = a * b
    return (product ^ product >> 64) & ALL


def avalanche(h):
    h = (h ^ h >> 37) * 0x165667919E3779F9 & ALL
    return h ^ h >> 32


def swap(x, n):
    return int.from_bytes(x.to_bytes(n, "little"), "big")


def up_to_3(data, seed):
    n = len(data)
    word = data[0] << 16 | data[n >> 1] << 24 | data[n - 1] | n << 8
    h = word ^ (u32(SECRET, 0) ^ u32(SECRET, 4)) + seed & ALL
    h = (h ^ h >> 33) * P64_2 & ALL
    h = (h ^ h >> 29) * P64_3 & ALL
    return h ^ h >> 32


def up_to_8(data, seed):
    n = len(data)
    seed ^= swap(seed & 0xFFFFFFFF, 4) << 32
    word = u32(data, n - 4) + (u32(data, 0) << 32)
    h = word ^ (u64(SECRET, 8) ^ u64(SECRET, 16)) - seed & ALL
    h ^= (h << 49 | h >> 15) & ALL ^ (h << 24 | h >> 40) & ALL
    h = h * 0x9FB21C651E98DF25 & ALL
    h = (h ^ (h >> 35) + n) * 0x9FB21C651E98DF25 & ALL
    return h ^ h >> 28


def up_to_16(data, seed):
    n = len(data)
    low = u64(data, 0) ^ (u64(SECRET, 24) ^ u64(SECRET, 32)) + seed & ALL
    high = u64(data, n - 8) ^ (u64(SECRET, 40) ^ u64(SECRET, 48)) - seed & ALL
    return avalanche(n + swap(low, 8) + high + fold(low, high) & ALL)


def mix16(data, at, secret, seed):
    return fold(u64(data, at) ^ u64(SECRET, secret) + seed & ALL,
                u64(data, at + 8) ^ u64(SECRET, secret + 8) - seed & ALL)


def up_to_128(data, seed):
    n = len(data)
    h = n * P64_1
    for i in reversed(range((n - 1) // 32 + 1)):
        h += mix16(data, 16 * i, 32 * i, seed) + mix16(data, n - 16 * (i + 1), 32 * i + 16, seed)
    return avalanche(h & ALL)


def secret_of(seed):
    words = struct.unpack("<24Q", SECRET)
    return struct.pack("<24Q", *((w - seed if i % 2 else w + seed) & ALL
                                 for i, w in enumerate(words)))


def signed(words):
    return torch.tensor([w - (1 << 64) if w >> 63 else w for w in words], dtype=torch.int64)


def stripes_sum(words, secret):
    """What stripes (n, s, 8) add to the lanes: (n, 8). secret (s, 8)."""
    key = words ^ secret
    added = (key & 0xFFFFFFFF) * (key >> 32 & 0xFFFFFFFF)
    return (added + words.view(*words.shape[:-1], 4, 2).flip(-1).reshape(words.shape)).sum(-2)


def long(data, seed):
    """data: a contiguous uint8 tensor on the CPU."""
    n, secret = data.numel(), secret_of(seed)
    lanes = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1]
    stripes = signed(u64(secret, 8 * (s + i)) for s in range(16) for i in range(8)).view(16, 8)
    scramble = struct.unpack_from("<8Q", secret, 128)
    blocks = (n - 1) // 1024
    for at in range(0, blocks, 4096):
        many = min(4096, blocks - at)
        words = data[1024 * at:1024 * (at + many)].view(torch.int64).view(many, 16, 8)
        for sums in stripes_sum(words, stripes).tolist():
            for i in range(8):
                x = lanes[i] + sums[i] & ALL
                lanes[i] = (x ^ x >> 47 ^ scramble[i]) * P32_1 & ALL
    rest = (n - 1 - 1024 * blocks) // 64
    tail = data[1024 * blocks:1024 * blocks + 64 * rest].clone().view(torch.int64).view(1, rest, 8)
    last = data[n - 64:].clone().view(torch.int64).view(1, 1, 8)
    ends = signed(u64(secret, 192 - 64 - 7 + 8 * i) for i in range(8)).view(1, 8)
    sums = (stripes_sum(tail, stripes[:rest]) + stripes_sum(last, ends))[0].tolist()
    lanes = [x + y & ALL for x, y in zip(lanes, sums)]
    h = n * P64_1
    for i in range(4):
        h += fold(lanes[2 * i] ^ u64(secret, 11 + 16 * i),
                  lanes[2 * i + 1] ^ u64(secret, 19 + 16 * i))
    return avalanche(h & ALL)


def xxh3(data, seed=0):
    """The hash of bytes, or of a contiguous uint8 tensor on the CPU."""
    n = len(data)
    if n > 240:
        if not torch.is_tensor(data):
            data = torch.frombuffer(bytearray(data), dtype=torch.uint8)
        return long(data, seed)
    assert 0 < n <= 128, "an input of %d bytes" % n
    data = bytes(data)
    short = up_to_3 if n < 4 else up_to_8 if n < 9 else up_to_16 if n < 17 else up_to_128
    return short(data, seed)
