# SPDX-License-Identifier: Apache-2.0
"""What is measured of each meter. Each function takes the bench and gives {row: {meter: cell}}; a cell
is {"value": number or None, "why": ...}; rows say their unit."""
import contextlib
import random
import statistics
import subprocess
import sys
import time

from bench import UNPRIVILEGED, Meter, Tree, load, window

TOPOLOGIES = {"one-socket": "one socket", "two-sockets": "two sockets", "dram": "DRAM",
              "psys": "psys", "mmio-twin": "mmio twin", "die-mirrors": "die mirrors",
              "sixteen-mirrors": "16 zones, mirrors",
              "amd-core": "AMD core", "spr-psys": "psys in whole joules", "no-name": "no name file",
              "perf-subset": "perf lists less", "hwmon-only": "hwmon only", "empty": "no sensor"}
PACKAGE = "sys/class/powercap/intel-rapl:0/"


def error_percent(answer, true):
    joules = answer.get("joules")
    if joules is None:
        return {"value": None, "why": answer.get("why", "no figure")}
    # Who models memory besides is judged with and without that, whichever is nearer.
    choices = [joules, joules + answer.get("modelled_memory_j", 0)]
    return {"value": 100 * (min(choices, key=lambda j: abs(j - true)) / true - 1)}


def error_joules(answer, true):
    if answer.get("joules") is None:
        return {"value": None, "why": answer.get("why", "no figure")}
    return {"value": answer["joules"] - true}


def counting_only(bench, rows):
    """Fills in the meters that read no counter."""
    for row in rows.values():
        for name in bench.modules:
            row.setdefault(name, {"value": None, "why": "reads no energy counter"})
    return rows


def topologies(bench):
    rows = {}
    for topology, words in TOPOLOGIES.items():
        if bench.quick and topology not in ("dram", "psys", "die-mirrors", "sixteen-mirrors"):
            continue
        with bench.together(topology, bench.counting) as (tree, meters):
            true, answers = window(tree, meters, 2 if bench.quick else 5)
        if topology == "empty":
            rows["energy shown with no sensor, J"] = {
                name: {"value": answer.get("joules"), "why": answer.get("why")}
                for name, answer in answers.items()}
        else:
            rows[f"{words}: error, %"] = {
                name: error_percent(answer, true) for name, answer in answers.items()}
    return counting_only(bench, rows)


def wraps(bench):
    """Windows that end at a random moment within 1.2 s after a wrap; the worst of them."""
    rows, draw = {}, random.Random(20)
    for words, command in (("", []), (" max unreadable,", ["mode " + PACKAGE +
                                                           "max_energy_range_uj 000"])):
        worst = {}
        with bench.together("one-socket", bench.counting, before=["watts package-0 300", *command],
                            prefix=UNPRIVILEGED if command else []) as (tree, meters):
            times = 2 if bench.quick else 8
            for k in range(times):
                tree.joules("turn package-0 90")  # 0.3 s
                offset = 1.2 * ((k + draw.random()) / times) ** 2  # more of them soon after
                true, answers = window(tree, meters, 0.3 + offset)
                for name, answer in answers.items():
                    cell = error_joules(answer, true)
                    old = worst.get(name, cell)
                    if cell["value"] is None or old["value"] is None:
                        worst[name] = cell if cell["value"] is None else old
                    elif abs(cell["value"]) >= abs(old["value"]):
                        worst[name] = cell
        rows[f"wrap,{words} worst error, J"] = worst
    return counting_only(bench, rows)


def faults(bench):
    cases = {"counter reset": ("one-socket", ["reset package-0"]),
             "EIO for a time": ("two-sockets", ["fail package-1", "mend package-1"]),
             "zone vanished": ("two-sockets", ["vanish package-1"])}
    rows = {}
    for words, (topology, during) in cases.items():
        with bench.together(topology, bench.counting) as (tree, meters):
            true, answers = window(tree, meters, 4, during)
        rows[f"{words}: error, J of {true:.0f}"] = {
            name: error_joules(answer, true) for name, answer in answers.items()}
    return counting_only(bench, rows)


def unprivileged(bench):
    before = [f"mode {PACKAGE}{file}energy_uj 000" for file in ("", "intel-rapl:0:0/",
                                                                "intel-rapl:0:1/")]
    with bench.together("one-socket", bench.modules, before=before,
                        prefix=UNPRIVILEGED) as (tree, meters):
        _, answers = window(tree, meters, 3)
    return {"unreadable counters: energy shown, J": {
        name: {"value": answer.get("joules"), "why": answer.get("origin") or answer.get("why")}
        for name, answer in answers.items()}}


def mean_power(bench):
    with bench.together("one-socket", bench.counting, before=["watts package-0 200"]) as (tree,
                                                                                         meters):
        tree.joules("power 1")
        for meter in meters:
            meter.start()
        problems = {meter.name: meter.started() for meter in meters}
        time.sleep(3 if bench.quick else 10)
        row = {}
        for meter in meters:
            answer = {"why": problems[meter.name]} if problems[meter.name] else meter.stop()
            row[meter.name] = {"value": answer.get("power_w"), "why": answer.get("why")}
    return counting_only(bench, {"mean power at constant 200 W, W": row})


def one_by_one(bench):
    """Costs: each meter alone, against the driver without a meter."""
    bench.modules["nothing"] = load("nothing")
    rows = {"start and stop, ms": {}, "CPU at 1 sample/s, ms/s": {}, "CPU a sample, us": {},
            "peak memory with helpers, MB": {}}
    tries, seconds = (1, 4) if bench.quick else (3, 12)
    for name in list(bench.modules):
        walls = []
        for attempt in range(tries):
            with contextlib.closing(Tree(bench, "dram")) as tree:
                begin = time.monotonic()
                meter = Meter(bench, name, tree, fixed_interval=True)
                meter.start()
                problem = meter.started()
                wall = time.monotonic() - begin
                if attempt == tries - 1:
                    time.sleep(0.5)
                    cpu = meter.cpu_s()
                    time.sleep(seconds)
                    cpu = (meter.cpu_s() - cpu) / seconds
                    memory = meter.peak_rss_mb()
                    sample = meter.ask(f"sample {50 if bench.quick else 500}").get("cpu_s")
                begin = time.monotonic()
                meter.stop()
                meter.close()
                walls.append(wall + time.monotonic() - begin)
        rows["start and stop, ms"][name] = {"value": 1e3 * min(walls), "why": problem}
        rows["CPU at 1 sample/s, ms/s"][name] = {"value": 1e3 * cpu, "why": problem}
        rows["CPU a sample, us"][name] = {
            "value": None if sample is None else 1e6 * sample,
            "why": "takes no single sample" if sample is None else None}
        rows["peak memory with helpers, MB"][name] = {"value": memory, "why": problem}
    del bench.modules["nothing"]
    for title, row in rows.items():
        base = row.pop("nothing")["value"] if title.startswith("start") else 0
        for cell in row.values():
            if cell["value"] is not None:
                cell["value"] = None if cell["why"] else cell["value"] - base
    return rows


def idle_process(bench):
    """A process that sleeps while another keeps the machine busy: what is it billed for?"""
    names = [name for name in bench.modules if name in ("carnot", "codecarbon", "eco2ai")]
    burner = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        with bench.together("one-socket", names, scope="process") as (tree, meters):
            true, answers = window(tree, meters, 3 if bench.quick else 6)
    finally:
        burner.kill()
        burner.wait()
    row = {name: {"value": None, "why": "no figure for a process"} for name in bench.modules}
    for name, answer in answers.items():
        joules = answer.get("joules")
        row[name] = {"value": None if joules is None else 100 * joules / true,
                     "why": answer.get("why")}
    return {"billed to a sleeping process, % of the machine": row}


def crash(bench):
    """Killed with -9 at a random moment: what of the energy so far is on disk?"""
    draw, found = random.Random(20), {name: [] for name in bench.modules}
    for _ in range(1 if bench.quick else 4):
        with bench.together("one-socket", bench.modules) as (tree, meters):
            for meter in meters:
                meter.start()
            problems = {meter.name: meter.started() for meter in meters}
            before = tree.joules("power 1")
            time.sleep(draw.uniform(3, 6))
            true = tree.joules() - before
            for meter in meters:
                meter.kill()
            for meter in meters:
                meter.process.wait()
                left = None if problems[meter.name] else meter.module.left(meter.folder)
                found[meter.name].append(min(100, max(0, 100 * (1 - (left or 0) / true))))
    return {"lost when killed with -9, %": {
        name: {"value": statistics.mean(lost)} for name, lost in found.items()}}


def sockets(bench):
    strace = ["strace", "-f", "-qq", "-e", "trace=socket", "-o", "{folder}/strace"]
    with bench.together("one-socket", bench.modules, prefix=strace,
                        default_location=True) as (tree, meters):
        window(tree, meters, 2)
        row = {}
        for meter in meters:
            text = (meter.folder / "strace").read_text()
            row[meter.name] = {"value": sum(text.count(f"socket({family},")
                                            for family in ("AF_INET", "AF_INET6"))}
    return {"internet sockets opened": row}


ALL = (topologies, wraps, faults, unprivileged, mean_power, idle_process, one_by_one, crash, sockets)
