# SPDX-License-Identifier: Apache-2.0
"""carbontracker: one epoch, CPU only, without its factor for the building (PUE)."""
import re
from pathlib import Path

TITLE = "carbontracker"
VENV = "carbontracker"
J_PER_KWH = 3.6e6


def version():
    from importlib.metadata import version as installed
    return installed("carbontracker")


def left(folder):
    """Its log names mean powers of finished epochs."""
    for path in Path(folder).glob("*carbontracker.log"):
        found = re.search(r"Average power usage \(W\) for \w+: \[?([0-9.]+)", path.read_text())
        if found and "Duration" in path.read_text():
            return float(found[1])
    return None


class Meter:
    def __init__(self, options):
        from carbontracker import constants
        from carbontracker.tracker import CarbonTracker
        self.building = constants.PUE_2023
        self.tracker = CarbonTracker(epochs=2, epochs_before_pred=0, monitor_epochs=2,
                                     update_interval=options["interval_s"], components="cpu",
                                     log_dir=options["folder"], verbose=0, ignore_errors=True)

    def start(self):
        self.tracker.epoch_start()

    def stop(self):
        self.tracker.epoch_end()
        inner = self.tracker.tracker
        joules = J_PER_KWH * float(inner.total_energy_per_epoch().sum()) / self.building
        return {"joules": joules, "power_w": joules / sum(inner.epoch_times)}
