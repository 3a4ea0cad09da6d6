# SPDX-License-Identifier: Apache-2.0
"""Writes a table larger than 4 GiB for `carnot learn --stream`.

  wide_table.py FILE [--gib 4.1] [--columns 28]

  /usr/bin/time -v carnot learn FILE --stream --learner logistic --label label

Rows of normal numbers to three decimals; the label says whether a fixed sum of them, with noise, is
above 0. Eight pieces of 20,000 rows are drawn and written over and over in random order: what is
streamed is as large as it says, what can be learned from it is in 160,000 rows.
"""
import argparse
import random

parser = argparse.ArgumentParser()
parser.add_argument("file")
parser.add_argument("--gib", type=float, default=4.1)
parser.add_argument("--columns", type=int, default=28)
arguments = parser.parse_args()

rng = random.Random(20)
weights = [rng.gauss(0, 1) for _ in range(arguments.columns)]


def piece():
    lines = []
    for _ in range(20000):
        row = [rng.gauss(0, 1) for _ in weights]
        label = sum(w * x for w, x in zip(weights, row)) + rng.gauss(0, 2) > 0
        lines.append(",".join(f"{x:.3f}" for x in row) + (",yes" if label else ",no"))
    return ("\n".join(lines) + "\n").encode()


pieces = [piece() for _ in range(8)]
header = (",".join(f"x{k}" for k in range(arguments.columns)) + ",label\n").encode()
left = int(arguments.gib * 2**30)
with open(arguments.file, "wb") as out:
    left -= out.write(header)
    while left > 0:
        left -= out.write(rng.choice(pieces))
