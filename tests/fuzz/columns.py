#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""columns.py FOLDER: small files of columns with the same rows in different encodings: Parquet in FOLDER/parquet, Arrow in
FOLDER/arrow; and token files of other programs for fuzz_ids.c in FOLDER/ids.

Writers of its own, so that no library is needed. tests/unit/test_tables.c has the same rows and reads all of these
files; they are the seeds of the fuzz targets too. seeds.sh runs this. Compression with zstd needs the program zstd.
"""
import os
import struct
import subprocess
import sys
import zlib

# ---- the rows ---------------------------------------------------------------------------------------------------
ROWS = 20
TEXT = [None if i % 7 == 3 else "text %d " % i + "é" * (i % 4) + "na" * (i * 3) for i in range(ROWS)]
URL = ["http://host%d.example/%d" % (i % 3, i) for i in range(ROWS)]
NUMBER = [None if i % 3 == 0 else i * i * (-1) ** i for i in range(ROWS)]
SCORE = [i * 0.5 for i in range(ROWS)]
FLAG = [i % 2 == 0 for i in range(ROWS)]
INNER = ["inner %d" % i for i in range(ROWS)]
PARTS = [[] if i % 5 == 0 else None if i % 5 == 1 else ["p%d" % i, None, "q"] for i in range(ROWS)]

# ---- Thrift's compact protocol ----------------------------------------------------------------------------------


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def zigzag(n):
    return varint(n * 2 if n >= 0 else -n * 2 - 1)


def i32(n):
    return 5, zigzag(n)


def i64(n):
    return 6, zigzag(n)


def text(s):
    return 8, varint(len(s.encode())) + s.encode()


def array(items):
    kind = items[0][0] if items else 12
    head = bytes([len(items) << 4 | kind]) if len(items) < 15 else bytes([240 | kind]) + varint(len(items))
    return 9, head + b"".join(value for _, value in items)


def record(fields):
    out, last = b"", 0
    for id, (kind, value) in sorted(fields.items()):
        out += bytes([(id - last) << 4 | kind]) + value
        last = id
    return 12, out + b"\0"


# ---- compressions -----------------------------------------------------------------------------------------------


def matches(data):
    """Yields (literal, offset, length): bytes, then a copy of earlier bytes. The last one has no copy."""
    seen, at, start = {}, 0, 0
    while at + 12 < len(data):
        found = seen.get(data[at:at + 4])
        seen[data[at:at + 4]] = at
        if found is None:
            at += 1
            continue
        n = 4
        while n < 60 and at + n + 5 < len(data) and data[found + n] == data[at + n]:
            n += 1
        yield data[start:at], at - found, n
        at += n
        start = at
    yield data[start:], 0, 0


def snappy(data):
    out = varint(len(data))
    for literal, offset, n in matches(data):
        if literal:
            m = len(literal) - 1
            out += (bytes([m << 2]) if m < 60 else bytes([60 << 2, m]) if m < 256 else bytes([61 << 2]) + struct.pack("<H", m)) + literal
        if n and n <= 11 and offset < 2048:
            out += bytes([(offset >> 8) << 5 | (n - 4) << 2 | 1, offset & 255])
        elif n:
            out += bytes([(n - 1) << 2 | 2]) + struct.pack("<H", offset)
    return out


def lz4(data):
    out = b""
    for literal, offset, n in matches(data):
        m, k = len(literal), max(n - 4, 0)
        out += bytes([min(m, 15) << 4 | min(k, 15)])
        if m >= 15:
            out += b"\xff" * ((m - 15) // 255) + bytes([(m - 15) % 255])
        out += literal
        if n:
            out += struct.pack("<H", offset)
            if k >= 15:
                out += bytes([k - 15])
    return out


def hadoop(data):
    block = lz4(data)
    return struct.pack(">II", len(data), len(block)) + block


def gzip(data):
    z = zlib.compressobj(9, zlib.DEFLATED, 31)
    return z.compress(data) + z.flush()


def zstd(data):
    return subprocess.run(["zstd", "-q", "-c"], input=data, stdout=subprocess.PIPE, check=True).stdout


CODECS = {"none": (0, bytes), "snappy": (1, snappy), "gzip": (2, gzip), "lz4": (5, hadoop), "zstd": (6, zstd), "lz4_raw": (7, lz4)}

# ---- encodings --------------------------------------------------------------------------------------------------
PLAIN, DICTIONARY, RLE, DELTA, DELTA_LENGTH, DELTA_BYTES, RLE_DICTIONARY, SPLIT = 0, 2, 3, 5, 6, 7, 8, 9
BOOLEAN, INT64, DOUBLE, BYTES = 0, 2, 5, 6


def pack(values, width):
    n = sum(v << (i * width) for i, v in enumerate(values))
    return n.to_bytes((len(values) * width + 7) // 8, "little")


def runs(values, width):
    """Groups of eight are packed; the rest are runs of one value."""
    n, out = len(values) // 8, b""
    if n:
        out += varint(n << 1 | 1) + pack(values[:8 * n], width)
    for v in values[8 * n:]:
        out += varint(2) + v.to_bytes((width + 7) // 8, "little")
    return out


def deltas(values):
    out = varint(128) + varint(4) + varint(len(values)) + zigzag(values[0] if values else 0)
    steps = [b - a for a, b in zip(values, values[1:])]
    for at in range(0, len(steps), 128):
        block = steps[at:at + 128]
        least = min(block)
        block = [s - least for s in block]
        minis = [block[i:i + 32] for i in range(0, 128, 32)]
        widths = [max(m, default=0).bit_length() for m in minis]
        out += zigzag(least) + bytes(widths)
        for m, width in zip(minis, widths):
            out += pack(m + [0] * (32 - len(m)), width) if m else b""
    return out


def plain(kind, values):
    if kind == BOOLEAN:
        return pack([int(v) for v in values], 1)
    if kind == BYTES:
        return b"".join(struct.pack("<I", len(v)) + v for v in values)
    return b"".join(struct.pack("<q" if kind == INT64 else "<d", v) for v in values)


def prefix(a, b):
    return len(os.path.commonprefix([a, b]))


def encode(kind, encoding, values, entries):
    if encoding in (DICTIONARY, RLE_DICTIONARY):
        return bytes([5]) + runs([entries.index(v) for v in values], 5)
    if encoding == RLE:
        packed = runs([int(v) for v in values], 1)
        return struct.pack("<I", len(packed)) + packed
    if encoding == DELTA:
        return deltas(values)
    if encoding == DELTA_LENGTH:
        return deltas([len(v) for v in values]) + b"".join(values)
    if encoding == DELTA_BYTES:
        common = [prefix(a, b) for a, b in zip([b""] + values, values)]
        return deltas(common) + encode(kind, DELTA_LENGTH, [v[n:] for v, n in zip(values, common)], None)
    if encoding == SPLIT:
        whole = plain(kind, values)
        return b"".join(whole[i::8] for i in range(8))
    return plain(kind, values)


# ---- the file ---------------------------------------------------------------------------------------------------
# Each column: name of its leaf, type, greatest definition and repetition level, rows. A row is a list of
# (repetition, definition, value).


def flat(values, optional):
    return [[(0, int(optional and v is not None), v)] for v in values]


def lists(values):
    out = []
    for row in values:
        if not row:
            out.append([(0, 0 if row is None else 1, None)])
        else:
            out.append([(int(i > 0), 2 if v is None else 3, v) for i, v in enumerate(row)])
    return out


def raw(values):
    return [None if v is None else v.encode() for v in values]


COLUMNS = [
    ("text", BYTES, 1, 0, flat(raw(TEXT), True)), ("url", BYTES, 0, 0, flat(raw(URL), False)),
    ("number", INT64, 1, 0, flat(NUMBER, True)), ("score", DOUBLE, 0, 0, flat(SCORE, False)),
    ("flag", BOOLEAN, 0, 0, flat(FLAG, False)), ("meta.text", BYTES, 0, 0, flat(raw(INNER), False)),
    ("parts", BYTES, 3, 1, lists([None if r is None else raw(r) for r in PARTS])),
]


def leaf(name, kind, repetition, string=True):
    fields = {1: i32(kind), 3: i32(repetition), 4: text(name)}
    if kind == BYTES and string:
        fields[6] = i32(0)
    return record(fields)


SCHEMA = [
    record({4: text("schema"), 5: i32(7)}), leaf("text", BYTES, 1), leaf("url", BYTES, 0), leaf("number", INT64, 1),
    leaf("score", DOUBLE, 0), leaf("flag", BOOLEAN, 0, False), record({3: i32(0), 4: text("meta"), 5: i32(1)}), leaf("text", BYTES, 0),
    record({3: i32(1), 4: text("parts"), 5: i32(1), 6: i32(3)}), record({3: i32(2), 4: text("list"), 5: i32(1)}), leaf("element", BYTES, 1),
]


class Parquet:
    def __init__(self, codec, version, encodings, crc, page_rows, group_rows):
        self.codec, self.compress = CODECS[codec]
        self.version, self.encodings, self.crc = version, encodings, crc
        self.out, groups = b"PAR1", []
        for at in range(0, ROWS, group_rows):
            rows = range(at, min(at + group_rows, ROWS))
            chunks = [self.chunk(c, rows, page_rows) for c in COLUMNS]
            groups.append(record({1: array(chunks), 2: i64(1), 3: i64(len(rows))}))
        footer = record({1: i32(1), 2: array(SCHEMA), 3: i64(ROWS), 4: array(groups), 6: text("columns.py")})[1]
        self.out += footer + struct.pack("<I", len(footer)) + b"PAR1"

    def page(self, kind, body, size, header):
        fields = {1: i32(kind), 2: i32(size), 3: i32(len(body)), **header}
        if self.crc:
            crc = zlib.crc32(body)
            fields[4] = i32(crc - (1 << 32) if crc >> 31 else crc)
        self.out += record(fields)[1] + body

    def dictionary(self, kind, rows):
        entries = []
        for row in rows:
            entries += [v for _, _, v in row if v is not None and v not in entries]
        body = plain(kind, entries)
        self.page(2, self.compress(body), len(body), {7: record({1: i32(len(entries)), 2: i32(PLAIN)})})
        return entries

    def data(self, kind, encoding, most_def, most_rep, rows, entries):
        cells = [cell for row in rows for cell in row]
        values = encode(kind, encoding, [v for _, _, v in cells if v is not None], entries)
        rep = runs([r for r, _, _ in cells], 1) if most_rep else b""
        def_ = runs([d for _, d, _ in cells], most_def.bit_length()) if most_def else b""
        if self.version == 2:
            body = rep + def_ + self.compress(values)
            nulls = sum(v is None for _, _, v in cells)
            header = {1: i32(len(cells)), 2: i32(nulls), 3: i32(len(rows)), 4: i32(encoding), 5: i32(len(def_)), 6: i32(len(rep))}
            self.page(3, body, len(rep + def_ + values), {8: record(header)})
        else:
            levels = b"".join(struct.pack("<I", len(x)) + x for x in (rep, def_) if x)
            header = {1: i32(len(cells)), 2: i32(encoding), 3: i32(RLE), 4: i32(RLE)}
            self.page(0, self.compress(levels + values), len(levels + values), {5: record(header)})

    def chunk(self, column, rows, page_rows):
        name, kind, most_def, most_rep, cells = column
        path = "parts.list.element" if name == "parts" else name
        encoding, start = self.encodings.get(kind, PLAIN), len(self.out)
        entries = self.dictionary(kind, [cells[i] for i in rows]) if encoding in (DICTIONARY, RLE_DICTIONARY) else None
        data = len(self.out)
        for at in range(rows.start, rows.stop, page_rows):
            self.data(kind, encoding, most_def, most_rep, cells[at:min(at + page_rows, rows.stop)], entries)
        values = sum(len(cells[i]) for i in rows)
        fields = {1: i32(kind), 2: array([i32(encoding)]), 3: array([text(part) for part in path.split(".")]), 4: i32(self.codec), 5: i64(values), 6: i64(1),
                  7: i64(len(self.out) - start), 9: i64(data)}
        if entries is not None:
            fields[11] = i64(start)
        return record({2: i64(start), 3: record(fields)})


def parquet(folder):
    def put(name, codec="none", version=1, encodings={}, crc=False, page_rows=7, group_rows=12):
        with open(os.path.join(folder, name + ".parquet"), "wb") as f:
            f.write(Parquet(codec, version, encodings, crc, page_rows, group_rows).out)
    for codec in CODECS:
        put(codec, codec, crc=codec == "zstd")
        put(codec + "-v2", codec, 2, {BYTES: RLE_DICTIONARY, INT64: RLE_DICTIONARY, DOUBLE: RLE_DICTIONARY, BOOLEAN: RLE})
    put("dictionary", encodings={BYTES: DICTIONARY, INT64: DICTIONARY}, crc=True)
    put("delta-length", "snappy", 2, {BYTES: DELTA_LENGTH, INT64: DELTA, DOUBLE: SPLIT})
    put("delta-bytes", "gzip", 1, {BYTES: DELTA_BYTES, INT64: SPLIT, DOUBLE: SPLIT, BOOLEAN: RLE}, page_rows=20, group_rows=20)


# ---- Arrow ------------------------------------------------------------------------------------------------------
# FlatBuffers. A table is a dict: number of the field -> value. A value is (format of struct, number), a string, a table,
# a list of tables, or Structs.


class Structs:
    def __init__(self, n, data):
        self.n, self.data = n, data


class Flat:
    def __init__(self, root):
        self.out = bytearray(8)
        self.point(0, root)

    def point(self, at, value):
        while len(self.out) % 8:
            self.out += b"\0"
        if isinstance(value, dict):
            target = self.table(value)
        else:
            target = len(self.out)
            if isinstance(value, str):
                self.out += struct.pack("<I", len(value.encode())) + value.encode() + b"\0"
            elif isinstance(value, Structs):  # the elements are aligned to 8 bytes
                target += 4
                self.out += bytes(4) + struct.pack("<I", value.n) + value.data
            else:
                self.out += struct.pack("<I", len(value)) + bytes(4 * len(value))
        struct.pack_into("<I", self.out, at, target - at)
        if isinstance(value, list):
            for i, item in enumerate(value):
                self.point(target + 4 + 4 * i, item)

    def table(self, fields):
        last = max(fields, default=-1)
        size = 4 + 2 * (last + 1)
        slots = {id: 8 + 8 * i for i, id in enumerate(sorted(fields))}
        start = len(self.out)
        self.out += struct.pack("<HH", size, 8 + 8 * len(slots))
        self.out += b"".join(struct.pack("<H", slots.get(i, 0)) for i in range(last + 1))
        while len(self.out) % 8:
            self.out += b"\0"
        at = len(self.out)
        self.out += struct.pack("<i", at - start) + bytes(4 + 8 * len(slots))
        for id, value in sorted(fields.items()):
            if isinstance(value, tuple):
                struct.pack_into("<" + value[0], self.out, at + slots[id], value[1])
            else:
                self.point(at + slots[id], value)
        return at


def xxh32(data):
    """Of fewer than 16 bytes: for the header of an LZ4 frame."""
    p1, p2, p3, p4, p5, m = 2654435761, 2246822519, 3266489917, 668265263, 374761393, 0xFFFFFFFF
    h = (p5 + len(data)) & m
    for b in data:
        h = (h + b * p5) & m
        h = (h << 11 | h >> 21) & m
        h = h * p1 & m
    for shift, prime in ((15, p2), (13, p3), (16, 1)):
        h = (h ^ h >> shift) * prime & m
    return h


def lz4_frame(data):
    head, block = b"\x60\x40", lz4(data)
    return b"\x04\x22\x4d\x18" + head + bytes([xxh32(head) >> 8 & 255]) + struct.pack("<I", len(block)) + block + bytes(4)


NULL, INT, REAL, BINARY, UTF8, BOOL, LIST, STRUCT, LARGE_UTF8, UTF8_VIEW = 1, 2, 3, 4, 5, 6, 12, 13, 20, 24
WHOLE = {0: ("i", 64), 1: ("b", 1)}


def bits(flags):
    return pack([int(f) for f in flags], 1)


class Arrow:
    """Each column: name, type, type table, values; nested ones hold others as values."""

    def __init__(self, kind, codec=None, is_file=False, batch=8, mark=True):
        self.kind, self.is_file, self.mark = kind, is_file, mark
        self.codec, self.compress = {None: (None, None), "zstd": (1, zstd), "lz4": (0, lz4_frame)}[codec]
        self.columns = [("text", raw(TEXT)), ("url", raw(URL)), ("number", NUMBER), ("score", SCORE), ("flag", FLAG), ("meta", raw(INNER)),
                        ("parts", [None if r is None else raw(r) for r in PARTS])]
        self.out = b"ARROW1\0\0" if is_file else b""
        schema = {0: ("h", 0), 1: [self.field(name) for name, _ in self.columns]}
        self.message(1, schema, b"")
        dictionaries, batches = [], []
        if kind == "dictionary":
            self.words = list(dict.fromkeys(raw(URL) + raw(TEXT)))
            half = len(self.words) // 2
            for delta, words in ((0, self.words[:half]), (1, self.words[half:])):
                self.begin()
                self.text(words)
                dictionaries.append(self.message(2, {0: ("q", 7), 1: self.table(len(words)), 2: ("b", delta)}, self.body))
        for at in range(0, ROWS, batch):
            self.begin()
            for name, values in self.columns:
                self.column(name, values[at:at + batch])
            batches.append(self.message(3, self.table(len(self.columns[0][1][at:at + batch])), self.body))
        if mark:
            self.out += struct.pack("<iI", -1, 0)
        if is_file:
            footer = bytes(Flat({0: ("h", 4), 1: schema, 2: Structs(len(dictionaries), b"".join(dictionaries)),
                                 3: Structs(len(batches), b"".join(batches))}).out)
            self.out += footer + struct.pack("<I", len(footer)) + b"ARROW1"

    def field(self, name, kind=None):
        utf8 = {"large": LARGE_UTF8, "view": UTF8_VIEW}.get(self.kind, UTF8)
        types = {"number": (INT, WHOLE), "score": (REAL, {0: ("h", 2)}), "flag": (BOOL, {}), "meta": (STRUCT, {}), "parts": (LIST, {})}
        kind, table = types.get(name, (utf8, {}))
        out = {0: name, 1: ("b", 1), 2: ("b", kind), 3: table}
        if name == "meta":
            out[5] = [self.field("text in it")]
            out[5][0][0] = "text"
        if name == "parts":
            out[5] = [self.field("item")]
        if self.kind == "dictionary" and name in ("text", "url"):
            out[4] = {0: ("q", 7), 1: {0: ("i", 16), 1: ("b", 1)}}
        return out

    def begin(self):
        self.body, self.nodes, self.buffers, self.views = b"", [], [], []

    def buffer(self, data):
        if self.compress and data:
            small = self.compress(data)
            data = struct.pack("<q", len(data)) + small if len(small) < len(data) else struct.pack("<q", -1) + data
        self.buffers.append(struct.pack("<qq", len(self.body), len(data)))
        self.body += data + bytes(-len(data) % 8)

    def node(self, values):
        nulls = sum(v is None for v in values)
        self.nodes.append(struct.pack("<qq", len(values), nulls))
        self.buffer(bits([v is not None for v in values]) if nulls else b"")

    def offsets(self, sizes, form):
        ends = [0]
        for n in sizes:
            ends.append(ends[-1] + n)
        self.buffer(struct.pack("<%d%s" % (len(ends), form), *ends))

    def text(self, values):
        self.node(values)
        whole = [v or b"" for v in values]
        if self.kind != "view":
            self.offsets([len(v) for v in whole], "q" if self.kind == "large" else "i")
            self.buffer(b"".join(whole))
            return
        parts, views = [b"", b""], b""  # two further buffers
        for i, v in enumerate(whole):
            if len(v) <= 12:
                views += struct.pack("<i12s", len(v), v)
            else:
                views += struct.pack("<i4sii", len(v), v[:4], i % 2, len(parts[i % 2]))
                parts[i % 2] += v
        self.buffer(views)
        for part in parts:
            self.buffer(part)
        self.views.append(2)

    def column(self, name, values):
        if name == "meta":
            self.node(values)
            self.text(values)
        elif name == "parts":
            self.node(values)
            self.offsets([len(v or []) for v in values], "i")
            self.text([item for v in values for item in v or []])
        elif name == "flag":
            self.node(values)
            self.buffer(bits(values))
        elif name in ("number", "score"):
            self.node(values)
            self.buffer(struct.pack("<%d%s" % (len(values), "q" if name == "number" else "d"), *[v or 0 for v in values]))
        elif self.kind == "dictionary":
            self.node(values)
            self.buffer(struct.pack("<%dh" % len(values), *[self.words.index(v) if v is not None else 0 for v in values]))
        else:
            self.text(values)

    def table(self, rows):
        out = {0: ("q", rows), 1: Structs(len(self.nodes), b"".join(self.nodes)), 2: Structs(len(self.buffers), b"".join(self.buffers))}
        if self.compress:
            out[3] = {0: ("b", self.codec), 1: ("b", 0)}
        if self.views:
            out[4] = Structs(len(self.views), struct.pack("<%dq" % len(self.views), *self.views))
        return out

    def message(self, kind, table, body):
        """Returns the place of the message, for the footer."""
        flat = bytes(Flat({0: ("h", 4), 1: ("b", kind), 2: table, 3: ("q", len(body))}).out)
        flat += bytes((4 if not self.mark else 0) - len(flat) % 8 if not self.mark else -len(flat) % 8)
        place = struct.pack("<qiiq", len(self.out), len(flat) + 8, 0, len(body))
        self.out += (struct.pack("<i", -1) if self.mark else b"") + struct.pack("<I", len(flat)) + flat + body
        return place


def arrow(folder):
    def put(name, *how, **more):
        with open(os.path.join(folder, name + ".arrow"), "wb") as f:
            f.write(Arrow(*how, **more).out)
    for kind in ("plain", "large", "view", "dictionary"):
        put(kind, kind)
        put(kind + "-zstd", kind, "zstd", True)
        put(kind + "-lz4", kind, "lz4", batch=20)
    put("old-stream", "plain", mark=False)
    put("file", "plain", is_file=True)


# ---- token files ------------------------------------------------------------------------------------------------
IDS = [[3, 260, 5], [200, 9], [70]]  # 0 ends a text


def ids(folder):
    def put(name, kind, index, data):
        with open(os.path.join(folder, name), "wb") as f:
            f.write(bytes([kind]) + struct.pack("<H", len(index)) + index + data)
    ended = [x + [0] for x in IDS]
    sizes, flat = [len(x) for x in ended], [i for x in ended for i in x]
    narrow = struct.pack("<%dH" % len(flat), *flat)
    starts = [0, sizes[0], sizes[0] + sizes[1]]
    index = b"MMIDIDX\0\0" + struct.pack("<QBQQ", 1, 8, 3, 4) + struct.pack("<3i3q4q", *sizes, *[2 * s for s in starts], 0, 1, 2, 3)
    put("megatron", 0, index, narrow)
    wide = [struct.pack("<%di" % len(x), *x) for x in IDS]
    ends = [20 + sum(map(len, wide[:i])) for i in range(4)]
    put("litdata", 1, b'{"chunks": [{"filename": "a.bin", "chunk_size": 3}], "config": {"data_format": ["no_header_tensor:16"]}}',
        struct.pack("<5I", 3, *ends) + b"".join(wide))
    shard = b'{"shards": [{"column_names": ["%s"], "column_encodings": ["%s"], "column_sizes": [null], "samples": 3, "raw_data": {"basename": "a.mds"}}]}'
    for name, kind, values in (("text", "str", [b"one", b"two", b"three"]), ("tokens", "ndarray:int32", [b"\4" + bytes([len(x)]) + w for x, w in zip(IDS, wide)])):
        samples = [struct.pack("<I", len(v)) + v for v in values]
        ends = [20 + sum(map(len, samples[:i])) for i in range(4)]
        put("mds-" + name, 2, shard % (name.encode(), kind.encode()), struct.pack("<5I", 3, *ends) + b"".join(samples))
    head = b"{'descr': '<u2', 'fortran_order': False, 'shape': (%d,), }\n" % len(flat)
    put("npy", 3, b"", b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head + narrow)
    put("flat", 4, b"", narrow)


if __name__ == "__main__":
    for name, write in (("parquet", parquet), ("arrow", arrow), ("ids", ids)):
        os.makedirs(os.path.join(sys.argv[1], name), exist_ok=True)
        write(os.path.join(sys.argv[1], name))
