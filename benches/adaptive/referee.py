#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does `adaptive` reach the floor at the least cost, on tasks and sites it was not tuned to?

    referee.py CARNOT [DATA [--tasks a,b] [--sites a,b] [--seeds n] [--out FILE] [--energy-table F]
                         [--set KEY=VALUE ...]]

Runs `carnot run` for every task, site and seed of referee.json with all rivals and prints the share of
the runs in which a rival reaches the floor where adaptive does, what adaptive costs against the
cheapest rival that reached (in hindsight: median, 90th percentile, worst), its summed cost against
each single rival chosen once for all, and cap violations. A run without any policy that reaches counts
in no figure. Needs nothing but Python. Tasks whose file is not under DATA are left out and named.
"""
import argparse
import csv
import json
import math
import os
import random
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))


def made(name, path):
    """Writes a table of the task's kind; the same bytes each time."""
    r = random.Random(name)
    rows = []
    if name == "friedman":
        for _ in range(3000):
            x = [r.random() for _ in range(10)]
            y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
            rows.append(x + [y + r.gauss(0, 1)])
        head = [f"x{i}" for i in range(10)] + ["y"]
    elif name == "heavytail":
        w = [r.gauss(0, 1) for _ in range(8)]
        for _ in range(4000):
            x = [r.gauss(0, 1) / math.sqrt(r.gammavariate(1.5, 1 / 1.5)) for _ in range(20)]
            rows.append(x + [sum(a * b for a, b in zip(w, x)) + r.gauss(0, 1)])
        head = [f"x{i}" for i in range(20)] + ["y"]
    else:  # bags of words: four topics over a vocabulary with a long tail
        words = 60
        topics = [[(1 / (k + 1)) * r.lognormvariate(0, 0.8) for k in range(words)] for _ in range(4)]
        for _ in range(4000):
            topic = r.randrange(4)
            counts = [0] * words
            for word in r.choices(range(words), topics[topic], k=30):
                counts[word] += 1
            rows.append(counts + [f"t{topic}"])
        head = [f"w{i}" for i in range(words)] + ["topic"]
    with open(path, "w", newline="") as out:
        csv.writer(out).writerows([head] + [[v if isinstance(v, (str, int)) else f"{v:.5g}" for v in row]
                                            for row in rows])


def prepared(task, data, folder):
    """(data, label) as `carnot run` takes them, or None where the file is missing."""
    if "data" in task:
        return task["data"], None
    path = os.path.join(folder, task["name"] + ".csv")
    if "made" in task:
        if not os.path.exists(path):
            made(task["made"], path)
        return path, task["label"]
    source = os.path.join(data or "", task["file"])
    if not data or not os.path.exists(source):
        return None
    if not os.path.exists(path):
        lines = open(source).read().splitlines()
        if source.endswith(".tsv"):
            width = len(lines[0].split("\t"))
            lines = [",".join(str(i) for i in range(width))] + [l.replace("\t", ",") for l in lines]
            head = ["label"] + [f"x{i}" for i in range(1, width)]
            lines[0] = ",".join(head)
        if "rows" in task:
            body = lines[1:]
            random.Random(7).shuffle(body)
            lines = [lines[0]] + body[: task["rows"]]
        with open(path, "w") as out:
            out.write("\n".join(lines) + "\n")
    return path, "label" if source.endswith(".tsv") else task["label"]


def run(carnot, scenario, settings, seed, policies=()):
    """The document of a run; `policies` of the scenario if none is named."""
    command = [carnot, "run", scenario, "--quiet", "--json", "--seed", str(seed)]
    if policies:
        command += ["--policy", ",".join(policies)]
    for setting in settings:
        command += ["--set", setting]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode > 1:
        raise SystemExit(f"{' '.join(command)}\n{done.stderr}")
    return json.loads(done.stdout)


def quantile(values, share):
    values = sorted(values)
    return values[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main():
    p = argparse.ArgumentParser()
    p.add_argument("carnot")
    p.add_argument("data", nargs="?")
    p.add_argument("--tasks")
    p.add_argument("--sites")
    p.add_argument("--seeds", type=int)
    p.add_argument("--out")
    p.add_argument("--energy-table")
    p.add_argument("--set", action="append", default=[], help="of the scenarios, such as "
                   "work.stop_when_certified=true: rivals look after every epoch and end, too")
    p.add_argument("--scenarios", default=os.path.join(HERE, "..", "..", "examples"))
    a = p.parse_args()
    plan = json.load(open(os.path.join(HERE, "referee.json")))
    chosen = lambda rows, names: [r for r in rows if names is None or r["name"] in names.split(",")]
    tasks, sites = chosen(plan["tasks"], a.tasks), chosen(plan["sites"], a.sites)
    seeds = plan["seeds"][: a.seeds] if a.seeds else plan["seeds"]
    rivals = plan["rivals"]
    out = open(a.out, "w") if a.out else None
    runs, violations, below = [], 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks:
            there = prepared(task, a.data, folder)
            if there is None:
                print(f"{task['name']}: left out, {task['file']} is not under DATA")
                continue
            data, label = there
            work = [f"work.data={data}", f"work.learner={task['learner']}", f"work.batch={task['batch']}",
                    f"work.epochs={float(task['epochs'])}", f"work.learning_rate={task['rate']}",
                    f"work.momentum={task.get('momentum', 0.0)}", f"work.minimum_quality={task['floor']}"]
            if label:
                work.append(f"work.labels={label}")
            if "hidden" in task:
                work.append(f"work.hidden={task['hidden']}")
            work += a.set
            if a.energy_table:
                work.append(f"energy_table={os.path.abspath(a.energy_table)}")
            for site in sites:
                here = []
                for seed in seeds:
                    result = run(a.carnot, os.path.join(a.scenarios, site["scenario"]),
                                 work + site["set"], seed, rivals + ["adaptive", "oracle"])
                    row = {"task": task["name"], "site": site["name"], "seed": seed,
                           "policies": {r["policy"]: {"reached": r["outcome"] == "target-reached",
                                                      "cost": r["cost_eur"]["value"],
                                                      "energy": r["energy_j"]["value"],
                                                      "quality": r["quality"]["value"]}
                                        for r in result["runs"]}}
                    violations += sum(r["cap_violations"] for r in result["runs"])
                    proven = (result.get("bound") or {}).get("proven_cost_eur")
                    if proven is not None:
                        below += sum(q["reached"] and q["cost"] < proven - 1e-6 * abs(proven)
                                     for q in row["policies"].values())
                    here.append(row)
                    if out:
                        out.write(json.dumps(row) + "\n")
                        out.flush()
                runs += here
                report(f"{task['name']:13s} {site['name']:8s}", here, rivals)
    print()
    report("all", runs, rivals)
    print("summed cost of adaptive over that of one rival, where both reached; reached by either:")
    for rival in rivals:
        both = [r["policies"] for r in runs
                if r["policies"]["adaptive"]["reached"] and r["policies"][rival]["reached"]]
        ours = sum(q["adaptive"]["cost"] for q in both)
        theirs = sum(q[rival]["cost"] for q in both)
        count = sum(r["policies"][rival]["reached"] for r in runs)
        print(f"  {rival:26s} {ours / theirs if theirs else float('nan'):6.3f}  "
              f"({len(both)} runs; it reached {count}, adaptive "
              f"{sum(r['policies']['adaptive']['reached'] for r in runs)})")
    print(f"cap violations: {violations}; policies below the proven bound: {below}")


def report(name, runs, rivals):
    any_rival = [r for r in runs if any(r["policies"][q]["reached"] for q in rivals)]
    reached = [r for r in any_rival if r["policies"]["adaptive"]["reached"]]
    ratios = [r["policies"]["adaptive"]["cost"] /
              min(r["policies"][q]["cost"] for q in rivals if r["policies"][q]["reached"])
              for r in reached]
    alone = sum(r["policies"]["adaptive"]["reached"] for r in runs) - len(reached)
    print(f"{name}: {len(runs)} runs, a rival reached {len(any_rival)}, adaptive {len(reached)} of them "
          f"and {alone} more; cost over the cheapest rival median {quantile(ratios, 0.5):.3f}, "
          f"90th {quantile(ratios, 0.9):.3f}, worst {max(ratios, default=float('nan')):.3f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
