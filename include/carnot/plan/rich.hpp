// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans of rich problems: jobs with terms (job_terms.hpp), sites with batteries, exports, demand
/// charges, bases, knees and reserve (site_terms.hpp), goals (goals.hpp). By column generation
/// over CLP, then whole jobs put by search, and sites decided exactly around them. Contract
/// problems are a special case; for those plan_large is faster and needs no solver.
///
/// The bound is that of the linear programme over all runs of all jobs, and holds at any stop. The
/// same plan for any number of threads; not with a time limit.

#include <string>
#include <vector>

#include "carnot/plan/certificate.hpp"

namespace carnot::plan {

/// What came out. Infeasible is an outcome, not an error.
struct RichPlan {
  Plan plan;                        ///< allowed unless there are words
  std::vector<std::string> broken;  ///< limits that no plan found keeps, in words
  bool proven = false;              ///< where there are: that no plan at all keeps them
};

/// `iterations` of the options limits the rounds of columns of each goal; `rounds` those of the
/// search.
/// \throws DeviceError if CLP is not built in
RichPlan plan_rich(const Problem& problem, const PlannerOptions& options = {});

/// A plan for one weighting of cost, carbon and quality.
struct ParetoPoint {
  double carbon_price_eur_per_t = 0;  ///< what a tonne counted as
  double quality_weight = 1;          ///< what a euro of quality cost counted as
  Plan plan;
  PlanTotals totals;    ///< at that weighting
  double cost_eur = 0;  ///< without what carbon counts for and without quality costs
  double carbon_g = 0;  ///< of grid energy and embodied
  double quality_eur = 0;
};

struct ParetoOptions {
  int points = 8;                    ///< carbon prices, from 0 up, geometric from the second on
  double greatest_eur_per_t = 1000;  ///< the last of them
  std::vector<double> quality_weights{1.0};
  PlannerOptions planner;
};

/// Plans of which none is at least as good as another in cost, carbon and quality, by rising
/// carbon price. Runs of jobs found for one point are tried for the next. Each bound is of the
/// point's own weighted objective.
/// \throws DeviceError if CLP is not built in
std::vector<ParetoPoint> pareto_front(const Problem& problem, const ParetoOptions& options);

}  // namespace carnot::plan
