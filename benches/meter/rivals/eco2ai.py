# SPDX-License-Identifier: Apache-2.0
"""eco2AI: a tracker over all processes. It reads no energy counter: CPU energy is a table's design
power times utilisation."""
import csv
from pathlib import Path

TITLE = "eco2AI"
VENV = "eco2ai"
COUNTERS = False
J_PER_KWH = 3.6e6


def version():
    from importlib.metadata import version as installed
    return installed("eco2ai")


def left(folder):
    path = Path(folder) / "emission.csv"
    if not path.exists():
        return None
    with open(path, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    return J_PER_KWH * float(rows[-1]["power_consumption(kWh)"]) if rows else None


class Meter:
    def __init__(self, options):
        from eco2ai import Tracker
        self.tracker = Tracker(project_name="bench", experiment_description="bench",
                               file_name="emission.csv", measure_period=options["interval_s"],
                               cpu_processes="all", ignore_warnings=True, alpha_2_code="FR")

    def start(self):
        self.tracker.start()

    def stop(self):
        self.tracker.stop()
        return {"joules": left(".")}
