// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// plan_extended, with the runs of jobs that other plans of the same jobs have found.

#include <vector>

#include "carnot/plan/search/extended.hpp"

#include "plan/pricing/job_pricing.hpp"

namespace carnot::plan {

/// \param known  [job], or empty: runs to begin with; after it, all that are known
ExtendedPlan plan_columns(const Problem& problem, const PlannerOptions& options,
                          std::vector<std::vector<JobRun>>& known);

}  // namespace carnot::plan
