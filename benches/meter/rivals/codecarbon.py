# SPDX-License-Identifier: Apache-2.0
"""CodeCarbon, as a library. Its energy is that of its CPU figure (from RAPL where it finds it); its
figure of memory is a model and stands beside."""
import csv
from pathlib import Path

TITLE = "CodeCarbon"
VENV = "codecarbon"
J_PER_KWH = 3.6e6


def version():
    import codecarbon
    return codecarbon.__version__


def left(folder):
    for path in Path(folder).glob("emissions*.csv"):
        with open(path, newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        if rows:
            return J_PER_KWH * float(rows[-1]["cpu_energy"])
    return None


class Meter:
    def __init__(self, options):
        import codecarbon
        common = {"measure_power_secs": options["interval_s"], "output_dir": options["folder"],
                  "log_level": "error", "tracking_mode": options.get("scope", "machine"),
                  "allow_multiple_runs": True}
        if options.get("default_location"):
            self.tracker = codecarbon.EmissionsTracker(**common)
        else:
            self.tracker = codecarbon.OfflineEmissionsTracker(country_iso_code="FRA", **common)

    def start(self):
        self.tracker.start()

    def sample(self):
        self.tracker._do_measurements()

    def stop(self):
        self.tracker.stop()
        data = self.tracker.final_emissions_data
        return {"joules": J_PER_KWH * data.cpu_energy, "power_w": data.cpu_power,
                "modelled_memory_j": J_PER_KWH * data.ram_energy}
