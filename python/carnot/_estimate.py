# SPDX-License-Identifier: Apache-2.0
"""Figures with an interval that carry the causes of their error, so that sums come out right.

A figure is its value plus, for each named cause of error, what moving that cause by its half-width at
90 % does to it. Equal names are the same error: in a sum their parts add with their signs. Different
names are independent: they add in quadrature. So `a - a` is exactly 0 with no interval, and a
thousand readings of one counter do not average its error of scale away. Figures of different
boundaries (a chip's joules, a building's) do not add: InputError.

The arithmetic is that of carnot::EstimateCore, to first order (GUM, JCGM 100:2008, 5.1-5.2); the
tests hold one against the other.
"""
import math
from typing import Any, Dict, Iterable, Mapping, Optional, Tuple, TypeVar

from ._errors import InputError

__all__ = ["Carbon", "Cost", "Energy", "Estimate"]

ORIGINS = ("measured", "published", "modelled", "assumed")
BOUNDARIES = ("chip", "node", "facility", "none")
Causes = Mapping[str, Tuple[float, float]]
E = TypeVar("E", bound="Estimate")


def _joined(a: str, b: str, verb: str) -> str:
    if a == "none":
        return b
    if b in ("none", a):
        return a
    raise InputError(f"cannot {verb} figures of different boundaries: {a} and {b}")


def _combined(a: Causes, factor_a: float, b: Causes, factor_b: float) -> Dict[str, Tuple[float, float]]:
    result = {}
    none = (0.0, 0.0)
    for name in a if not b or a.keys() == b.keys() else sorted({*a, *b}):  # in order as they are
        up_a, down_a = a.get(name, none)
        up_b, down_b = b.get(name, none)
        up, down = factor_a * up_a + factor_b * up_b, factor_a * down_a + factor_b * down_b
        if up != 0.0 or down != 0.0:  # a cause that cancels leaves no trace
            result[name] = (up, down)
    return result


def _half_width(causes: Iterable[Tuple[float, float]], sign: float) -> float:
    """Root of the sum of squares of the excursions, scaled by the greatest."""
    excursions = [max(sign * up, sign * down, 0.0) for up, down in causes]
    if len(excursions) == 1:
        return excursions[0]
    greatest = max(excursions, default=0.0)
    if greatest == 0.0:
        return 0.0
    return greatest * math.sqrt(sum((e / greatest) ** 2 for e in excursions))


class Estimate:
    """A figure without a unit: value, 90 % interval, origin, boundary, causes. A value: never
    changes, may be pickled, copied and shared between threads.

    `cause` names what the interval comes from. Figures that leave it out share the cause "unnamed":
    their errors add up in full, which never understates a sum.
    """

    __slots__ = ("value", "low", "high", "origin", "boundary", "causes")
    value: float
    low: float
    high: float
    origin: str
    boundary: str
    causes: Causes
    _unit = ""

    def __init__(self, value: float, low: Optional[float] = None, high: Optional[float] = None,
                 origin: str = "measured", boundary: str = "none", *, cause: str = "unnamed") -> None:
        value = float(value)
        low = value if low is None else float(low)
        high = value if high is None else float(high)
        if not (math.isfinite(value) and math.isfinite(low) and math.isfinite(high)
                and low <= value <= high):
            raise InputError(f"interval: low <= value <= high, all finite; "
                             f"given: {low}, {value}, {high}")
        if origin not in ORIGINS:
            raise InputError(f"origin: allowed: {', '.join(ORIGINS)}; given: {origin!r}")
        if boundary not in BOUNDARIES:
            raise InputError(f"boundary: allowed: {', '.join(BOUNDARIES)}; given: {boundary!r}")
        if low != high and not cause:
            raise InputError("cause: an uncertain figure needs a name for its error")
        self._set(value, origin, boundary,
                  {str(cause): (high - value, low - value)} if low != high else {})
        if low != high:  # as given, not as value plus width
            object.__setattr__(self, "low", low)
            object.__setattr__(self, "high", high)

    def _set(self, value: float, origin: str, boundary: str, causes: Causes) -> None:
        assign = object.__setattr__
        assign(self, "value", value)
        assign(self, "origin", origin)
        assign(self, "boundary", boundary)
        assign(self, "causes", causes)
        assign(self, "low", value - _half_width(causes.values(), -1.0))
        assign(self, "high", value + _half_width(causes.values(), 1.0))

    @classmethod
    def with_causes(cls: "type[E]", value: float, origin: str, boundary: str, causes: Causes) -> E:
        """Of causes by name: the half-widths (up, down) at 90 %, `down` usually negative."""
        made = cls.__new__(cls)
        made._set(float(value), origin, boundary,
                  {str(name): (float(up), float(down))
                   for name, (up, down) in sorted(causes.items()) if up != 0.0 or down != 0.0})
        return made

    @classmethod
    def of(cls: "type[E]", record: Mapping[str, Any]) -> E:
        """Of a record of a document: `value`, `low`, `high`, `origin`, `boundary`, `sources`. Documents
        do not carry causes: what has the same sources errs together."""
        try:
            value = float(record["value"])
            low, high = float(record.get("low", value)), float(record.get("high", value))
            origin, boundary = str(record["origin"]), str(record.get("boundary", "none"))
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("record: value, low, high, origin, boundary, as documents have them; "
                             f"given: {record!r:.200}") from error
        cause = "; ".join(sorted(map(str, record.get("sources", ())))) or "unnamed"
        causes = {cause: (high - value, low - value)}
        checked = Estimate(value, low, high, origin, boundary, cause=cause)
        return cls.with_causes(checked.value, origin, boundary, causes)

    def _like(self: E, value: float, origin: str, boundary: str, causes: Causes, other: Any) -> E:
        made = type(self).__new__(type(self))
        made._set(value, origin, boundary, causes)
        return made

    # ---- a value

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is a value: {name} cannot be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is a value: {name} cannot be deleted")

    def __getstate__(self) -> Tuple[Any, ...]:
        return (self.value, self.low, self.high, self.origin, self.boundary, dict(self.causes))

    def __setstate__(self, state: Tuple[Any, ...]) -> None:
        for name, value in zip(Estimate.__slots__, state):
            object.__setattr__(self, name, value)

    def __reduce__(self) -> Tuple[Any, ...]:
        return (_empty, (type(self),), self.__getstate__())

    def __copy__(self: E) -> E:
        return self

    def __deepcopy__(self: E, memo: Any) -> E:
        return self

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        assert isinstance(other, Estimate)
        return self.__getstate__() == other.__getstate__()

    def __hash__(self) -> int:
        return hash((type(self), self.value, self.low, self.high, self.origin, self.boundary))

    def __float__(self) -> float:
        return self.value

    def __bool__(self) -> bool:
        return True

    # ---- arithmetic

    def _plus(self: E, other: E, sign: float) -> E:
        origin = max(self.origin, other.origin, key=ORIGINS.index)
        return self._like(self.value + sign * other.value, origin,
                          _joined(self.boundary, other.boundary, "add"),
                          _combined(self.causes, 1.0, other.causes, sign), other)

    def __add__(self: E, other: Any) -> E:
        if type(other) is not type(self):
            return self if isinstance(other, int) and other == 0 else NotImplemented
        return self._plus(other, 1.0)

    def __radd__(self: E, other: Any) -> E:
        return self.__add__(other)  # sum() begins with 0

    def __sub__(self: E, other: Any) -> E:
        if type(other) is not type(self):
            return NotImplemented
        return self._plus(other, -1.0)

    def __neg__(self: E) -> E:
        return self * -1.0

    def __mul__(self: E, factor: float) -> E:
        if isinstance(factor, Estimate):
            return NotImplemented
        factor = float(factor)
        return self._like(self.value * factor, self.origin, self.boundary,
                          _combined(self.causes, factor, {}, 0.0), self)

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        """By a number; or by a figure of the same kind, which gives a plain Estimate."""
        if not isinstance(other, Estimate):
            return self * (1.0 / float(other))
        if type(other) is not type(self):
            return NotImplemented
        if other.value == 0.0:
            raise ZeroDivisionError("cannot divide by an estimate of zero")
        ratio = self.value / other.value
        causes = {name: (up / other.value, down / other.value) for name, (up, down)
                  in _combined(self.causes, 1.0, other.causes, -ratio).items()}
        return Estimate.with_causes(ratio, max(self.origin, other.origin, key=ORIGINS.index),
                                    _joined(self.boundary, other.boundary, "divide"), causes)

    # ---- shown

    def _number(self, value: float) -> str:
        return f"{value:.4g}{self._unit and ' ' + self._unit}"

    def __str__(self) -> str:
        where = "" if self.boundary == "none" else f", {self.boundary}"
        return f"{self._number(self.value)} [{self.low:.4g}, {self.high:.4g}] {self.origin}{where}"

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"

    def _repr_html_(self) -> str:
        return (f"<span title='90 % interval; {self.origin}, {self.boundary}; causes: "
                f"{_escaped(', '.join(self.causes) or 'none')}'><b>{self._number(self.value)}</b> "
                f"<small>[{self.low:.4g}, {self.high:.4g}] {self.origin}, {self.boundary}"
                "</small></span>")

    def to_dict(self) -> Dict[str, Any]:
        return {"value": self.value, "low": self.low, "high": self.high, "origin": self.origin,
                "boundary": self.boundary,
                "causes": {name: list(widths) for name, widths in self.causes.items()}}


def _empty(kind: "type[E]") -> E:
    return kind.__new__(kind)


def _escaped(text: str) -> str:
    return (text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            .replace("'", "&#39;").replace('"', "&quot;"))


class Energy(Estimate):
    """Joules with a 90 % interval. `origin`: "measured", "published", "modelled" or "assumed";
    `boundary`: which joules are inside: "chip", "node" or "facility"."""

    __slots__ = ()
    _unit = "J"


class Cost(Estimate):
    """Euros with a 90 % interval."""

    __slots__ = ()
    _unit = "EUR"


class Carbon(Estimate):
    """Grams of CO2 equivalent with a 90 % interval, and the grid they were reckoned with: its code
    and intensity, "" and NaN where a sum has several."""

    __slots__ = ("grid", "grid_g_per_kwh")
    grid: str
    grid_g_per_kwh: float
    _unit = "g CO2e"

    def __init__(self, value: float, low: Optional[float] = None, high: Optional[float] = None,
                 origin: str = "measured", grid: str = "", grid_g_per_kwh: float = math.nan,
                 boundary: str = "none", *, cause: str = "unnamed") -> None:
        super().__init__(value, low, high, origin, boundary, cause=cause)
        self._set_grid(grid, grid_g_per_kwh)

    def _set_grid(self, grid: str, grid_g_per_kwh: float) -> None:
        object.__setattr__(self, "grid", grid)
        object.__setattr__(self, "grid_g_per_kwh", grid_g_per_kwh)

    @classmethod
    def with_causes(cls, value: float, origin: str, boundary: str, causes: Causes,
                    grid: str = "", grid_g_per_kwh: float = math.nan) -> "Carbon":
        made = super().with_causes(value, origin, boundary, causes)
        made._set_grid(grid, grid_g_per_kwh)
        return made

    def _like(self, value: float, origin: str, boundary: str, causes: Causes,
              other: Any) -> "Carbon":
        made = super()._like(value, origin, boundary, causes, other)
        one = (other.grid, other.grid_g_per_kwh) == (self.grid, self.grid_g_per_kwh)
        made._set_grid(self.grid if one else "", self.grid_g_per_kwh if one else math.nan)
        return made

    def __getstate__(self) -> Tuple[Any, ...]:
        return super().__getstate__() + (self.grid, self.grid_g_per_kwh)

    def __setstate__(self, state: Tuple[Any, ...]) -> None:
        super().__setstate__(state[:-2])
        self._set_grid(*state[-2:])

    def to_dict(self) -> Dict[str, Any]:
        return {**super().to_dict(), "grid": self.grid, "grid_g_per_kwh": self.grid_g_per_kwh}
