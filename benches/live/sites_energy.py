#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What training at three sites costs over one, to the same certified floor.

    sites_energy.py CARNOT DATA

DATA holds sites-2023-hourly (carbon intensity of zones) and mnist. For two trios of zones, two floors
and four starts the policy `carnot` trains at all three and at each alone; printed are joules, grams,
bytes and whether the floor was certified, then the ratios. Chosen before any was run.
"""
import json
import os
import statistics
import subprocess
import sys
import tempfile

TRIOS = [("US-CAL-CISO", "US-TEX-ERCO", "DE-LU"), ("AU-NSW", "GB", "US-NY-NYIS")]
FLOORS = (0.93, 0.96)
STARTS = ("2023-02-10", "2023-05-20", "2023-08-15", "2023-11-03")


def run(carnot, data, zones, floor, start):
    table = os.path.join(data, "sites-2023-hourly", "carbon_direct_g_per_kwh.csv")
    text = f"""[training]
start = "{start}T00:00Z"
deadline = "24 h"
work = "16 h"
slot = "15 min"
[job]
data = "mnist"
model = "mlp"
hidden = 64
epochs = 10
floor = {floor}
looks = 100
[averaging]
bits = 4
"""
    for zone in zones:
        text += (f'[[site]]\nname = "{zone}"\ncarbon = {{ file = "{table}", column = "{zone}", '
                 'time_column = "utc", unit = "g/kWh" }\n')
    with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
        file.write(text)
        file.flush()
        done = subprocess.run([carnot, "run", "--sites", file.name, "--policy", "carnot",
                               "--data-dir", data, "--json"], capture_output=True, text=True)
    if done.returncode not in (0, 1):
        sys.exit(done.stderr)
    return json.loads(done.stdout)["policies"][0]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    carnot, data = sys.argv[1], os.path.abspath(sys.argv[2])
    energy, carbon, moved, certified = [], [], [], 0
    for zones in TRIOS:
        for floor in FLOORS:
            for start in STARTS:
                three = run(carnot, data, zones, floor, start)
                alone = [run(carnot, data, [zone], floor, start) for zone in zones]
                t = three["training"]
                certified += t["certified"]
                energy.append(three["energy_j"] / statistics.median(p["energy_j"] for p in alone))
                carbon.append(three["carbon_g"] / min(p["carbon_g"] for p in alone))
                moved.append((t["bytes_up"] + t["bytes_down"]) / t["synchronous_bytes"])
                print(f'{zones[0]} ... floor {floor} {start}: {three["energy_j"] / 3.6e6:.2f} kWh '
                      f'{three["carbon_g"]:.0f} g, {three["elapsed_s"] / 3600:.1f} h, energy '
                      f'{energy[-1]:.3f} of one site, bytes {100 * moved[-1]:.2f} %', flush=True)
    print(f"energy over one site: median {statistics.median(energy):.3f}, worst {max(energy):.3f}; "
          f"carbon over the best single site: median {statistics.median(carbon):.2f}, worst "
          f"{max(carbon):.2f}; bytes at most {100 * max(moved):.2f} %; certified {certified} of "
          f"{len(energy)}")


if __name__ == "__main__":
    main()
