# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Small files for tests of the rondo command, from text, so that a test shows what it is about.

    files.py onnx FILE GRAPH      an ONNX model: statements with ; between, in
        in NAME TYPE DIM...        a graph input, DIM a number or a name
        out NAME TYPE DIM...       a graph output
        const NAME TYPE DIM... = VALUE...
        OPERATOR INPUT... -> OUTPUT...
    files.py npy FILE DESCR SHAPE EXPRESSION [KEY=TEXT]...
        an .npy file of the numbers of a Python expression; KEY=TEXT replaces one of the parts
        version, header (the whole dictionary), data (hexadecimal)
"""
import array
import math
import sys

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
        else:
            arrow = word.index("->")
            nodes += field(1, node(word[0], word[1:arrow], word[arrow + 1:]))
    return field(1, 8) + field(7, nodes + field(2, "g") + values) + field(8, field(2, 13))


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


with open(sys.argv[2], "wb") as f:
    f.write({"onnx": onnx, "npy": npy}[sys.argv[1]](*sys.argv[3:]))
