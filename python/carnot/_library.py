# SPDX-License-Identifier: Apache-2.0
"""libcarnot_meter through ctypes: its structs, its functions, and its failures as MeterError.

The library is looked for in this order: the file named by the environment variable CARNOT_LIBRARY,
beside this file (where `pip install` puts it), and wherever the system's loader finds it.
"""
import ctypes
import os
from ctypes import POINTER, Structure, byref, c_char_p, c_double, c_int32, c_size_t, c_void_p
from typing import Any, Dict, List, Optional, Tuple

from ._errors import DeviceError, InputError

__all__ = ["MeterError", "library", "check"]


class MeterError(DeviceError):
    """The meter cannot say what was asked: the message says why and, where it can, what helps."""


class EnergyStruct(Structure):
    _fields_ = [("energy_j", c_double), ("low_j", c_double), ("high_j", c_double),
                ("origin", c_int32), ("boundary", c_int32)]


class _Sized(Structure):
    def __init__(self, **values: Any) -> None:
        super().__init__(size=ctypes.sizeof(type(self)), **values)


class MeterOptions(_Sized):
    _fields_ = [("size", c_size_t), ("sysfs_root", c_char_p), ("procfs_root", c_char_p),
                ("dev_root", c_char_p), ("nvml", c_char_p), ("amd_smi", c_char_p),
                ("redfish", c_char_p), ("redfish_user", c_char_p), ("redfish_password", c_char_p),
                ("record_to", c_char_p), ("replay_from", c_char_p), ("msr", c_int32),
                ("ipmi", c_int32), ("no_model", c_int32), ("keep_alive", c_int32)]


class ChannelStruct(Structure):
    _fields_ = [("id", c_char_p), ("label", c_char_p), ("source", c_char_p), ("kind", c_char_p),
                ("of", c_char_p), ("reason", c_char_p), ("role", c_int32), ("origin", c_int32),
                ("boundary", c_int32), ("socket", c_int32), ("device", c_int32)]


class NoteStruct(Structure):
    _fields_ = [("what", c_char_p), ("why", c_char_p), ("remedy", c_char_p)]


class WindowResult(_Sized):
    _fields_ = [("size", c_size_t), ("machine", EnergyStruct), ("own", EnergyStruct),
                ("exclusive", EnergyStruct), ("duration_s", c_double), ("asleep_s", c_double),
                ("unobserved_s", c_double), ("cpu_s", c_double), ("overlapped", c_int32)]


class CauseStruct(Structure):
    _fields_ = [("name", c_char_p), ("up", c_double), ("down", c_double)]


class AccountOptions(_Sized):
    _fields_ = [("size", c_size_t), ("location", c_char_p), ("machine", c_char_p),
                ("pue", c_double), ("carbon_g_per_kwh", c_double),
                ("price_eur_per_kwh", c_double), ("machine_share", c_double)]


class AccountResult(_Sized):
    _fields_ = [("size", c_size_t), ("facility", EnergyStruct), ("carbon_g", c_double),
                ("carbon_low_g", c_double), ("carbon_high_g", c_double), ("embodied_g", c_double),
                ("embodied_low_g", c_double), ("embodied_high_g", c_double),
                ("cost_eur", c_double), ("cost_low_eur", c_double), ("cost_high_eur", c_double),
                ("grid_g_per_kwh", c_double), ("carbon_origin", c_int32), ("grid_year", c_int32),
                ("grid_code", ctypes.c_char * 16), ("grid_name", ctypes.c_char * 64)]


_FUNCTIONS = {
    "carnot_version": (c_char_p, []),
    "carnot_last_error": (c_char_p, []),
    "carnot_meter_open": (c_int32, [POINTER(MeterOptions), POINTER(c_void_p)]),
    "carnot_meter_close": (None, [c_void_p]),
    "carnot_meter_channel_count": (c_size_t, [c_void_p]),
    "carnot_meter_channel": (c_int32, [c_void_p, c_size_t, POINTER(ChannelStruct)]),
    "carnot_meter_note_count": (c_size_t, [c_void_p]),
    "carnot_meter_note": (c_int32, [c_void_p, c_size_t, POINTER(NoteStruct)]),
    "carnot_meter_origin": (c_int32, [c_void_p]),
    "carnot_meter_boundary": (c_int32, [c_void_p]),
    "carnot_window_begin": (c_int32, [c_void_p, c_char_p, c_int32, c_int32, POINTER(c_void_p)]),
    "carnot_window_look": (c_int32, [c_void_p, POINTER(WindowResult)]),
    "carnot_window_end": (c_int32, [c_void_p, POINTER(WindowResult)]),
    "carnot_window_channels": (c_int32, [c_void_p, POINTER(EnergyStruct), c_size_t]),
    "carnot_window_causes": (c_int32, [c_void_p, c_size_t, POINTER(CauseStruct), c_size_t,
                                       POINTER(c_size_t)]),
    "carnot_window_free": (None, [c_void_p]),
    "carnot_account": (c_int32, [POINTER(EnergyStruct), c_double, c_double,
                                 POINTER(AccountOptions), POINTER(AccountResult)]),
    "carnot_account_causes": (c_int32, [POINTER(EnergyStruct), c_double, c_double,
                                        POINTER(AccountOptions), c_size_t, POINTER(CauseStruct),
                                        c_size_t, POINTER(c_size_t)]),
}
_NAMES = ("libcarnot_meter.so.0", "libcarnot_meter.so")
_loaded: Optional[ctypes.CDLL] = None


def _candidates() -> List[str]:
    named = os.environ.get("CARNOT_LIBRARY")
    if named:
        return [named]
    here = os.path.dirname(os.path.abspath(__file__))
    beside = [os.path.join(here, name) for name in _NAMES]
    return [path for path in beside if os.path.exists(path)] + list(_NAMES)


def library() -> ctypes.CDLL:
    """The library, loaded at the first call. Raises MeterError where there is none."""
    global _loaded
    if _loaded is None:
        problems = []
        for path in _candidates():
            try:
                found = ctypes.CDLL(path)
                for name, (result, arguments) in _FUNCTIONS.items():
                    function = getattr(found, name)
                    function.restype, function.argtypes = result, arguments
            except (OSError, AttributeError) as error:
                problems.append(str(error))
                continue
            _loaded = found
            break
        else:
            raise MeterError("cannot load libcarnot_meter: " + "; ".join(problems) +
                             ". Set CARNOT_LIBRARY to its path")
    return _loaded


def check(status: int) -> None:
    """Turns a status of the library into MeterError, or InputError for bad arguments."""
    if status == 0:
        return
    message = library().carnot_last_error().decode(errors="replace")
    if status == 3:
        raise InputError(message)
    raise MeterError(message)


def causes(function: Any, *arguments: Any) -> Dict[str, Tuple[float, float]]:
    """What a function of the library that ends in (out, count, causes) tells."""
    count = c_size_t()
    room = (CauseStruct * 16)()
    check(function(*arguments, room, len(room), byref(count)))
    if count.value > len(room):
        room = (CauseStruct * count.value)()
        check(function(*arguments, room, len(room), byref(count)))
    return {decoded(room[i].name): (room[i].up, room[i].down) for i in range(count.value)}


def encoded(text: Optional[str]) -> Optional[bytes]:
    return None if text is None else os.fsencode(text)


def decoded(text: Optional[bytes]) -> str:
    return (text or b"").decode(errors="replace")


def handle() -> c_void_p:
    return c_void_p()


reference = byref
