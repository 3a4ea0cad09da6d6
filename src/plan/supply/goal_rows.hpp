// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Measures and goals as weights on what jobs and sites do: the rows and the objective of the
/// master programme.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

#include "plan/pricing/job_prices.hpp"

namespace carnot::plan {

/// Of what a site does in a slot.
struct SiteWeights {
  double money = 0;   ///< of its EUR
  double carbon = 0;  ///< of its g
  double own = 0;     ///< of each kWh of own power drawn
  double grid = 0;    ///< of each kWh of grid power drawn
};

struct Weights {
  OwnWeights jobs{0, 0, 0, 0, 0};
  SiteWeights sites;
};

Weights weights_of(Measure measure);

/// weights . plan <= limit, sites in slots [from, to) alone.
struct GoalRow {
  std::string words;  ///< what a person calls it
  Weights weights;
  std::int32_t from = 0, to = 0;
  double limit = 0;
};

/// In the order carbon, energy, quality, own share, held.
std::vector<GoalRow> goal_rows(const Problem& problem, const std::vector<HeldGoal>& held);

/// Weights of the objective and, by multipliers [goal row] >= 0, of the rows.
class PricedWeights {
 public:
  PricedWeights(const Problem& problem, const Weights& objective, const std::vector<GoalRow>& rows,
                const std::vector<double>& multipliers);
  const OwnWeights& jobs() const noexcept { return jobs_; }
  const SiteWeights& sites(std::size_t slot) const noexcept { return sites_[slot]; }

 private:
  OwnWeights jobs_;
  std::vector<SiteWeights> sites_;  // [slot]
};

double weighted(const OwnWeights& weights, const OwnCost& own);

}  // namespace carnot::plan
