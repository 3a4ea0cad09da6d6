// SPDX-License-Identifier: Apache-2.0
#include "carnot/control/policy.hpp"

#include <cstring>

#include "carnot/base/error.hpp"

namespace carnot::control {

void Policy::reserve_called(const World& world, const ReserveCall& call) {
  const View& view = world.view;
  const SiteState& site = view.sites()[call.site];
  if (!call.down) {
    const Power before = site.facility;
    JobIndex job = view.first_waiting();
    while (job != JobIndex::none() && site.facility - before < call.power) {
      const JobIndex next = view.next_waiting(job);
      world.commands.start(job, call.site);
      job = next;
    }
    return;
  }
  std::vector<JobIndex> running;
  for (JobIndex job = view.first_running(call.site); job != JobIndex::none();
       job = view.next_running(job))
    if (view.status(job).phase == JobPhase::Running && view.request(job).stoppable)
      running.push_back(job);
  Power shed;  // once their state is saved
  for (std::size_t i = running.size(); i-- > 0 && shed < call.power;) {
    const JobIndex job = running[i];
    const std::uint8_t mode = view.status(job).mode;
    shed += site.pue * view.nodes(job, mode) *
            max(Power{}, view.node_power(job, call.site, mode) - site.node_idle);
    world.commands.suspend(job);
    held_back_.push_back(job);
  }
}

void Policy::reserve_ended(const World& world, const ReserveCall& call) {
  const auto here = [&](JobIndex job) { return world.view.status(job).site == call.site; };
  for (const JobIndex job : held_back_) {
    const JobStatus& status = world.view.status(job);
    if (here(job) && status.phase == JobPhase::Waiting && !status.in_line)
      world.commands.submit(job, call.site, status.mode);
  }
  std::erase_if(held_back_, here);
}

void Policy::save(StateWriter& state) const {
  std::vector<std::uint8_t> bytes(held_back_.size() * sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(bytes.data(), held_back_.data(), bytes.size());
  state.sequence(bytes);
}

void Policy::restore(StateReader& state) {
  const std::vector<std::uint8_t> bytes = state.sequence<std::uint8_t>();
  if (bytes.size() % sizeof(JobIndex) != 0)
    throw InputError("a policy's state: whole numbers of jobs");
  held_back_.resize(bytes.size() / sizeof(JobIndex));
  if (!bytes.empty()) std::memcpy(held_back_.data(), bytes.data(), bytes.size());
}

}  // namespace carnot::control
