# SPDX-License-Identifier: Apache-2.0
"""joule-profiler: runs the command, powercap backend; its energy is the sum of packages and DRAM."""
import json
import re
import subprocess
from pathlib import Path

TITLE = "joule-profiler"
PROGRAM = "joule-profiler"


def version():
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    return re.search(r"[0-9.]+", said.stdout)[0]


def left(folder):
    path = Path(folder) / "out.json"
    return total(path) if path.exists() and path.stat().st_size else None


def total(path):
    metrics = json.loads(path.read_text())["phases"][0]["metrics"]
    return 1e-6 * sum(metric["value"] for metric in metrics
                      if metric["name"].startswith(("PACKAGE", "DRAM")))


class Meter:
    def __init__(self, options):
        from driver import Held
        self.held, self.out = Held(options["folder"]), Path(options["folder"]) / "out.json"
        self.process = subprocess.Popen(
            [PROGRAM, "--output-format", "json", "-o", self.out, "-D",
             "profiler.rapl_backend=powercap", "profile", "--use-root", "--", *self.held.command],
            stdin=subprocess.DEVNULL)

    def start(self):
        self.held.wait(self.process)

    def stop(self):
        self.held.release()
        if self.process.wait(30) != 0:
            raise RuntimeError(f"exit code {self.process.returncode}")
        return {"joules": total(self.out)}
