// SPDX-License-Identifier: Apache-2.0
// Nodes that are closed for a time.
#include <algorithm>

#include "carnot/base/error.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

bool FleetEngine::open_for(JobIndex job, SiteIndex site, std::uint8_t mode,
                           std::int32_t more) const {
  if (options_.closures.empty() || more <= 0) return true;
  const std::int64_t left =
      std::max<std::int64_t>(0, workload_.jobs[job].estimate.nanoseconds() - runs_[job].base);
  const Duration delay = holds_nodes(job) ? Duration{} : options_.start_delay;
  const Instant end =
      now_ + delay + Duration::nanoseconds(time_to_do(left, modes(job)[mode].speed));
  for (const Closure& closure : options_.closures) {
    if (closure.site != site || closure.from < now_ || closure.from >= end) continue;
    if (closure.from == now_ && closing_[site] > 0) continue;  // it has begun
    // Nodes that those who hold them now will still want then, by their estimates.
    std::int32_t held = more;
    for (JobIndex j = holders_[site].first; j != JobIndex::none(); j = runs_[j].next)
      if (j == job || expected_end_of(j) > closure.from) held += nodes(j, status_of_[j].mode);
    if (held > states_[site].nodes - closure.nodes) return false;
  }
  return true;
}

void FleetEngine::close_nodes(SiteIndex site, std::int32_t n) {
  control::SiteState& state = states_[site];
  state.nodes_up -= n;
  state.nodes_free -= n;
  closed_[site] += n;
  const std::int64_t more = n * (broken_mw_[site] - idle_mw_[site]);
  change_load(site, more, more, 0);
  tell(FleetEventKind::Closed, JobIndex::none(), site, n);
}

void FleetEngine::begin_closure(std::uint32_t index) {
  const Closure& closure = options_.closures[index];
  const SiteIndex site = closure.site;
  closing_[site] = closure.nodes;
  const std::int32_t wanted = std::min(closure.nodes, states_[site].nodes_up);
  std::vector<JobIndex> lost;
  // Who runs on after all gives way, the last to start first.
  while (states_[site].nodes_free < wanted) {
    const JobIndex job = holders_[site].last;
    CARNOT_CHECK(job != JobIndex::none(), "nodes that are up and not free are held");
    Run& run = runs_[job];
    if (workload_.jobs[job].stoppable && status_of_[job].phase == JobPhase::Running) {
      ++counts_.suspensions;
      run.base = worked(job, false);
      stopped(job);
    } else if (status_of_[job].phase == JobPhase::Running) {
      kill(job);
      lost.push_back(job);
    } else {
      stopped(job);  // saving or loading its state: it stands where it was
    }
  }
  close_nodes(site, wanted);
  schedule(closure.to, Kind::ClosureEnds, index);
  for (const JobIndex job : lost) policy_.failed(world(), job);
  policy_.site_changed(world(), site);
}

void FleetEngine::end_closure(std::uint32_t index) {
  const SiteIndex site = options_.closures[index].site;
  const std::int32_t n = closed_[site];
  closing_[site] = closed_[site] = 0;
  if (n > 0) {
    states_[site].nodes_up += n;
    states_[site].nodes_free += n;
    const std::int64_t less = n * (idle_mw_[site] - broken_mw_[site]);
    change_load(site, less, less, 0);
    tell(FleetEventKind::Opened, JobIndex::none(), site, n);
  }
  unserved_.push_back(site);
  policy_.site_changed(world(), site);
}

}  // namespace carnot::simulate
