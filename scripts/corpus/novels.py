# SPDX-License-Identifier: Apache-2.0
"""novels.py FILE.rdb...: the novels in the data of R packages, a chapter a document, NUL after each.

An .rdb file is a row of objects: 4 bytes of length (big-endian, of the object decompressed), then a
zlib stream that holds R's XDR serialisation. Only character vectors matter here; strings are
found by their tag, so the rest of the format need not be understood: type 9 in the low byte of
the flags, then the length, then the bytes.
"""
import re
import struct
import sys
import zlib

CHAPTER = re.compile(r"^\s*(?:(?:CHAPTER|Chapter|VOLUME|LETTER|Letter)\s+(?:[IVXLC]+|\d+)\b.*|[IVXLC]{1,8}\.?)\s*$")


def objects(data):
    at = 0
    while at + 4 < len(data):
        stream = zlib.decompressobj()
        yield stream.decompress(data[at + 4:])
        at = len(data) - len(stream.unused_data)


def strings(raw):
    """The elements of the largest character vector: flags 16, count, then the strings."""
    best = []
    for found in re.finditer(rb"\x00\x00[\x00-\x07]\x10", raw):
        (count,) = struct.unpack_from(">i", raw, found.end()) if found.end() + 4 <= len(raw) else (0,)
        at, lines = found.end() + 4, []
        while len(lines) < count and at + 8 <= len(raw) and raw[at + 3] == 9:
            (size,) = struct.unpack_from(">i", raw, at + 4)
            size = max(size, 0)  # -1 is NA
            lines.append(raw[at + 8:at + 8 + size].decode("utf-8", "replace"))
            at += 8 + size
        if count > 0 and len(lines) == count and sum(map(len, lines)) > sum(map(len, best)):
            best = lines
    return best


def main():
    for path in sys.argv[1:]:
        with open(path, "rb") as file:
            data = file.read()
        for raw in objects(data):
            text = "\n".join(strings(raw))
            if len(text) < 50000:
                continue
            chapter = []
            for line in text.split("\n") + [None]:
                if line is None or CHAPTER.match(line):
                    body = "\n".join(chapter).strip()
                    if len(body) > 500:
                        sys.stdout.write(body + "\0")
                    chapter = []
                if line is not None:
                    chapter.append(line)


main()
