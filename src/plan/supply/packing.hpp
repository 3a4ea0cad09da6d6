// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Rows that whole jobs keep and shared ones break (`PackingPrice` of plan/problem/plan.hpp), as
/// the planners use them. The certificate adds them up by itself.

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// sum_i share(p_i) x_i <= most + per_kw x (IT kW beyond the limit), for whole x_i >= 0.
class PackingRow {
 public:
  /// \pre usable
  PackingRow(PackingLimit limit, double limit_kw, double divisor_kw);

  double share(double power_kw) const noexcept;
  double most() const noexcept { return most_; }
  double per_kw() const noexcept { return per_kw_; }

  /// Whether a divisor gives a row at all, and one that rounding does not spoil.
  static bool usable(PackingLimit limit, double limit_kw, double divisor_kw);

 private:
  double divisor_, most_, rest_, per_kw_ = 0;
  bool floor_;
};

/// IT kW of a limit in a site-slot, a hair more than there is.
double limit_kw(const Problem& problem, const std::vector<Supply>& supply, PackingLimit limit,
                std::size_t cell);

/// What runs in a site-slot: jobs, in fractions, by the power each of them draws.
using RunningAt = std::vector<std::pair<double, double>>;

/// The divisor whose row is broken most by `running`, with `beyond` kW beyond the limit.
/// \return divisor and by how much it is broken; 0: none is
std::pair<double, double> broken_most(PackingLimit limit, double limit_kw, const RunningAt& running,
                                      double beyond);

}  // namespace carnot::plan
