// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/pricing/job_use.hpp"

#include "plan/pricing/job_pricing.hpp"

namespace carnot::plan {

JobUse use_of(const Problem& problem, const Plan& plan, std::size_t job) {
  JobUse out;
  const Assignment& assignment = plan.jobs[job];
  if (assignment.site == kNone) return out;
  const auto schedule = plan.schedules.find(static_cast<std::uint32_t>(job));
  const JobRun run = run_of(problem, job, assignment,
                            schedule == plan.schedules.end() ? JobSchedule{} : schedule->second);
  out.draws.reserve(run.pieces.size());
  for (const Piece& piece : run.pieces)
    out.draws.push_back({piece.site, piece.slot, piece.power_kw});
  out.quality_eur = run.own.quality;
  out.move_eur = run.own.move;
  out.restart_eur = run.own.restart;
  out.late_eur = run.own.late;
  return out;
}

}  // namespace carnot::plan
