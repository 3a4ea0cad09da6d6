# SPDX-License-Identifier: Apache-2.0
"""Energy of an XGBoost training:

    from carnot.integrations.xgboost import EnergyCallback
    energy = EnergyCallback()
    xgboost.train(parameters, data, callbacks=[energy])
    print(energy.spans[-1].energy)
"""
from typing import Any

from xgboost.callback import TrainingCallback

from ._spans import HasSpans, Spans


class EnergyCallback(HasSpans, TrainingCallback):  # type: ignore[misc, unused-ignore]
    """A span of kind "train" of the whole training; with `rounds`, one of kind "round" of each round.
    Options are `carnot.measure`'s."""

    def __init__(self, *, rounds: bool = False, **options: Any) -> None:
        super().__init__()
        self._rounds = rounds
        self._spans = Spans(**options)

    def before_training(self, model: Any) -> Any:
        self._spans.begin("train")
        return model

    def before_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if self._rounds:
            self._spans.begin("round")
        return False

    def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:
        if self._rounds:
            self._spans.end("round")
        return False

    def after_training(self, model: Any) -> Any:
        self._spans.end_all()
        return model
