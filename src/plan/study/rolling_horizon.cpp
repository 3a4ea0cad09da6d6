// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/rolling_horizon.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::plan {

Replanner::Replanner(double slot_s, double carbon_price_eur_per_t, ReplanOptions options)
    : slot_s_(slot_s), carbon_price_(carbon_price_eur_per_t), options_(std::move(options)) {}

std::size_t Replanner::add(const PlanJobs& jobs, std::size_t job, bool may_move) {
  std::vector<PlanMode> modes;
  for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i)
    modes.push_back(jobs.mode(i));
  const auto* sites = jobs.sites(job);
  const auto* row = jobs.move_row(job);
  jobs_.add(jobs.id(job), jobs.release(job), jobs.deadline(job), jobs.value(job), modes,
            jobs.origin(job), jobs.move_flat(job), sites ? *sites : std::vector<std::uint32_t>{},
            row ? *row : std::vector<double>{});
  standing_.emplace_back();
  decided_.emplace_back();
  may_move_.push_back(may_move);
  open_.push_back(static_cast<std::uint32_t>(jobs_.size() - 1));
  return jobs_.size() - 1;
}

void Replanner::complete(std::size_t job) {
  JobStanding& x = standing_.at(job);
  if (x.stage == JobStage::Finished || x.stage == JobStage::Dropped) return;
  x.stage = JobStage::Finished;
  x.slots_left = 0;
  open_.erase(std::lower_bound(open_.begin(), open_.end(), job));
}

// Slots that a job can still run in.
std::int32_t Replanner::window(std::size_t job) const {
  const std::int64_t from = std::max<std::int64_t>(jobs_.release(job), now_);
  return static_cast<std::int32_t>(std::max<std::int64_t>(jobs_.deadline(job) - from, 0));
}

// Slots that it needs at least.
std::int32_t Replanner::least_slots(std::size_t job) const {
  if (standing_[job].stage == JobStage::Started) return standing_[job].slots_left;
  std::int32_t least = std::numeric_limits<std::int32_t>::max();
  for (std::size_t i = jobs_.mode_begin(job); i < jobs_.mode_end(job); ++i)
    least = std::min(least, jobs_.mode(i).slots);
  return least;
}

void Replanner::drop_what_cannot_be_done() {
  std::erase_if(open_, [&](std::uint32_t j) {
    if (least_slots(j) <= window(j)) return false;
    standing_[j].stage = JobStage::Dropped;
    ++dropped_now_;
    dropped_eur_ += jobs_.value(j);
    return true;
  });
}

// A job as it is now: what has started has one mode left, and is where it is.
void Replanner::add_open(Problem& problem, std::size_t job) {
  const JobStanding& x = standing_[job];
  const std::int32_t room = window(job);
  std::vector<PlanMode> modes;
  std::vector<std::uint32_t>& which = modes_.emplace_back();
  const std::size_t first = jobs_.mode_begin(job);
  if (x.stage == JobStage::Started) {
    modes.push_back({x.slots_left, jobs_.mode(first + x.mode).power_kw, 0.0});
    which.push_back(x.mode);
  } else {
    for (std::size_t i = first; i < jobs_.mode_end(job); ++i)
      if (jobs_.mode(i).slots <= room) {
        modes.push_back(jobs_.mode(i));
        which.push_back(static_cast<std::uint32_t>(i - first));
      }
  }
  const auto* allowed = jobs_.sites(job);
  const auto* row = jobs_.move_row(job);
  std::vector<std::uint32_t> sites = allowed ? *allowed : std::vector<std::uint32_t>{};
  std::vector<double> moves = row ? *row : std::vector<double>{};
  std::uint32_t origin = jobs_.origin(job);
  double flat = jobs_.move_flat(job);
  if (x.stage == JobStage::Started) {
    origin = x.site;
    if (!moves.empty()) moves[x.site] = 0;
    if (!may_move_[job]) {
      sites = {x.site};
      moves.clear();
      flat = 0;
    }
  }
  const auto deadline = static_cast<std::int32_t>(jobs_.deadline(job) - now_);
  problem.jobs.add(jobs_.id(job), deadline - room, deadline, jobs_.value(job), modes, origin, flat,
                   sites, moves);
}

Problem Replanner::problem_now(const std::vector<PlanSite>& forecast) {
  Problem problem;
  problem.slot_s = slot_s_;
  problem.carbon_price_eur_per_t = carbon_price_;
  problem.sites = forecast;
  std::size_t length = std::numeric_limits<std::size_t>::max();
  for (const PlanSite& site : forecast)
    for (const auto* series : {&site.capacity_kw, &site.pue, &site.free_kw, &site.price_eur_per_kwh,
                               &site.carbon_g_per_kwh, &site.grid_limit_kw})
      length = std::min(length, series->size());
  problem.slots = static_cast<std::int32_t>(forecast.empty() ? 0 : length);
  modes_.clear();
  problem.jobs.reserve(open_.size(), 3 * open_.size());
  for (const std::uint32_t j : open_) {
    if (jobs_.deadline(j) - now_ > problem.slots)
      throw InputError(fmt::format("forecast: at least {} slots, to the deadline of job {}, not {}",
                                   jobs_.deadline(j) - now_, jobs_.id(j), problem.slots));
    add_open(problem, j);
  }
  return problem;
}

const Plan& Replanner::plan(const std::vector<PlanSite>& forecast) {
  drop_what_cannot_be_done();
  const Problem problem = problem_now(forecast);
  PlannerOptions options = options_.planner;
  if (options_.warm && last_) {
    // The old prices, moved on; new slots at what grid power costs.
    const auto slots = static_cast<std::size_t>(problem.slots);
    const auto passed = static_cast<std::size_t>(now_ - planned_at_);
    const std::size_t before = last_->price.size() / problem.sites.size();
    options.start_price.clear();
    for (std::size_t s = 0; s < problem.sites.size(); ++s)
      for (std::size_t t = 0; t < slots; ++t)
        options.start_price.push_back(
            t + passed < before ? last_->price[s * before + t + passed]
                                : std::max(0.0, problem.grid_cost(s, t) * forecast[s].pue[t]));
    for (std::size_t n = 0; n < open_.size(); ++n) {
      Assignment a = decided_[open_[n]];
      const auto there = std::find(modes_[n].begin(), modes_[n].end(), a.mode);
      if (there == modes_[n].end()) a.site = kNone;
      a.mode = static_cast<std::uint32_t>(there - modes_[n].begin());
      for (std::int32_t& t : a.slots) t -= static_cast<std::int32_t>(now_);
      options.start_plan.push_back(std::move(a));
    }
  }
  last_ = plan_large(problem, options);
  planned_at_ = now_;
  for (std::size_t n = 0; n < open_.size(); ++n) {
    Assignment a = last_->jobs[n];
    if (a.site != kNone) a.mode = modes_[n][a.mode];
    for (std::int32_t& t : a.slots) t += static_cast<std::int32_t>(now_);
    decided_[open_[n]] = std::move(a);
  }
  return *last_;
}

// A slot of work done.
void Replanner::ran(std::size_t job, SlotReport& report) {
  JobStanding& x = standing_[job];
  Assignment& a = decided_[job];
  const PlanMode& mode = jobs_.mode(jobs_.mode_begin(job) + a.mode);
  ++report.running;
  if (x.stage == JobStage::Waiting) {
    x = {JobStage::Started, a.site, a.mode, 0, mode.slots};
    ++report.started;
    report.quality_eur += mode.quality_eur;
    report.move_eur += jobs_.move_eur(job, a.site);
  } else if (x.site != a.site) {
    const auto* row = jobs_.move_row(job);
    report.move_eur += row ? (*row)[a.site] : jobs_.move_flat(job);
    x.site = a.site;
  }
  a.slots.erase(a.slots.begin());
  ++x.slots_done;
  if (--x.slots_left > 0) return;
  x.stage = JobStage::Finished;
  ++report.finished;
}

// It runs in the next slot that it has not, if there is one.
void Replanner::stopped(std::size_t job, SlotReport& report) {
  ++report.stopped;
  Assignment& a = decided_[job];
  a.slots.erase(a.slots.begin());
  auto next = static_cast<std::int32_t>(now_ + 1);
  std::size_t at = 0;
  while (at < a.slots.size() && a.slots[at] == next) ++at, ++next;
  if (next < jobs_.deadline(job))
    a.slots.insert(a.slots.begin() + static_cast<std::ptrdiff_t>(at), next);
}

void Replanner::run_site(const PlanSite& actual, std::vector<std::uint32_t>& jobs,
                         SlotReport& report) {
  const std::size_t parts = actual.free_kw.size();
  double most = kInfinity;
  for (std::size_t i = 0; i < parts; ++i)
    most = std::min({most, actual.capacity_kw[i],
                     (actual.free_kw[i] + actual.grid_limit_kw[i]) / actual.pue[i]});
  // Those with least time to spare first.
  std::sort(jobs.begin(), jobs.end(), [&](std::uint32_t a, std::uint32_t b) {
    const auto spare = [&](std::uint32_t j) {
      return window(j) - static_cast<std::int32_t>(decided_[j].slots.size());
    };
    return std::pair(spare(a), a) < std::pair(spare(b), b);
  });
  double load = 0;
  for (const std::uint32_t j : jobs) {
    const double power = jobs_.mode(jobs_.mode_begin(j) + decided_[j].mode).power_kw;
    if (load + power > most * (1 + 1e-9)) {
      stopped(j, report);
    } else {
      load += power;
      ran(j, report);
    }
  }
  const double hours = slot_s_ / 3600.0 / static_cast<double>(parts);
  for (std::size_t i = 0; i < parts; ++i) {
    const double facility = load * actual.pue[i];
    const double cost =
        actual.price_eur_per_kwh[i] + 1e-6 * carbon_price_ * actual.carbon_g_per_kwh[i];
    const double grid = cost >= 0 ? std::max(0.0, facility - actual.free_kw[i])
                                  : std::min(facility, actual.grid_limit_kw[i]);
    report.grid_kwh += grid * hours;
    report.own_kwh += (facility - grid) * hours;
    report.carbon_g += grid * hours * actual.carbon_g_per_kwh[i];
    report.grid_eur += grid * hours * cost;
  }
}

SlotReport Replanner::run(const std::vector<PlanSite>& actual) {
  SlotReport report;
  report.slot = now_;
  std::vector<std::vector<std::uint32_t>> at(actual.size());
  for (const std::uint32_t j : open_) {
    const Assignment& a = decided_[j];
    if (a.site != kNone && !a.slots.empty() && a.slots.front() == now_) at.at(a.site).push_back(j);
  }
  for (std::size_t s = 0; s < actual.size(); ++s) run_site(actual[s], at[s], report);
  std::erase_if(open_, [&](std::uint32_t j) { return standing_[j].stage == JobStage::Finished; });
  ++now_;
  drop_what_cannot_be_done();
  report.dropped = std::exchange(dropped_now_, 0);
  report.dropped_eur = std::exchange(dropped_eur_, 0.0);
  return report;
}

}  // namespace carnot::plan
