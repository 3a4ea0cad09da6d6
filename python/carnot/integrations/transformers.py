# SPDX-License-Identifier: Apache-2.0
"""Energy of a Hugging Face training, and a training within a power profile:

    from carnot.integrations.transformers import EnergyCallback, FollowCallback
    Trainer(..., callbacks=[EnergyCallback(), FollowCallback("wind.csv", peak="35 W")])

Imports nothing of it.
"""
from typing import Any, Dict

from .._follow import Follow
from ._spans import HasSpans, Spans, figures


class EnergyCallback(HasSpans):
    """Adds energy an epoch, and with `steps=True` a step, to `state.log_history` (and so to what the
    trainer saves); the spans are in `spans`. Takes the options of `carnot.measure`."""

    def __init__(self, *, steps: bool = False, **options: Any) -> None:
        self._spans = Spans(**options)
        self._steps = steps

    def _ended(self, state: Any, kind: str) -> None:
        span = self._spans.end(kind)
        history = getattr(state, "log_history", None)
        if span is None or history is None:
            return
        row: Dict[str, Any] = dict(figures(span))
        row["step"] = getattr(state, "global_step", 0)
        row["epoch"] = getattr(state, "epoch", None)
        history.append(row)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._spans.begin("train")

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._spans.begin("epoch")

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._steps:
            self._spans.begin("step")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if self._steps:
            self._ended(state, "step")

    def on_epoch_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._ended(state, "epoch")

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self._ended(state, "train")

    def __getattr__(self, name: str) -> Any:
        # Every other moment that trainers of any version tell callbacks of.
        if name.startswith("on_"):
            return _nothing
        raise AttributeError(name)


class FollowCallback:
    """Keeps a training within a power profile: pauses before optimiser steps, and lowers the precision
    if `precision` allows it and the trainer's own is 32 bits. Takes the options of `carnot.Follow`;
    with `save=True` the trainer saves before a long pause. What was done: `follow.report`."""

    def __init__(self, profile: Any = None, *, save: bool = False, **options: Any) -> None:
        self._save = save
        self.follow = Follow(profile, **options)

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        if getattr(args, "bf16", False) or getattr(args, "fp16", False):
            self.follow.problems.append("the trainer's own 16-bit precision holds: only pauses")

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> Any:
        # Only here the trainer may be asked to save: it does so at once, then the next step waits.
        if self._save and self.follow.pause_ahead():
            control.should_save = True
        return control

    def on_step_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.follow.step()

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.follow.own_settings()

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        self.follow.close()

    __getattr__ = EnergyCallback.__getattr__


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None
