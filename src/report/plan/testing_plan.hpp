// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: plans with everything a page may show, and with nothing.

#include "carnot/plan/problem/plan_file.hpp"

namespace carnot::report::sample {

struct PlanOptions {
  std::int64_t jobs = 40, sites = 3, slots = 48;
  std::uint64_t seed = 1;
  double load = 1.2;       ///< above what halls can do, jobs are dropped
  double price_shift = 0;  ///< EUR/kWh added to all prices
  bool places = true;      ///< sites say where they are
};

plan::Problem plan_problem(const PlanOptions& options = {});
/// A file as the planner would have left it: jobs by the rule `price-greedy`, prices at
/// the margin of its loads.
plan::PlanFile plan_file(plan::Problem problem);

}  // namespace carnot::report::sample
