# SPDX-License-Identifier: Apache-2.0
"""XGBoost's `hist` on the table that trees_boosting wrote.

  xgboost_hist.py FILE [ROWS [COLUMNS [ROUNDS [LEAVES]]]]     (pip install xgboost)

The same settings: learning rate 0.1, lambda 1, least Hessian 1, 255 bins, leaf by leaf, two threads.
Seconds count from the table in memory to the trained model; median and least of three.
"""
import json
import sys
import time

import numpy
import xgboost

path = sys.argv[1]
rows, columns, rounds, leaves = [
    int(sys.argv[i]) if len(sys.argv) > i else d for i, d in ((2, 1000000), (3, 28), (4, 100), (5, 255))
]
data = numpy.fromfile(path, dtype=numpy.float32)


def part(at, n):
    x = data[at : at + n * columns].reshape(n, columns)
    return x, data[at + n * columns : at + n * (columns + 1)], at + n * (columns + 1)


x, y, at = part(0, rows)
x_test, y_test, _ = part(at, rows // 10)
options = dict(objective="binary:logistic", tree_method="hist", grow_policy="lossguide", max_leaves=leaves,
               max_depth=0, max_bin=255, eta=0.1, min_child_weight=1, nthread=2, seed=1)
options["lambda"] = 1.0
seconds = []
for _ in range(3):
    start = time.perf_counter()
    table = xgboost.QuantileDMatrix(x, y, max_bin=255, nthread=2)
    binned = time.perf_counter()
    model = xgboost.train(options, table, rounds)
    seconds.append((time.perf_counter() - start, binned - start))
score = model.inplace_predict(x_test)
order = numpy.argsort(score, kind="stable")
rank = numpy.empty(len(order))
rank[order] = numpy.arange(1, len(order) + 1)
positives = y_test.sum()
area = (rank[y_test == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(y_test) - positives))
seconds.sort()
print(json.dumps({"rival": "xgboost " + xgboost.__version__, "rows": rows, "columns": columns, "rounds": rounds,
                  "leaves": leaves, "threads": 2, "seconds": round(seconds[1][0], 3),
                  "least_seconds": round(seconds[0][0], 3), "binning_seconds": round(seconds[1][1], 3),
                  "auc": round(float(area), 5)}))
