// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Prices of IT power to begin column generation with. Each moves by the imbalance of what jobs
/// and sites want there, over its own running size, and halts at the kinks of the supply, where
/// the optimum mostly lies; steps fall geometrically. Batteries, demand charges and goals are not
/// seen: what comes out is a good start and no more.

#include <functional>
#include <vector>

#include "plan/pricing/job_pricing.hpp"
#include "plan/search/extended_supply.hpp"

namespace carnot::plan {

/// Cheapest runs of all jobs, and what they cost at these prices, summed. The same for any number
/// of threads.
double cheapest_runs(const Problem& problem, const JobPrices& prices, int threads,
                     std::vector<JobRun>& out);

struct AscentOptions {
  int iterations = 240;
  int kept = 16;  ///< of the last iterations, whose runs are handed on
  int threads = 1;
  std::function<bool(double share)> progress;  ///< false: stop
};

/// \param keep  called with the runs of the iterations kept, and with those of the best prices
/// \return [cell] EUR per kWh of IT energy
std::vector<double> ascend(const Problem& problem, const OwnWeights& weights,
                           const std::vector<std::vector<SupplyStep>>& supply,
                           const AscentOptions& options,
                           const std::function<void(const std::vector<JobRun>&)>& keep);

}  // namespace carnot::plan
