# SPDX-License-Identifier: Apache-2.0
"""Energy of each epoch of a training, and of the whole: nested measurements that add up."""
import random

import carnot


def epoch(weights, rows):
    """One pass of stochastic gradient descent on a line."""
    for x, y in rows:
        error = weights[0] + weights[1] * x - y
        weights[0] -= 0.02 * error
        weights[1] -= 0.02 * error * x


rows = [(x := random.uniform(-1, 1), 3 + 2 * x) for _ in range(100_000)]
weights = [0.0, 0.0]

with carnot.measure("training") as training:
    epochs = []
    for number in range(3):
        with carnot.measure(f"epoch {number}") as m:
            epoch(weights, rows)
        epochs.append(m)
        print(f"{m.label}: {m.energy}")

print(f"training: {training.energy} in {training.duration_s:.3f} s, {training.carbon_g:.2g} g CO2e")
for note in training.notes:
    print("note:", note)

inside = sum(m.exclusive_energy_j for m in epochs)
assert abs(inside + training.exclusive_energy_j - training.energy_j) <= 1e-9 * training.energy_j
assert all(m.energy.low <= m.energy_j <= m.energy.high for m in epochs)
