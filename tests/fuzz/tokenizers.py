#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tokenizers.py SEEDS: writes small tokenizers of every kind of file as seeds of fuzz_tokenizer_file."""
import base64
import json
import os
import struct
import sys


def varint(x):
    out = b""
    while x >= 0x80:
        out += bytes([x & 0x7F | 0x80])
        x >>= 7
    return out + bytes([x])


def number(field, x):
    return varint(field << 3) + varint(x)


def data(field, x):
    return varint(field << 3 | 2) + varint(len(x)) + x


def piece(text, score, kind):
    return data(1, data(1, text.encode()) + varint(2 << 3 | 5) + struct.pack("<f", score) + number(3, kind))


def charsmap():
    """The rule A -> a, as a double array of darts and its normal forms."""
    units = [0] * 1024
    units[0] = 256 << 10
    units[256 ^ 65] = (256 ^ 65 ^ 512) << 10 | 1 << 8 | 65
    units[512] = 1 << 31
    return struct.pack("<I", 4 * len(units)) + struct.pack("<1024I", *units) + b"a\0"


def model(kind, trim, add_space, extra=b"", trainer=b"", rules=b""):
    pieces = [("<unk>", 0, 2), ("<s>", 0, 3), ("</s>", 0, 3), ("▁", -1, 1), ("a", -2, 1), ("b", -2, 1),
              ("ab", -2.5, 1), ("▁a", -3, 1), ("▁ab", -3.25, 1), ("<sep>", 0, 4)]
    out = b"".join(piece(*p) for p in pieces) + extra
    out += data(2, number(3, kind) + trainer)
    return out + data(3, (data(2, rules) if rules else b"") + number(3, add_space) + number(4, trim))


def ranks():
    tokens = [bytes([b]) for b in range(256)] + [b"ab", b"abb"]
    return [base64.b64encode(t).decode() for t in tokens]


def main():
    folder = os.path.join(sys.argv[1], "tokenizer_file")
    os.makedirs(folder, exist_ok=True)
    some_bytes = b"".join(piece(f"<0x{b:02X}>", 0, 6) for b in range(256))
    tekken = {"config": {"pattern": "\\p{L}+|.", "default_vocab_size": 260, "default_num_special_tokens": 3},
              "vocab": [{"rank": i, "token_bytes": t} for i, t in enumerate(ranks())],
              "special_tokens": [{"rank": 2, "token_str": "</s>", "is_control": True}]}
    unigram = {"model": {"type": "Unigram", "unk_id": 0, "byte_fallback": False,
                         "vocab": [["<unk>", 0.0], ["▁", -1.5], ["a", -2.25], ["▁ab", -3.1], ["</s>", 0.0]]},
               "normalizer": {"type": "Sequence", "normalizers": [
                   {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap()).decode()}]},
               "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
               "decoder": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True},
               "added_tokens": [{"id": 4, "content": "</s>", "special": True}]}
    wordpiece = {"model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                           "max_input_chars_per_word": 100, "vocab": {"[UNK]": 0, "a": 1, "##b": 2, "[SEP]": 3}},
                 "normalizer": {"type": "BertNormalizer"}, "pre_tokenizer": {"type": "BertPreTokenizer"},
                 "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
                 "added_tokens": [{"id": 3, "content": "[SEP]", "special": True}]}
    seeds = {
        "spm_unigram": model(1, 1, 1, rules=charsmap()),
        "spm_bpe": model(2, 0, 1),
        "spm_bytes": model(2, 0, 0, extra=some_bytes, trainer=number(35, 1)),
        "spm_suffix": model(1, 0, 1, trainer=number(24, 1)),
        "tiktoken": "".join(f"{t} {i}\n" for i, t in enumerate(ranks())).encode(),
        "tekken": json.dumps(tekken).encode(),
        "vocab_txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\na\nb\n##b\nab\n,\n".encode(),
        "unigram": json.dumps(unigram).encode(),
        "wordpiece": json.dumps(wordpiece).encode(),
    }
    for name, content in seeds.items():
        with open(os.path.join(folder, name), "wb") as file:
            file.write(content)


main()
