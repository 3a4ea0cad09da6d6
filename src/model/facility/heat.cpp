// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/heat.hpp"

#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

double kelvins(Temperature t) {
  const double k = t.in(kelvin);
  if (!(k > 0) || !std::isfinite(k)) throw InputError("temperature: above 0 K");
  return k;
}

double share(double efficiency) {
  if (!(efficiency > 0 && efficiency <= 1))
    throw InputError("efficiency over Carnot: above 0, at most 1");
  return efficiency;
}

}  // namespace

Temperature log_mean_temperature(Temperature hot, Temperature cold) {
  const double h = kelvins(hot), c = kelvins(cold);
  const double x = h / c - 1;
  // ln(1 + x) / x loses its digits near 0.
  if (std::abs(x) < 1e-6) return 0.5 * (hot + cold);
  return (h - c) / std::log1p(x) * kelvin;
}

Power heat_exergy(Power heat, Temperature hot, Temperature cold, Temperature surroundings) {
  return heat * (1 - kelvins(surroundings) / log_mean_temperature(hot, cold).in(kelvin));
}

double refrigerator_cop(Temperature cold, Temperature hot, double efficiency) {
  if (!(kelvins(cold) < kelvins(hot))) throw InputError("refrigerator: cold below hot");
  return share(efficiency) * (cold / (hot - cold));
}

double heat_pump_cop(Temperature cold, Temperature hot, double efficiency) {
  if (!(kelvins(cold) < kelvins(hot))) throw InputError("heat pump: cold below hot");
  return share(efficiency) * (hot / (hot - cold));
}

double cooling_overhead(Temperature cold, Temperature ambient, double efficiency) {
  if (kelvins(cold) >= kelvins(ambient)) return 0;
  return 1 / refrigerator_cop(cold, ambient, efficiency);
}

}  // namespace carnot::model
