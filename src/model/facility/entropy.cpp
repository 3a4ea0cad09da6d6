// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/entropy.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::model {

Power wind_power(Speed wind, Length rotor_diameter, double density_kg_per_m3) {
  const double v = wind.in(metre_per_second), d = rotor_diameter.in(metre);
  if (!(v >= 0 && std::isfinite(v))) throw InputError("wind speed: 0 m/s or more");
  if (!(d >= 0 && std::isfinite(d))) throw InputError("rotor diameter: 0 m or more");
  if (!(density_kg_per_m3 > 0 && density_kg_per_m3 < 10))
    throw InputError("air density: above 0, below 10 kg/m3");
  return 0.5 * density_kg_per_m3 * (0.25 * M_PI * d * d) * v * v * v * watt;
}

SiteEntropy site_entropy(const SitePowers& p, Temperature surroundings,
                         double bits_removed_per_second) {
  if (!(surroundings > Temperature{} && is_finite(surroundings)))
    throw InputError("surroundings: above 0 K");
  for (const Power each : {p.wind, p.exported, p.other, p.curtailed})
    if (!(each >= Power{} && is_finite(each))) throw InputError("powers of a site: 0 W or more");
  const Power drawable = p.exported + p.other + p.curtailed;
  if (drawable > kBetzLimit * p.wind * (1 + 1e-12))
    throw InputError(
        fmt::format("{:.4g} W drawn or curtailed: no turbine takes more than 16/27 of the wind's "
                    "{:.4g} W",
                    drawable.in(watt), p.wind.in(watt)));
  if (!std::isfinite(bits_removed_per_second)) throw InputError("bits a second: a finite number");
  SiteEntropy s;
  s.information =
      EntropyRate::from_base(boltzmann_constant.base() * std::log(2.0) * bits_removed_per_second);
  s.turbine = (p.wind - p.exported - p.other) / surroundings;
  s.hall = p.other / surroundings;
  if (s.information > s.hall)
    throw InputError(
        fmt::format("{:.4g} bits a second: erasing them at {:g} K takes more than {:.4g} W",
                    bits_removed_per_second, surroundings.in(kelvin), p.other.in(watt)));
  s.flow = s.turbine + s.hall;
  s.constant = (p.wind - p.exported) / surroundings;
  s.bound = s.information - s.hall + s.constant;
  s.avoidable = s.flow - s.bound;
  s.curtailed_share = s.flow > EntropyRate{} ? p.curtailed / surroundings / s.flow : 0;
  return s;
}

}  // namespace carnot::model
