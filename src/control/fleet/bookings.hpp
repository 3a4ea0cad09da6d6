// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Nodes promised to planned runs, site by site and step by step.

#include <algorithm>
#include <utility>
#include <vector>

#include "carnot/control/policy.hpp"

namespace carnot::control {

class Bookings {
 public:
  Bookings() = default;
  /// \param rows  [site] promised so far, step by step; shorter than what comes: nothing
  Bookings(Instant start, Duration step, std::vector<std::vector<std::int32_t>> rows)
      : start_(start), step_(step), nodes_(std::move(rows)) {}

  Instant start() const noexcept { return start_; }
  Duration step() const noexcept { return step_; }
  const std::vector<std::vector<std::int32_t>>& rows() const noexcept { return nodes_; }
  /// Number of the step that holds `when`; below zero before the start.
  std::int64_t slot(Instant when) const noexcept { return (when - start_) / step_; }
  /// Most nodes promised at once in the step, a part of the step counting as all of it.
  std::int32_t at(SiteIndex site, std::int64_t slot) const noexcept {
    const auto i = static_cast<std::size_t>(slot);
    return slot >= 0 && i < nodes_[site].size() ? nodes_[site][i] : 0;
  }
  /// \param nodes  negative: gives them back
  void add(SiteIndex site, Instant from, Instant to, std::int32_t nodes) {
    const std::int64_t first = std::max<std::int64_t>(0, slot(from));
    const std::int64_t end = slot(to - Duration::nanoseconds(1)) + 1;
    if (end <= first) return;
    std::vector<std::int32_t>& row = nodes_[site];
    if (row.size() < static_cast<std::size_t>(end)) row.resize(static_cast<std::size_t>(end));
    for (std::int64_t i = first; i < end; ++i) row[static_cast<std::size_t>(i)] += nodes;
  }

 private:
  Instant start_;
  Duration step_ = Duration::seconds(3600);
  std::vector<std::vector<std::int32_t>> nodes_;  // [site][slot]
};

}  // namespace carnot::control
