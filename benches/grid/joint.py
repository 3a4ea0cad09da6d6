#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""joint.py FOLDER PROGRAM [DAY ...]: the least cost of days of RTS-GMLC with four computing sites, by
HiGHS through scipy.optimize.linprog, beside `PROGRAM grid place --signals joint-cost`. The programme
is another one (angles, all lines at once, a reader of its own), so that agreement says something.
Times: HiGHS's is of solving alone, carnot's of this plan and of working evenly, each dispatched again. Needs numpy and scipy."""
import csv
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

SITES = {313: 250.0, 303: 250.0, 317: 250.0, 122: 250.0}
UTILISATION, MOVABLE = 0.7, 0.7


def table(path):
    with open(path) as file:
        return list(csv.DictReader(file))


def steps(unit):
    """[(width, slope)] of the lower convex hull of off and the heat rate curve."""
    most, price, vom = (float(unit[k]) for k in ("PMax MW", "Fuel Price $/MMBTU", "VOM"))
    points = [(0.0, 0.0)]
    for k in range(5):
        share, rate = unit[f"Output_pct_{k}"], unit["HR_avg_0" if k == 0 else f"HR_incr_{k}"]
        if "NA" in (share, rate):
            break
        x = most * float(share)
        if x > points[-1][0]:
            more = x - points[-1][0]
            points.append((x, points[-1][1] + more * (float(rate) * price / 1000 + vom)))
    hull = []
    for point in points:
        while len(hull) > 1 and ((hull[-1][1] - hull[-2][1]) * (point[0] - hull[-1][0])
                                 >= (point[1] - hull[-1][1]) * (hull[-1][0] - hull[-2][0])):
            hull.pop()
        hull.append(point)
    return [(b[0] - a[0], (b[1] - a[1]) / (b[0] - a[0])) for a, b in zip(hull, hull[1:])]


def least_cost(root, first, hours):
    source, series = root / "SourceData", root / "timeseries_data_files"
    buses, branches, units = (table(source / f"{n}.csv") for n in ("bus", "branch", "gen"))
    load = table(series / "Load/DAY_AHEAD_regional_Load.csv")
    given = {}
    for part in ("WIND/DAY_AHEAD_wind", "PV/DAY_AHEAD_pv", "RTPV/DAY_AHEAD_rtpv", "Hydro/DAY_AHEAD_hydro"):
        for at, row in enumerate(table(series / f"{part}.csv")[first:first + hours]):
            for name, value in row.items():
                given[name, at] = float(value) if name not in ("Year", "Month", "Day", "Period") else 0.0
    index = {int(b["Bus ID"]): i for i, b in enumerate(buses)}
    area = {}
    for b in buses:
        area[b["Area"]] = area.get(b["Area"], 0.0) + float(b["MW Load"])
    cost, bounds, balance, limits, right, over = [], [], [], [], [], []
    work = []

    def column(low, high, price, row=None, sign=1.0):
        cost.append(price)
        bounds.append((low, high))
        if row is not None:
            balance.append((row, len(cost) - 1, sign))
        return len(cost) - 1

    for t in range(hours):
        rows = {i: t * len(buses) + i for i in range(len(buses))}
        angle = [column(0, 0, 0.0) if b["Bus Type"] == "Ref" else column(None, None, 0.0) for b in buses]
        for unit in units:
            kind, name, row = unit["Unit Type"], unit["GEN UID"], rows[index[int(unit["Bus ID"])]]
            if kind in ("CSP", "STORAGE", "SYNC_COND"):
                continue
            if kind in ("WIND", "PV", "RTPV"):
                column(0, given[name, t], 0.0, row)
            elif kind in ("HYDRO", "ROR"):
                column(given[name, t], given[name, t], 0.0, row)
            else:
                for width, slope in steps(unit):
                    column(0, width, slope, row)
        for k, line in enumerate(branches):
            r, x = float(line["R"]), float(line["X"])
            b, i, j = x / (r * r + x * x), index[int(line["From Bus"])], index[int(line["To Bus"])]
            for at, sign in ((i, -1.0), (j, 1.0)):
                balance.append((rows[at], angle[i], sign * b))
                balance.append((rows[at], angle[j], -sign * b))
            for sign in (1.0, -1.0):
                limits += [(len(over), angle[i], sign * b), (len(over), angle[j], -sign * b)]
                over.append(float(line["Cont Rating"]))
        for bus in buses:
            fixed = float(load[first + t][bus["Area"]]) * float(bus["MW Load"]) / area[bus["Area"]]
            site = SITES.get(int(bus["Bus ID"]), 0.0)
            right.append(fixed + float(bus["MW Shunt G"]) + site * UTILISATION * (1 - MOVABLE))
            if site:
                row = rows[index[int(bus["Bus ID"])]]
                work.append(column(0, site * (1 - UTILISATION * (1 - MOVABLE)), 0.0, row, -1.0))
    balance += [(len(right), c, 1.0) for c in work]
    right.append(sum(SITES.values()) * UTILISATION * MOVABLE * hours)

    def matrix(entries, rows):
        i, j, v = zip(*entries)
        return coo_matrix((v, (i, j)), (rows, len(cost))).tocsr()

    began = time.perf_counter()
    answer = linprog(cost, matrix(limits, len(over)), over, matrix(balance, len(right)), right, bounds,
                     method="highs")
    assert answer.status == 0, answer.message
    return answer.fun, time.perf_counter() - began


def main():
    folder, program = Path(sys.argv[1]), sys.argv[2]
    root = folder / "RTS_Data" if (folder / "RTS_Data").is_dir() else folder
    for day in map(int, sys.argv[3:] or ("0", "100", "200", "300")):
        theirs, seconds = least_cost(root, 24 * day, 24)
        start = np.datetime64("2020-01-01") + np.timedelta64(day, "D")
        sites = ",".join(f"{bus}:{mw}" for bus, mw in SITES.items())
        words = [program, "grid", "place", str(folder), "--time", str(start), "--hours", "24", "--sites", sites,
                 "--utilisation", str(UTILISATION), "--movable", str(MOVABLE), "--signals", "joint-cost", "--json"]
        ours = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
        cost = [v for v in ours["variants"] if v["signal"] == "joint-cost"][0]["total"]["cost"]
        print(json.dumps({"bench": "grid_joint", "day": day, "cost": cost, "highs_cost": theirs,
                          "difference": cost / theirs - 1, "s": round(ours["solve_s"], 3),
                          "highs_s": round(seconds, 3)}), flush=True)


if __name__ == "__main__":
    main()
