# SPDX-License-Identifier: Apache-2.0
"""Figures as they are shown: each with its interval, its origin and its boundary."""
from typing import NamedTuple

from . import _library

ORIGINS = ("measured", "published", "modelled", "assumed")
BOUNDARIES = ("chip", "node", "facility", "none")
ROLES = ("counted", "part", "beside", "duplicate", "stand-in")


class Energy(NamedTuple):
    """Joules with a 90 % interval. `origin`: "measured", "published", "modelled" or "assumed";
    `boundary`: which joules are inside: "chip", "node" or "facility"."""

    value: float
    low: float
    high: float
    origin: str
    boundary: str

    def __str__(self) -> str:
        return f"{self.value:.4g} J [{self.low:.4g}, {self.high:.4g}] {self.origin}, {self.boundary}"

    @staticmethod
    def of(struct: "_library.EnergyStruct") -> "Energy":
        return Energy(struct.energy_j, struct.low_j, struct.high_j, ORIGINS[struct.origin],
                      BOUNDARIES[struct.boundary])


class Carbon(NamedTuple):
    """Grams of CO2 equivalent with a 90 % interval, and the grid they were reckoned with."""

    value: float
    low: float
    high: float
    origin: str
    grid: str
    grid_g_per_kwh: float


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
    _library.check(_library.library().carnot_account(given, start_unix_s, duration_s, options, r))
    code = r.grid_code.decode(errors="replace")
    return Account(Energy.of(r.facility),
                   Carbon(r.carbon_g, r.carbon_low_g, r.carbon_high_g, ORIGINS[r.carbon_origin],
                          code, r.grid_g_per_kwh),
                   r.embodied_g, r.embodied_low_g, r.embodied_high_g, r.cost_eur, r.cost_low_eur,
                   r.cost_high_eur, r.grid_name.decode(errors="replace"), r.grid_year)
