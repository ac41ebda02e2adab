#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""test_texts.py REGMIX: what prepare counts and reports of good and of odd files, domain by domain, word for word. Speaks TAP."""
import os
import random
import sys

from small_experiment import Experiment, ok, tests

draw = random.Random(3)


def document(n=12):
    return " ".join(draw.choice(["red", "green", "blue", "one", "two", "three", "four"]) + str(draw.randrange(90)) for _ in range(n))


def documents(n):
    return [document() for _ in range(n)]


def text(docs, separator="%"):
    return f"\n{separator}\n".join(docs) + "\n"


def jsonl(docs):
    return "".join('{"text": "%s"}\n' % d for d in docs)


# Each: a domain, its files, its documents as they must be read, what is counted, and the warnings.
def plain():
    d = documents(40)
    return {"plain.txt": text(d)}, d, {}, []


def first_line():
    """A separator in the first line ends no document, nor does one at the end."""
    d = documents(30)
    return {"first.txt": "%\n" + text(d) + "%\n"}, d, {}, []


def crlf():
    d = documents(30)
    return {"crlf.txt": text(d).replace("\n", "\r\n")}, [x + "\r" for x in d], {}, []


def end_tokens():
    d = [[document() + "\n<|endoftext|>\n" + document(3) for _ in range(20)] for _ in range(3)]
    return ({f"end{i}.txt": text(x) for i, x in enumerate(d)}, sum(d, []), {},
            ["text/end_tokens/end0.txt (and 2 more of its files) has lines inside its documents that are an end token, such as <|endoftext|>; if they end "
             'a document, set `separator: "<|endoftext|>"`'])


def two_ends():
    """Two such lines in a file are no reason to warn."""
    d = documents(30)
    d[0], d[1] = d[0] + "\n<|endoftext|>", d[1] + "\n</s>"
    return {"two.txt": text(d)}, d, {}, []


def comments():
    d = [[document() + f"\n%% comment {k}" for k in range(20)] for _ in range(2)]
    return ({f"tex{i}.txt": text(x) for i, x in enumerate(d)}, sum(d, []), {},
            ["text/comments/tex0.txt (and 1 more of its files) is cut at lines with only %, but has as many longer lines that begin with %, like comments of "
             "LaTeX and Erlang; if % does not end a document, set `separator` (none: a file is one document)"])


def few_comments():
    d = documents(30)
    d[:2] = [x + "\n%% comment" for x in d[:2]]
    return {"few.txt": text(d)}, d, {}, []


def html():
    d = ["<!DOCTYPE html>\n<html>" + document() + "</html>"] + documents(30)
    return {"page.txt": text(d)}, d, {}, ["text/html/page.txt begins like a web page; if the download failed, fetch the file again"]


def broken():
    d = documents(30)
    return ({"a.jsonl": jsonl(d[:20]) + '{"text": \n{"x": 1}\n{"text": ""}\n', "b.jsonl": jsonl(d[20:]) + '{"text": "a \\ud800 b"}\n{"text": "c \\ud800 \\udc00 d"}\n'},
            d + ["a \ufffd b", "c \ufffd \ufffd d"], {"bad_lines": 1, "bad_bytes": 9, "no_text": 1, "empty": 1, "surrogates": 3},
            ["1 broken line skipped (9 bytes); 1 line without text skipped; 1 document is empty; 3 halves of a surrogate pair (such as \\ud800) replaced"])


def duplicates():
    d = documents(30)
    return {"twice.txt": text(d[:10] + d[:4] + d[10:] + d[3:5])}, d, {"duplicates": 6}, ["6 duplicates dropped"]


def wide():
    d = documents(25)
    return {"utf16.txt": text(d).encode("utf-16"), "le.txt": text(documents_of("le", 5)).encode("utf-16-le")}, d + documents_of("le", 5), {}, []


kept = {}


def documents_of(key, n):
    return kept.setdefault(key, documents(n))


def bytes_replaced():
    d = documents(40)
    return ({"raw.txt": text(d).encode() + b"%\nabc \xff def \xfe\xfd ghi jkl mno\n"}, d + ["abc \ufffd def \ufffd\ufffd ghi jkl mno"], {"invalid_utf8": 3},
            ["3 bytes that are not UTF-8 replaced"])


def hollow():
    d = documents(30)
    return {"some.txt": text(d), "none.txt": "", "void.txt": "%\n%\n"}, d, {"empty": 1}, ["text/hollow/none.txt (and 1 more of its files) has no text", "1 document is empty"]


DOMAINS = [plain, first_line, crlf, end_tokens, two_ends, comments, few_comments, html, broken, duplicates, wide, bytes_replaced, hollow]
COUNTS = ["duplicates", "overlaps", "boilerplate", "bad_lines", "bad_bytes", "no_text", "empty", "invalid_utf8", "surrogates"]


def all_tests(regmix, folder):
    e = Experiment(regmix, folder)
    wanted = {}
    for make in DOMAINS:
        name = make.__name__
        files, *rest = make()
        wanted[name] = rest
        os.makedirs(f"{folder}/text/{name}")
        for file, content in files.items():
            with open(f"{folder}/text/{name}/{file}", "wb") as f:
                f.write(content if isinstance(content, bytes) else content.encode())
    e.put("regmix.yaml", "corpus:\n  vocab: 300\n  skip_bad: true\n  overlap: 0\n  domains:\n" + "".join(f'    {n}: "text/{n}/*"\n' for n in wanted)
          + "target: plain\nsample: {max_epochs: 0}\n")
    code, table, said = e.call("prepare")
    ok(code == 0, "prepare ends well", said)
    corpus = {d["name"]: d for d in e.read("corpus/corpus.json")["domains"]}
    total = sum(d["train_tokens"] for d in corpus.values())
    for name, (docs, counts, warnings) in wanted.items():
        d = corpus[name]
        size = sum(len(x.encode()) for x in docs)
        ok(d["documents"] == len(docs) == d["train_documents"] + d["valid_documents"] and d["train_bytes"] + d["valid_bytes"] == size,
           f"{name}: {len(docs)} documents of {size} bytes", f"{d['documents']} documents, {d['train_bytes']} + {d['valid_bytes']} bytes")
        got = {k: d[k] for k in COUNTS}
        ok(got == {**dict.fromkeys(COUNTS, 0), **counts}, f"{name}: what is counted: {counts or 'nothing'}", got)
        lines = [line for line in said.splitlines() if line.startswith((f"{name}: ", f"warning: {name}: ")) and "validation tokens; its loss" not in line]
        missing = [w for w in warnings if not any(w in line for line in lines)]
        ok(not missing and len([x for x in lines if x.startswith("warning")]) == len([w for w in warnings if w.startswith("text/")]), f"{name}: what is reported", f"{missing}\n" + "\n".join(lines))
        first = [line for line in lines if line.startswith(f"{name}: {d['documents']} documents, ")]
        ok(len(first) == 1 and f"{d['train_tokens']:,} tokens to train on and {d['valid_tokens']:,} to validate with" in first[0]
           and first[0].count(";") == sum(len(w.split("; ")) for w in warnings if not w.startswith("text/")), f"{name}: its line, without more", first)
        tokens, number = d["train_tokens"] + d["valid_tokens"], d["documents"]
        row = [line.split() for line in (table + said).splitlines() if line.split()[:1] == [name]]
        shown = [name, str(number), f"{tokens}", f"{size / (tokens - number):.2f}", f"{size / number:.0f}", str(d["duplicates"]), f"{d['train_tokens'] / total:.4f}"]
        ok(any(shown[:3] == r[:3] and shown[4:] == r[4:] for r in row), f"{name}: its row of the table", f"{row} {shown}")


if __name__ == "__main__":
    sys.exit(tests(all_tests))
