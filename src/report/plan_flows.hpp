// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Where the energy and the money of a plan go, site by site and slot by slot. Pure functions.

#include <vector>

#include "carnot/plan/planner.hpp"
#include "carnot/report/plan_report.hpp"

namespace carnot::report {

/// Site of a job before it is moved: its origin, else the one site that costs nothing to run at;
/// plan::kNone: not known.
std::uint32_t origin_of(const plan::PlanJobs& jobs, std::size_t job, std::size_t sites);

/// IT energy of a job as planned.
Energy work_of(const plan::Problem& problem, const plan::Assignment& assignment, std::size_t job);

/// What each site does under `jobs`, which must be feasible enough to index: sites, modes and slots
/// that the problem does not have are left out.
std::vector<PlanSiteReport> site_reports(const plan::Problem& problem,
                                         const std::vector<plan::Assignment>& jobs);
/// Their sum, without series.
PlanSiteReport sum_of(const std::vector<PlanSiteReport>& sites);
/// What jobs that are not done cost.
Money dropped_value(const plan::Problem& problem, const std::vector<plan::Assignment>& jobs);
/// Greatest first; of equals, by site.
std::vector<PlanMove> moves_of(const plan::Problem& problem,
                               const std::vector<plan::Assignment>& jobs);

}  // namespace carnot::report
