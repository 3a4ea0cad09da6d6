// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Outside air as a cooling plant meets it: what an evaporating surface can be cooled to.
///
///     saturation   e(t) = 611.21 Pa exp((18.678 - t / 234.5) t / (257.14 + t))        t in degC
///     ratio        W = 0.62198 e / (p - e)                            kg of vapour a kg of dry air
///     wet bulb t*  W = ((2501 - 2.326 t*) W*(t*) - 1.006 (t - t*)) / (2501 + 1.86 t - 4.186 t*)
///
/// Buck, J. Appl. Meteorol. 20 (1981), coefficients of 1996, over water; ASHRAE Handbook of
/// Fundamentals 2017, chapter 1, equation 33, solved by bisection to 1e-9 K. Below 0 degC the same
/// equations stand for a supercooled wick: no plant depends on it there.
/// Humidity is relative, a share from 0 to 1. Pure functions, thread-safe.

#include "carnot/base/quantity.hpp"

namespace carnot::model {

inline constexpr double kStandardPressurePa = 101325.0;
inline constexpr double kAirHeatCapacity = 1006.0;  ///< J/(kg K), dry air at 20 degC

double saturation_pressure_pa(Temperature t);
/// \throws InputError unless 0 <= relative_humidity <= 1 and -90 degC < dry < 90 degC
Temperature wet_bulb(Temperature dry, double relative_humidity,
                     double pressure_pa = kStandardPressurePa);
/// Humidity of air whose vapour condenses at `dew`; 1 where dew >= dry.
double relative_humidity(Temperature dry, Temperature dew);
/// kg/m3 of dry air.
double air_density(Temperature t, double pressure_pa = kStandardPressurePa);

/// What one hour brings.
struct OutsideAir {
  Temperature dry_bulb = from_celsius(15), wet_bulb = from_celsius(11);
};

}  // namespace carnot::model
