# SPDX-License-Identifier: Apache-2.0
"""scikit-learn estimators over the learners of `carnot learn`."""
from typing import Any, Dict, List, Optional, Tuple

import numpy
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from ._estimate import Energy
from ._native import core

try:
    from sklearn.utils.validation import validate_data  # from 1.6 on
except ImportError:  # pragma: no cover
    def validate_data(estimator: Any, *data: Any, **options: Any) -> Any:
        options["force_all_finite"] = options.pop("ensure_all_finite", True)
        return estimator._validate_data(*data, **options)

__all__ = ["CarnotClassifier", "CarnotRegressor"]

_TREES = ("gbdt", "forest")


class _CarnotEstimator(BaseEstimator):  # type: ignore[misc, unused-ignore]
    """What both have. 0, "" and None are what the data suggests (`carnot learn`'s defaults)."""

    _learners: Tuple[str, ...] = ()

    def __init__(self, learner: str = "gbdt", *, bits: str = "", budget_j: Optional[float] = None,
                 hidden: int = 64, epochs: float = 0.0, batch: int = 0, learning_rate: float = 0.0,
                 momentum: float = 0.0, trees: int = 0, leaves: int = 0, depth: int = 0,
                 bins: int = 255, subsample: float = 1.0, hold_out: float = 0.1,
                 n_jobs: Optional[int] = None, random_state: Any = None) -> None:
        self.learner = learner
        self.bits = bits
        self.budget_j = budget_j
        self.hidden = hidden
        self.epochs = epochs
        self.batch = batch
        self.learning_rate = learning_rate
        self.momentum = momentum
        self.trees = trees
        self.leaves = leaves
        self.depth = depth
        self.bins = bins
        self.subsample = subsample
        self.hold_out = hold_out
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _options(self) -> Dict[str, Any]:
        if self.learner not in self._learners:
            raise ValueError(f"learner: allowed: {', '.join(self._learners)}; "
                             f"given: {self.learner!r}")
        seed = self.random_state
        if not isinstance(seed, (int, numpy.integer)):
            from sklearn.utils import check_random_state
            seed = 1 if seed is None else check_random_state(seed).randint(2**31 - 1)
        return {"learner": self.learner, "bits": str(self.bits), "budget_j": float(self.budget_j or 0),
                "hidden": int(self.hidden), "epochs": float(self.epochs), "batch": int(self.batch),
                "learning_rate": float(self.learning_rate), "momentum": float(self.momentum),
                "trees": int(self.trees), "leaves": int(self.leaves), "depth": int(self.depth),
                "bins": int(self.bins), "subsample": float(self.subsample),
                "hold_out": float(self.hold_out), "threads": _threads(self.n_jobs),
                "seed": int(seed)}

    def _fitted(self, x: Any, y: Any, classes: List[str], numbers: bool) -> None:
        named = getattr(self, "feature_names_in_", None)
        names = ([str(name) for name in named] if named is not None
                 else [f"column {i + 1}" for i in range(x.shape[1])])
        self._model = core().fit(numpy.ascontiguousarray(x, dtype=numpy.float64),
                                 numpy.ascontiguousarray(y, dtype=numpy.float64), names, classes,
                                 named is not None, numbers, self._options(), None)
        self.energy_ = Energy.with_causes(self._model.energy_value, self._model.energy_origin,
                                          self._model.energy_boundary, self._model.energy_causes)
        self.bits_ = dict(self._model.bits)
        self.n_iter_ = max(1, int(self._model.steps))
        self.diverged_ = bool(self._model.diverged)

    def _predicted(self, x: Any) -> Any:
        check_is_fitted(self)
        x = validate_data(self, x, reset=False, dtype=numpy.float64, ensure_all_finite="allow-nan")
        return self._model.predict(numpy.ascontiguousarray(x))

    def save(self, path: Any) -> None:
        """Writes the model's file, for `carnot predict`."""
        import os
        check_is_fitted(self)
        self._model.save(os.fspath(path))

    def __getstate__(self) -> Dict[str, Any]:
        state = dict(super().__getstate__())
        if "_model" in state:
            state["_model"] = state["_model"].packed()
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        packed = state.get("_model")
        if isinstance(packed, bytes):
            state = {**state, "_model": core().FittedModel.unpacked(packed)}
        super().__setstate__(state)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    def _more_tags(self) -> Dict[str, Any]:  # before 1.6
        return {"allow_nan": True}


class CarnotClassifier(ClassifierMixin, _CarnotEstimator):  # type: ignore[misc, unused-ignore]
    """A classifier of carnot's: `learner` is gbdt (boosted trees), forest, mlp (one hidden layer) or
    softmax (linear). `bits` is the precision of training: 4, 8, 16, 32 or a name such as int8; of
    gbdt that of the gradients, 2 to 8. `budget_j` ends training before so many modelled joules.

    After `fit`: `energy_`, modelled joules of training (an Energy, boundary chip); `bits_`, code
    lengths in bits: `uniform` of the labels alone, `data` of the labels under the model, `model`,
    `two_part`, `prequential`, `learned_net`; `n_iter_`, steps or rounds. Missing values (NaN) are
    allowed.
    """

    _learners = ("gbdt", "forest", "mlp", "softmax", "logistic")

    def fit(self, X: Any, y: Any) -> "CarnotClassifier":
        x, y = validate_data(self, X, y, dtype=numpy.float64, ensure_all_finite="allow-nan",
                             ensure_min_samples=2)
        check_classification_targets(y)
        self.classes_, labels = numpy.unique(y, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"y: two classes or more to tell apart; there is one class: "
                             f"{self.classes_[0]!r}")
        numbers = numpy.issubdtype(self.classes_.dtype, numpy.number)
        words = [str(word) for word in self.classes_]
        self._fitted(x, labels.astype(numpy.float64), words, bool(numbers))
        return self

    def predict_proba(self, X: Any) -> Any:
        """Probabilities, [rows x classes] in the order of `classes_`."""
        p = self._predicted(X)
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:
        p = self._predicted(X)
        return self.classes_[p.argmax(axis=1)]


class CarnotRegressor(RegressorMixin, _CarnotEstimator):  # type: ignore[misc, unused-ignore]
    """A regressor of carnot's: `learner` is gbdt (boosted trees), forest, mlp (one hidden layer) or
    linear. Options and what there is after `fit`: as of CarnotClassifier."""

    _learners = ("gbdt", "forest", "mlp", "linear")

    def fit(self, X: Any, y: Any) -> "CarnotRegressor":
        x, y = validate_data(self, X, y, dtype=numpy.float64, ensure_all_finite="allow-nan",
                             y_numeric=True, ensure_min_samples=2)
        self._fitted(x, y, [], False)
        return self

    def predict(self, X: Any) -> Any:
        return self._predicted(X)[:, 0].copy()


def _threads(n_jobs: Optional[int]) -> int:
    import os
    if n_jobs is None:
        return 1
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(64, n_jobs if n_jobs > 0 else cpus + 1 + n_jobs))
