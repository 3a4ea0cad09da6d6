// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem.hpp"

#include <algorithm>

namespace carnot::plan {

namespace {

/// Index of `row` in `pool`, appended if new. Problems have few different rows: recent ones are
/// looked at first.
template <class Row>
std::uint32_t pooled(std::vector<Row>& pool, const Row& row) {
  const std::size_t look = std::min<std::size_t>(pool.size(), 4096);
  for (std::size_t i = 0; i < look; ++i)
    if (pool[pool.size() - 1 - i] == row) return static_cast<std::uint32_t>(pool.size() - 1 - i);
  pool.push_back(row);
  return static_cast<std::uint32_t>(pool.size() - 1);
}

}  // namespace

void PlanJobs::reserve(std::size_t jobs, std::size_t modes) {
  id_start_.reserve(jobs + 1);
  release_.reserve(jobs);
  deadline_.reserve(jobs);
  value_.reserve(jobs);
  move_flat_.reserve(jobs);
  origin_.reserve(jobs);
  site_set_.reserve(jobs);
  move_row_.reserve(jobs);
  mode_start_.reserve(jobs + 1);
  modes_.reserve(modes);
}

void PlanJobs::add(std::string_view id, std::int32_t release, std::int32_t deadline, double value,
                   const std::vector<PlanMode>& modes, std::uint32_t origin, double move_flat,
                   const std::vector<std::uint32_t>& sites, const std::vector<double>& move_row) {
  ids_ += id;
  id_start_.push_back(ids_.size());
  release_.push_back(release);
  deadline_.push_back(deadline);
  value_.push_back(value);
  modes_.insert(modes_.end(), modes.begin(), modes.end());
  mode_start_.push_back(modes_.size());
  origin_.push_back(origin);
  move_flat_.push_back(move_flat);
  site_set_.push_back(sites.empty() ? kNone : pooled(site_sets_, sites));
  move_row_.push_back(move_row.empty() ? kNone : pooled(move_rows_, move_row));
}

}  // namespace carnot::plan
