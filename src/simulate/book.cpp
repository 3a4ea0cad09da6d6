// SPDX-License-Identifier: Apache-2.0
// What a real fleet reports.
#include <algorithm>

#include "carnot/base/error.hpp"
#include "carnot/simulate/fleet_book.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

void FleetEngine::begin() {
  CARNOT_CHECK(!begun_, "a book is begun once");
  begun_ = true;
  policy_.begin(world());
  serve();
}

std::optional<Instant> FleetEngine::next() const {
  if (queue_.empty()) return std::nullopt;
  return Instant::from_unix_nanoseconds(queue_.front().at);
}

void FleetEngine::advance(Instant to) {
  CARNOT_CHECK(begun_ && to >= now_, "the time of a book goes on");
  while (!queue_.empty() && queue_.front().at <= to.unix_nanoseconds()) {
    const std::optional<Event> event = take_event();
    if (!event) continue;
    pass_time(std::max(now_, Instant::from_unix_nanoseconds(event->at)));
    handle(*event);
    ++counts_.events;
    serve();
  }
  pass_time(to);
}

void FleetEngine::add_job() {
  const std::size_t jobs = runs_.size() + 1;
  CARNOT_CHECK(workload_.size() >= jobs && workload_.length.size() >= jobs,
               "a job that arrives stands in the workload");
  CARNOT_CHECK(begin_ + workload_.jobs[jobs - 1].arrival <= now_, "a job arrives in the past");
  runs_.emplace_back();
  status_of_.emplace_back();
  if ((jobs & (jobs - 1)) == 0) {  // the set has room for twice as many, seldom made anew
    OrderedSet more(2 * jobs);
    for (JobIndex j = waiting_.from(0); j != JobIndex::none(); j = waiting_.from(j + 1))
      more.insert(j);
    waiting_ = std::move(more);
  }
  status_ = status_of_;
  mode_sets_ = workload_.mode_sets;
  arrive(static_cast<JobIndex>(arrived_count_));
  serve();
}

void FleetEngine::started(JobIndex job) {
  JobStatus& status = status_of_[job];
  if (status.phase != JobPhase::Starting) return;
  const SiteIndex site = status.site;
  const std::int32_t n = nodes(job, status.mode);
  change_load(site, n * (node_mw(job, site, status.mode) - idle_mw_[site]), -n * idle_mw_[site], n);
  tell(FleetEventKind::Started, job, site, n, status.mode);
  ++counts_.starts;
  Run& run = runs_[job];
  if (!run.started) {
    run.started = true;
    status.first_start = now_;
  }
  begin_work(job);
  serve();
}

void FleetEngine::took(JobIndex job, SiteIndex site) {
  JobStatus& status = status_of_[job];
  if (status.phase != JobPhase::Waiting) return;
  forget_plan(job);
  if (status.in_line) leave_line(job);
  hold(job, site, status.mode);
  started(job);
}

// Work done counts as saved: nobody can tell from outside.
void FleetEngine::ended(JobIndex job) {
  if (status_of_[job].phase == JobPhase::Waiting) took(job, status_of_[job].site);
  if (status_of_[job].phase == JobPhase::Starting) started(job);
  if (!holds_nodes(job)) return;
  forget_plan(job);
  const std::int64_t done = worked(job, false);
  runs_[job].wants = false;
  release(job);
  runs_[job].base = runs_[job].safe = done;
  set_phase(job, JobPhase::Finished);
  ++counts_.finished;
  ++finished_at_[status_of_[job].site];
  const Duration allowed = workload_.jobs[job].allowed;
  if (allowed != kNoDeadline && now_ - arrival(job) > allowed) ++counts_.late;
  tell(FleetEventKind::Finished, job, status_of_[job].site);
  policy_.finished(world(), job);
  serve();
}

void FleetEngine::cancelled(JobIndex job) {
  const JobPhase phase = status_of_[job].phase;
  if (phase == JobPhase::Finished || phase == JobPhase::Dropped) return;
  forget_plan(job);
  if (status_of_[job].in_line) leave_line(job);
  runs_[job].wants = false;
  if (holds_nodes(job)) give_back(job);
  waiting_.erase(job);
  set_phase(job, JobPhase::Dropped);
  ++counts_.dropped;
  tell(FleetEventKind::Dropped, job, status_of_[job].site);
  policy_.finished(world(), job);
  serve();
}

// Of a real job: it goes on until it is reported to have stopped.
void FleetEngine::order_stop(JobIndex job) {
  const JobStatus& status = status_of_[job];
  Run& run = runs_[job];
  if (status.phase == JobPhase::Running) {
    if (!hands_->may_stop(job)) {
      run.wants = true;
      run.wanted_site = status.site;
      run.wanted_mode = status.mode;
      return;
    }
    ++counts_.suspensions;
    const std::int64_t done = worked(job, false);
    run.safe = run.base = done;
    set_phase(job, JobPhase::Stopping);
    tell(FleetEventKind::Stopping, job, status.site, nodes(job, status.mode), status.mode);
    return;
  }
  // It was asked to start and has not been seen to: the order is taken back.
  give_back(job);
  if (run.wants) want(job, run.wanted_site, run.wanted_mode);
}

void FleetEngine::give_back(JobIndex job) {
  const bool drew = status_of_[job].phase != JobPhase::Starting;
  release(job);
  wait(job);
  if (drew) tell(FleetEventKind::Stopped, job, status_of_[job].site);
}

void FleetEngine::stopped_by_hands(JobIndex job, StopCause cause) {
  if (!holds_nodes(job)) return;
  Run& run = runs_[job];
  const JobStatus& status = status_of_[job];
  const SiteIndex site = status.site;
  switch (cause) {
    case StopCause::Ordered:
      if (status.phase == JobPhase::Running) run.safe = run.base = worked(job, false);
      give_back(job);
      if (run.wants) want(job, run.wanted_site, run.wanted_mode);
      break;
    case StopCause::Lost: {
      ++counts_.kills;
      if (status.phase == JobPhase::Running) run.safe = run.base = worked(job, true);
      give_back(job);
      if (run.wants && run.wanted_site == site)
        join_line(job, true);
      else if (run.wants)
        want(job, run.wanted_site, run.wanted_mode);
      policy_.failed(world(), job);
      break;
    }
    case StopCause::Refused:
      if (status.phase == JobPhase::Running) run.safe = run.base = worked(job, false);
      give_back(job);
      break;
  }
  serve();
}

void FleetEngine::retry(JobIndex job) {
  const Run& run = runs_[job];
  const JobStatus& status = status_of_[job];
  if (status.phase != JobPhase::Waiting || status.in_line || !run.wants) return;
  want(job, run.wanted_site, run.wanted_mode);
  serve();
}

void FleetEngine::keeps_running(JobIndex job) {
  if (status_of_[job].phase != JobPhase::Stopping) return;
  Run& run = runs_[job];
  forget_plan(job);
  run.wants = true;
  run.wanted_site = status_of_[job].site;
  run.wanted_mode = status_of_[job].mode;
  const std::int64_t since = status_of_[job].since.unix_nanoseconds();
  set_phase(job, JobPhase::Running);
  run.working_since = since;  // it has worked all the while
}

void FleetEngine::set_nodes_up(SiteIndex site, std::int32_t nodes) {
  control::SiteState& state = states_[site];
  nodes = std::clamp(nodes, 0, state.nodes);
  const std::int32_t more = nodes - state.nodes_up;
  if (more == 0) return;
  state.nodes_up += more;
  state.nodes_free += more;
  const std::int64_t mw = more * (idle_mw_[site] - broken_mw_[site]);
  change_load(site, mw, mw, 0);
  for (std::int32_t i = 0; i < std::abs(more); ++i)
    tell(more > 0 ? FleetEventKind::Mended : FleetEventKind::Broke, JobIndex::none(), site);
  unserved_.push_back(site);
  policy_.site_changed(world(), site);
  serve();
}

void FleetEngine::add_call(const control::ReserveCall& call) {
  calls_.push_back(call);
  schedule(std::max(call.at, now_), Kind::CallBegins,
           static_cast<std::uint32_t>(calls_.size() - 1));
}

void FleetEngine::run_all(SiteIndex site) {
  for (JobIndex job = first_waiting(); job != JobIndex::none();) {
    const JobIndex after = next_waiting(job);
    if (!status_of_[job].in_line && status_of_[job].site == site)
      submit(job, status_of_[job].site, status_of_[job].mode);
    job = after;
  }
  serve();
}

std::optional<control::PlannedRun> FleetEngine::planned_run(JobIndex job) const {
  if (runs_[job].plan_size == 0) return std::nullopt;
  return planned(job);
}

// --- the face ---

namespace {

FleetEngine* checked_engine(const FleetScenario& scenario, const Workload& workload,
                            const FleetOptions& options, control::Policy& policy,
                            FleetHands& hands) {
  const control::Knowledge knows = policy.knowledge();
  if (knows.future || knows.lengths)
    throw InputError("policy `" + std::string(policy.name()) +
                     "`: one that knows neither the future nor lengths; nobody does, outside a "
                     "simulation");
  CARNOT_CHECK(workload.size() == 0, "jobs of a book arrive later");
  FleetSimulation check(scenario, workload, options, policy);
  return new FleetEngine(scenario, workload, options, policy, &hands);
}

}  // namespace

FleetBook::FleetBook(const FleetScenario& scenario, const Workload& workload,
                     const FleetOptions& options, control::Policy& policy, FleetHands& hands)
    : engine_(checked_engine(scenario, workload, options, policy, hands)) {}
FleetBook::~FleetBook() = default;
void FleetBook::watch(std::function<void(const FleetEvent&)> sink) {
  engine_->watch(std::move(sink));
}
void FleetBook::begin() { engine_->begin(); }
void FleetBook::advance(Instant to) { engine_->advance(to); }
std::optional<Instant> FleetBook::next() const { return engine_->next(); }
Instant FleetBook::now() const noexcept { return engine_->now(); }
const control::View& FleetBook::view() const noexcept { return *engine_; }
void FleetBook::arrived() { engine_->add_job(); }
void FleetBook::started(JobIndex job) { engine_->started(job); }
void FleetBook::ended(JobIndex job) { engine_->ended(job); }
void FleetBook::cancelled(JobIndex job) { engine_->cancelled(job); }
void FleetBook::stopped(JobIndex job, StopCause cause) { engine_->stopped_by_hands(job, cause); }
void FleetBook::retry(JobIndex job) { engine_->retry(job); }
void FleetBook::took(JobIndex job, SiteIndex site) { engine_->took(job, site); }
void FleetBook::keeps_running(JobIndex job) { engine_->keeps_running(job); }
void FleetBook::set_nodes_up(SiteIndex site, std::int32_t nodes) {
  engine_->set_nodes_up(site, nodes);
}
void FleetBook::call(const control::ReserveCall& call) { engine_->add_call(call); }
void FleetBook::run_all(SiteIndex site) { engine_->run_all(site); }
void FleetBook::signals_changed() { engine_->signals_changed(); }
std::optional<control::PlannedRun> FleetBook::planned_run(JobIndex job) const {
  return engine_->planned_run(job);
}
bool FleetBook::wants(JobIndex job) const { return engine_->wants(job); }
FleetResult FleetBook::result() const { return engine_->result(engine_->now()); }

}  // namespace carnot::simulate
