#!/ usr / bin / env python3
#SPDX - License - Identifier : Apache - 2.0
"""How much of what hindsight gains over a plan made once does planning anew gain?

    most_quality.py CARNOT [--tuning] [--tasks a,b] [--weeks n] [--seeds n] [--out FILE] [--svg FILE]

Runs `carnot run examples/most-quality.toml` for every task, wind week and training seed of
most_quality.json with all rivals. Quality is the certified one (the lower bound on held-out rows), its
mean over the seeds of a week. The best in hindsight is the schedule, of those fitted to the wind that
came, with the best mean of that week;
`strict` takes the best of each single run instead,
    noise of the training included.Nothing certified counts as 0. gain =
        quality less that of plan - once; ratio = adaptive's gain over hindsight's, of
weeks in which hindsight gains at least 0.001. Needs nothing but Python.
"""
import argparse
import csv
import json
import math
import os
import random
import sys
import tempfile

from referee import quantile, run

HERE = os.path.dirname(os.path.abspath(__file__))


def rows_of(name, part, count):
    r = random.Random(f"{name} {part}")
    shape = random.Random(name)
    if name == "friedman":
        for _ in range(count):
            x = [r.random() for _ in range(10)]
            y = 10 * math.sin(math.pi * x[0] * x[1]) + 20 * (x[2] - 0.5) ** 2 + 10 * x[3] + 5 * x[4]
            yield x + [y + r.gauss(0, 1)]
    elif name == "waves":  # three classes by the phase of two sines in noise
        for _ in range(count):
            x = [r.uniform(-2, 2) for _ in range(8)]
            s = math.sin(2 * x[0] + x[1]) + math.sin(1.5 * x[2] * x[3]) + 0.2 * r.gauss(0, 1)
            yield x + ["abc"[(s > -0.5) + (s > 0.5)]]
    else:  # bags of words: five topics over a vocabulary with a long tail
        words = 60
        topics = [[(1 / (k + 1)) * shape.lognormvariate(0, 0.8) for k in range(words)] for _ in range(5)]
        for _ in range(count):
            topic = r.randrange(5)
            counts = [0] * words
            for word in r.choices(range(words), topics[topic], k=25):
                counts[word] += 1
            yield counts + [f"t{topic}"]


def made(task, folder):
    name = task["made"]
    paths = []
    for part, count in (("train", 4000), ("test", 4000)):
        path = os.path.join(folder, f"{name}-{part}.csv")
        paths.append(path)
        if os.path.exists(path):
            continue
        rows = [[v if isinstance(v, (str, int)) else f"{v:.5g}" for v in row]
                for row in rows_of(name, part, count)]
        head = [f"x{i}" for i in range(len(rows[0]) - 1)] + [task["label"]]
        with open(path, "w", newline="") as out:
            csv.writer(out).writerows([head] + rows)
    return paths


def mean(values):
    return sum(values) / len(values)


def week_row(task, week, runs):
    """Means over the seeds of one week."""
    def of(policy, key="low"):
        return mean([r[policy][key] for r in runs])
    policies = list(runs[0])
    hindsight = [p for p in policies if p.startswith("hindsight:")]
    fixed = [p for p in policies if p.startswith("fixed:")]
    best = max(hindsight, key=of)
    once, ours = of("plan-once"), of("adaptive")
    return {"task": task, "week": week, "adaptive": ours, "once": once, "best": best,
            "hindsight": of(best), "strict": mean([max(r[p]["low"] for p in hindsight) for r in runs]),
            "fixed": max(of(p) for p in fixed), "same_fixed": {
  p: of(p) for p in fixed
  },
            "own_mwh": of("adaptive", "own"), "offered_mwh": of("adaptive", "offered"),
            "bits": of("adaptive", "bits"), "quality": of("adaptive", "quality"),
            "grid": max(r[p]["grid"] for r in runs for p in policies)
}

def report(name, rows):
    def ratios(key):
        return [(r["adaptive"] - r["once"]) / (r[key] - r["once"])
                for r in rows if r[key] - r["once"] >= 0.001]
    a, s = ratios("hindsight"), ratios("strict")
    pooled = (sum(r["adaptive"] - r["once"] for r in rows) /
              max(1e-12, sum(r["hindsight"] - r["once"] for r in rows)))
    gain = [r["hindsight"] - r["once"] for r in rows]
    short = [r["adaptive"] - r["hindsight"] for r in rows]
    over = [r["adaptive"] - r["fixed"] for r in rows]
    print(f"{name}: {len(rows)} weeks, hindsight gains at least 0.001 in {len(a)} "
          f"(median gain {quantile(gain, 0.5):.4f}); adaptive's share of it: median "
          f"{quantile(a, 0.5):.3f}, 10th percentile {quantile(a, 0.1):.3f}, worst {min(a, default=math.nan):.3f}"
          f"; of all weeks together {pooled:.3f}; strict median {quantile(s, 0.5):.3f}; adaptive less hindsight: median "
          f"{quantile(short, 0.5):+.4f}, worst {min(short):+.4f}; less the best fixed format of the "
          f"week, fitted to the forecast: median {quantile(over, 0.5):+.4f}, worst {min(over):+.4f}",
          flush=True)


def figure(rows, path):
    """Certified quality against the wind's energy, a panel a task, points in the colour of their bits."""
    tasks = list(dict.fromkeys(r["task"] for r in rows))
    w, h, pad = 460, 300, 56
    cols = min(2, len(tasks))
    lines = []
    colours = [(4.5, "#d1495b"), (6, "#edae49"), (7.5, "#66a182"), (9, "#2e8bc0"), (99, "#3d348b")]
    for i, task in enumerate(tasks):
        x0, y0 = (i % cols) * w, 40 + (i // cols) * h
        own = [r for r in rows if r["task"] == task]
        lo, hi = min(r["once"] for r in own), max(r["hindsight"] for r in own)
        e0 = max(1.0, min(r["offered_mwh"] for r in own))
        e1 = max(r["offered_mwh"] for r in own)
        def px(e):
            return x0 + pad + (w - pad - 20) * math.log(max(e, e0) / e0) / max(1e-9, math.log(e1 / e0))
        def py(q):
            return y0 + h - 40 - (h - 70) * (q - lo) / max(1e-9, hi - lo)
        lines.append(f'<text x="{x0 + pad}" y="{y0 + 14}" font-weight="bold">{task}</text>')
        lines.append(f'<path d="M{x0 + pad} {y0 + 20}V{y0 + h - 34}H{x0 + w - 20}" fill="none" stroke="#888"/>')
        for q in (lo, (lo + hi) / 2, hi):
            lines.append(f'<text x="{x0 + pad - 4}" y="{py(q) + 4:.1f}" text-anchor="end">{q:.3f}</text>')
        for e in (e0, math.sqrt(e0 * e1), e1):
            lines.append(f'<text x="{px(e):.1f}" y="{y0 + h - 20}" text-anchor="middle">{e:.0f}</text>')
        lines.append(f'<text x="{x0 + w / 2}" y="{y0 + h - 4}" text-anchor="middle">own power offered, MWh</text>')
        for r in own:
            x = px(r["offered_mwh"])
            lines.append(f'<circle cx="{x:.1f}" cy="{py(r["once"]):.1f}" r="2.5" fill="none" stroke="#999"/>')
            lines.append(f'<path d="M{x - 4:.1f} {py(r["hindsight"]):.1f}h8" stroke="#000"/>')
            colour = next(c for limit, c in colours if r["bits"] < limit)
            lines.append(f'<circle cx="{x:.1f}" cy="{py(r["adaptive"]):.1f}" r="4" fill="{colour}">'
                         f'<title>week {r["week"]}: {r["bits"]:.1f} bits</title></circle>')
    key = "".join(f'<circle cx="{20 + 120 * i}" cy="16" r="4" fill="{c}"/><text x="{28 + 120 * i}" y="20">'
                  f'{"below " + str(limit) if limit < 99 else "more"} bits</text>'
                  for i, (limit, c) in enumerate(colours))
    height = 40 + h * ((len(tasks) + cols - 1) // cols) + 24
    with open(path, "w") as out:
        out.write(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {w * cols} {height}" '
                  f'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="#fff"/>'
                  f'{key}{"".join(lines)}<text x="20" y="{height - 8}">Certified quality of adaptive '
                  f'(mean bits by colour), of the plan made once (circles) and in hindsight (bars); a point a wind '
                  f'week.</text></svg>\n')


def main():
    p = argparse.ArgumentParser()
    p.add_argument("carnot")
    p.add_argument("--tuning", action="store_true")
    p.add_argument("--tasks")
    p.add_argument("--weeks", type=int)
    p.add_argument("--seeds", type=int)
    p.add_argument("--out")
    p.add_argument("--svg")
    p.add_argument("--set", action="append", default=[])
    a = p.parse_args()
    plan = json.load(open(os.path.join(HERE, "most_quality.json")))
    part = plan["tuning"] if a.tuning else plan
    names = a.tasks.split(",") if a.tasks else plan["tuning"]["tasks"] if a.tuning else None
    tasks = [t for t in plan["tasks"] if names is None or t["name"] in names]
    scenario = os.path.join(HERE, "..", "..", "examples", plan["scenario"])
    rows, owed = [], 0.0
    with tempfile.TemporaryDirectory() as folder:
        for task in tasks:
            work = [f"work.{k}={v}" for k, v in (("learner", task["learner"]), ("batch", task["batch"]),
                                                 ("hidden", task["hidden"]), ("epochs", float(task["epochs"])),
                                                 ("learning_rate", task["rate"]))]
            if "made" in task:
                train, test = made(task, folder)
                work += [f"work.data={train}", f"work.labels={task['label']}", f"work.test_data={test}",
                         f"work.test_labels={task['label']}"]
            else:
                work.append(f"work.data={task['data']}")
            here = []
            for week in part["weeks"][: a.weeks]:
                runs = []
                for seed in part["seeds"][: a.seeds]:
                    result = run(a.carnot, scenario, work + [f"work.seed={seed}"] + a.set, week)
                    lanes = {}
                    for r in result["runs"]:
                        owed = max(owed, r["most_quality"]["owed_j"] / max(1.0, r["energy_j"]["value"]))
                        low = r["quality"]["low"]
                        lanes[r["policy"]] = {
  "low" : 0.0 if low is None else low, "quality" : r["quality"]["value"] or 0.0,
      "own" : r["own_energy_j"] / 3.6e9,
      "grid" : r["grid_energy_j"],
               "offered" : (r["own_energy_j"] + r["curtailed_j"]) / 3.6e9,
               "bits" : r["most_quality"]["mean_bits"] or 0.0,
               "phase" : r["most_quality"]["schedule_phase"],
                         "modes" : r["most_quality"]["mode_steps"]}
                    runs.append(lanes)
                row = week_row(task["name"], week, runs)
                here.append(row)
                if a.out:
                    with open(a.out, "a") as out:
                        out.write(json.dumps({"row": row, "runs": runs}) + "\n")
            rows += here
            report(task["name"], here)
    report("all", rows)
    print(f"most grid energy of any policy: {max(r['grid'] for r in rows):.3g} J; most owed at the deadline, "
          f"of a policy's energy: {owed:.2g}")
    if a.svg:
        figure(rows, a.svg)


if __name__ == "__main__":
    sys.exit(main())
