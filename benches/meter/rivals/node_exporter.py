# SPDX-License-Identifier: Apache-2.0
"""node_exporter: two scrapes of its RAPL collector; its energy is the difference of packages and DRAM.
It is told where the tree is, as its users would in a container."""
import os
import re
import subprocess
import time
import urllib.request
from pathlib import Path

TITLE = "node_exporter"
PROGRAM = "prometheus-node-exporter"
COUNTED = re.compile(r"^node_rapl_(package|dram)\w*_joules_total\{[^}]*\} (\S+)$", re.MULTILINE)
PORT = 19100 + os.getpid() % 10000


def version():
    said = subprocess.run([PROGRAM, "--version"], capture_output=True, text=True, check=True)
    return re.search(r"version ([0-9.]+)", said.stdout + said.stderr)[1]


def left(_folder):
    return None


class Meter:
    def __init__(self, options):
        self.process = subprocess.Popen(
            [PROGRAM, "--collector.disable-defaults", "--collector.rapl",
             f"--web.listen-address=127.0.0.1:{PORT}"],
            stdin=subprocess.DEVNULL, cwd=options["folder"])

    def sample(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/metrics", timeout=5) as page:
            text = page.read().decode()
        rows = COUNTED.findall(text)
        if not rows:
            raise RuntimeError("no node_rapl_ metric: " + "; ".join(
                line for line in text.splitlines() if "collector_success" in line and "#" not in line))
        return time.monotonic(), sum(float(value) for _, value in rows)

    def start(self):
        for _ in range(200):
            try:
                self.began = self.sample()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("no answer")

    def stop(self):
        at, joules = self.sample()
        self.process.terminate()
        self.process.wait()
        joules -= self.began[1]
        return {"joules": joules, "power_w": joules / (at - self.began[0])}
