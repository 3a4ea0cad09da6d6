// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "carnot/base/error.hpp"
#include "carnot/base/hash.hpp"
#include "carnot/base/state_bytes.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

// Numbers that tell one simulation from another: who resumes with other inputs is told.
std::vector<std::uint64_t> FleetEngine::fingerprint() const {
  std::uint64_t jobs = 0;
  for (std::size_t j = 0; j < workload_.size(); ++j) {
    const JobRequest& r = workload_.jobs[j];
    for (const std::int64_t v :
         {r.arrival.nanoseconds(), workload_.length[j].nanoseconds(), r.allowed.nanoseconds(),
          static_cast<std::int64_t>(r.nodes), static_cast<std::int64_t>(r.origin)})
      jobs = 0x100000001b3 * (jobs ^ static_cast<std::uint64_t>(v));
  }
  for (const JobDependency& d : workload_.links.dependencies)
    for (const std::int64_t v :
         {static_cast<std::int64_t>(d.job), static_cast<std::int64_t>(d.predecessor),
          static_cast<std::int64_t>(d.kind), d.delay.nanoseconds()})
      jobs = 0x100000001b3 * (jobs ^ static_cast<std::uint64_t>(v));
  const std::uint64_t name = fnv1a(policy_.name(), 0);
  return {jobs,
          name,
          workload_.size(),
          states_.size(),
          lives_.size(),
          static_cast<std::uint64_t>(begin_.unix_nanoseconds()),
          static_cast<std::uint64_t>(options_.until.nanoseconds()),
          options_.calls.size(),
          options_.closures.size(),
          options_.seed};
}

std::vector<std::uint8_t> FleetEngine::save() const {
  StateWriter w;
  w.sequence(fingerprint());
  w.value(now_);
  w.value(counts_);
  w.value(lively_);
  w.value<std::uint64_t>(arrived_count_);
  w.value(last_lively_);
  w.value(begun_);
  w.value(over_);
  w.sequence(runs_);
  w.sequence(status_of_);
  w.sequence(plans_);
  w.sequence(lines_);
  w.sequence(holders_);
  w.sequence(finished_at_);
  w.sequence(lives_);
  w.sequence(queue_);
  w.sequence(holds_);
  w.sequence(arrays_);
  for (const std::vector<std::uint32_t>& turns : turns_) w.sequence(turns);
  w.sequence(closing_);
  w.sequence(closed_);
  for (SiteIndex s = 0; s < states_.size(); ++s) {
    const control::SiteState& state = states_[s];
    for (const std::int32_t v : {state.nodes_up, state.nodes_free, state.nodes_due,
                                 static_cast<std::int32_t>(state.running)})
      w.value(v);
    w.value(meters_[s].state());
    w.value(signals_[s].asked());
  }
  StateWriter policy;
  policy_.save(policy);
  w.sequence(policy.take());
  return w.take();
}

void FleetEngine::restore(const std::vector<std::uint8_t>& bytes) {
  StateReader r(bytes);
  if (r.sequence<std::uint64_t>() != fingerprint())
    throw InputError(
        "checkpoint: of another simulation (sites, jobs, policy, seed or times differ)");
  now_ = r.value<Instant>();
  counts_ = r.value<Counts>();
  lively_ = r.value<std::uint64_t>();
  arrived_count_ = static_cast<std::size_t>(r.value<std::uint64_t>());
  last_lively_ = r.value<std::int64_t>();
  begun_ = r.value<bool>();
  over_ = r.value<bool>();
  const auto fill = [&r](auto& into, std::size_t size) {
    into = r.sequence<typename std::decay_t<decltype(into)>::value_type>();
    if (into.size() != size) throw InputError("checkpoint: damaged");
  };
  fill(runs_, workload_.size());
  fill(status_of_, workload_.size());
  plans_ = r.sequence<control::PlannedRun>();
  fill(lines_, states_.size());
  fill(holders_, states_.size());
  fill(finished_at_, states_.size());
  fill(lives_, lives_.size());
  queue_ = r.sequence<Event>();
  fill(holds_, holds_.size());
  fill(arrays_, arrays_.size());
  for (std::vector<std::uint32_t>& turns : turns_) turns = r.sequence<std::uint32_t>();
  fill(closing_, states_.size());
  fill(closed_, states_.size());
  waiting_ = OrderedSet(workload_.size());
  for (JobIndex j = 0; j < status_of_.size(); ++j)
    if (status_of_[j].phase == JobPhase::Waiting) waiting_.insert(j);
  for (SiteIndex s = 0; s < states_.size(); ++s) {
    control::SiteState& state = states_[s];
    state.nodes_up = r.value<std::int32_t>();
    state.nodes_free = r.value<std::int32_t>();
    state.nodes_due = r.value<std::int32_t>();
    state.running = static_cast<std::uint32_t>(r.value<std::int32_t>());
    meters_[s].restore(r.value<SiteMeter::State>());
    state.it = 1e-3 * static_cast<double>(meters_[s].load().it_mw) * watt;
    signals_[s].resume(r.value<SiteSignals::Asked>(), now_);
  }
  const std::vector<std::uint8_t> of_policy = r.sequence<std::uint8_t>();
  StateReader policy(of_policy);
  policy_.restore(policy);
  policy.end();
  r.end();
  if (arrived_count_ > workload_.size()) throw InputError("checkpoint: damaged");
  arrived_ = std::span(workload_.jobs).first(arrived_count_);
  status_ = status_of_;
  show_weather();
}

}  // namespace carnot::simulate
