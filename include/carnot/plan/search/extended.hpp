// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans of extended problems: jobs with terms (job_terms.hpp), sites with batteries, exports,
/// demand charges, bases, knees and reserve (site_terms.hpp), goals (goals.hpp). By column
/// generation over CLP, then whole jobs put by search, and sites decided exactly around them.
/// Contract problems are a special case; for those plan_large is faster and needs no solver.
///
/// The bound is that of the linear programme over all runs of all jobs, and holds at any stop. The
/// same plan for any number of threads; not with a time limit.

#include <string>
#include <vector>

#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

/// What came out. Infeasible is an outcome, not an error.
struct ExtendedPlan {
  Plan plan;                        ///< allowed unless there are words
  std::vector<std::string> broken;  ///< limits that no plan found keeps, in words
  bool proven = false;              ///< where there are: that no plan at all keeps them
};

/// `iterations` of the options limits the rounds of columns of each goal; `rounds` those of the
/// search.
/// \throws DeviceError if CLP is not built in; Stopped if stopped before there was any plan
ExtendedPlan plan_extended(const Problem& problem, const PlannerOptions& options = {});

}  // namespace carnot::plan
