// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// From joules at the machine to the facility, to grams, money and a score.
///
///     facility = machine x PUE                      (power and energy alike)
///     operational carbon = facility x I             I: intensity of the grid at the location
///     cost = facility x price
///     embodied = lifecycle emissions x (time / lifetime) x (share of the machine)
///     SCI = (operational + embodied) / R            (ISO/IEC 21031:2024; R: functional units)
///
/// Unknown location: the world's range, never a country. Unknown PUE: 1 with a note (this machine's
/// own energy), never a guess. Scope 2 is location-based; offsets are not subtracted. Intervals of
/// products of wide factors take their errors as ratios, so that nothing goes below zero.
/// docs/carbon-and-cost.md. Thread-safe; reads no file but a carbon trace.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::model {

/// Yearly mean carbon intensity of electricity.
struct GridIntensity {
  std::string code;  ///< ISO 3166-1 alpha-2, "US-CA", "WORLD"; "TRACE" or "GIVEN" in an Account
  std::string name;
  int year = 0;
  Estimate<CarbonIntensity> intensity;  ///< Published; 90 % range over recent years and hours
  std::string source;
};

/// \param code  country (two or three letters), "US-" and state, a name in English, in any case, or
///              empty: the world
/// \throws InputError with the nearest known code
GridIntensity grid_intensity(std::string_view code);
std::vector<GridIntensity> grid_intensities();  ///< all that ship

/// What making a machine emitted.
struct Embodied {
  std::string name;
  Estimate<Carbon> total;  ///< Published or Assumed range
  Time lifetime;
  std::string source;
};
/// \param name  row of data/embodied.csv ("server", "workstation", "laptop", an accelerator's name)
/// \throws InputError with the nearest
Embodied embodied(std::string_view name);

struct AccountOptions {
  std::string location;                     ///< empty: unknown
  std::optional<double> pue;                ///< >= 1
  std::optional<double> carbon_g_per_kwh;   ///< overrides the location's
  std::string carbon_trace;                 ///< hourly file (time, g/kWh); overrides both
  std::optional<double> price_eur_per_kwh;  ///< empty: the location's published household/industry
                                            ///< mean or the world's range
  std::string machine;                      ///< for the embodied share; empty: "server" range
  double machine_share = 1.0;               ///< of the machine that is ours, [0, 1]
  std::optional<double> functional_units;   ///< R of SCI
  std::string functional_unit;              ///< its name, such as "epoch"
};

struct Account {
  Estimate<Energy> machine, facility;
  double pue = 1;
  bool pue_known = false;
  GridIntensity grid;
  Estimate<Carbon> operational, embodied;
  Estimate<Carbon> sci;  ///< per functional unit; zero if none was given
  std::string functional_unit;
  Estimate<Money> cost;
  std::string price_source;
  /// GHG Protocol scopes of the total, for an owner of the machine.
  Estimate<Carbon> scope2, scope3;
  std::vector<std::string> remarks;
};

/// \param power  mean machine power over consecutive intervals, for hourly carbon; its integral is
///               scaled to `energy`
/// \throws InputError (options), InputFileError (trace)
Account account(const Estimate<Energy>& energy, Instant start, Duration length,
                const std::optional<TraceCore>& power, const AccountOptions& options);

}  // namespace carnot::model
