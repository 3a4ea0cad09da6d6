// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where the energy and the money of a plan go, site by site and slot by slot. Pure functions.

#include <vector>

#include "carnot/plan/problem/plan.hpp"
#include "carnot/report/plan/report.hpp"

namespace carnot::report {

/// Site of a job before it is moved: its origin, else the one site that costs nothing to run at;
/// plan::kNone: not known.
std::uint32_t origin_of(const plan::PlanJobs& jobs, std::size_t job, std::size_t sites);

/// What the jobs of a plan do. One pass over the plan; every figure of a page comes from here.
struct PlanFlows {
  std::vector<PlanSiteReport> sites;
  std::vector<PlanMove> moves;  ///< greatest first; of equals, by site
  std::vector<Energy> work;     ///< [job] IT energy
};

/// \param holds  false: jobs with terms, flows of sites, and what the problem does not have, are
/// left
///               out
PlanFlows flows_of(const plan::Problem& problem, const plan::Plan& plan, bool holds);
/// Their sum, without series.
PlanSiteReport sum_of(const std::vector<PlanSiteReport>& sites);
/// What jobs that are not done cost.
Money dropped_value(const plan::Problem& problem, const plan::Plan& plan);

}  // namespace carnot::report
