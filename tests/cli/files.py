# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Small files for tests of the rondo command, from text, so that a test shows what it is about.

    files.py onnx FILE GRAPH      an ONNX model: statements with ; between, in
        in NAME TYPE DIM...        a graph input, DIM a number or a name
        out NAME TYPE DIM...       a graph output
        const NAME TYPE DIM... = VALUE...
        external NAME TYPE DIM... = LOCATION [OFFSET [LENGTH]]
        OPERATOR INPUT... -> OUTPUT...
    files.py npy FILE DESCR SHAPE EXPRESSION [KEY=TEXT]...
        an .npy file of the numbers of a Python expression; KEY=TEXT replaces one of the parts
        version, header (the whole dictionary), data (hexadecimal)
    files.py png FILE WIDTH HEIGHT EXPRESSION
        a PNG image: a Python expression of x and y gives the (r, g, b) of each pixel
    files.py rnd FILE PROGRAM CONTENT    a .rnd file of a bare program: statements with ; between
        in NAME TYPE SLOT OFFSET DIM... [SCALE ZERO_POINT after a comma]
        out the same
        region NAME FIRST COUNT
        data SLOT BYTE...
"""
import array
import math
import struct
import sys
import zlib

TYPES = {"f32": (1, "f"), "u8": (2, "B"), "s8": (3, "b"), "s32": (6, "i"), "s64": (7, "q"), "bool": (9, "B"),
     "f64": (11, "d")}


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def field(number, value):
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def value_info(name, kind, dims):
    shape = b"".join(field(1, field(1, int(d)) if d.isdigit() else field(2, d)) for d in dims)
    return field(1, name) + field(2, field(1, field(1, TYPES[kind][0]) + field(2, shape)))


def constant(name, kind, dims, values):
    number, code = TYPES[kind]
    data = array.array(code, [float(v) if code in "fd" else int(v) for v in values])
    return b"".join(field(1, int(d)) for d in dims) + field(2, number) + field(8, name) + field(9, data.tobytes())


def external(name, kind, dims, location, *place):
    entries = zip(("location", "offset", "length"), (location, *place))
    return (b"".join(field(1, int(d)) for d in dims) + field(2, TYPES[kind][0]) + field(8, name) + field(14, 1) +
            b"".join(field(13, field(1, key) + field(2, value)) for key, value in entries))


def node(operator, inputs, outputs):
    return b"".join(field(1, n) for n in inputs) + b"".join(field(2, n) for n in outputs) + field(4, operator)


def onnx(graph):
    nodes = values = b""
    for statement in graph.split(";"):
        word = statement.split()
        if word[0] == "in":
            values += field(11, value_info(word[1], word[2], word[3:]))
        elif word[0] == "out":
            values += field(12, value_info(word[1], word[2], word[3:]))
        elif word[0] == "const":
            equals = word.index("=")
            values += field(5, constant(word[1], word[2], word[3:equals], word[equals + 1:]))
        elif word[0] == "external":
            equals = word.index("=")
            values += field(5, external(word[1], word[2], word[3:equals], *word[equals + 1:]))
        else:
            arrow = word.index("->")
            nodes += field(1, node(word[0], word[1:arrow], word[arrow + 1:]))
    return field(1, 8) + field(7, nodes + field(2, "g") + values) + field(8, field(2, 13))


def png(width, height, expression):
    pixel = eval(f"lambda x, y: ({expression})")
    rows = b"".join(b"\0" + bytes(v for x in range(int(width)) for v in pixel(x, y)) for y in range(int(height)))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", int(width), int(height), 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


CODES = {"f4": "f", "f8": "d", "u1": "B", "i1": "b", "i4": "i", "i8": "q", "b1": "B", "i2": "h"}


def npy(descr, shape, expression, *parts):
    shape = eval(shape)
    data = array.array(CODES.get(descr.lstrip("<>=|"), "f"), eval(expression))
    assert len(data) == math.prod(shape)
    if descr[0] == ">":
        data.byteswap()
    part = {"version": "1", "header": f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}",
        "data": data.tobytes().hex()}
    part.update(p.split("=", 1) for p in parts)
    head = part["header"].encode()
    size = 2 if part["version"] == "1" else 4
    head += b" " * (63 - (8 + size + len(head)) % 64) + b"\n"
    return (b"\x93NUMPY" + bytes([int(part["version"]), 0]) + len(head).to_bytes(size, "little") + head +
        bytes.fromhex(part["data"]))


PROGRAM, SLOT_DATA, TENSORS, REGIONS, STRINGS = range(1, 6)  # sections


def rnd(program, content):
    names = tensors = regions = b""
    with open(program, "rb") as f:
        sections = [(PROGRAM, 0, f.read())]
    for statement in content.split(";"):
        first, _, quantised = statement.partition(",")
        word = first.split()
        if word[0] == "data":
            sections.append((SLOT_DATA, int(word[1]), bytes(int(b) for b in word[2:])))
            continue
        if word[0] == "region":
            regions += struct.pack("<4I", len(names), int(word[2]), int(word[3]), 0)
        else:
            dims = [int(d) for d in word[5:]]
            scale, zero = (float(q) for q in quantised.split() or (0, 0))
            tensors += struct.pack("<I4B2IQ8Qfi", len(names), word[0] == "out", TYPES[word[2]][0], len(dims), 0,
                int(word[3]), 0, int(word[4]), *dims, *[0] * (8 - len(dims)), scale, int(zero))
        names += word[1].encode() + b"\0"
    sections += [s for s in ((TENSORS, 0, tensors), (REGIONS, 0, regions), (STRINGS, 0, names)) if s[2]]
    head, body, at = b"", b"", 16 + 24 * len(sections)
    for kind, index, data in sections:
        body += bytes(-(at + len(body)) % 64)
        head += struct.pack("<2I2Q", kind, index, at + len(body), len(data))
        body += data
    return struct.pack("<4s2HQ", b"RNDF", 1, len(sections), at + len(body)) + head + body


with open(sys.argv[2], "wb") as f:
    f.write({"onnx": onnx, "npy": npy, "png": png, "rnd": rnd}[sys.argv[1]](*sys.argv[3:]))
