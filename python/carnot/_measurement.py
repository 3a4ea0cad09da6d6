# SPDX-License-Identifier: Apache-2.0
"""`measure` and `measured`: spans of a program and the joules that went into them."""
import collections
import functools
import time
import warnings
from typing import Any, Callable, Deque, Dict, List, Optional, TypeVar, Union, overload

from ._errors import InputError
from ._estimate import Carbon, Energy
from ._figures import Account, Domain, Note, account, counts
from ._library import MeterError, WindowResult
from ._meter import POLICIES, SCOPES, Meter, Window, choice, default_meter

F = TypeVar("F", bound=Callable[..., Any])
_PLAIN = ("duration_s", "asleep_s", "unobserved_s", "cpu_s", "overlapped")


class Measurement:
    """A span of time and the energy spent in it; a context manager, plain or async.

    Figures may be read while it runs (they are then of the time so far) and after it ended. `energy`
    is this process's (or thread's) part of what the machine spent, by CPU time, and of accelerators
    by their busy time; `machine_energy` is everything. A figure that cannot be had raises MeterError
    saying why; nothing is ever 0 or None instead. What went wrong in measuring never stops or hides
    what the measured program does: it is warned of, and listed in `notes`.

    Measurements nest and overlap freely, in threads, tasks and processes. `exclusive_energy` leaves
    out what measurements nested in this one took, so that it may be summed.
    """

    def __init__(self, label: str = "", *, meter: Optional[Meter] = None, scope: str = "process",
                 policy: str = "capacity", location: str = "", pue: Optional[float] = None,
                 carbon_g_per_kwh: Optional[float] = None) -> None:
        self.label = str(label)
        self._scope = choice(SCOPES, scope, "scope")
        self._policy = choice(POLICIES, policy, "policy")
        if pue is not None and not pue >= 1:
            raise InputError(f"pue: allowed: >= 1; given: {pue}")
        if carbon_g_per_kwh is not None and not carbon_g_per_kwh > 0:
            raise InputError(f"carbon_g_per_kwh: allowed: > 0; given: {carbon_g_per_kwh}")
        if location:  # one that is not known is told before the program runs, not after it
            account(Energy(0.0, 0.0, 0.0, "measured", "chip"), time.time(), 0.0, location=location)
        self._account_options: Dict[str, Any] = {"location": location, "pue": pue or 0.0,
                                                 "carbon_g_per_kwh": carbon_g_per_kwh or 0.0}
        self._meter = meter
        self._window: Optional[Window] = None
        self._result: Optional[WindowResult] = None  # once ended
        self._channels: Optional[Dict[Domain, Energy]] = None
        self._failure: Optional[str] = None
        self.started_unix_s: Optional[float] = None
        self._energies: Dict[int, Energy] = {}  # once ended
        self._notes: Optional[List[Note]] = None  # of another process

    # ---- sent elsewhere

    def __getstate__(self) -> Dict[str, Any]:
        """Its figures as they are, without meter or window: what is sent to another process, or
        copied, has ended."""
        state = dict(self.__dict__)
        figures: Dict[str, Any] = {}
        if self._failure is None and self._window is not None:
            result = self._figures()
            figures = {name: getattr(result, name) for name in _PLAIN}
            state["_energies"] = {which: self._energy(which) for which in range(3)}
            state["_channels"] = self.domains
        elif self._result is not None:
            figures = {name: getattr(self._result, name) for name in _PLAIN}
        state.update(_notes=self.notes, _meter=None, _window=None, _result=None, _plain=figures)
        return state

    def __setstate__(self, state: Dict[str, Any]) -> None:
        plain = state.pop("_plain")
        self.__dict__.update(state)
        if plain:
            self._result = WindowResult(**plain)

    # ---- running

    def start(self) -> "Measurement":
        """Begins. Raises RuntimeError if it has begun before."""
        if self.started_unix_s is not None:
            raise RuntimeError("a measurement runs once; make another")
        self.started_unix_s = time.time()
        try:
            if self._meter is None:
                self._meter = default_meter()
            self._window = Window(self._meter, self.label, self._scope, self._policy)
        except Exception as error:  # whatever it is, the measured program goes on
            self._fail(error)
        return self

    def stop(self) -> "Measurement":
        """Ends. A second call changes nothing."""
        if self._window is not None and self._result is None:
            try:
                self._result = self._window.end()
            except Exception as error:
                self._fail(error)
        return self

    def _fail(self, error: Exception) -> None:
        self._failure = f"{type(error).__name__}: {error}"
        try:
            warnings.warn(f"carnot could not measure {self.label!r}: {self._failure}",
                          RuntimeWarning, stacklevel=4)
        except Warning:
            pass  # warnings are errors here; it stays in notes

    def __enter__(self) -> "Measurement":
        return self.start()

    def __exit__(self, *exception: Any) -> None:
        self.stop()

    async def __aenter__(self) -> "Measurement":
        return self.start()

    async def __aexit__(self, *exception: Any) -> None:
        self.stop()

    # ---- figures

    def _figures(self) -> WindowResult:
        if self._failure is not None:
            raise MeterError(f"{self.label!r} was not measured: {self._failure}")
        if self._result is not None:
            return self._result
        if self._window is None:
            raise MeterError(f"{self.label!r} has not begun")
        return self._window.look()

    def _energy(self, which: int) -> Energy:
        """The machine's (0), own (1) or exclusive (2) energy."""
        if self._failure is not None:
            self._figures()  # says why not
        if which in self._energies:
            return self._energies[which]
        if self._window is None:
            self._figures()
        assert self._window is not None
        running = self._result is None
        energy = self._window.figure(which, running)
        if not running:
            self._energies[which] = energy
        return energy

    @property
    def running(self) -> bool:
        return self._window is not None and self._result is None and self._failure is None

    @property
    def energy(self) -> Energy:
        """This process's (or thread's) part."""
        return self._energy(1)

    @property
    def exclusive_energy(self) -> Energy:
        """`energy` without that of measurements nested in this one on the same thread."""
        return self._energy(2)

    @property
    def machine_energy(self) -> Energy:
        """Everything this machine spent meanwhile, as far as it can be seen."""
        return self._energy(0)

    @property
    def energy_j(self) -> float:
        return self.energy.value

    @property
    def exclusive_energy_j(self) -> float:
        return self.exclusive_energy.value

    @property
    def machine_energy_j(self) -> float:
        return self.machine_energy.value

    @property
    def power_w(self) -> float:
        """Mean power of `energy`. Raises MeterError for a span of no length."""
        return self._per_second(1)

    @property
    def machine_power_w(self) -> float:
        return self._per_second(0)

    def _per_second(self, which: int) -> float:
        energy = self._energy(which)
        duration = self.duration_s
        if duration <= 0:
            raise MeterError("no time has passed: power is not defined")
        return energy.value / duration

    @property
    def duration_s(self) -> float:
        """Awake; a suspended machine's time is not in it."""
        return float(self._figures().duration_s)

    @property
    def cpu_s(self) -> float:
        return float(self._figures().cpu_s)

    @property
    def unobserved_s(self) -> float:
        """Of the span, how long some counted sensor told nothing."""
        return float(self._figures().unobserved_s)

    @property
    def overlapped(self) -> bool:
        """Whether another measurement of this process ran at some time: sums would count twice."""
        return bool(self._figures().overlapped)

    @property
    def domains(self) -> Dict[Domain, Energy]:
        """Energy of the machine by everything that can be read, whatever it counts for."""
        self._figures()
        if self._channels is not None:
            return dict(self._channels)
        assert self._window is not None
        channels = self._window.channels()
        if self._result is not None:
            self._channels = channels
        return dict(channels)

    @property
    def by_domain(self) -> Dict[str, Energy]:
        """Energy of the machine by what counts towards it; sums to `machine_energy`."""
        return {d.id: e for d, e in self.domains.items() if counts(d, e)}

    @property
    def notes(self) -> List[Note]:
        """Failures of this measurement and what the meter cannot read here, in words."""
        result = []
        if self._failure is not None:
            result.append(Note("measurement", self._failure, ""))
        if self._meter is not None:
            result.extend(self._meter.notes)
        return list(self._notes) if self._notes is not None else result

    def account(self, *, whole_machine: bool = False) -> Account:
        """Facility energy, carbon, embodied carbon and cost of `energy` or of the machine."""
        result = self._figures()
        energy = self._energy(0 if whole_machine else 1)
        return account(energy, self.started_unix_s or 0.0, result.duration_s,
                       **self._account_options)

    @property
    def carbon(self) -> Carbon:
        """Operational emissions of `energy`; without `location` at the world's range."""
        return self.account().carbon

    @property
    def carbon_g(self) -> float:
        return self.carbon.value

    def __repr__(self) -> str:
        state = "running" if self.running else ("not begun" if self._window is None else "ended")
        if self._failure is not None:
            return f"<carnot.Measurement {self.label!r} failed: {self._failure}>"
        if self._result is not None:
            return (f"<carnot.Measurement {self.label!r} {self.energy} in "
                    f"{self._result.duration_s:.4g} s>")
        return f"<carnot.Measurement {self.label!r} {state}>"

    def to_dict(self) -> Dict[str, Any]:
        """Label, times and figures as plain values."""
        result = self._figures()
        return {"label": self.label, "started_unix_s": self.started_unix_s,
                **{name: getattr(result, name) for name in _PLAIN},
                "energy": self.energy.to_dict(), "machine_energy": self.machine_energy.to_dict(),
                "exclusive_energy": self.exclusive_energy.to_dict()}

    def _repr_html_(self) -> str:
        from ._html import measurement_html
        return measurement_html(self)


def measure(label: str = "", *, meter: Optional[Meter] = None, scope: str = "process",
            policy: str = "capacity", location: str = "", pue: Optional[float] = None,
            carbon_g_per_kwh: Optional[float] = None) -> Measurement:
    """A measurement for `with` or `async with`.

    `scope`: "process" or "thread", whose CPU time counts as its own. `policy`: who pays for what the
    machine spends however little it does: "capacity" (share of all CPU time there is), "busy" (share
    of busy CPU time), "whole" (all of it) or "none". `location` (such as "DE" or "US-CA"), `pue` and
    `carbon_g_per_kwh` are for carbon.
    """
    return Measurement(label, meter=meter, scope=scope, policy=policy, location=location, pue=pue,
                       carbon_g_per_kwh=carbon_g_per_kwh)


@overload
def measured(function: F) -> F: ...
@overload
def measured(function: str = "", **options: Any) -> Callable[[F], F]: ...


def measured(function: Union[Callable[..., Any], str] = "", **options: Any) -> Any:
    """Measures every call of a function, plain, async or a generator (from its first step to its
    end). The latest 1000 are in `function.measurements`. With or without options of `measure`:

        @carnot.measured
        @carnot.measured("evaluate", scope="thread")
    """
    if not callable(function):
        label = function
        Measurement(label, **options)  # bad options are told at once
        return lambda f: _wrapped(f, label or _name(f), options)
    return _wrapped(function, _name(function), options)


def _name(function: Any) -> str:
    return getattr(function, "__qualname__", repr(function))


def _wrapped(function: Any, label: str, options: Dict[str, Any]) -> Any:
    kept: Deque[Measurement] = collections.deque(maxlen=1000)

    def begun() -> Measurement:
        m = Measurement(label, **options)
        kept.append(m)
        return m

    import inspect  # takes a while, and few need it
    wrapper: Any
    if inspect.iscoroutinefunction(function):
        @functools.wraps(function)
        async def of_coroutine(*args: Any, **kwargs: Any) -> Any:
            with begun():
                return await function(*args, **kwargs)
        wrapper = of_coroutine
    elif inspect.isasyncgenfunction(function):
        @functools.wraps(function)
        async def of_async_generator(*args: Any, **kwargs: Any) -> Any:
            with begun():
                async for item in function(*args, **kwargs):
                    yield item
        wrapper = of_async_generator
    elif inspect.isgeneratorfunction(function):
        @functools.wraps(function)
        def of_generator(*args: Any, **kwargs: Any) -> Any:
            with begun():
                return (yield from function(*args, **kwargs))
        wrapper = of_generator
    else:
        @functools.wraps(function)
        def of_call(*args: Any, **kwargs: Any) -> Any:
            with begun():
                return function(*args, **kwargs)
        wrapper = of_call
    wrapper.measurements = kept
    return wrapper
