# SPDX-License-Identifier: Apache-2.0
"""carnot: `carnot measure` around a command that does nothing."""
import json
import os
import subprocess
from pathlib import Path

TITLE = "carnot"
PROGRAM = os.environ.get("CARNOT", "carnot")


def version():
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    return said.stdout.split()[-1]


def left(folder):
    said = subprocess.run([PROGRAM, "report", Path(folder) / "out.carnot", "--json"],
                          capture_output=True, text=True)
    return json.loads(said.stdout)["machine_energy_j"]["value"] if said.stdout else None


class Meter:
    def __init__(self, options):
        from driver import Held
        self.held = Held(options["folder"])
        words = [PROGRAM, "measure", "--json", "--out", str(Path(options["folder"]) / "out.carnot")]
        if "sysfs_root" in options:
            words += ["--sysfs-root", options["sysfs_root"]]
        if options.get("fixed_interval"):
            words += ["--interval", str(int(1000 * options["interval_s"]))]
        self.key = "energy_j" if options.get("scope") == "process" else "machine_energy_j"
        (Path(options["folder"]) / "out.carnot").unlink(missing_ok=True)
        self.process = subprocess.Popen(words + ["--", *self.held.command],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)

    def start(self):
        self.held.wait(self.process)

    def stop(self):
        self.held.release()
        said = self.process.communicate(timeout=30)[0]
        document = json.loads(said)
        energy = document[self.key]
        return {"joules": energy["value"], "low": energy["low"], "high": energy["high"],
                "power_w": energy["value"] / document["duration_s"], "origin": energy["origin"],
                "gaps": len(document["gaps"]), "samples": document["samples"]}
