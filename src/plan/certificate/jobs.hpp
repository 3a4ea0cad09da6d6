// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of the certificate that is about jobs with terms: is a schedule allowed, what does it
/// draw and cost, and how little could it have cost at given prices. Written from the words of
/// plan/problem/job_terms.hpp alone, shares no code with what plans. Thread-safe.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

#include "plan/pricing/job_prices.hpp"

namespace carnot::plan {

/// Own cost of what a job does; what is not allowed goes to `wrong`, in words.
/// \param offer      when power counts as stoppable; its prices are not looked at
/// \param load_kw    [site x slots + slot], added to
/// \param stoppable_kw  likewise, or empty
OwnCost check_schedule(const Problem& problem, std::size_t job, const Assignment& assignment,
                       const JobSchedule& schedule, const JobPrices& offer,
                       std::span<double> load_kw, std::span<double> stoppable_kw,
                       std::vector<std::string>& wrong);

/// No schedule of the job, nor dropping it, has less weighted own cost + priced energy - reserve.
/// Lowered by more than rounding can have raised it. Time O(slots x work x sites^2) for a movable
/// job, with terms; a contract job costs a sort a site.
double least_cost(const Problem& problem, std::size_t job, const JobPrices& prices);

}  // namespace carnot::plan
