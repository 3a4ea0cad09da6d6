# SPDX-License-Identifier: Apache-2.0
"""What `carnot learn search` spends against the best of 50 random trials (bar A11).

  search_economy.py CARNOT --data DIR [--seeds 11,12,13] [--learner gbdt] [--only NAME]

For each table and seed: 50 random trials, then the frugal search, in the same space; the seed also
splits the rows. Prints a JSON object a pair: joules, held-out quality and their ratio, then medians,
worst and how many hold: within 1 % of the best of random at 30 % of its joules or less. DIR holds
california-housing/, adult/, higgs-sample/.
"""
import argparse
import json
import pathlib
import statistics
import subprocess

TABLES = {
    "housing": ("california-housing/housing.csv", ["--label", "median_house_value"]),
    "adult": ("adult/adult.csv", ["--label", "income-per-year"]),
    "higgs-7k": ("higgs-sample/binary.train.tsv", ["--test", "higgs-sample/binary.test.tsv", "--label", "1"]),
}

parser = argparse.ArgumentParser()
parser.add_argument("carnot")
parser.add_argument("--data", required=True, type=pathlib.Path)
parser.add_argument("--seeds", default="11,12,13")
parser.add_argument("--learner", default="gbdt")
parser.add_argument("--method", default="frugal")
parser.add_argument("--only")
arguments = parser.parse_args()


def lane(path, flags, *more):
    flags = [str(arguments.data / f) if f.endswith(".tsv") else f for f in flags]
    done = subprocess.run([arguments.carnot, "learn", "search", str(arguments.data / path), *flags, "--learner",
                           arguments.learner, "--json", *more], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["lanes"][0]


results = []
for name, (path, flags) in TABLES.items():
    if arguments.only not in (None, name):
        continue
    for seed in arguments.seeds.split(","):
        random = lane(path, flags, "--method", "random", "--seed", seed)
        own = lane(path, flags, "--method", arguments.method, "--seed", seed)
        best, found = random["trials"][random["best"]], own["trials"][own["best"]]
        row = {"table": name, "seed": int(seed), "random_j": random["spent_j"], "search_j": own["spent_j"],
               "share": own["spent_j"] / random["spent_j"], "random_quality": best["held_out_quality"],
               "quality": found["held_out_quality"], "random_loss": best["loss"], "loss": found["loss"],
               "trials": len(own["trials"]), "ended": own["stopped"]}
        row["quality_ratio"] = row["quality"] / row["random_quality"]
        row["holds"] = row["share"] <= 0.3 and row["quality_ratio"] >= 0.99
        results.append(row)
        print(json.dumps(row), flush=True)
print(json.dumps({"learner": arguments.learner, "method": arguments.method, "pairs": len(results),
                  "hold": sum(r["holds"] for r in results),
                  "median_share": statistics.median(r["share"] for r in results),
                  "worst_share": max(r["share"] for r in results),
                  "median_quality_ratio": statistics.median(r["quality_ratio"] for r in results),
                  "worst_quality_ratio": min(r["quality_ratio"] for r in results)}))
