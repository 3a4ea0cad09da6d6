# SPDX-License-Identifier: Apache-2.0
"""Quality of `carnot learn --learner gbdt` beside XGBoost's `hist`, and of few-bit gradients beside 32.

  xgboost_quality.py CARNOT DATA [SEEDS]     (pip install xgboost scikit-learn pandas)

DATA holds adult/, california-housing/ and higgs-sample/. 200 rounds of 31 leaves at rate 0.1, lambda 1, nothing kept
back; 75/25 splits with seeds 1 ... SEEDS (3). Categories are told to both. Prints, a table a line, the area under the
ROC curve or the root mean squared error (in standard deviations of the target), means over the seeds.
"""
import json
import pathlib
import subprocess
import sys
import tempfile

import numpy
import pandas
import xgboost
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split

carnot, data = sys.argv[1], pathlib.Path(sys.argv[2])
seeds = int(sys.argv[3]) if len(sys.argv) > 3 else 3


def tables():
    d = pandas.read_csv(data / "adult/adult.csv", skipinitialspace=True, na_values="?")
    yield "adult", d.iloc[:, :-1], (d.iloc[:, -1] == sorted(d.iloc[:, -1].unique())[1]).astype(int)
    d = pandas.read_csv(data / "higgs-sample/binary.train.tsv", sep="\t", header=None)
    yield "higgs-7k", d.iloc[:, 1:].add_prefix("c"), d[0].astype(int)
    d = pandas.read_csv(data / "california-housing/housing.csv")
    y = d["median_house_value"]
    yield "california", d.drop(columns="median_house_value"), (y - y.mean()) / y.std()


def run(*words):
    subprocess.run([carnot, *words, "--quiet"], check=True, stdout=subprocess.DEVNULL)


for name, x, y in tables():
    classes = name != "california"
    words = [c for c in x.columns if not pandas.api.types.is_numeric_dtype(x[c])]
    found = {}

    def judge(learner, y_test, p):
        value = roc_auc_score(y_test, p) if classes else float(numpy.sqrt(((p - y_test.values) ** 2).mean()))
        found.setdefault(learner, []).append(value)

    for seed in range(1, seeds + 1):
        x_train, x_test, y_train, y_test = train_test_split(
            x, y, test_size=0.25, random_state=seed, stratify=y if classes else None)
        with tempfile.TemporaryDirectory() as folder:
            x_train.assign(**{"the label": y_train}).to_csv(f"{folder}/train.csv", index=False)
            x_test.assign(**{"the label": y_test}).to_csv(f"{folder}/test.csv", index=False)
            for bits in ("32", "3", "2"):
                run("learn", f"{folder}/train.csv", "--test", f"{folder}/test.csv", "--label", "the label", "--task",
                    "classification" if classes else "regression", "--learner", "gbdt", "--trees", "200", "--leaves",
                    "31", "--hold-out", "0", "--bits", bits, "--save", f"{folder}/model")
                run("predict", f"{folder}/model", f"{folder}/test.csv", "--probabilities", "--output",
                    f"{folder}/out.csv")
                p = pandas.read_csv(f"{folder}/out.csv")
                judge(f"carnot_{bits}_bit", y_test, p["probability 1" if classes else "prediction"].values)
        typed = [d.assign(**{c: d[c].astype("category").cat.set_categories(sorted(x[c].dropna().unique()))
                             for c in words}) for d in (x_train, x_test)]
        model = xgboost.train(
            {"objective": "binary:logistic" if classes else "reg:squarederror", "tree_method": "hist", "grow_policy":
             "lossguide", "max_leaves": 31, "max_depth": 0, "eta": 0.1, "lambda": 1.0, "max_bin": 255, "nthread": 2,
             "seed": seed}, xgboost.DMatrix(typed[0], y_train, enable_categorical=True), 200)
        judge("xgboost", y_test, model.predict(xgboost.DMatrix(typed[1], enable_categorical=True)))
    print(json.dumps({"table": name, "metric": "auc" if classes else "rmse", "seeds": seeds, "xgboost_version":
                      xgboost.__version__, **{k: round(float(numpy.mean(v)), 5) for k, v in found.items()}}), flush=True)
