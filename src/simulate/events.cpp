// SPDX-License-Identifier: Apache-2.0
// What happens when.
#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

namespace {

constexpr Duration kGrace = Duration::seconds(30 * 86400);  // of jobs that nobody starts

}  // namespace

FleetEngine::FleetEngine(const FleetScenario& scenario, const Workload& workload,
                         const FleetOptions& options, control::Policy& policy, FleetHands* hands)
    : scenario_(scenario),
      workload_(workload),
      options_(options),
      policy_(policy),
      hands_(hands),
      calls_(options.calls),
      knowledge_(policy.knowledge()),
      failures_(options.seed, "node failures"),
      status_of_(workload.size()),
      runs_(workload.size()),
      lines_(scenario.sites.size()),
      holders_(scenario.sites.size()),
      finished_at_(scenario.sites.size()),
      waiting_(workload.size()) {
  now_ = begin_ = options.begin;
  delays_ = {options.start_delay, options.stop_delay, options.move_delay};
  first_node_.push_back(0);
  for (const FleetSite& site : scenario.sites) {
    const auto nodes = static_cast<std::int32_t>(site.hall.nodes);
    control::SiteState& state = states_.emplace_back();
    state.name = site.name;
    state.nodes = state.nodes_up = state.nodes_free = nodes;
    state.node_peak = site.hall.node_peak;
    state.node_idle = site.hall.node_idle;
    state.grid_limit = Power::from_base(kInfinity);
    if (site.computing_uses == site::ComputingUses::Curtailed)
      state.export_first = site.export_limit;
    idle_mw_.push_back(std::llround(site.hall.node_idle.in(1e-3 * watt)));
    broken_mw_.push_back(std::llround(site.hall.node_suspended.in(1e-3 * watt)));
    meters_.emplace_back(scenario, site, begin_);
    signals_.emplace_back(scenario, site);
    first_node_.push_back(first_node_.back() + static_cast<std::uint32_t>(nodes));
  }
  lives_.resize(first_node_.back());
  closing_.resize(states_.size());
  closed_.resize(states_.size());
  read_links();
  sites_ = states_;
  status_ = status_of_;
  mode_sets_ = workload.mode_sets;
  for (SiteIndex s = 0; s < states_.size(); ++s)
    change_load(s, states_[s].nodes * idle_mw_[s], states_[s].nodes * idle_mw_[s], 0);
  show_weather();
}

void FleetEngine::tell(FleetEventKind kind, JobIndex job, SiteIndex site, std::int32_t nodes,
                       std::uint8_t mode) {
  if (sink_) sink_({now_, kind, mode, nodes, job, site});
}

bool FleetEngine::lively(Kind kind) noexcept {
  return kind <= Kind::MoveEnds || kind == Kind::RunEnds || kind == Kind::RunBegins ||
         kind == Kind::Release || kind == Kind::ClosureEnds;
}

void FleetEngine::schedule(Instant at, Kind kind, std::uint32_t subject, std::uint32_t version) {
  lively_ += lively(kind);
  queue_.push_back({at.unix_nanoseconds(),
                    static_cast<std::uint64_t>(kind) << 56 | counts_.scheduled++, subject,
                    version});
  std::push_heap(queue_.begin(), queue_.end(), std::greater<>{});
}

void FleetEngine::show_weather() {
  const std::int64_t start = scenario_.series_start.unix_nanoseconds();
  const Duration since = now_ - scenario_.series_start;
  step_end_ = start + (since / scenario_.step + 1) * scenario_.step.nanoseconds();
  for (SiteIndex s = 0; s < states_.size(); ++s) {
    const FleetSite& site = scenario_.sites[s];
    const std::size_t i = meters_[s].step_at(now_);
    control::SiteState& state = states_[s];
    state.price = site.price[i];
    state.carbon = site.carbon[i];
    state.outside = site.outside[i];
    state.own = own_for_computing(site, i);
    state.total = site.own.empty() ? Power{} : max(site.own[i], Power{});
    state.standby =
        site.hall.facility_power(site.hall.nodes * site.hall.node_suspended, site.outside[i]);
    state.pue = site.hall.pue(site.outside[i], 1.0);
    state.facility = meters_[s].facility(now_);
  }
}

void FleetEngine::pass_time(Instant to) {
  now_ = to;
  if (now_.unix_nanoseconds() >= step_end_) show_weather();
}

bool FleetEngine::over(std::int64_t next) const noexcept {
  if (counts_.finished + counts_.dropped + counts_.cancelled == runs_.size()) return true;
  return arrived_count_ == runs_.size() && lively_ == 0 &&
         next > last_lively_ + kGrace.nanoseconds();
}

void FleetEngine::finish() {
  if (options_.until > Duration{}) now_ = begin_ + options_.until;
  for (SiteMeter& meter : meters_) meter.advance(now_);
  over_ = true;
  tell(FleetEventKind::Ended, JobIndex::none(), SiteIndex::none());
}

bool FleetEngine::step() {
  if (over_) return false;
  if (!begun_) {
    begun_ = true;
    for (std::uint32_t node = 0; node < lives_.size(); ++node) schedule_failure(node);
    for (std::uint32_t c = 0; c < options_.calls.size(); ++c)
      schedule(options_.calls[c].at, Kind::CallBegins, c);
    for (std::uint32_t c = 0; c < options_.closures.size(); ++c)
      schedule(options_.closures[c].from, Kind::ClosureBegins, c);
    policy_.begin(world());
    serve();
  }
  for (;;) {
    const bool arrival_left = arrived_count_ < runs_.size();
    const std::int64_t at =
        arrival_left ? (begin_ + workload_.jobs[arrived_count_].arrival).unix_nanoseconds() : 0;
    const bool arrives =
        arrival_left && (queue_.empty() || at < queue_.front().at ||
                         (at == queue_.front().at && queue_.front().kind() > Kind::Arrival));
    if (!arrives && queue_.empty()) return finish(), false;
    const std::int64_t next = arrives ? at : queue_.front().at;
    if (over(next) ||
        (options_.until > Duration{} && next > (begin_ + options_.until).unix_nanoseconds()))
      return finish(), false;
    if (arrives) {
      pass_time(Instant::from_unix_nanoseconds(at));
      last_lively_ = at;
      arrive(static_cast<JobIndex>(arrived_count_));
    } else {
      const std::optional<Event> event = take_event();
      if (!event) continue;
      if (lively(event->kind())) last_lively_ = next;
      pass_time(Instant::from_unix_nanoseconds(next));
      handle(*event);
    }
    ++counts_.events;
    do {
      settle();
      serve();
    } while (!news_.empty());
    return true;
  }
}

std::optional<FleetEngine::Event> FleetEngine::take_event() {
  std::pop_heap(queue_.begin(), queue_.end(), std::greater<>{});
  const Event event = queue_.back();
  queue_.pop_back();
  if (lively(event.kind())) {
    --lively_;
    if (event.kind() == Kind::Release || event.kind() == Kind::ClosureEnds) return event;
    const Run& run = runs_[event.subject];
    const bool of_plan = event.kind() == Kind::RunEnds || event.kind() == Kind::RunBegins;
    if (event.version != (of_plan ? run.planned : run.phase)) return std::nullopt;
  }
  return event;
}

void FleetEngine::handle(const Event& event) {
  switch (event.kind()) {
    case Kind::JobEnds:
      return end_job(event.subject);
    case Kind::StopEnds:
      return stopped(event.subject);
    case Kind::StartEnds:
      return begin_work(event.subject);
    case Kind::MoveEnds:
      return end_move(event.subject);
    case Kind::NodeMended:
      return mend_node(event.subject);
    case Kind::NodeBreaks:
      return break_node(event.subject);
    case Kind::RunEnds:
      return end_run(event.subject);
    case Kind::RunBegins:
      return begin_run(event.subject);
    case Kind::CallBegins:
    case Kind::CallEnds:
      return handle_call(event);
    case Kind::Release:
      return consider(event.subject);
    case Kind::ClosureBegins:
      return begin_closure(event.subject);
    case Kind::ClosureEnds:
      return end_closure(event.subject);
    case Kind::Tick:
      return policy_.tick(world());
    case Kind::Arrival:
      break;  // not in the queue
  }
}

void FleetEngine::handle_call(const Event& event) {
  const control::ReserveCall call = calls_[event.subject];
  const auto index = static_cast<std::int32_t>(event.subject);
  if (event.kind() == Kind::CallBegins) {
    meters_[call.site].begin_call(now_, call);
    tell(FleetEventKind::Called, JobIndex::none(), call.site, index);
    schedule(call.at + call.length, Kind::CallEnds, event.subject);
    policy_.reserve_called(world(), call);
  } else {
    meters_[call.site].end_call(now_);
    tell(FleetEventKind::CallEnded, JobIndex::none(), call.site, index);
    policy_.reserve_ended(world(), call);
  }
}

// Whoever stands first in a line takes its nodes as soon as they are free.
void FleetEngine::serve() {
  while (!unserved_.empty()) {
    const auto least = std::min_element(unserved_.begin(), unserved_.end());
    const SiteIndex site = *least;
    std::erase(unserved_, site);
    for (JobIndex job = lines_[site].first; job != JobIndex::none(); job = lines_[site].first) {
      const std::uint8_t mode = runs_[job].wanted_mode;
      if (nodes(job, mode) > states_[site].nodes_free) break;
      if (!open_for(job, site, mode, nodes(job, mode))) break;
      unlink(lines_[site], job);
      status_of_[job].in_line = false;
      states_[site].nodes_due -= nodes(job, mode);
      hold(job, site, mode);
    }
  }
}

// --- nodes that break ---

SiteIndex FleetEngine::site_of_node(std::uint32_t node) const noexcept {
  const auto above = std::upper_bound(first_node_.begin(), first_node_.end(), node);
  return static_cast<SiteIndex>(above - first_node_.begin() - 1);
}

void FleetEngine::schedule_failure(std::uint32_t node) {
  const FailureOptions& f = options_.failures;
  if (f.mean_up <= Time{}) return;
  // Inverse of the Weibull distribution function.
  const double scale = f.mean_up.in(second) / std::tgamma(1.0 + 1.0 / f.shape);
  const double u = failures_.child(node).uniform(lives_[node]);
  const double seconds = scale * std::pow(-std::log1p(-u), 1.0 / f.shape);
  constexpr double kFar = 1e9;  // 30 years
  schedule(now_ + Duration::from(std::min(seconds, kFar) * second), Kind::NodeBreaks, node);
}

void FleetEngine::break_node(std::uint32_t node) {
  const SiteIndex site = site_of_node(node);
  control::SiteState& state = states_[site];
  if (state.nodes_up == 0) {  // all are closed: a node that is off does not break
    ++lives_[node];
    return schedule_failure(node);
  }
  // Which of the nodes that are up it is: that of a job, or a free one.
  const std::uint64_t hit = failures_.child(node).child(1).below(
      lives_[node], static_cast<std::uint64_t>(state.nodes_up));
  std::uint64_t counted = 0;
  JobIndex victim = holders_[site].first;
  for (; victim != JobIndex::none(); victim = runs_[victim].next) {
    counted += static_cast<std::uint64_t>(nodes(victim, status_of_[victim].mode));
    if (hit < counted) break;
  }
  ++counts_.failures;
  if (victim != JobIndex::none()) kill(victim);
  --state.nodes_up;
  --state.nodes_free;
  const std::int64_t more = broken_mw_[site] - idle_mw_[site];
  change_load(site, more, more, 0);
  tell(FleetEventKind::Broke, JobIndex::none(), site);
  schedule(now_ + Duration::from(options_.failures.repair), Kind::NodeMended, node);
  if (victim != JobIndex::none()) policy_.failed(world(), victim);
  policy_.site_changed(world(), site);
}

void FleetEngine::mend_node(std::uint32_t node) {
  const SiteIndex site = site_of_node(node);
  ++states_[site].nodes_up;
  ++states_[site].nodes_free;
  const std::int64_t less = idle_mw_[site] - broken_mw_[site];
  change_load(site, less, less, 0);
  tell(FleetEventKind::Mended, JobIndex::none(), site);
  if (closing_[site] > closed_[site]) close_nodes(site, 1);
  unserved_.push_back(site);
  ++lives_[node];
  schedule_failure(node);
  policy_.site_changed(world(), site);
}

}  // namespace carnot::simulate
