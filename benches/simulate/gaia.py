#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GAIA itself beside carnot's statement of its policies, on the same jobs and the same carbon.

    gaia.py --bench build/bench/benches/simulate/simulate_gaia --data DATA --gaia CHECKOUT

CHECKOUT is a clone of github.com/umassos/GAIA (needs pandas). Its carbon file of AU-VIC is written
anew from DATA/sites-2023-hourly so that its default start is hour 7024 of 2023. For each policy:
carbon of both, their relative difference, and how many times faster carnot's run is (computing
alone on both sides: GAIA's own loop, carnot's simulate). Fails if a difference exceeds 1e-6.
"""
import argparse
import csv
import json
import pathlib
import subprocess
import sys

POLICIES = {  # ours: scheduling policy, carbon policy, waits
    "no-wait": ("carbon", "oracle", "0x0"),
    "lowest-slot:future": ("carbon", "lowest", "6x24"),
    "lowest-window:future": ("carbon", "waiting", "6x24"),
    "lowest-window:oracle": ("carbon", "oracle", "6x24"),
    "carbon-time:future": ("carbon", "cst_average", "6x24"),
    "ecovisor:future": ("suspend-resume-threshold", "oracle", "6x24"),
    "wait-awhile:oracle": ("suspend-resume", "oracle", "6x24"),
}
RUN = """
import sys, time
sys.path.insert(0, "src")
import run, task, carbon
scheduling, policy, waits = sys.argv[1:]
task.set_waiting_times(waits)
tasks = task.load_tasks("pai_1k")
model = carbon.get_carbon_model("AU-VIC", 7000).extend(3600 // task.TIME_FACTOR)
begin = time.perf_counter()
grams = run.run_experiment("simulation", 7000, model, tasks, scheduling, policy, 0, "pai_1k", waits,
                           "queue1")[0]
print("RESULT", repr(float(grams)), time.perf_counter() - begin)
"""


def write_carbon(data, checkout):
    with open(data / "sites-2023-hourly" / "carbon_direct_g_per_kwh.csv") as table:
        values = [row["AU-VIC"] for row in csv.DictReader(table)]
    traces = checkout / "src" / "traces"
    traces.mkdir(exist_ok=True)
    # GAIA begins at 17544 + 7000; two years of 8,760 hours stand before 2023.
    lines = ["carbon_intensity_avg"] + ["0"] * (2 * 8760) + values
    (traces / "AU-VIC.csv").write_text("\n".join(lines) + "\n")


def run_gaia(checkout, arguments):
    answer = subprocess.run([sys.executable, "-c", RUN, *arguments], cwd=checkout, check=True,
                            capture_output=True, text=True)
    _, grams, seconds = answer.stdout.strip().splitlines()[-1].split()
    return float(grams), float(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bench", required=True, type=pathlib.Path)
    parser.add_argument("--data", required=True, type=pathlib.Path)
    parser.add_argument("--gaia", required=True, type=pathlib.Path)
    options = parser.parse_args()
    lines = subprocess.run([options.bench, options.data], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    ours = {row["policy"]: row for row in map(json.loads, lines) if row["zones"] == 1}
    write_carbon(options.data, options.gaia)
    worst = 0.0
    for policy, arguments in POLICIES.items():
        grams, seconds = run_gaia(options.gaia, arguments)
        off = abs(ours[policy]["carbon_g"] / grams - 1)
        worst = max(worst, off)
        print(json.dumps({"policy": policy, "carnot_g": ours[policy]["carbon_g"], "gaia_g": grams,
                          "difference": off, "carnot_s": ours[policy]["seconds"],
                          "gaia_s": round(seconds, 3),
                          "times_faster": round(seconds / ours[policy]["seconds"])}), flush=True)
    return 0 if worst <= 1e-6 else 1


if __name__ == "__main__":
    sys.exit(main())
