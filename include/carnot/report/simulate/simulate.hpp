// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Simulations of fleets for people and for programs: the document carnot.simulate/1 of
/// docs/formats/simulate.md. Pure functions; thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "carnot/simulate/simulate.hpp"

namespace carnot::report {

/// One policy.
struct SimulateRun {
  simulate::FleetResult result;
  std::optional<Money> bound;  ///< least cost of any schedule; simulate/fleet_bound.hpp
  std::vector<simulate::FleetResult> members;  ///< of an ensemble; empty: none was asked for
};

struct SimulateReport {
  std::string command, started;  ///< as typed; UTC, ISO 8601
  std::uint64_t seed = 0;
  std::string jobs, sites;  ///< provenance of both
  std::vector<SimulateRun> runs;
};

std::string simulate_json(const SimulateReport& report);
std::string simulate_terminal(const SimulateReport& report, int width, bool colour);

}  // namespace carnot::report
