# SPDX-License-Identifier: Apache-2.0
"""The calls of carnot/live/c_api.h through ctypes."""
import ctypes
from ctypes import (POINTER, Structure, byref, c_char_p, c_double, c_int32, c_size_t, c_uint64,
                    c_void_p)
from typing import Any, ClassVar, Dict

from ._library import _Sized, check, decoded, encoded, library

MOST_MODES = 64
_TEXTS = ("profile", "peak", "cap", "full_at", "none_at", "begin_at", "then", "column", "unit",
          "zone", "gaps")
_NUMBERS = ("speed", "watts_per_cpu", "burst_s", "checkpoint_after_s", "longest_wait_s")
_WHOLE = ("modes", "calendar", "sensor")
_SUMS = ("offered_j", "used_j", "could_not_use_j", "left_j", "above_j", "free_used_j", "followed_s",
         "waited_s")


class _Options(_Sized):
    _fields_: ClassVar[Any] = ([("size", c_size_t)] + [(name, c_char_p) for name in _TEXTS] +
                [(name, c_double) for name in _NUMBERS] + [(name, c_int32) for name in _WHOLE])


class _Decision(Structure):
    _fields_ = [("wait_s", c_double), ("offered_w", c_double), ("mode", c_int32),
                ("checkpoint", c_int32), ("over", c_int32)]


class _Totals(_Sized):
    _fields_: ClassVar[Any] = ([("size", c_size_t)] + [(name, c_double) for name in _SUMS] +
                [("worst_over_w", c_double), ("per_cpu_w", c_double),
                 ("steps", c_uint64 * MOST_MODES)])


class _Certificate(Structure):
    _fields_ = [("lower_bound", c_double), ("upper_bound", c_double), ("alpha", c_double),
                ("certified", c_int32)]


_FUNCTIONS = {
    "carnot_follow_open": (c_int32, [POINTER(_Options), POINTER(c_void_p)]),
    "carnot_follow_close": (None, [c_void_p]),
    "carnot_follow_next": (c_int32, [c_void_p, c_double, c_double, c_double, c_int32,
                                     POINTER(_Decision)]),
    "carnot_follow_report": (c_int32, [c_void_p, POINTER(_Totals)]),
    "carnot_follow_words": (c_char_p, [c_void_p]),
    "carnot_certify_accuracy": (c_int32, [c_uint64, c_uint64, c_double, c_double, c_uint64,
                                          POINTER(_Certificate)]),
}


def _function(name: str) -> Any:
    function = getattr(library(), name)
    function.restype, function.argtypes = _FUNCTIONS[name]
    return function


class StepFollower:
    """carnot's decisions between steps: `next` says how long to wait and in which mode to go on."""

    def __init__(self, **options: Any) -> None:
        self._handle = c_void_p()
        self.decision = _Decision()
        texts = {name: encoded(options.pop(name, None)) for name in _TEXTS}
        numbers = {name: options.pop(name) for name in _NUMBERS + _WHOLE
                   if options.get(name) is not None}
        for name in _NUMBERS + _WHOLE:
            options.pop(name, None)
        if options:
            raise TypeError(f"no option {sorted(options)[0]!r}; there are "
                            + ", ".join(_TEXTS + _NUMBERS + ("modes", "calendar")))
        given = _Options(**texts, **{name: int(value) if name in _WHOLE else float(value)
                                     for name, value in numbers.items()})
        check(_function("carnot_follow_open")(byref(given), byref(self._handle)))
        self._next = _function("carnot_follow_next")
        self._at = byref(self.decision)

    def next(self, now_s: float, cpu_s: float, told_j: float, stepped: bool) -> None:
        """The answer stands in `decision`."""
        check(self._next(self._handle, now_s, cpu_s, told_j, stepped, self._at))

    def totals(self) -> Dict[str, Any]:
        totals = _Totals()
        check(_function("carnot_follow_report")(self._handle, byref(totals)))
        found = {name: getattr(totals, name) for name in _SUMS + ("worst_over_w", "per_cpu_w")}
        found["steps"] = list(totals.steps)
        return found

    @property
    def words(self) -> str:
        return decoded(_function("carnot_follow_words")(self._handle))

    def close(self) -> None:
        if self._handle:
            _function("carnot_follow_close")(self._handle)
            self._handle = c_void_p()

    def __del__(self) -> None:
        try:
            self.close()
        except Exception:  # the interpreter ends
            pass


def certify(successes: int, trials: int, floor: float, alpha: float, looks_before: int) -> Any:
    found = _Certificate()
    if min(successes, trials, looks_before) < 0:
        raise ValueError("successes, trials, looks: allowed: whole numbers from 0 on")
    check(_function("carnot_certify_accuracy")(successes, trials, floor, alpha, looks_before,
                                               byref(found)))
    return found
