# SPDX-License-Identifier: Apache-2.0
"""The meter and its windows, a thin skin over the library's handles."""
import os
import threading
import weakref
from typing import Any, Dict, List, Optional, Tuple

from . import _library
from ._errors import InputError
from ._estimate import BOUNDARIES, ORIGINS, Energy
from ._figures import ROLES, Domain, Note, energy_of
from ._library import check, decoded, encoded, library, reference

SCOPES = ("thread", "process")
POLICIES = ("capacity", "busy", "whole", "none")


def choice(allowed: Tuple[str, ...], given: str, what: str) -> int:
    try:
        return allowed.index(given)
    except ValueError:
        raise InputError(f"{what}: allowed: {', '.join(allowed)}; given: {given!r}") from None


class Meter:
    """Every energy sensor of this machine behind one object; the power model where there is none.

    Usable from any thread, and in a child after fork. Raises MeterError if nothing can be read and
    `model` is false, ValueError for options that cannot be meant.
    """

    def __init__(self, *, sysfs_root: Optional[str] = None, procfs_root: Optional[str] = None,
                 dev_root: Optional[str] = None, nvml: Optional[str] = None,
                 amd_smi: Optional[str] = None, redfish: Optional[str] = None,
                 redfish_user: Optional[str] = None, redfish_password: Optional[str] = None,
                 record_to: Optional[str] = None, replay_from: Optional[str] = None,
                 msr: bool = False, ipmi: bool = False, model: bool = True,
                 keep_alive: bool = True) -> None:
        self._handle: Any = None
        options = _library.MeterOptions(
            sysfs_root=encoded(sysfs_root), procfs_root=encoded(procfs_root),
            dev_root=encoded(dev_root), nvml=encoded(nvml), amd_smi=encoded(amd_smi),
            redfish=encoded(redfish), redfish_user=encoded(redfish_user),
            redfish_password=encoded(redfish_password), record_to=encoded(record_to),
            replay_from=encoded(replay_from), msr=msr, ipmi=ipmi, no_model=not model,
            keep_alive=keep_alive)
        self._library = library()
        made = _library.handle()
        check(self._library.carnot_meter_open(reference(options), reference(made)))
        self._handle = made

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self._library.carnot_meter_close(self._handle)
            self._handle = None

    @property
    def domains(self) -> List[Domain]:
        """All that can be read here, and what counts for what."""
        result = []
        for i in range(self._library.carnot_meter_channel_count(self._handle)):
            c = _library.ChannelStruct()
            check(self._library.carnot_meter_channel(self._handle, i, reference(c)))
            result.append(Domain(decoded(c.id), decoded(c.label), decoded(c.source),
                                 decoded(c.kind), ROLES[c.role], decoded(c.of), decoded(c.reason),
                                 ORIGINS[c.origin], BOUNDARIES[c.boundary], c.socket, c.device))
        return result

    @property
    def notes(self) -> List[Note]:
        """What cannot be measured here, why, and what mends it."""
        result = []
        for i in range(self._library.carnot_meter_note_count(self._handle)):
            n = _library.NoteStruct()
            check(self._library.carnot_meter_note(self._handle, i, reference(n)))
            result.append(Note(decoded(n.what), decoded(n.why), decoded(n.remedy)))
        return result

    @property
    def origin(self) -> str:
        """Of the machine's total."""
        return ORIGINS[self._library.carnot_meter_origin(self._handle)]

    @property
    def boundary(self) -> str:
        """Of the machine's total."""
        return BOUNDARIES[self._library.carnot_meter_boundary(self._handle)]

    def measure(self, label: str = "", **options: Any) -> "Any":
        """As `carnot.measure`, with this meter."""
        from ._measurement import Measurement
        return Measurement(label, meter=self, **options)


class Window:
    """One open window of a meter. One thread at a time (a lock sees to it)."""

    def __init__(self, meter: Meter, label: str, scope: int, policy: int) -> None:
        self._handle: Any = None
        self._meter = meter  # must outlive the handle
        self._lock = threading.Lock()
        _owned_locks.add(self)
        made = _library.handle()
        check(meter._library.carnot_window_begin(
            meter._handle, label.encode(errors="replace"), scope, policy, reference(made)))
        self._handle = made

    def __del__(self) -> None:
        if getattr(self, "_handle", None) is not None:
            self._meter._library.carnot_window_free(self._handle)
            self._handle = None

    def look(self) -> _library.WindowResult:
        result = _library.WindowResult()
        with self._lock:
            check(self._meter._library.carnot_window_look(self._handle, reference(result)))
        return result

    def end(self) -> _library.WindowResult:
        result = _library.WindowResult()
        with self._lock:
            check(self._meter._library.carnot_window_end(self._handle, reference(result)))
        return result

    def figure(self, which: int, running: bool) -> Energy:
        """The machine's (0), own (1) or exclusive (2) energy with its causes: of now, or as it ended."""
        result = _library.WindowResult()
        window, lib = self._handle, self._meter._library
        with self._lock:  # the causes must be of the same look
            check((lib.carnot_window_look if running else lib.carnot_window_end)(
                window, reference(result)))
            causes = _library.causes(lib.carnot_window_causes, window, which)
        struct = (result.machine, result.own, result.exclusive)[which]
        return energy_of(struct, causes)

    def channels(self) -> Dict[Domain, Energy]:
        """Energy of every domain at the last look or end."""
        domains = self._meter.domains
        energies = (_library.EnergyStruct * max(1, len(domains)))()
        with self._lock:
            check(self._meter._library.carnot_window_channels(self._handle, energies,
                                                              len(domains)))
            causes = [_library.causes(self._meter._library.carnot_window_causes, self._handle, 3 + i)
                      for i in range(len(domains))]
        return {domain: energy_of(energies[i], causes[i]) for i, domain in enumerate(domains)}


class _Default:
    """The meter of all measurements that name none; opened by the first of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.meter: Optional[Meter] = None

    def get(self) -> Meter:
        with self.lock:
            if self.meter is None:
                self.meter = Meter()
            return self.meter


_default = _Default()
_owned_locks: "Any" = weakref.WeakSet()


def default_meter() -> Meter:
    """The meter that `carnot.measure` uses."""
    return _default.get()


def _after_fork_in_child() -> None:
    # Locks may have been held by threads that are not here.
    _default.lock = threading.Lock()
    for window in list(_owned_locks):
        window._lock = threading.Lock()


os.register_at_fork(after_in_child=_after_fork_in_child)
