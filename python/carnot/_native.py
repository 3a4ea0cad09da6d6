# SPDX-License-Identifier: Apache-2.0
"""The module carnot._core, loaded at the first call that needs it."""
import os
import sys
from typing import Any, Dict

from ._errors import DeviceError


def core() -> Any:
    """carnot._core: the file named by the environment variable CARNOT_CORE, or the one beside this
    file. Raises DeviceError, saying what to do, where it is absent."""
    try:
        return sys.modules["carnot._core"]
    except KeyError:
        pass
    try:
        return _loaded()
    except ImportError as error:
        raise DeviceError(
            f"this installation of carnot has the meter alone, without the module carnot._core "
            f"({error}). It comes with `pip install .` in the root of the repository (a C++20 "
            f"compiler and the Debian packages of tools/debian-packages.txt are needed) or with a "
            f"wheel for this Python and machine") from error


def _loaded() -> Any:
    named = os.environ.get("CARNOT_CORE")
    if not named:
        from importlib import import_module
        return import_module("carnot._core")
    from importlib.util import module_from_spec, spec_from_file_location
    spec = spec_from_file_location("carnot._core", named)
    if spec is None or spec.loader is None:
        raise ImportError(f"CARNOT_CORE: {named}: not a module")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.modules["carnot._core"] = module
    return module


_WITHOUT = {
    "onednn": "matrix products use carnot's own kernels, several times slower (libdnnl-dev)",
    "openmp": "matrix products run on one thread (a compiler with OpenMP)",
    "curl": "public data sets cannot be fetched, clusters are reached by their programs alone "
            "(libcurl4-openssl-dev)",
    "date": "named time zones such as Europe/Berlin cannot be read (libhowardhinnant-date-dev)",
    "clp": "no optimal power flow and no bounds of small plans (coinor-libclp-dev)",
    "cbc": "no exact plans (coinor-libcbc-dev)",
}


def build_info() -> Dict[str, Any]:
    """What this installation was built with: `version`, `meter` and `core` (whether they are there),
    `parts` (optional libraries by name) and `missing`: what is absent, and what does not work
    without it."""
    from . import __version__, _library
    parts: Dict[str, bool] = {}
    missing: Dict[str, str] = {}
    try:
        parts = dict(core().parts())
    except DeviceError as error:
        missing["core"] = str(error)
    missing.update({name: words for name, words in _WITHOUT.items()
                    if name in parts and not parts[name]})
    try:
        _library.library()
    except _library.MeterError as error:
        missing["meter"] = str(error)
    return {"version": __version__, "meter": "meter" not in missing, "core": "core" not in missing,
            "parts": parts, "missing": missing}
