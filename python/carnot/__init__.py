# SPDX-License-Identifier: Apache-2.0
"""Energy of computations: measured, explained, learned with, planned; every figure with an interval
and an origin.

    import carnot

    with carnot.measure("train") as m:
        train()
    print(m.energy)          # 1234 J [1200, 1270] measured, chip

    plan = carnot.plan("problem.json")
    print(plan.objective_eur, plan.gap)

Measuring needs nothing but Python and libcarnot_meter: no network, no root, no signal handler, no
lock file. Everything else is the command line's: the same words, the same documents; it needs the
module carnot._core, which is loaded when it is first used, and says what to do where it is absent.
"""
from typing import TYPE_CHECKING, Any, List

from ._errors import (DeviceError, Error, InputError, InputFileError, InternalError, IoError,
                      Stopped, UsageError)
from ._estimate import Carbon, Cost, Energy, Estimate
from ._figures import Account, Domain, Note, account
from ._library import MeterError
from ._measurement import Measurement, measure, measured
from ._meter import Meter, default_meter

if TYPE_CHECKING:
    from ._commands import assess as assess
    from ._commands import burn as burn
    from ._commands import catalogue as catalogue
    from ._commands import data as data
    from ._commands import dispatch as dispatch
    from ._commands import explain as explain
    from ._commands import grid as grid
    from ._commands import learn as learn
    from ._commands import learn_figure8 as learn_figure8
    from ._commands import limits as limits
    from ._commands import measure_command as measure_command
    from ._commands import plan as plan
    from ._commands import predict as predict
    from ._commands import report as report
    from ._commands import run as run
    from ._commands import simulate as simulate
    from ._document import Document as Document
    from ._document import Record as Record
    from ._follow import Follow as Follow
    from ._follow import FollowReport as FollowReport
    from ._follow import QualityFloor as QualityFloor
    from ._follow import follow as follow
    from ._learners import CarnotClassifier as CarnotClassifier
    from ._learners import CarnotRegressor as CarnotRegressor
    from ._native import build_info as build_info
    from ._table import Table as Table
    from ._table import Trace as Trace

__all__ = ["Account", "Carbon", "Cost", "DeviceError", "Domain", "Energy", "Error", "Estimate",
           "Follow", "FollowReport", "InputError", "InputFileError", "InternalError", "IoError",
           "Measurement", "Meter", "MeterError", "Note", "QualityFloor", "Stopped", "UsageError",
           "account", "default_meter", "follow", "measure", "measured"]
__version__ = "0.1.0"

_LATER = {"CarnotClassifier": "_learners", "CarnotRegressor": "_learners", "Document": "_document",
          "Follow": "_follow", "FollowReport": "_follow", "QualityFloor": "_follow",
          "Record": "_document", "Table": "_table", "Trace": "_table", "build_info": "_native",
          "follow": "_follow"}


def __getattr__(name: str) -> Any:
    """What is loaded when it is first used: commands, tables, estimators."""
    if name.startswith("_"):
        raise AttributeError(f"module 'carnot' has no attribute {name!r}")
    from importlib import import_module
    module = import_module("." + _LATER.get(name, "_commands"), __name__)
    if not hasattr(module, name) or (name not in _LATER and name not in module.__all__):
        raise AttributeError(f"module 'carnot' has no attribute {name!r}")
    found = getattr(module, name)
    globals()[name] = found
    return found


def __dir__() -> List[str]:
    from . import _commands
    return sorted({*globals(), *_LATER, *_commands.__all__})
