// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The same trace at other times of the year: how much of a result is the weather's. Members run
/// side by side; figures do not depend on the number of threads.

#include <functional>
#include <memory>
#include <vector>

#include "carnot/base/ranks.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::simulate {

struct EnsembleOptions {
  std::size_t members = 1;
  int threads = 0;  ///< 0: all CPUs
  /// Told how many are done, from any thread but one at a time; false: stop.
  std::function<bool(std::size_t)> progress;
  StopToken stop{};  ///< likewise; members under way are given up
  /// Who shares the members, each rank every size-th of them; nullptr: this process alone.
  Ranks* ranks = nullptr;
};

/// Member k begins k / members of the series later, whole days; reserve calls and closures move
/// along.
/// \param make  a scheduler of its own for each member
/// \return in the order of members; fewer if stopped. Over ranks: all of them at rank 0, and none
/// at the others
/// \throws DeviceError if another rank failed
std::vector<FleetResult> simulate_ensemble(
    const FleetScenario& scenario, const Workload& workload, const FleetOptions& options,
    const std::function<std::unique_ptr<control::Policy>()>& make, const EnsembleOptions& ensemble);

/// Mean over members and the 5 % and 95 % quantiles, interpolated.
struct Spread {
  double mean = 0.0, low = 0.0, high = 0.0;
};
Spread spread(std::vector<double> values);

}  // namespace carnot::simulate
