# SPDX-License-Identifier: Apache-2.0
"""Zeus: one window over all CPU packages; its energy is the sum of all it lists, DRAM included."""

TITLE = "Zeus"
VENV = "zeus"


def version():
    from importlib.metadata import version as installed
    return installed("zeus")


def left(_folder):
    return None


class Meter:
    def __init__(self, _options):
        from zeus.monitor import ZeusMonitor
        self.monitor = ZeusMonitor(gpu_indices=[])

    def start(self):
        self.monitor.begin_window("window", sync_execution=False)

    def sample(self):
        self.monitor.begin_window("sample", sync_execution=False)
        self.monitor.end_window("sample", sync_execution=False)

    def stop(self):
        window = self.monitor.end_window("window", sync_execution=False)
        if window.cpu_energy is None:
            return {"joules": None, "why": "cpu_energy is None"}
        dram = sum((window.dram_energy or {}).values())
        total = sum(window.cpu_energy.values()) + dram
        return {"joules": total, "power_w": total / window.time}
