// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// carnot.plan/1: a JSON document and, beside it, a CSV with a line for each job
/// (docs/formats/plan.md).

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// What a document carries beside the plan.
struct PlanNotes {
  std::string command, started;  ///< as typed; UTC ISO 8601
  std::string problem;           ///< path of the problem, as the document shall name it
  std::string assignments;       ///< path of the CSV, likewise
  std::uint64_t seed = 0;
  std::optional<std::size_t> jobs;  ///< of the plan; none: those of the problem at hand
};

/// The document's text. \param totals  from `certify`
std::string plan_json(const Plan& plan, const PlanTotals& totals, const Problem& problem,
                      const PlanNotes& notes);
/// Lines `id,site,mode,slots`: site and mode from 0, slots separated by `;`, all three empty for a
/// dropped job. Where a job has a schedule, each line goes on with its sites and levels, one a
/// slot.
std::string assignments_csv(const Plan& plan, const Problem& problem);

/// A plan as read. Rows that name no job, a job twice or no known site are `violations`, not
/// errors.
struct PlanFile {
  Problem problem;
  Plan plan;
  PlanTotals claimed;
  std::vector<std::string> violations;
};
/// \param problem_path  empty: the one the plan names, from its own folder or from here
/// \throws InputError, InputFileError
PlanFile read_plan(const std::string& plan_path, const std::string& problem_path = {},
                   const StopToken& stop = {});

}  // namespace carnot::plan
