// SPDX-License-Identifier: Apache-2.0
// Jobs that wait for other jobs, and tasks that wait for their turn.
#include <algorithm>

#include "carnot/base/error.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

void FleetEngine::read_links() {
  const JobLinks& links = workload_.links;
  // A real fleet's own scheduler holds its jobs: the book hears of those that may run.
  if (hands_ != nullptr || (links.dependencies.empty() && links.at_once.empty())) return;
  holds_.resize(workload_.size());
  successors_at_.assign(workload_.size() + 1, 0);
  for (const JobDependency& d : links.dependencies) {
    ++holds_[d.job].open;
    ++successors_at_[d.predecessor + 1];
  }
  for (std::size_t j = 1; j < successors_at_.size(); ++j)
    successors_at_[j] += successors_at_[j - 1];
  successors_.resize(links.dependencies.size());
  std::vector<std::uint32_t> at(successors_at_.begin(), successors_at_.end() - 1);
  for (std::uint32_t d = 0; d < links.dependencies.size(); ++d)
    successors_[at[links.dependencies[d].predecessor]++] = d;
  arrays_.resize(links.at_once.size());
  turns_.resize(links.at_once.size());
}

Instant FleetEngine::eligible_at(JobIndex job) const {
  return linked() && holds_[job].released ? Instant::from_unix_nanoseconds(holds_[job].eligible)
                                          : arrival(job);
}

void FleetEngine::hold_or_tell(JobIndex job) {
  Hold& hold = holds_[job];
  hold.arrived = true;
  hold.until = std::max(hold.until, now_.unix_nanoseconds());
  consider(job);
}

/// Lets a job go that waits for nothing any more.
void FleetEngine::consider(JobIndex job) {
  Hold& hold = holds_[job];
  if (!hold.arrived || hold.released || status_of_[job].phase != JobPhase::Pending) return;
  if (hold.never) return cancel(job);
  if (hold.open > 0) return;
  if (hold.until > now_.unix_nanoseconds()) {
    schedule(Instant::from_unix_nanoseconds(hold.until), Kind::Release, job);
    return;
  }
  hold.released = true;
  hold.eligible = now_.unix_nanoseconds();
  if (!workload_.links.of_array(job)) return tell_policy(job);
  const std::uint32_t array = workload_.links.array[job];
  if (arrays_[array].under_way == workload_.links.at_once[array]) {
    turns_[array].push_back(job);
    return;
  }
  ++arrays_[array].under_way;
  tell_policy(job);
}

void FleetEngine::tell_policy(JobIndex job) {
  holds_[job].eligible = now_.unix_nanoseconds();
  wait(job);
  policy_.arrived(world(), job);
}

void FleetEngine::cancel(JobIndex job) {
  set_phase(job, JobPhase::Dropped);
  ++counts_.cancelled;
  tell(FleetEventKind::Cancelled, job, status_of_[job].site);
  is_over(job, false);
}

// Told later: a policy may be in the midst of a command.
void FleetEngine::began(JobIndex job) {
  holds_[job].begun = true;
  news_.push_back({job, true, true});
}
/// \param well  it ended well: not failed, not cancelled, not dropped
void FleetEngine::is_over(JobIndex job, bool well) { news_.push_back({job, false, well}); }

void FleetEngine::settle() {
  for (std::size_t i = 0; i < news_.size(); ++i) {
    const News news = news_[i];
    spread(news.job, news.begins, news.well);
  }
  news_.clear();
}

void FleetEngine::spread(JobIndex job, bool begins, bool well) {
  if (begins) {
    for (std::uint32_t i = successors_at_[job]; i < successors_at_[job + 1]; ++i) {
      const JobDependency& link = workload_.links.dependencies[successors_[i]];
      if (link.kind == DependencyKind::AfterStart) meet(link, true);
    }
    return;
  }
  for (std::uint32_t i = successors_at_[job]; i < successors_at_[job + 1]; ++i) {
    const JobDependency& link = workload_.links.dependencies[successors_[i]];
    switch (link.kind) {
      case DependencyKind::AfterOk:
        meet(link, well);
        break;
      case DependencyKind::AfterNotOk:
        meet(link, !well);
        break;
      case DependencyKind::AfterAny:
        meet(link, true);
        break;
      case DependencyKind::AfterStart:
        if (!holds_[job].begun) meet(link, true);
        break;
    }
  }
  // Its place in the array goes to the next.
  if (!workload_.links.of_array(job) || !holds_[job].released) return;
  const std::uint32_t array = workload_.links.array[job];
  Array& of = arrays_[array];
  --of.under_way;
  if (of.next == turns_[array].size()) return;
  ++of.under_way;
  tell_policy(static_cast<JobIndex>(turns_[array][of.next++]));
}

void FleetEngine::meet(const JobDependency& link, bool possible) {
  Hold& hold = holds_[link.job];
  --hold.open;
  hold.never = hold.never || !possible;
  hold.until = std::max(hold.until, (now_ + link.delay).unix_nanoseconds());
  consider(static_cast<JobIndex>(link.job));
}

}  // namespace carnot::simulate
