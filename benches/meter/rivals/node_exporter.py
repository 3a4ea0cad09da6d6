# SPDX-License-Identifier: Apache-2.0
"""node_exporter: two scrapes of its RAPL collector; its energy is what Prometheus' increase() makes of
packages and DRAM: a counter that fell began again at zero."""
import os
import re
import subprocess
import time
import urllib.request

TITLE = "node_exporter"
PROGRAM = "prometheus-node-exporter"
COUNTED = re.compile(r"^(node_rapl_(?:package|dram)\w*_joules_total\{[^}]*\}) (\S+)$", re.MULTILINE)
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
        return time.monotonic(), {series: float(value) for series, value in rows}

    def start(self):
        for _ in range(200):
            try:
                self.began = self.sample()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("no answer")

    def stop(self):
        at, now = self.sample()
        began, before = self.began
        self.process.terminate()
        self.process.wait()
        joules = sum(value - before.get(series, value) * (value >= before.get(series, value))
                     for series, value in now.items())
        return {"joules": joules, "power_w": joules / (at - began)}
