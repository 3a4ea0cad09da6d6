#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""highs.py CASE.m: milliseconds that HiGHS, through scipy.optimize.linprog, takes for the DC optimal
power flow of a case (best of three, the programme being built not counted). Square costs enter as
twenty tangents, once: an easier programme than one refined to 1e-7."""
import re
import sys
import time

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import lil_matrix, vstack


def matrix(text, name):
    body = re.search(r"mpc\." + name + r"\s*=\s*\[(.*?)\]", text, re.S).group(1)
    lines = (line.split("%")[0].strip().rstrip(";") for line in body.splitlines())
    rows = [[float(word) for word in line.split()] for line in lines if line]
    widest = max(len(row) for row in rows)
    return np.array([row + [0.0] * (widest - len(row)) for row in rows])


def main():
    text = open(sys.argv[1]).read()
    base = float(re.search(r"mpc\.baseMVA\s*=\s*([0-9.]+)", text).group(1))
    bus, gen, cost, branch = (matrix(text, n) for n in ("bus", "gen", "gencost", "branch"))
    cost, gen = cost[gen[:, 7] > 0], gen[gen[:, 7] > 0]
    branch = branch[branch[:, 10] > 0]
    index = {int(number): i for i, number in enumerate(bus[:, 0])}
    n, m, lines = len(bus), len(gen), len(branch)
    # Columns: angles times base, outputs, costs.
    balance = lil_matrix((n, n + 2 * m))
    for g in range(m):
        balance[index[int(gen[g, 0])], n + g] = 1.0
    limits = lil_matrix((2 * lines, n + 2 * m))
    bound = np.zeros(2 * lines)
    for k, row in enumerate(branch):
        i, j, b = index[int(row[0])], index[int(row[1])], row[3] / (row[2] ** 2 + row[3] ** 2)
        for at, to in ((i, j), (j, i)):
            balance[at, at] -= b
            balance[at, to] += b
        low, high = np.radians(row[11:13]) * base * b
        limits[k, i], limits[k, j], bound[k] = b, -b, min(row[5], max(low, high))
        limits[lines + k, i], limits[lines + k, j] = -b, b
        bound[lines + k] = min(row[5], -min(low, high))
    tangents, right = [], []
    for g in range(m):
        terms = cost[g, 4:4 + int(cost[g, 3])][::-1]
        for p in np.linspace(gen[g, 9], gen[g, 8], 20 if len(terms) > 2 and terms[2] else 1):
            value = sum(c * p**k for k, c in enumerate(terms))
            slope = sum(k * c * p ** (k - 1) for k, c in enumerate(terms) if k)
            tangents.append((g, slope))
            right.append(slope * p - value)
    curves = lil_matrix((len(tangents), n + 2 * m))
    for k, (g, slope) in enumerate(tangents):
        curves[k, n + g], curves[k, n + m + g] = slope, -1.0
    upper = vstack([limits, curves]).tocsr()
    objective = np.concatenate([np.zeros(n + m), np.ones(m)])
    bounds = [(0, 0) if row[1] == 3 else (None, None) for row in bus]
    bounds += [(low, high) for high, low in gen[:, 8:10]] + [(None, None)] * m
    best = 1e300
    for _ in range(3):
        began = time.perf_counter()
        answer = linprog(objective, upper, np.concatenate([bound, right]), balance.tocsr(),
                         bus[:, 2] + bus[:, 4], bounds, method="highs")
        best = min(best, time.perf_counter() - began)
    assert answer.status == 0, answer.message
    print(f"{1e3 * best:.3f} {answer.fun:.6g}")


main()
