// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Entropy flow of a wind farm and the computing it feeds, in W/K: one account for both.
///
///     turbine   s_t = (P_wind - P_prod - P_other) / T0      what the wind brought and nobody drew
///                                                           ends as heat of turbulence at T0
///     hall      s_h = P_other / T0                          all it draws ends as heat at T0
///     bits      s_b = k_B ln 2 (S(p0) - S(p1)) a second     least flow of the information work,
///                                                           generalised Landauer, entropies in
///                                                           bits
///
///     EF = s_t + s_h  >=  k_B ln 2 (S(p0) - S(p1)) - P_other / T0 + constant,
///     constant = (P_wind - P_prod) / T0                     what the wind and the grid fix
///
/// This is the joint bound of the entropy economy, EF >= S(p1) - S(p0) - P_other + constant, with
/// units and signs written out. p0 is the distribution of the input, p1 that of the output, as in
/// the generalised bound S(p0) - S(p1) <= flow; the joint formula prints the two the other way
/// round, which is the same statement only if p0 there means the output. P_other enters over T0.
///
/// What it says: with wind and export given, EF itself is (P_wind - P_prod) / T0 whatever the hall
/// draws. Power that the hall takes is entropy the turbine no longer makes, and the hall makes it
/// instead. The gap between both sides, P_other / T0 - s_b, is what better computing can win.
///
/// Wind: P_wind = 1/2 rho A v^3, all of it exergy as no temperature differs; a turbine can take at
/// most 16/27 (Betz 1920). Pure functions, thread-safe.

#include "carnot/base/quantity.hpp"

namespace carnot::model {

using EntropyRate = Quantity<Dimension{.time = -1, .energy = 1, .temperature = -1}>;
inline constexpr EntropyRate watt_per_kelvin = watt / kelvin;
inline constexpr double kBetzLimit = 16.0 / 27.0;

/// \throws InputError for what is negative or not finite
Power wind_power(Speed wind, Length rotor_diameter, double density_kg_per_m3 = 1.225);

struct SitePowers {
  Power wind;       ///< through the rotor's disc
  Power exported;   ///< P_prod
  Power other;      ///< P_other: used on site
  Power curtailed;  ///< P_curt: could have been drawn and was not; stays in the wind
};

struct SiteEntropy {
  EntropyRate turbine, hall, flow;  ///< flow: their sum, EF
  EntropyRate information;          ///< s_b
  EntropyRate constant, bound;      ///< the right side
  EntropyRate avoidable;            ///< flow - bound >= 0
  double curtailed_share = 0;       ///< of the flow, made by power nobody took
};
/// \param bits_removed_per_second  S(p0) - S(p1) a second; negative where the work adds entropy
/// \throws InputError for negative powers; more drawn than Betz's share of the wind; bits whose
///         erasure alone would take more than P_other
SiteEntropy site_entropy(const SitePowers& powers, Temperature surroundings,
                         double bits_removed_per_second);

}  // namespace carnot::model
