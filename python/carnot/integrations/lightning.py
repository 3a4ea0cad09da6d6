# SPDX-License-Identifier: Apache-2.0
"""Energy of a Lightning training, and a training within a power profile:

    from carnot.integrations.lightning import EnergyCallback, FollowCallback
    Trainer(callbacks=[EnergyCallback(), FollowCallback("wind.csv", peak="35 W")])

Works with `lightning` and `pytorch_lightning`; imports neither, but where one has been imported the
callback is of its class `Callback`, as its trainer wants.
"""
import sys
from typing import Any, Dict, Tuple

from .._follow import Follow
from ._spans import HasSpans, Spans, figures


def _callback_classes() -> Tuple[type, ...]:
    modules = ("lightning.pytorch.callbacks", "pytorch_lightning.callbacks")
    loaded = [sys.modules[name] for name in modules if name in sys.modules]
    return tuple(dict.fromkeys(module.Callback for module in loaded))


class EnergyCallback(HasSpans):
    """Logs energy an epoch, and with `steps=True` a step, to the trainer's logger; the spans are in
    `spans`. Takes the options of `carnot.measure`. In a distributed run each process measures its
    own."""

    def __new__(cls, *args: Any, **options: Any) -> "EnergyCallback":
        missing = tuple(c for c in _callback_classes() if not issubclass(cls, c))
        return object.__new__(type(cls.__name__, (cls, *missing), {}) if missing else cls)

    def __init__(self, *, steps: bool = False, **options: Any) -> None:
        self._spans = Spans(**options)
        self._steps = steps

    def _ended(self, trainer: Any, kind: str) -> None:
        span = self._spans.end(kind)
        if span is None:
            return
        logger = getattr(trainer, "logger", None)
        if logger is not None and getattr(trainer, "is_global_zero", True):
            logger.log_metrics(figures(span), step=getattr(trainer, "global_step", None))

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self._spans.begin("train")

    def on_train_epoch_start(self, trainer: Any, module: Any) -> None:
        self._spans.begin("epoch")

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
        if self._steps:
            self._spans.begin("step")

    def on_train_batch_end(self, trainer: Any, module: Any, outputs: Any, batch: Any,
                           batch_idx: int) -> None:
        if self._steps:
            self._ended(trainer, "step")

    def on_train_epoch_end(self, trainer: Any, module: Any) -> None:
        self._ended(trainer, "epoch")

    def on_train_end(self, trainer: Any, module: Any) -> None:
        self._ended(trainer, "train")

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        self._spans.end_all()

    def state_dict(self) -> Dict[str, Any]:
        return {}

    def load_state_dict(self, state_dict: Dict[str, Any]) -> None:
        pass

    @property
    def state_key(self) -> str:
        return type(self).__qualname__

    def __getattr__(self, name: str) -> Any:
        # Every other moment that trainers of any version tell callbacks of.
        if name.startswith(("on_", "setup", "teardown")):
            return _nothing
        raise AttributeError(name)


class FollowCallback:
    """Keeps a training within a power profile: pauses before batches, and lowers the precision if
    `precision` allows it and the trainer's own is 32 bits. Takes the options of `carnot.Follow`;
    `checkpoint` names a file that is written before a long pause. What was done: `follow.report`."""

    __new__: Any = EnergyCallback.__new__
    _trainer: Any

    def __init__(self, profile: Any = None, *, checkpoint: Any = None, **options: Any) -> None:
        self._trainer = None
        if checkpoint is not None:
            options["on_pause"] = lambda: self._trainer.save_checkpoint(checkpoint)
        self.follow = Follow(profile, **options)

    def on_train_start(self, trainer: Any, module: Any) -> None:
        self._trainer = trainer
        own = str(getattr(trainer, "precision", "32"))
        if not own.startswith("32"):
            self.follow.problems.append(f"the trainer's own precision, {own}, holds: only pauses")

    def on_train_batch_start(self, trainer: Any, module: Any, batch: Any, batch_idx: int) -> None:
        self.follow.step()

    def on_validation_start(self, trainer: Any, module: Any) -> None:
        self.follow.own_settings()

    def on_train_end(self, trainer: Any, module: Any) -> None:
        self.follow.close()

    def on_exception(self, trainer: Any, module: Any, exception: BaseException) -> None:
        self.follow.close()

    state_dict = EnergyCallback.state_dict
    load_state_dict = EnergyCallback.load_state_dict
    state_key = EnergyCallback.state_key
    __getattr__ = EnergyCallback.__getattr__


def _nothing(*args: Any, **kwargs: Any) -> None:
    return None
