# SPDX-License-Identifier: Apache-2.0
"""Measurements of a training run, its epochs and its steps, and what is logged of them."""
from typing import Any, Dict, List, NamedTuple, Optional

from .._estimate import Energy
from .._library import MeterError
from .._measurement import Measurement


class Span(NamedTuple):
    """One epoch, step or whole training that ended.

    What is spent between two epochs (evaluation, saving, logging, and time in which the machine ran
    something else) is in none of them, so epochs sum to less than their training. It is the
    training's `exclusive_energy`: that over all spans sums to `energy` of the training.
    """

    kind: str
    number: int  # of its kind, from 0
    energy: Energy
    machine_energy: Energy
    duration_s: float
    exclusive_energy: Energy  # of `energy`, what was spent in no span within this one


class Spans:
    """The open measurements of one training, one of each kind, and all that ended."""

    def __init__(self, **options: Any) -> None:
        self._options = options
        self._open: Dict[str, Measurement] = {}
        self._count: Dict[str, int] = {}
        self.ended: List[Span] = []
        self.failures: List[str] = []
        Measurement("", **options)  # bad options are told at once

    def begin(self, kind: str) -> None:
        """A span of this kind that is open already is given up: its end was never told."""
        self._open.pop(kind, None)
        self._open[kind] = Measurement(kind, **self._options).start()

    def end(self, kind: str) -> Optional[Span]:
        """The span that ended; None if none was open or it could not be measured (then `failures`
        says why)."""
        measurement = self._open.pop(kind, None)
        if measurement is None:
            return None
        measurement.stop()
        index = self._count.get(kind, 0)
        self._count[kind] = index + 1
        try:
            span = Span(kind, index, measurement.energy, measurement.machine_energy,
                        measurement.duration_s, measurement.exclusive_energy)
        except (MeterError, ValueError) as error:
            self.failures.append(str(error))
            return None
        self.ended.append(span)
        return span

    def end_all(self) -> None:
        """Those within others first, so that none goes on longer than what it is a part of."""
        for kind in reversed(list(self._open)):
            self.end(kind)

    def drop_all(self) -> None:
        self._open.clear()


def figures(span: Span) -> Dict[str, float]:
    """What a logger gets of a span."""
    prefix = f"energy/{span.kind}"
    return {f"{prefix}_energy_j": span.energy.value, f"{prefix}_low_j": span.energy.low,
            f"{prefix}_high_j": span.energy.high,
            f"{prefix}_exclusive_energy_j": span.exclusive_energy.value,
            f"{prefix}_machine_energy_j": span.machine_energy.value,
            f"{prefix}_duration_s": span.duration_s}


class HasSpans:
    """What all integrations offer to whoever looks at their spans."""

    _spans: Spans

    @property
    def spans(self) -> List[Span]:
        return self._spans.ended

    @property
    def failures(self) -> List[str]:
        return self._spans.failures
