// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// All that a job may do, where that is little: columns enough for a plan that is proven best.

#include <cstddef>
#include <vector>

#include "plan/pricing/job_pricing.hpp"

namespace carnot::plan {

/// Every schedule that obeys the job's terms, being dropped not among them.
/// \param offer  says when power counts as stoppable, as for `run_of`
/// \param most   schedules to look for, and a hundred times as many steps of looking
/// \return false if there may be more; then `out` is of no use
bool every_run(const Problem& problem, std::size_t job, const JobPrices& offer, std::size_t most,
               std::vector<JobRun>& out);

}  // namespace carnot::plan
