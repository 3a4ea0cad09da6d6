# SPDX-License-Identifier: Apache-2.0
"""Loopback clusters, a rehearsal on them, and what its jobs wrote: for the live tests."""
import csv
import datetime
import os
import pathlib
import shutil
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
START = datetime.datetime(2026, 6, 1, tzinfo=datetime.timezone.utc)


def slurm_is_there():
    path = os.environ["PATH"] + ":/usr/sbin:/sbin"
    return all(shutil.which(p, path=path) for p in ("slurmctld", "slurmd", "squeue", "sbatch"))


class Fleet:
    """Clusters s0, s1, ... of pretend nodes below a folder."""

    def __init__(self, folder, clusters, nodes, port=17200):
        self.folder = pathlib.Path(folder)
        self.names = [f"s{i}" for i in range(clusters)]
        self.nodes = nodes
        self.up = []
        for i, name in enumerate(self.names):
            subprocess.run(
                [HERE / "cluster", "up", self.folder / name, name, str(port + 100 * i), str(nodes)],
                check=True,
            )
            self.up.append(name)

    def down(self):
        downs = [subprocess.Popen([HERE / "cluster", "down", self.folder / n]) for n in self.up]
        for d in downs:
            d.wait()

    def cluster(self, name, what):
        subprocess.run([HERE / "cluster", what, self.folder / name], check=True)

    def env(self, name):
        return {**os.environ, "SLURM_CONF": str(self.folder / name / "slurm.conf"), "TZ": "UTC"}

    def run(self, name, *words, check=True):
        done = subprocess.run(words, env=self.env(name), capture_output=True, text=True)
        if check and done.returncode:
            raise RuntimeError(f"{name}: {words}: {done.stderr}")
        return done.stdout.strip()

    def states(self, name, *more):
        rows = self.run(name, "squeue", "-h", "-a", "-t", "all", "-o", "%i|%T|%r|%j", *more)
        return [tuple(row.split("|", 3)) for row in rows.splitlines()]


def write_run(folder, fleet, policy, jobs, prices, speed, **more):
    """A configuration with its jobs and prices; jobs: (id, arrival_s, runtime_s, nodes, deadline_s)."""
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "jobs.csv", "w") as f:
        f.write("arrival_s,runtime_s,nodes,deadline_s,id,site,real_s\n")
        for i, (name, arrival, runtime, nodes, deadline) in enumerate(jobs):
            site = fleet.names[i % len(fleet.names)]
            f.write(f"{arrival},{runtime},{nodes},{deadline},{name},{site},{runtime / speed}\n")
    with open(folder / "price.csv", "w") as f:
        f.write("time," + ",".join(f"{n} [EUR/MWh]" for n in fleet.names) + "\n")
        for k, row in enumerate(prices):
            at = START + datetime.timedelta(hours=k - 720)
            f.write(f"{at:%Y-%m-%dT%H:%MZ}," + ",".join(f"{p}" for p in row) + "\n")
    settings = {
        "run": "live",
        "state": "state",
        "policy": policy,
        "interval": "1 s",
        "max_wait": "24 h",
        "speed": speed,
        "start": "2026-06-01T00:00Z",
        "exit_when_done": True,
        **more,
    }
    text = "[dispatch]\n"
    for key, value in settings.items():
        shown = f'"{value}"' if isinstance(value, str) else str(value).lower()
        text += f"{key} = {shown}\n"
    text += '[jobs]\nfile = "jobs.csv"\n'
    text += f'command = ["{HERE}/payload", "{folder}", "{{id}}", "{{real_s}}"]\n'
    text += 'options = ["--output=/dev/null"]\n'
    for n in fleet.names:
        source = f'{{ file = "price.csv", column = "{n}", ahead = false }}'
        text += f'[[site]]\nname = "{n}"\nslurm_conf = "{fleet.folder}/{n}/slurm.conf"\n'
        text += 'node_power = "400 W"\nidle_power = "100 W"\nfixed_overhead = 0\n'
        text += f'cooling_slope_per_k = 0\npartitions = ["green"]\nprice = {source}\n'
        text += 'carbon = "300 g/kWh"\ntemperature = "15 degC"\n'
    (folder / "dispatch.toml").write_text(text)


def payload_runs(folder, name):
    """[(begin, end, what it ended by)] of a job, in real time."""
    path = pathlib.Path(folder) / f"{name}.log"
    runs, begin = [], None
    if not path.exists():
        return runs
    for row in csv.reader(open(path)):
        if row[1] == "begin":
            if begin is not None:
                runs.append((begin, None, "killed"))
            begin = float(row[0])
        else:
            runs.append((begin, float(row[0]), row[1]))
            begin = None
    if begin is not None:
        runs.append((begin, None, "running"))
    return runs


def wait_until(condition, seconds, what):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")
