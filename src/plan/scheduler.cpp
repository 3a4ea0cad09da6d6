// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/scheduler.hpp"

#include <algorithm>
#include <cstring>

#include "carnot/base/error.hpp"

namespace carnot::plan {

double SignalView::at(Instant when) const noexcept {
  const std::int64_t i = (when - start) / step;
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  return mean[static_cast<std::size_t>(std::clamp<std::int64_t>(i, 0, last))];
}

double SignalView::integral_to(Instant when) const noexcept {
  const auto last = static_cast<std::int64_t>(mean.size()) - 1;
  const auto i = static_cast<std::size_t>(std::clamp<std::int64_t>((when - start) / step, 0, last));
  const Instant edge = start + step * static_cast<std::int64_t>(i);
  return sum[i] + mean[i] * (when - edge).time().in(second);
}

double SignalView::integral(Instant from, Instant to) const noexcept {
  return integral_to(to) - integral_to(from);
}

void Scheduler::reserve_called(FleetControl& fleet, const ReserveCall& call) {
  const SiteState& site = fleet.sites()[call.site];
  if (!call.down) {
    const Power before = site.facility;
    JobIndex job = fleet.first_waiting();
    while (job != kNowhere && site.facility - before < call.power) {
      const JobIndex next = fleet.next_waiting(job);
      fleet.start(job, call.site);
      job = next;
    }
    return;
  }
  std::vector<JobIndex> running;
  for (JobIndex job = fleet.first_running(call.site); job != kNowhere;
       job = fleet.next_running(job))
    if (fleet.status(job).phase == JobPhase::Running && fleet.request(job).stoppable)
      running.push_back(job);
  Power shed;  // once their state is saved
  for (std::size_t i = running.size(); i-- > 0 && shed < call.power;) {
    const JobIndex job = running[i];
    const std::uint8_t mode = fleet.status(job).mode;
    shed += site.pue * fleet.nodes(job, mode) *
            max(Power{}, fleet.node_power(job, call.site, mode) - site.node_idle);
    fleet.suspend(job);
    held_back_.push_back(job);
  }
}

void Scheduler::reserve_ended(FleetControl& fleet, const ReserveCall& call) {
  const auto here = [&](JobIndex job) { return fleet.status(job).site == call.site; };
  for (const JobIndex job : held_back_) {
    const JobStatus& status = fleet.status(job);
    if (here(job) && status.phase == JobPhase::Waiting && !status.in_line)
      fleet.submit(job, call.site, status.mode);
  }
  std::erase_if(held_back_, here);
}

std::vector<std::uint8_t> Scheduler::save() const {
  std::vector<std::uint8_t> bytes(held_back_.size() * sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(bytes.data(), held_back_.data(), bytes.size());
  return bytes;
}

void Scheduler::restore(std::span<const std::uint8_t> bytes) {
  if (bytes.size() % sizeof(JobIndex) != 0)
    throw InputError("a scheduler's state: whole numbers of jobs");
  held_back_.resize(bytes.size() / sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(held_back_.data(), bytes.data(), bytes.size());
}

namespace {

/// Each job into the line of the site it was sent to.
class NoWait final : public Scheduler {
 public:
  std::string_view name() const noexcept override { return "no-wait"; }
  void arrived(FleetControl& fleet, JobIndex job) override {
    fleet.submit(job, fleet.request(job).origin);
  }
};

struct Known {
  std::string_view name;
  std::unique_ptr<Scheduler> (*make)(const SchedulerOptions&);
};

constexpr Known kKnown[] = {
    {"no-wait",
     [](const SchedulerOptions&) -> std::unique_ptr<Scheduler> {
       return std::make_unique<NoWait>();
     }},
};

}  // namespace

std::vector<std::string> scheduler_names() {
  std::vector<std::string> names;
  for (const Known& known : kKnown) names.emplace_back(known.name);
  return names;
}

std::unique_ptr<Scheduler> make_scheduler(std::string_view name, const SchedulerOptions& options) {
  for (const Known& known : kKnown)
    if (known.name == name) return known.make(options);
  const std::vector<std::string> names = scheduler_names();
  std::string allowed;
  for (const std::string& one : names) allowed += (allowed.empty() ? "" : ", ") + one;
  const std::string near = nearest(name, names);
  throw InputError("policy `" + std::string(name) + "`: one of " + allowed +
                   (near.empty() ? "" : "; did you mean `" + near + "`?"));
}

}  // namespace carnot::plan
