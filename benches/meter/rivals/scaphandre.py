# SPDX-License-Identifier: Apache-2.0
"""Scaphandre: its JSON exporter once a second; its energy is the host's power summed over time."""
import json
import re
import signal
import subprocess
import time
from pathlib import Path

TITLE = "Scaphandre"
PROGRAM = "scaphandre"
HERE = Path(__file__).resolve().parent


def version():
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    return re.search(r"[0-9.]+", said.stdout)[0]


def records(folder):
    path = Path(folder) / "out.json"
    text = path.read_text() if path.exists() else ""
    decoder, at, found = json.JSONDecoder(), max(text.find("{"), 0), []
    while at < len(text):
        try:
            record, at = decoder.raw_decode(text, at)
        except ValueError:
            break
        found.append(record["host"])
    return found


def left(folder, step_s=1.0):
    hosts = records(folder)
    return 1e-6 * step_s * sum(host["consumption"] for host in hosts) if hosts else None


class Meter:
    def __init__(self, options):
        self.folder, self.step_s = options["folder"], options["interval_s"]
        with open(Path(self.folder) / "out.json", "wb") as out:
            self.process = subprocess.Popen(
                [HERE / "with_modules", PROGRAM, "json", "-s", str(self.step_s)],
                stdin=subprocess.DEVNULL, stdout=out)

    def start(self):
        time.sleep(2.5 * self.step_s)  # its first two readings
        if self.process.poll() is not None:
            raise RuntimeError(f"ended with {self.process.returncode}")

    def stop(self):
        time.sleep(1.5 * self.step_s)
        self.process.send_signal(signal.SIGINT)
        self.process.wait()
        watts = [1e-6 * host["consumption"] for host in records(self.folder)]
        if not watts:
            return {"joules": None, "why": "wrote no record"}
        return {"joules": left(self.folder, self.step_s), "power_w": sum(watts) / len(watts)}
