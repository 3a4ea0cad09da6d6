// SPDX-License-Identifier: Apache-2.0
// What jobs go through: lines, nodes, work, stops.
#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

std::int64_t node_milliwatts(const FleetScenario& scenario, const Workload& workload, JobIndex job,
                             SiteIndex site, std::uint8_t mode) {
  const JobRequest& request = workload.jobs[job];
  const std::int64_t mw = request.power_mw >= 0
                              ? request.power_mw
                              : std::llround(scenario.sites[site].hall.node_peak.in(1e-3 * watt));
  const double share = workload.mode_sets[request.modes][mode].power_share;
  return share == 1.0 ? mw : std::llround(share * static_cast<double>(mw));
}

void FleetEngine::link(Chain& chain, JobIndex job, bool first) {
  Run& run = runs_[job];
  run.previous = first ? JobIndex::none() : chain.last;
  run.next = first ? chain.first : JobIndex::none();
  (run.previous == JobIndex::none() ? chain.first : runs_[run.previous].next) = job;
  (run.next == JobIndex::none() ? chain.last : runs_[run.next].previous) = job;
}

void FleetEngine::unlink(Chain& chain, JobIndex job) {
  const Run& run = runs_[job];
  (run.previous == JobIndex::none() ? chain.first : runs_[run.previous].next) = run.next;
  (run.next == JobIndex::none() ? chain.last : runs_[run.next].previous) = run.previous;
}

bool FleetEngine::holds_nodes(JobIndex job) const noexcept {
  const JobPhase phase = status_of_[job].phase;
  return phase == JobPhase::Starting || phase == JobPhase::Running || phase == JobPhase::Stopping;
}

void FleetEngine::set_phase(JobIndex job, JobPhase phase) {
  JobStatus& status = status_of_[job];
  status.phase = phase;
  status.since = now_;
  status.done = Duration::nanoseconds(runs_[job].safe);
  ++runs_[job].phase;
}

void FleetEngine::wait(JobIndex job) {
  set_phase(job, JobPhase::Waiting);
  waiting_.insert(job);
}

// --- lines ---

void FleetEngine::join_line(JobIndex job, bool first) {
  JobStatus& status = status_of_[job];
  link(lines_[status.site], job, first);
  status.in_line = true;
  states_[status.site].nodes_due += nodes(job, runs_[job].wanted_mode);
  unserved_.push_back(status.site);
}

void FleetEngine::leave_line(JobIndex job) {
  JobStatus& status = status_of_[job];
  unlink(lines_[status.site], job);
  status.in_line = false;
  states_[status.site].nodes_due -= nodes(job, runs_[job].wanted_mode);
  unserved_.push_back(status.site);  // who stood behind it may fit
}

void FleetEngine::want(JobIndex job, SiteIndex site, std::uint8_t mode) {
  Run& run = runs_[job];
  JobStatus& status = status_of_[job];
  const bool same = run.wants && run.wanted_site == site && run.wanted_mode == mode;
  if (status.in_line) {
    if (same) return;  // keeps its place
    leave_line(job);
  }
  run.wants = true;
  run.wanted_site = site;
  run.wanted_mode = mode;
  switch (status.phase) {
    case JobPhase::Waiting:
      if (status.site != site) {
        ++counts_.moves;
        status.site = site;
        tell(FleetEventKind::Moving, job, site);
        if (options_.move_delay > Duration{}) {
          waiting_.erase(job);
          set_phase(job, JobPhase::Moving);
          schedule(now_ + options_.move_delay, Kind::MoveEnds, job, run.phase);
          return;
        }
      }
      join_line(job, false);
      break;
    case JobPhase::Starting:
    case JobPhase::Running:
      if (status.site != site || status.mode != mode) stop(job);
      break;
    default:
      break;  // once it has stopped or arrived
  }
}

void FleetEngine::withdraw(JobIndex job) {
  if (status_of_[job].in_line) leave_line(job);
  runs_[job].wants = false;
  if (holds_nodes(job)) stop(job);
}

void FleetEngine::end_move(JobIndex job) {
  wait(job);
  const Run& run = runs_[job];
  if (run.wants) want(job, run.wanted_site, run.wanted_mode);
}

void FleetEngine::arrive(JobIndex job) {
  arrived_ = std::span(workload_.jobs).first(++arrived_count_);
  status_of_[job].site = workload_.jobs[job].origin;
  tell(FleetEventKind::Arrived, job, status_of_[job].site);
  if (linked()) return hold_or_tell(job);
  wait(job);
  policy_.arrived(world(), job);
}

// --- nodes ---

void FleetEngine::change_load(SiteIndex site, std::int64_t it_mw, std::int64_t idle_mw,
                              std::int64_t held) {
  SiteMeter& meter = meters_[site];
  SiteLoad load = meter.load();
  load.it_mw += it_mw;
  load.idle_mw += idle_mw;
  load.held += held;
  meter.set_load(now_, load);
  control::SiteState& state = states_[site];
  state.it = 1e-3 * static_cast<double>(load.it_mw) * watt;
  state.facility = meter.facility(now_);
}

void FleetEngine::hold(JobIndex job, SiteIndex site, std::uint8_t mode) {
  JobStatus& status = status_of_[job];
  Run& run = runs_[job];
  const std::int32_t n = nodes(job, mode);
  status.site = site;
  status.mode = mode;
  run.wants = true;
  run.wanted_site = site;
  run.wanted_mode = mode;
  waiting_.erase(job);
  link(holders_[site], job, false);
  states_[site].nodes_free -= n;
  ++states_[site].running;
  if (hands_ != nullptr) {  // draws power and counts once it is reported to have started
    set_phase(job, JobPhase::Starting);
    return;
  }
  change_load(site, n * (node_mw(job, site, mode) - idle_mw_[site]), -n * idle_mw_[site], n);
  tell(FleetEventKind::Started, job, site, n, mode);
  ++counts_.starts;
  if (!run.started) {
    run.started = true;
    status.first_start = now_;
    if (linked()) began(job);
  }
  if (options_.start_delay > Duration{}) {
    set_phase(job, JobPhase::Starting);
    schedule(now_ + options_.start_delay, Kind::StartEnds, job, run.phase);
  } else {
    begin_work(job);
  }
}

void FleetEngine::release(JobIndex job) {
  const JobStatus& status = status_of_[job];
  const SiteIndex site = status.site;
  const std::int32_t n = nodes(job, status.mode);
  unlink(holders_[site], job);
  states_[site].nodes_free += n;
  --states_[site].running;
  const bool drew = hands_ == nullptr || status.phase != JobPhase::Starting;
  if (drew)
    change_load(site, -n * (node_mw(job, site, status.mode) - idle_mw_[site]), n * idle_mw_[site],
                -n);
  unserved_.push_back(site);
}

bool FleetEngine::resize(JobIndex job, std::uint8_t mode) {
  JobStatus& status = status_of_[job];
  Run& run = runs_[job];
  require(job, status.site, mode);
  CARNOT_CHECK(status.phase == JobPhase::Running || status.phase == JobPhase::Starting,
               "a job that is resized holds nodes");
  const SiteIndex site = status.site;
  const std::int32_t before = nodes(job, status.mode), after = nodes(job, mode);
  if (after - before > states_[site].nodes_free) return false;
  if (!open_for(job, site, mode, after - before)) return false;
  // A real job changes its nodes by a stop and a start.
  if (hands_ != nullptr && (after != before || status.phase == JobPhase::Starting)) return false;
  const std::int64_t mw = node_mw(job, site, mode) * after;
  const std::int64_t mw_before = node_mw(job, site, status.mode) * before;
  const std::int64_t freed = before - after;
  if (status.phase == JobPhase::Running) {
    const std::int64_t done = worked(job, false);
    run.safe = worked(job, true);
    run.base = done;
    run.working_since = now_.unix_nanoseconds();
  }
  states_[site].nodes_free += before - after;
  status.mode = run.wanted_mode = mode;
  change_load(site, mw - mw_before + freed * idle_mw_[site], freed * idle_mw_[site], -freed);
  tell(FleetEventKind::Resized, job, site, after, mode);
  if (freed > 0) unserved_.push_back(site);
  if (status.phase == JobPhase::Running) schedule_end(job);
  return true;
}

// --- work ---

std::int64_t FleetEngine::wall_time(std::int64_t work, double speed) const {
  return speed == 1.0 ? work
                      : static_cast<std::int64_t>(std::ceil(static_cast<double>(work) / speed));
}

// With the state saved after every `save_every` of working, but not at the end.
std::int64_t FleetEngine::time_to_do(std::int64_t work, double speed) const {
  const std::int64_t wall = wall_time(work, speed);
  const std::int64_t every = options_.save_every.nanoseconds();
  const std::int64_t saves = every > 0 && wall > 0 ? (wall - 1) / every : 0;
  return wall + saves * options_.save_time.nanoseconds();
}

std::int64_t FleetEngine::worked(JobIndex job, bool safe) const {
  const Run& run = runs_[job];
  if (hands_ != nullptr && status_of_[job].phase == JobPhase::Running) {
    const std::int64_t wall = now_.unix_nanoseconds() - run.working_since;
    return safe ? run.safe
                : run.base + static_cast<std::int64_t>(static_cast<double>(wall) *
                                                       modes(job)[status_of_[job].mode].speed);
  }
  if (status_of_[job].phase != JobPhase::Running) return safe ? run.safe : run.base;
  std::int64_t wall = now_.unix_nanoseconds() - run.working_since;
  const std::int64_t every = options_.save_every.nanoseconds();
  if (every > 0) {
    const std::int64_t round = every + options_.save_time.nanoseconds();
    const std::int64_t saved = wall / round * every;
    if (safe && saved == 0) return run.safe;
    wall = safe ? saved : saved + std::min(wall % round, every);
  } else if (safe) {
    return run.safe;
  }
  const double speed = modes(job)[status_of_[job].mode].speed;
  const std::int64_t work =
      speed == 1.0 ? wall : static_cast<std::int64_t>(static_cast<double>(wall) * speed);
  return std::min(run.base + work, workload_.length[job].nanoseconds());
}

void FleetEngine::begin_work(JobIndex job) {
  set_phase(job, JobPhase::Running);
  runs_[job].working_since = now_.unix_nanoseconds();
  schedule_end(job);
}

void FleetEngine::schedule_end(JobIndex job) {
  if (hands_ != nullptr) return;  // it is reported
  Run& run = runs_[job];
  const std::int64_t left = workload_.length[job].nanoseconds() - run.base;
  const std::int64_t time = time_to_do(left, modes(job)[status_of_[job].mode].speed);
  schedule(now_ + Duration::nanoseconds(time), Kind::JobEnds, job, ++run.phase);
}

void FleetEngine::end_job(JobIndex job) {
  runs_[job].base = runs_[job].safe = workload_.length[job].nanoseconds();
  runs_[job].wants = false;
  release(job);
  set_phase(job, JobPhase::Finished);
  ++counts_.finished;
  ++finished_at_[status_of_[job].site];
  const bool well = !workload_.links.failing(job);
  if (!well) ++counts_.failed;
  const Duration allowed = workload_.jobs[job].allowed;
  if (allowed != kNoDeadline && now_ - arrival(job) > allowed) ++counts_.late;
  tell(FleetEventKind::Finished, job, status_of_[job].site);
  policy_.finished(world(), job);
  if (linked()) is_over(job, well);
}

// --- stops ---

void FleetEngine::stop(JobIndex job) {
  Run& run = runs_[job];
  const JobStatus& status = status_of_[job];
  if (status.phase == JobPhase::Stopping) return;
  if (hands_ != nullptr) return order_stop(job);
  if (status.phase == JobPhase::Starting) return stopped(job);  // it has nothing to save
  ++counts_.suspensions;
  const std::int64_t done = worked(job, false);
  run.safe = worked(job, true);
  run.base = done;
  if (options_.stop_delay > Duration{}) {
    set_phase(job, JobPhase::Stopping);
    tell(FleetEventKind::Stopping, job, status.site, nodes(job, status.mode), status.mode);
    schedule(now_ + options_.stop_delay, Kind::StopEnds, job, run.phase);
  } else {
    stopped(job);
  }
}

void FleetEngine::stopped(JobIndex job) {
  Run& run = runs_[job];
  run.safe = run.base;
  release(job);
  wait(job);
  tell(FleetEventKind::Stopped, job, status_of_[job].site);
  if (run.wants) want(job, run.wanted_site, run.wanted_mode);
}

void FleetEngine::kill(JobIndex job) {
  Run& run = runs_[job];
  const JobStatus& status = status_of_[job];
  const std::int64_t done = worked(job, false), safe = worked(job, true);
  counts_.lost += (done - safe) * nodes(job, status.mode);
  ++counts_.kills;
  run.base = run.safe = safe;
  release(job);
  wait(job);
  tell(FleetEventKind::Killed, job, status.site);
  if (!run.wants) return;
  if (run.wanted_site == status.site)
    join_line(job, true);
  else
    want(job, run.wanted_site, run.wanted_mode);
}

}  // namespace carnot::simulate
