// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/problem.hpp"

namespace carnot::plan {

namespace {

/// Index of `row` in `pool`, appended if new.
template <class Row>
std::uint32_t pooled(std::vector<Row>& pool, std::map<Row, std::uint32_t>& known, const Row& row) {
  const auto [at, fresh] = known.try_emplace(row, static_cast<std::uint32_t>(pool.size()));
  if (fresh) pool.push_back(row);
  return at->second;
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
  site_set_.push_back(sites.empty() ? kNone : pooled(site_sets_, known_sets_, sites));
  move_row_.push_back(move_row.empty() ? kNone : pooled(move_rows_, known_rows_, move_row));
}

}  // namespace carnot::plan
