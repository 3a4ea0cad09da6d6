// SPDX-License-Identifier: Apache-2.0
// What policies see and command.
#include <algorithm>
#include <bit>

#include "carnot/base/error.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

// --- what is ---

Power FleetEngine::node_power_of(JobIndex job, SiteIndex site, std::uint8_t mode) const {
  return 1e-3 * static_cast<double>(node_mw(job, site, mode)) * watt;
}

Energy FleetEngine::battery_now(SiteIndex site) const { return meters_[site].battery_at(now_); }

Duration FleetEngine::done_of(JobIndex job) const {
  return Duration::nanoseconds(worked(job, false));
}

Instant FleetEngine::expected_end_of(JobIndex job) const {
  const JobStatus& status = status_of_[job];
  const std::int64_t left =
      std::max<std::int64_t>(0, workload_.jobs[job].estimate.nanoseconds() - runs_[job].base);
  const auto done_in = [&] {
    return Duration::nanoseconds(time_to_do(left, modes(job)[status.mode].speed));
  };
  switch (status.phase) {
    case JobPhase::Starting:
      return status.since + options_.start_delay + done_in();
    case JobPhase::Stopping:
      return status.since + options_.stop_delay;
    case JobPhase::Running:
      return std::max(now_, Instant::from_unix_nanoseconds(runs_[job].working_since) + done_in());
    default:
      return now_;
  }
}

ForecastView FleetEngine::forecast_of(SiteIndex site, control::Signal signal) const {
  const ForecastView made = signals_[site].forecast(signal, now_);
  return hands_ != nullptr ? hands_->forecast(site, signal, made) : made;
}

// --- what will be ---

ForecastView FleetEngine::signal(SiteIndex site, control::Signal signal) const {
  CARNOT_CHECK(site < signals_.size(), "a policy asks for a site that exists");
  return signals_[site].truth(signal, now_);
}

Duration FleetEngine::length(JobIndex job) const {
  CARNOT_CHECK(job < jobs(), "a policy asks for a job that has arrived");
  return workload_.length[job];
}

// --- commands ---

void FleetEngine::require(JobIndex job, SiteIndex site, std::uint8_t mode) const {
  CARNOT_CHECK(job < jobs() && site < states_.size() && mode < modes(job).size(),
               "a command names a job, a site and a mode that exist");
  const JobPhase phase = status_of_[job].phase;
  CARNOT_CHECK(
      phase != JobPhase::Pending && phase != JobPhase::Finished && phase != JobPhase::Dropped,
      "a command names a job that has arrived and is not over");
  CARNOT_CHECK(nodes(job, mode) <= states_[site].nodes, "a job fits the site it is sent to");
}

void FleetEngine::forget_plan(JobIndex job) {
  ++runs_[job].planned;
  runs_[job].plan_size = 0;
}

void FleetEngine::submit(JobIndex job, SiteIndex site, std::uint8_t mode) {
  site = placed(job, site);
  require(job, site, mode);
  forget_plan(job);
  want(job, site, mode);
}

bool FleetEngine::start(JobIndex job, SiteIndex site, std::uint8_t mode) {
  site = placed(job, site);
  require(job, site, mode);
  JobStatus& status = status_of_[job];
  if (status.phase != JobPhase::Waiting || nodes(job, mode) > states_[site].nodes_free ||
      !open_for(job, site, mode, nodes(job, mode)))
    return false;
  if (status.site != site) {
    if (options_.move_delay > Duration{}) return false;
    ++counts_.moves;
    tell(FleetEventKind::Moving, job, site);
  }
  forget_plan(job);
  if (status.in_line) leave_line(job);
  hold(job, site, mode);
  return true;
}

void FleetEngine::plan(JobIndex job, std::span<const control::PlannedRun> runs) {
  CARNOT_CHECK(!runs.empty(), "a plan has a run");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    require(job, runs[i].site, runs[i].mode);
    CARNOT_CHECK(runs[i].from < runs[i].to && (i == 0 || runs[i - 1].to <= runs[i].from),
                 "runs of a plan are in order and disjoint");
  }
  forget_plan(job);
  Run& run = runs_[job];
  const auto size = static_cast<std::uint32_t>(runs.size());
  if (run.plan_room < size) {
    run.plan_begin = static_cast<std::uint32_t>(plans_.size());
    run.plan_room = std::bit_ceil(size);
    plans_.resize(plans_.size() + run.plan_room);
  }
  std::copy(runs.begin(), runs.end(), plans_.begin() + run.plan_begin);
  if (hands_ != nullptr)
    for (std::uint32_t i = 0; i < size; ++i) {
      SiteIndex& site = plans_[run.plan_begin + i].site;
      site = hands_->place(job, site);
    }
  run.plan_size = size;
  run.plan_at = 0;
  while (run.plan_at + 1 < size && planned(job).to <= now_) ++run.plan_at;
  if (planned(job).from <= now_) {
    begin_run(job);
  } else {
    withdraw(job);
    schedule(planned(job).from, Kind::RunBegins, job, run.planned);
  }
}

const control::PlannedRun& FleetEngine::planned(JobIndex job) const {
  return plans_[runs_[job].plan_begin + runs_[job].plan_at];
}

void FleetEngine::begin_run(JobIndex job) {
  const Run& run = runs_[job];
  const JobStatus& status = status_of_[job];
  const control::PlannedRun next = planned(job);
  if (run.plan_at + 1 < run.plan_size) schedule(next.to, Kind::RunEnds, job, run.planned);
  const bool here = (status.phase == JobPhase::Running || status.phase == JobPhase::Starting) &&
                    status.site == next.site && status.mode != next.mode;
  if (!here || !resize(job, next.mode)) want(job, next.site, next.mode);
}

void FleetEngine::end_run(JobIndex job) {
  Run& run = runs_[job];
  ++run.plan_at;
  const Instant from = planned(job).from;
  if (from <= now_) return begin_run(job);
  withdraw(job);
  schedule(from, Kind::RunBegins, job, run.planned);
}

void FleetEngine::suspend(JobIndex job) {
  require(job, status_of_[job].site, status_of_[job].mode);
  forget_plan(job);
  withdraw(job);
}

void FleetEngine::drop(JobIndex job) {
  CARNOT_CHECK(status_of_[job].phase == JobPhase::Waiting, "a job that is dropped waits");
  forget_plan(job);
  withdraw(job);
  waiting_.erase(job);
  set_phase(job, JobPhase::Dropped);
  ++counts_.dropped;
  tell(FleetEventKind::Dropped, job, status_of_[job].site);
  if (linked()) is_over(job, false);
}

void FleetEngine::wake_at(Instant when) { schedule(std::max(when, now_), Kind::Tick, 0); }

void FleetEngine::command_battery(SiteIndex site, control::BatteryCommand command) {
  CARNOT_CHECK(site < states_.size(), "a command names a site that exists");
  meters_[site].command_battery(now_, command);
  tell(FleetEventKind::Battery, JobIndex::none(), site, 0, static_cast<std::uint8_t>(command));
}

}  // namespace carnot::simulate
