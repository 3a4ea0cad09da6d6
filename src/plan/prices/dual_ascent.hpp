// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The price problem: maximise over prices lambda >= 0
///
///     D(lambda) = sum_j min(value_j, min over s, m of q + move + p h (k smallest lambda_s in the
///     window))
///               + sum_st min over L of cost_st(L) - lambda_st L h
///
/// Any lambda bounds every plan from below. The ascent moves each price by the imbalance of demand
/// and supply there, scaled by its own running size, and stops at the prices where a supply can be
/// anything between two values (the kinks), where the true optimum mostly lies.

#include <cstdint>
#include <functional>
#include <vector>

#include "plan/pricing/class_pricing.hpp"
#include "plan/search/supply.hpp"

namespace carnot::plan {

struct DualResult {
  std::vector<double> price;  ///< of the best bound, [site x slots + slot], EUR per kWh
  double bound = 0;           ///< EUR, as summed here; the certificate recomputes it
  int iterations = 0;
};

struct DualOptions {
  int iterations = 400;
  int threads = 1;
  double first_step = 0.3;  ///< of the typical price
  double last_step = 2e-4;
  /// Called after each iteration with the best so far; false: stop.
  std::function<bool(const DualResult& best)> progress;
};

/// \param start  prices to begin with; empty: from the supplies
DualResult maximise_dual(const Problem& problem, const std::vector<Supply>& supply,
                         JobResponse& jobs, std::vector<double> start, const DualOptions& options);

}  // namespace carnot::plan
