#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only OR MIT
"""Inputs whose results are easily told: inputs.py PROGRAM WIDTH HEIGHT DIRECTORY

Writes DIRECTORY/slotN.npy for heat, matvec or allreduce on WIDTH x HEIGHT tiles, and prints what
comes out.
"""
import array
import os
import sys

BLOCK = 16            # cells of the side of a tile's block: heat.rasm
ROWS, COLUMNS = 64, 112   # of a tile's block: matvec.rasm
VALUES = 64           # of a tile: allreduce.rasm


def save(directory, slot, pieces, count):
    """Writes @count numbers, which come in @pieces, as a .npy file of f32."""
    head = "{'descr': '<f4', 'fortran_order': False, 'shape': (%d,), }" % count
    head += " " * (63 - (10 + len(head)) % 64) + "\n"
    with open(os.path.join(directory, "slot%d.npy" % slot), "wb") as f:
        f.write(b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode())
        for piece in pieces:
            numbers = array.array("f", piece)
            if sys.byteorder == "big":
                numbers.byteswap()
            numbers.tofile(f)


def heat(directory, width, height):
    """A square of 100 degrees in the middle of a cold grid."""
    w, h = width * BLOCK, height * BLOCK
    side = min(w, h) // 2
    left = (w - side) // 2
    cold = array.array("f", [0]) * w
    warm = cold[:left] + array.array("f", [100]) * side + cold[left + side:]
    top = (h - side) // 2
    save(directory, 0, (warm if top <= y < top + side else cold for y in range(h)), w * h)
    save(directory, 1, [[0.5, 0.125]], 2)
    print("slot0 afterwards: the square, its borders blurred; all numbers are in 0 to 100")


def matvec(directory, width, height):
    """A[i][j] = i % 4 and x[j] = j % 2, so y[i] = i % 4 * 56 * WIDTH."""
    rows, columns = height * ROWS, width * COLUMNS
    column = array.array("f", [0, 1, 2, 3]) * (rows // 4)
    save(directory, 0, (column for _ in range(columns)), rows * columns)
    save(directory, 1, [[0, 1] * (columns // 2)], columns)
    print("slot2 afterwards:", *(i % 4 * (columns // 2) for i in range(4)), "and so on")


def allreduce(directory, width, height):
    """Every tile brings 0 1 .. 7, eight times: the sums are WIDTH * HEIGHT as much."""
    row = array.array("f", range(8)) * (VALUES // 8 * width)
    save(directory, 0, (row for _ in range(height)), len(row) * height)
    tiles = width * height
    print("slot1 afterwards, for each tile: eight times", *(i * tiles for i in range(8)), "(sums), then",
          "eight times", *range(8), "(maxima)")


def main():
    programs = {"heat": heat, "matvec": matvec, "allreduce": allreduce}
    if len(sys.argv) != 5 or sys.argv[1] not in programs:
        sys.exit(__doc__.strip())
    os.makedirs(sys.argv[4], exist_ok=True)
    programs[sys.argv[1]](sys.argv[4], int(sys.argv[2]), int(sys.argv[3]))


main()
