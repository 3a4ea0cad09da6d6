# SPDX-License-Identifier: Apache-2.0
"""Writes small ensembles on scikit-learn's built-in data with the comparisons an independent walk meets.

  make.py FOLDER

NAME.json.zip holds {"model": text of the dump, "rows": [[...]], "comparisons": total over these rows,
"training": total over all training rows or null}. Comparisons are depths of the leaves that the
libraries themselves name (decision_path, pred_leaf), not of a walk of ours.
"""
import json
import sys
import tempfile
import zipfile
from pathlib import Path

import lightgbm
import numpy
import sklearn.datasets
import xgboost
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

DATA = {n: getattr(sklearn.datasets, "load_" + n)(return_X_y=True)
        for n in ("iris", "wine", "breast_cancer", "diabetes", "digits")}
ROWS = 25


def forest(name):
    x, y = DATA[name]
    x = x.astype(numpy.float32).astype(float)
    kind = RandomForestRegressor if name == "diabetes" else RandomForestClassifier
    model = kind(n_estimators=7, max_depth=6, random_state=0, bootstrap=False, max_features=0.5).fit(x, y)
    trees = []
    for each in model.estimators_:
        t = each.tree_
        trees.append(dict(left=t.children_left.tolist(), right=t.children_right.tolist(),
                          feature=t.feature.tolist(), threshold=t.threshold.tolist(),
                          samples=t.n_node_samples.tolist()))
    text = json.dumps({"format": "carnot.trees/1", "features": x.shape[1], "trees": trees})
    # Nodes on the path, the leaf not counted.
    count = lambda rows: int(sum(e.decision_path(rows).sum() - len(rows) for e in model.estimators_))
    return text, x[:ROWS], count(x[:ROWS]), count(x)


def boosted(name):
    x, y = DATA[name]
    x = x.astype(numpy.float32).astype(float)
    kind = xgboost.XGBRegressor if name == "diabetes" else xgboost.XGBClassifier
    model = kind(n_estimators=6, max_depth=4, random_state=0, n_jobs=1).fit(x, y)
    with tempfile.TemporaryDirectory() as folder:
        model.get_booster().save_model(folder + "/m.json")
        text = Path(folder + "/m.json").read_text()
    trees = json.loads(text)["learner"]["gradient_booster"]["model"]["trees"]
    leaves = model.get_booster().predict(xgboost.DMatrix(x), pred_leaf=True)
    depths = []
    for t in trees:
        depth = [0] * len(t["left_children"])
        for i, parent in enumerate(t["parents"]):
            if parent < len(depth):
                depth[i] = depth[parent] + 1  # parents come before children
        depths.append(depth)
    leaves = leaves.reshape(len(x), -1).astype(int)
    per_row = [sum(depths[t][leaf] for t, leaf in enumerate(row)) for row in leaves]
    # For squared error the hessian of a row is one: covers are rows.
    return text, x[:ROWS], int(sum(per_row[:ROWS])), int(sum(per_row)) if name == "diabetes" else None


def light(name):
    x, y = DATA[name]
    kind = lightgbm.LGBMRegressor if name == "diabetes" else lightgbm.LGBMClassifier
    model = kind(n_estimators=5, num_leaves=12, random_state=0, n_jobs=1, verbose=-1).fit(x, y)
    booster = model.booster_
    text = booster.model_to_string()
    depths = []

    def descend(node, depth, into):
        if "leaf_index" in node or "split_feature" not in node:
            into[node.get("leaf_index", 0)] = depth
            return
        descend(node["left_child"], depth + 1, into)
        descend(node["right_child"], depth + 1, into)

    for info in booster.dump_model()["tree_info"]:
        into = {}
        descend(info["tree_structure"], 0, into)
        depths.append(into)
    leaves = booster.predict(x, pred_leaf=True).astype(int)
    per_row = [sum(depths[t][leaf] for t, leaf in enumerate(row)) for row in leaves]
    return text, x[:ROWS], int(sum(per_row[:ROWS])), int(sum(per_row))


def main():
    folder = Path(sys.argv[1])
    for library, make in (("sklearn", forest), ("xgboost", boosted), ("lightgbm", light)):
        for name in DATA:
            text, rows, some, everything = make(name)
            body = json.dumps(dict(model=text, rows=rows.tolist(), comparisons=some, training=everything,
                                   samples=len(DATA[name][0])))
            with zipfile.ZipFile(folder / f"{library}-{name}.json.zip", "w") as archive:
                archive.writestr(zipfile.ZipInfo("case.json"), body, zipfile.ZIP_DEFLATED, 9)
            print(library, name, some, everything, flush=True)


main()
