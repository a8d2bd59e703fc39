#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Writes .npy files for the tests of this directory.

make_input.py floats FILE BYTES SEED
    BYTES bytes: f32 numbers that are small fractions, neither NaN nor subnormal
make_input.py digits MNIST_DIR PREFIX COUNT MEAN DEVIATION
    PREFIX0.npy ...: the first digits, f32[1,1,28,28] of (pixel - MEAN) / DEVIATION;
    prints their labels, one a line
"""
import gzip
import random
import struct
import sys


def save(path, descr, shape, data):
    header = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape!r}, }}".ljust(117)
    with open(path, "wb") as out:
        out.write(b"\x93NUMPY\x01\x00\x76\x00" + header.encode() + b"\n" + data)


def floats(path, count, seed):
    generator = random.Random(seed)
    values = [generator.randint(-9999, 9999) / 3072 for _ in range(int(count) // 4)]
    save(path, "|u1", (int(count),), struct.pack(f"<{len(values)}f", *values))


def digits(directory, prefix, count, mean, deviation):
    with gzip.open(f"{directory}/t10k-images-idx3-ubyte.gz") as images:
        images.read(16)
        for i in range(int(count)):
            pixels = [(p - float(mean)) / float(deviation) for p in images.read(28 * 28)]
            save(f"{prefix}{i}.npy", "<f4", (1, 1, 28, 28), struct.pack("<784f", *pixels))
    with gzip.open(f"{directory}/t10k-labels-idx1-ubyte.gz") as labels:
        labels.read(8)
        print(*labels.read(int(count)), sep="\n")


{"floats": floats, "digits": digits}[sys.argv[1]](*sys.argv[2:])
