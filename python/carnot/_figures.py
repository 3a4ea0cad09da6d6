# SPDX-License-Identifier: Apache-2.0
"""Figures as they are shown: each with its interval, its origin and its boundary."""
from typing import Dict, NamedTuple, Optional, Tuple

from . import _library
from ._estimate import BOUNDARIES, ORIGINS, Carbon, Cost, Energy

ROLES = ("counted", "part", "beside", "duplicate", "stand-in")


def energy_of(struct: "_library.EnergyStruct",
              causes: Optional[Dict[str, Tuple[float, float]]] = None) -> Energy:
    """A figure of the library. Without its causes its error is one of its own, "measurement"."""
    boundary, origin = BOUNDARIES[struct.boundary], ORIGINS[struct.origin]
    if causes is None:
        return Energy(struct.energy_j, struct.low_j, struct.high_j, origin, boundary,
                      cause="measurement")
    return Energy.with_causes(struct.energy_j, origin, boundary, causes)


class Account(NamedTuple):
    """An energy at the facility, as carbon and as money."""

    facility: Energy
    carbon: Carbon
    embodied_g: float
    embodied_low_g: float
    embodied_high_g: float
    cost_eur: float
    cost_low_eur: float
    cost_high_eur: float
    grid_name: str
    grid_year: int
    embodied: Carbon
    cost: Cost


class Domain(NamedTuple):
    """One thing the meter reads. `role`: "counted" towards the machine, "part" of a counted one,
    "beside" it, a "duplicate", or the model as a "stand-in" while no sensor says anything."""

    id: str
    label: str
    source: str
    kind: str
    role: str
    of: str
    reason: str
    origin: str
    boundary: str
    socket: int
    device: int


def counts(domain: Domain, energy: Energy) -> bool:
    """Whether `energy` of this domain is part of the machine's."""
    return domain.role == "counted" or (domain.role == "stand-in" and energy.value > 0)


class Note(NamedTuple):
    """Something that cannot be measured here, why, and the command that mends it (or "")."""

    what: str
    why: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}" + (f" ({self.remedy})" if self.remedy else "")


def account(energy: Energy, start_unix_s: float, duration_s: float, *, location: str = "",
            pue: float = 0.0, carbon_g_per_kwh: float = 0.0, price_eur_per_kwh: float = 0.0,
            machine: str = "") -> Account:
    """What an energy means in grams and euros. Without `location` the world's range, without `pue`
    this machine's own energy. Raises ValueError for a location that is not known."""
    given = _library.EnergyStruct(energy.value, energy.low, energy.high,
                                  ORIGINS.index(energy.origin), BOUNDARIES.index(energy.boundary))
    options = _library.AccountOptions(location=location.encode(), machine=machine.encode(), pue=pue,
                                      carbon_g_per_kwh=carbon_g_per_kwh,
                                      price_eur_per_kwh=price_eur_per_kwh)
    r = _library.AccountResult()
    lib = _library.library()
    arguments = (given, start_unix_s, duration_s, options)
    _library.check(lib.carnot_account(*arguments, r))
    code = r.grid_code.decode(errors="replace")

    def causes(figure: int) -> Dict[str, Tuple[float, float]]:
        return _spread(_library.causes(lib.carnot_account_causes, *arguments, figure), energy)

    origin = ORIGINS[r.carbon_origin]
    return Account(Energy.with_causes(r.facility.energy_j, ORIGINS[r.facility.origin],
                                      BOUNDARIES[r.facility.boundary], causes(0)),
                   Carbon.with_causes(r.carbon_g, origin, "none", causes(1), code,
                                      r.grid_g_per_kwh),
                   r.embodied_g, r.embodied_low_g, r.embodied_high_g, r.cost_eur, r.cost_low_eur,
                   r.cost_high_eur, r.grid_name.decode(errors="replace"), r.grid_year,
                   Carbon.with_causes(r.embodied_g, "published", "none", causes(2)),
                   Cost.with_causes(r.cost_eur, origin, "none", causes(3)))


def _spread(causes: Dict[str, Tuple[float, float]], energy: Energy) -> Dict[str, Tuple[float, float]]:
    """The library knows the energy's error as one cause, "measurement"; here it is those that the
    energy itself names, in proportion."""
    whole = causes.pop("measurement", None)
    if whole is None or not energy.causes:
        return causes
    up, down = energy.high - energy.value, energy.low - energy.value
    factor = whole[0] / up if up else whole[1] / down
    for name, (a, b) in energy.causes.items():
        before = causes.get(name, (0.0, 0.0))
        causes[name] = (before[0] + factor * a, before[1] + factor * b)
    return causes
