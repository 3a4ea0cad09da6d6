# SPDX-License-Identifier: Apache-2.0
"""experiment-impact-tracker: a process that writes what it sees into a folder every second or so."""
import json
from pathlib import Path

TITLE = "experiment-impact-tracker"
VENV = "experiment_impact_tracker"


def version():
    from importlib.metadata import version as installed
    return installed("experiment-impact-tracker")


def left(folder):
    """Mean of its power samples times the time they cover."""
    path = Path(folder) / "impacttracker" / "data.json"
    if not path.exists():
        return None
    samples = [json.loads(line) for line in path.read_text().splitlines() if line]
    rows = [s for s in samples if "rapl_power_draw_absolute" in s]
    if len(rows) < 2:
        return None
    mean = sum(row["rapl_power_draw_absolute"] for row in rows) / len(rows)
    return mean * (rows[-1]["timestamp"] - rows[0]["timestamp"])


class Meter:
    def __init__(self, options):
        from experiment_impact_tracker.compute_tracker import ImpactTracker
        self.folder = options["folder"]
        self.tracker = ImpactTracker(self.folder)

    def start(self):
        self.tracker.launch_impact_monitor()

    def stop(self):
        self.tracker.stop()
        return {"joules": left(self.folder)}
