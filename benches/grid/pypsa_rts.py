#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""pypsa_rts.py FOLDER PROGRAM [HOURS]: the optimal power flow of the first hours of RTS-GMLC by PyPSA (HiGHS),
beside `PROGRAM grid place --signals no-computing`: seconds and costs. Needs pypsa. PyPSA solves all hours in one
programme, which nothing couples; its build of the programme is counted, its import and the reading of files are not."""
import json
import logging
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pypsa

from joint import steps, table

logging.disable(logging.WARNING)


def network(root, hours):
    source, series = root / "SourceData", root / "timeseries_data_files"
    n = pypsa.Network()
    n.set_snapshots(range(hours))
    given = {}
    for part in ("WIND/DAY_AHEAD_wind", "PV/DAY_AHEAD_pv", "RTPV/DAY_AHEAD_rtpv", "Hydro/DAY_AHEAD_hydro"):
        for name, values in pd.read_csv(series / f"{part}.csv").iloc[:hours].items():
            given[name] = values.astype(float).reset_index(drop=True)
    load = pd.read_csv(series / "Load/DAY_AHEAD_regional_Load.csv").iloc[:hours].reset_index(drop=True)
    buses = table(source / "bus.csv")
    area = {}
    for b in buses:
        area[b["Area"]] = area.get(b["Area"], 0.0) + float(b["MW Load"])
    for b in buses:
        n.add("Bus", b["Bus ID"], v_nom=1.0)
        n.add("Load", b["Bus ID"], bus=b["Bus ID"],
              p_set=load[b["Area"]] * float(b["MW Load"]) / area[b["Area"]] + float(b["MW Shunt G"]))
    for line in table(source / "branch.csv"):
        r, x = float(line["R"]), float(line["X"])
        n.add("Line", line["UID"], bus0=line["From Bus"], bus1=line["To Bus"], r=0.0,
              x=(r * r + x * x) / x / 100, s_nom=float(line["Cont Rating"]))
    for unit in table(source / "gen.csv"):
        kind, name, bus = unit["Unit Type"], unit["GEN UID"], unit["Bus ID"]
        if kind in ("CSP", "STORAGE", "SYNC_COND"):
            continue
        if name in given:
            most = max(1.0, given[name].max())
            fixed = given[name] / most if kind in ("HYDRO", "ROR") else 0.0
            n.add("Generator", name, bus=bus, p_nom=most, p_max_pu=given[name] / most, p_min_pu=fixed)
        else:
            for k, (width, slope) in enumerate(steps(unit)):
                n.add("Generator", f"{name}/{k}", bus=bus, p_nom=width, marginal_cost=slope)
    return n


def main():
    folder, program = Path(sys.argv[1]), sys.argv[2]
    hours = int(sys.argv[3]) if len(sys.argv) > 3 else 168
    n = network(folder / "RTS_Data" if (folder / "RTS_Data").is_dir() else folder, hours)
    began = time.perf_counter()
    status = n.optimize(solver_name="highs", output_flag=False)
    seconds = time.perf_counter() - began
    assert status[0] == "ok", status
    ours = json.loads(subprocess.run([program, "grid", "place", str(folder), "--hours", str(hours), "--signals",
                                      "no-computing", "--json"], capture_output=True, text=True, check=True).stdout)
    total = ours["variants"][0]["total"]
    print(json.dumps({"bench": "grid_pypsa", "hours": hours, "cost": total["cost"], "pypsa_cost": n.objective,
                      "difference": total["cost"] / n.objective - 1, "s": round(ours["solve_s"], 3),
                      "pypsa_s": round(seconds, 3), "ratio": round(ours["solve_s"] / seconds, 5)}))


main()
