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
    characters = {c: i for i, c in enumerate("?ab xA12.,_▁é")}

    def part(**parts):
        model = {"type": "BPE", "unk_token": "?", "vocab": characters, "merges": []}
        return json.dumps({"added_tokens": [], **parts, "model": model}).encode()

    behaviours = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]
    splits = [{"type": "Split", "pattern": {"Regex": "[ab]+|\\p{Punct}"}, "behavior": b, "invert": b < "J"}
              for b in behaviours]
    schemes = [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": s, "split": s != "first"}
               for s in ("always", "first", "never")]
    flags = [{"id": 13 + i, "content": c, "single_word": i == 0, "lstrip": i == 1, "rstrip": i == 2,
              "normalized": i == 3, "special": i == 4} for i, c in enumerate(["xx", "x ", " x", "XA", "<s>"])]
    affixes = {"type": "BPE", "unk_token": "?", "continuing_subword_prefix": "##", "end_of_word_suffix": "</w>",
               "fuse_unk": True, "byte_fallback": True,
               "vocab": {"?": 0, "a": 1, "##b": 2, "##b</w>": 3, "ab</w>": 4, "<0xC3>": 5, "<0xA9>": 6},
               "merges": ["a ##b</w>"]}
    seeds = {
        "splits": part(pre_tokenizer={"type": "Sequence", "pretokenizers": splits}),
        "metaspace": part(pre_tokenizer={"type": "Sequence", "pretokenizers": schemes}, decoder=schemes[0]),
        "classes": part(pre_tokenizer={"type": "Sequence", "pretokenizers": [
            {"type": "Digits", "individual_digits": True}, {"type": "Punctuation", "behavior": "MergedWithNext"},
            {"type": "Whitespace"}, {"type": "FixedLength", "length": 2}]}),
        "normalizers": part(normalizer={"type": "Sequence", "normalizers": [
            {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"}, {"type": "Nmt"},
            {"type": "Strip", "strip_left": True, "strip_right": True}, {"type": "Prepend", "prepend": "▁"},
            {"type": "Replace", "pattern": {"Regex": " +"}, "content": "▁"}]}),
        "added": part(added_tokens=flags, normalizer={"type": "Lowercase"}),
        "affixes": json.dumps({"pre_tokenizer": {"type": "WhitespaceSplit"}, "model": affixes}).encode(),
        "decoders": part(decoder={"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}),
        "vocab_json": json.dumps({"a": 0, "b": 1, "ab": 2}).encode(),
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
