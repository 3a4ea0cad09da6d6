# SPDX-License-Identifier: Apache-2.0
"""`carnot learn` with trees at its defaults beside scikit-learn's at theirs, on the same rows.

  defaults.py CARNOT [--data DIR] [--seeds N] [--only NAME]     (pip install scikit-learn pandas)

Each table is split 75/25 (stratified by class) with seeds 1 ... N; both learn from the same training
rows and are judged on the same held-out ones. scikit-learn: HistGradientBoosting (categories told to
it) and RandomForest (categories one-hot, missing cells as the mean), defaults throughout. DIR holds
adult/, california-housing/, higgs-sample/, mnist/ where they are there; the other tables come with
scikit-learn or are drawn by its generators. Prints a JSON object a table and learner.
"""
import argparse
import gzip
import json
import pathlib
import subprocess
import tempfile

import numpy
import pandas
from sklearn import datasets
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (HistGradientBoostingClassifier, HistGradientBoostingRegressor, RandomForestClassifier,
                              RandomForestRegressor)
from sklearn.impute import SimpleImputer
from sklearn.metrics import accuracy_score, r2_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

parser = argparse.ArgumentParser()
parser.add_argument("carnot")
parser.add_argument("--data")
parser.add_argument("--seeds", type=int, default=5)
parser.add_argument("--only")
arguments = parser.parse_args()


def bundled(load):
    d = load(as_frame=True)
    return d.data, d.target


def idx(path):
    raw = gzip.open(path).read()
    rank = raw[3]
    sizes = [int.from_bytes(raw[4 + 4 * i : 8 + 4 * i], "big") for i in range(rank)]
    return numpy.frombuffer(raw[4 + 4 * rank :], numpy.uint8).reshape(sizes)


def tables():
    yield "iris", "classification", *bundled(datasets.load_iris)
    yield "wine", "classification", *bundled(datasets.load_wine)
    yield "breast-cancer", "classification", *bundled(datasets.load_breast_cancer)
    yield "digits", "classification", *bundled(datasets.load_digits)
    yield "diabetes", "regression", *bundled(datasets.load_diabetes)
    for name, draw in (("friedman1", datasets.make_friedman1), ("friedman2", datasets.make_friedman2)):
        x, y = draw(n_samples=4000, random_state=7, noise=1.0)
        yield name, "regression", pandas.DataFrame(x).add_prefix("x"), pandas.Series(y)
    x, y = datasets.make_classification(8000, 20, n_informative=8, n_classes=4, random_state=7)
    yield "four-classes", "classification", pandas.DataFrame(x).add_prefix("x"), pandas.Series(y)
    x, y = datasets.make_moons(1000, noise=0.3, random_state=7)
    yield "moons", "classification", pandas.DataFrame(x).add_prefix("x"), pandas.Series(y)
    if not arguments.data:
        return
    root = pathlib.Path(arguments.data)
    if (root / "adult/adult.csv").exists():
        d = pandas.read_csv(root / "adult/adult.csv", skipinitialspace=True, na_values="?")
        label = d.columns[-1]
        yield "adult", "classification", d.drop(columns=label), d[label]
    if (root / "california-housing/housing.csv").exists():
        d = pandas.read_csv(root / "california-housing/housing.csv")
        yield "california", "regression", d.drop(columns="median_house_value"), d["median_house_value"]
    if (root / "higgs-sample/binary.train.tsv").exists():
        d = pandas.read_csv(root / "higgs-sample/binary.train.tsv", sep="\t", header=None)
        d.columns = [f"c{c}" for c in d.columns]
        yield "higgs-7k", "classification", d.drop(columns="c0"), d["c0"].astype(int)
    if (root / "mnist/train-images-idx3-ubyte.gz").exists():
        x = idx(root / "mnist/train-images-idx3-ubyte.gz").reshape(60000, -1)[:12000]
        y = idx(root / "mnist/train-labels-idx1-ubyte.gz")[:12000]
        yield "mnist-12k", "classification", pandas.DataFrame(x.astype(float)).add_prefix("p"), pandas.Series(y)


def carnot(learner, train, test, task):
    with tempfile.TemporaryDirectory() as folder:
        train.to_csv(f"{folder}/train.csv", index=False)
        test.to_csv(f"{folder}/test.csv", index=False)
        run = subprocess.run([arguments.carnot, "learn", f"{folder}/train.csv", "--test", f"{folder}/test.csv", "--label",
                              "the label", "--task", task, "--learner", learner, "--json"], capture_output=True, text=True)
        if run.returncode not in (0, 1):
            raise SystemExit(run.stderr)
        return json.loads(run.stdout)


for name, task, x, y in tables():
    if arguments.only and arguments.only != name:
        continue
    x.columns = [str(c) for c in x.columns]
    words = [c for c in x.columns if not pandas.api.types.is_numeric_dtype(x[c])]
    found = {}
    for seed in range(1, arguments.seeds + 1):
        part = train_test_split(x, y, test_size=0.25, random_state=seed, stratify=y if task == "classification" else None)
        x_train, x_test, y_train, y_test = part
        train, test = x_train.assign(**{"the label": y_train.values}), x_test.assign(**{"the label": y_test.values})
        for learner in ("gbdt", "forest"):
            document = carnot(learner, train, test, task)
            found.setdefault(learner, []).append(document["quality"]["value"])
            found.setdefault(learner + " steps", []).append(document["steps"])
            found.setdefault(learner + " seconds", []).append(document["seconds"])
        score = accuracy_score if task == "classification" else r2_score
        boosting = (HistGradientBoostingClassifier if task == "classification" else HistGradientBoostingRegressor)(
            random_state=seed, categorical_features=words or None)
        as_codes = lambda d: d.assign(**{c: d[c].astype("category").cat.set_categories(sorted(x[c].dropna().unique()))
                                         for c in words})
        found.setdefault("their boosting", []).append(
            score(y_test, boosting.fit(as_codes(x_train), y_train).predict(as_codes(x_test))))
        forest = make_pipeline(
            make_column_transformer((make_pipeline(SimpleImputer(strategy="most_frequent"),
                                                   OneHotEncoder(handle_unknown="ignore")), words),
                                    remainder=SimpleImputer(), sparse_threshold=0),
            (RandomForestClassifier if task == "classification" else RandomForestRegressor)(random_state=seed, n_jobs=2))
        found.setdefault("their forest", []).append(score(y_test, forest.fit(x_train, y_train).predict(x_test)))
    for learner, rival in (("gbdt", "their boosting"), ("forest", "their forest")):
        ours, theirs = numpy.array(found[learner]), numpy.array(found[rival])
        print(json.dumps({"table": name, "rows": len(x), "learner": learner, "metric": "accuracy" if task ==
                          "classification" else "r2", "carnot": round(float(ours.mean()), 4), "scikit_learn":
                          round(float(theirs.mean()), 4), "difference": round(float((ours - theirs).mean()), 4),
                          "standard_error": round(float((ours - theirs).std(ddof=1) / len(ours) ** 0.5), 4)
                          if len(ours) > 1 else None, "steps": found[learner + " steps"],
                          "seconds": round(float(numpy.median(found[learner + " seconds"])), 2)}), flush=True)
