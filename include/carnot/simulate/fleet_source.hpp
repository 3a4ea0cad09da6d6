// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Fleets out of folders of hourly site tables, and what makes a job trace fit for them. Pure
/// functions of files and options; thread-safe.

#include <string>
#include <vector>

#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::simulate {

struct FleetSourceOptions {
  /// Holds `price_usd_per_mwh.csv`, `carbon_direct_g_per_kwh.csv` and `temperature_c.csv`: a column
  /// `utc`, then one a zone. Empty cells at the ends (local years do not cover the UTC year) take
  /// the value of the same hour of the nearest day that has one; inside, a straight line.
  std::string folder;
  std::vector<std::string> zones;  ///< empty: all that stand in the three tables
  double euro_per_dollar = kEuroPerDollar2023;
  /// Own power: a table as above of kW, or a folder with `windspeed_10m_kmh.csv`, whose speeds
  /// drive turbines of `own_capacity`; empty: none.
  std::string own;
  Power own_capacity;
  FleetSite site;  ///< what all have in common: hall, battery, export
};

/// \throws InputError, InputFileError
FleetScenario load_fleet(const FleetSourceOptions& options);

/// Power of turbines at the speed that a weather station measures at 10 m: at hub height, 100 m, it
/// is (100 / 10)^(1/7) times as much (Justus & Mikhail, Geophysical Research Letters 3 (1976)
/// 261-264); then `wind_power_curve`.
Power wind_power(Power capacity, Speed at_10_m);

/// Sends job i to site i modulo the number of sites, or to the next that is wide enough; jobs that
/// have an origin keep it. \throws InputError if no site is wide enough for a job
void spread_origins(Workload& workload, const FleetScenario& scenario);
/// Where a job has no deadline: `factor` times its length after its arrival.
void set_deadlines(Workload& workload, double factor);
/// When the trace said it began, if that is within the tables; else at their start, and its
/// provenance says so where the trace named a time.
Instant begin_of(Workload& workload, const FleetScenario& scenario);
/// "; ... used again from their start 3 times" where a run went on past the end of the tables;
/// empty elsewhere.
std::string rounds_words(const FleetScenario& scenario, Instant end);
/// Nodes a site so that the trace's work fills `load` of `sites` sites from first arrival to last,
/// and the widest job fits.
std::int32_t nodes_for(const Workload& workload, std::size_t sites, double load);

}  // namespace carnot::simulate
