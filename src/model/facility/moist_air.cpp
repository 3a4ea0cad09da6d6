// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/facility/moist_air.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::model {

namespace {

double saturation(double celsius) {
  return 611.21 * std::exp((18.678 - celsius / 234.5) * celsius / (257.14 + celsius));
}

/// Humidity ratio of air at `t` whose wet bulb is `wet`.
double ratio_of(double t, double wet, double pressure) {
  const double e = saturation(wet);
  const double saturated = 0.62198 * e / (pressure - e);
  return ((2501 - 2.326 * wet) * saturated - 1.006 * (t - wet)) / (2501 + 1.86 * t - 4.186 * wet);
}

}  // namespace

double saturation_pressure_pa(Temperature t) { return saturation(to_celsius(t)); }

Temperature wet_bulb(Temperature dry, double relative_humidity, double pressure_pa) {
  const double t = to_celsius(dry);
  if (!(t > -90 && t < 90)) throw InputError("outside temperature: from -90 to 90 degC");
  if (!(relative_humidity >= 0 && relative_humidity <= 1))
    throw InputError("humidity: a share from 0 to 1");
  if (!(pressure_pa > 30e3 && pressure_pa < 200e3))
    throw InputError("pressure: from 30 to 200 kPa");
  const double e = relative_humidity * saturation(t);
  const double ratio = 0.62198 * e / (pressure_pa - e);
  double low = t - 80, high = t;
  while (high - low > 1e-9) {
    const double middle = 0.5 * (low + high);
    (ratio_of(t, middle, pressure_pa) < ratio ? low : high) = middle;
  }
  return from_celsius(high);
}

double relative_humidity(Temperature dry, Temperature dew) {
  return std::min(1.0, saturation_pressure_pa(dew) / saturation_pressure_pa(dry));
}

double air_density(Temperature t, double pressure_pa) {
  return pressure_pa / (287.055 * t.in(kelvin));
}

}  // namespace carnot::model
