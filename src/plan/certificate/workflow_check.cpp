// SPDX-License-Identifier: Apache-2.0
#include "plan/certificate/workflow_check.hpp"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

#include "plan/certificate/terms.hpp"

namespace carnot::plan {

namespace {

constexpr double kFit = 1e-9;
constexpr long kTries = 2'000'000;

/// First and last slot of a job that is done, and the slot in which it begins to carry its data.
struct Span {
  std::int32_t first, last, begin;
};

Span span_of(const Problem& problem, const Plan& plan, std::uint32_t j) {
  const Assignment& a = plan.jobs[j];
  Span out{a.slots.front(), a.slots.back(), a.slots.front()};
  const JobTerms* terms = problem.terms_of(j);
  const std::uint32_t origin = problem.jobs.origin(j);
  if (terms != nullptr && terms->data_gb > 0 && origin != kNone && origin != a.site)
    out.begin -= carriage(problem, *terms).slots;
  return out;
}

/// Nodes of a site in a slot, filled job by job; every way is tried until one is found.
class Nodes {
 public:
  Nodes(const NodeShape& node, std::size_t open, std::vector<const NodeNeed*> needs)
      : node_(node), load_(open, NodeShape{}), needs_(std::move(needs)) {
    std::stable_sort(needs_.begin(), needs_.end(),
                     [&](const NodeNeed* a, const NodeNeed* b) { return weight(*a) > weight(*b); });
  }
  bool hold_all() { return put(0, 0, 0); }

 private:
  double weight(const NodeNeed& need) const {
    double most = 0;
    for (const auto& [is, of] :
         {std::pair(need.each.cores, node_.cores), std::pair(need.each.memory_gb, node_.memory_gb),
          std::pair(need.each.gpus, node_.gpus)})
      if (is > 0) most = std::max(most, is / of);
    return most;
  }
  bool put(std::size_t k, std::int32_t placed, std::size_t from) {
    if (k == needs_.size()) return true;
    if (tries_-- <= 0) return false;
    if (placed == needs_[k]->nodes) return put(k + 1, 0, 0);
    const NodeShape& each = needs_[k]->each;
    for (std::size_t n = from; n < load_.size(); ++n) {
      const NodeShape was = load_[n];
      // Nodes that hold the same are the same.
      if (n > from && load_[n - 1] == was) continue;
      const NodeShape now{was.cores + each.cores, was.memory_gb + each.memory_gb,
                          was.gpus + each.gpus};
      if (now.cores > node_.cores * (1 + kFit) || now.memory_gb > node_.memory_gb * (1 + kFit) ||
          now.gpus > node_.gpus * (1 + kFit))
        continue;
      load_[n] = now;
      if (put(k, placed + 1, n + 1)) return true;
      load_[n] = was;
    }
    return false;
  }

  const NodeShape& node_;
  std::vector<NodeShape> load_;
  std::vector<const NodeNeed*> needs_;
  long tries_ = kTries;
};

void check_dependencies(const Problem& problem, const Plan& plan, std::vector<std::string>& out) {
  for (const PlanDependency& d : problem.workflow.dependencies) {
    if (plan.jobs[d.job].slots.empty()) continue;
    const auto say = [&](std::string_view what) {
      out.push_back(fmt::format("job {}: {} {} {}: {}", problem.jobs.id(d.job), to_text(d.kind),
                                problem.jobs.id(d.predecessor),
                                d.delay_slots > 0 ? fmt::format("and {} slots", d.delay_slots) : "",
                                what));
    };
    if (plan.jobs[d.predecessor].slots.empty()) {
      if (d.kind == AfterKind::Ok) say("that is not done");
      continue;
    }
    const Span job = span_of(problem, plan, d.job);
    const Span before = span_of(problem, plan, d.predecessor);
    const std::int32_t earliest =
        (d.kind == AfterKind::Start ? before.first : before.last + 1) + d.delay_slots;
    if (job.begin < earliest)
      say(fmt::format("begins in slot {}, not before {} allowed", job.begin, earliest));
  }
}

void check_arrays(const Problem& problem, const Plan& plan, std::vector<std::string>& out) {
  for (const PlanArray& array : problem.workflow.arrays) {
    std::map<std::int32_t, std::int32_t> running;
    for (const std::uint32_t j : array.jobs)
      for (const std::int32_t t : plan.jobs[j].slots) ++running[t];
    for (const auto& [t, tasks] : running)
      if (tasks > array.at_once)
        out.push_back(fmt::format("array {} slot {}: {} tasks run, at most {} may", array.name, t,
                                  tasks, array.at_once));
  }
}

void check_nodes(const Problem& problem, const Plan& plan, std::vector<std::string>& out) {
  std::map<std::pair<std::uint32_t, std::int32_t>, std::vector<const NodeNeed*>> running;
  for (const auto& [j, needs] : problem.workflow.needs) {
    const Assignment& a = plan.jobs[j];
    const auto at = plan.schedules.find(j);
    if (a.mode >= needs.size()) continue;
    for (std::size_t i = 0; i < a.slots.size(); ++i) {
      const bool moves = at != plan.schedules.end() && i < at->second.sites.size();
      running[{moves ? at->second.sites[i] : a.site, a.slots[i]}].push_back(&needs[a.mode]);
    }
  }
  for (const auto& [cell, needs] : running) {
    const auto& [s, t] = cell;
    if (s >= problem.workflow.nodes.size() || t < 0 || t >= problem.slots) continue;
    const PlanNodes& nodes = problem.workflow.nodes[s];
    if (nodes.open.empty()) continue;
    const auto open = nodes.open[static_cast<std::size_t>(t)];
    if (!Nodes(nodes.node, static_cast<std::size_t>(open), needs).hold_all())
      out.push_back(fmt::format("site {} slot {}: {} jobs do not fit onto its {} nodes", s, t,
                                needs.size(), open));
  }
}

}  // namespace

std::vector<std::string> check_workflow(const Problem& problem, const Plan& plan) {
  std::vector<std::string> out;
  if (plan.jobs.size() != problem.jobs.size()) return out;  // said already
  check_dependencies(problem, plan, out);
  check_arrays(problem, plan, out);
  if (!problem.workflow.nodes.empty()) check_nodes(problem, plan, out);
  return out;
}

// Over and over until nothing changes: slow, and plainly right.
Problem with_later_releases(const Problem& problem) {
  Problem out = problem;
  const PlanJobs& jobs = out.jobs;
  for (bool changed = true; changed;) {
    changed = false;
    for (const PlanDependency& d : problem.workflow.dependencies) {
      if (d.kind != AfterKind::Ok) continue;  // a dropped predecessor would set it free
      std::int64_t fastest = problem.slots;
      for (std::size_t i = jobs.mode_begin(d.predecessor); i < jobs.mode_end(d.predecessor); ++i) {
        const JobTerms* terms = problem.terms_of(d.predecessor);
        std::int32_t step = 1, work = jobs.mode(i).slots;
        if (terms != nullptr) {
          work *= terms->speed_parts;
          step = terms->speed_parts;
          for (std::size_t m = 0; m < terms->levels.size(); ++m)
            for (const PlanLevel& level : terms->levels[m]) step = std::max(step, level.parts);
        }
        fastest = std::min<std::int64_t>(fastest, (work + step - 1) / step);
      }
      const std::int64_t from = std::min<std::int64_t>(
          jobs.release(d.predecessor) + fastest + d.delay_slots, jobs.deadline(d.job));
      if (from <= jobs.release(d.job)) continue;
      out.jobs.narrow(d.job, static_cast<std::int32_t>(from));
      changed = true;
    }
  }
  return out;
}

}  // namespace carnot::plan
