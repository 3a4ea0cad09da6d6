// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans when own power and prices are not known: one decision (site, mode, slots of every job)
/// judged over scenarios of what may come. Least mean cost, or least mean of the worst share of
/// cases (conditional value at risk, CVaR; Rockafellar & Uryasev 2000), with a proven bound:
///
///     CVaR_alpha(x) = max over q of sum_s q_s x_s,   0 <= q_s <= w_s / (1 - alpha), sum q = 1
///
/// so that for any such q and prices lambda >= 0
///
///     sum_j min(value, ... at lambda) + sum_st min over L of sum_s q_s cost_s,st(L) - lambda_st L
///     h
///
/// is below the objective of every plan. Each cell's weighted cost is convex and piecewise linear,
/// so the planner of plan/search/planner.hpp solves it; q is found by turns with the plans. What is
/// left to decide later is decided later, by planning again (plan/study/rolling_horizon.hpp). Parts
/// of a slot, such as its twelve five minutes, are scenarios too: then the mean is exact, not a
/// guess.

#include <vector>

#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

/// What may come.
struct Scenario {
  double weight = 1;            ///< > 0; divided by the sum of all
  std::vector<PlanSite> sites;  ///< every series as in `Problem::sites`
};

struct ScenarioOptions {
  PlannerOptions planner;
  double alpha = 0;  ///< [0, 1): share of the cases that is passed over; 0: the mean
  int turns = 12;    ///< of plan and q, where alpha > 0
  /// Also bounds what could be reached if each scenario were known beforehand.
  bool perfect_foresight = true;
};

struct ScenarioPlan {
  /// objective_eur: mean or CVaR, as asked. bound_eur: of every plan, proven by `price` and
  /// `weight`.
  Plan plan;
  std::vector<double> weight;    ///< q, one a scenario
  std::vector<double> cost_eur;  ///< of the plan, in each scenario
  double mean_eur = 0, cvar_eur = 0;
  /// Mean over scenarios of a lower bound with perfect foresight; -infinity: not asked for.
  double foresight_eur = 0;
  /// What not knowing costs at most, as a share of it: (mean - foresight) / foresight.
  double regret() const noexcept;
};

/// A plan must fit in every scenario: its power may pass no scenario's capacity, nor own power and
/// grid limit together.
/// \param problem  its sites are not looked at
/// \throws InputError for no scenario, series of other lengths or numbers of sites, a weight or
/// alpha out of range; InternalError if the certificate does not hold
ScenarioPlan plan_scenarios(const Problem& problem, const std::vector<Scenario>& scenarios,
                            const ScenarioOptions& options = {});

/// Mean of the worst share 1 - alpha of the cases. \param weight  sums to one
double cvar(const std::vector<double>& cost, const std::vector<double>& weight, double alpha);

/// The bound above, recomputed from its definition. \param q  as above
double scenario_bound(const Problem& problem, const std::vector<Scenario>& scenarios,
                      const std::vector<double>& q, const std::vector<double>& price);

}  // namespace carnot::plan
