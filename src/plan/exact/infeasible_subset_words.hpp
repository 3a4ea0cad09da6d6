// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What clash.cpp asks of a problem's jobs, and a contradiction in words.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "carnot/plan/exact/infeasible_subset.hpp"

namespace carnot::plan {

inline std::size_t cell_of(const Problem& problem, const PowerLimit& limit) {
  return limit.site * static_cast<std::size_t>(problem.slots) +
         static_cast<std::size_t>(limit.slot);
}
/// Where a job may run.
std::vector<std::uint32_t> sites_of(const Problem& problem, std::size_t job);
/// Modes of which no other needs as few slots at as little power; indices of PlanJobs::mode.
std::vector<std::uint64_t> needed_modes(const PlanJobs& jobs, std::size_t job);
/// Least and greatest power of these, kW.
std::pair<double, double> powers(const PlanJobs& jobs, std::size_t job);

/// Fills in words and members.
void put_in_words(const Problem& problem, Clash& clash);

}  // namespace carnot::plan
