// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Shortest path of one mode of a job with terms over (slot, work left, site, length of the run),
/// from the deadline back to the release.

#include <cstdint>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

#include "plan/pricing/job_prices.hpp"

namespace carnot::plan {

struct JobPath {
  double cost;  ///< infinite: none
  Assignment assignment;
  JobSchedule schedule;
};

/// The least over schedules at `sites`.
/// \param mode       of the job, from 0
/// \param stoppable  ends early enough to be stoppable, and is paid for it
JobPath shortest_path(const Problem& problem, std::size_t job, const JobTerms& terms,
                      std::uint32_t mode, const std::vector<std::uint32_t>& sites,
                      const JobPrices& prices, bool stoppable);

}  // namespace carnot::plan
