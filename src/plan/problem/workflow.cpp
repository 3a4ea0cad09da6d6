// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/workflow.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

namespace {

constexpr double kFits = 1e-9;    // by which sums on a node may pass what it has, relative
constexpr int kSteps = 20'000;    // of trying all ways
constexpr std::size_t kFew = 14;  // items

struct Item {
  const NodeNeed* need;
  double size;
};

bool fits(const NodeShape& used, const NodeShape& more, const NodeShape& node) {
  const auto in = [](double a, double b, double most) { return a + b <= most * (1 + kFits); };
  return in(used.cores, more.cores, node.cores) &&
         in(used.memory_gb, more.memory_gb, node.memory_gb) && in(used.gpus, more.gpus, node.gpus);
}
void add(NodeShape& to, const NodeShape& more, double sign) {
  to.cores += sign * more.cores;
  to.memory_gb += sign * more.memory_gb;
  to.gpus += sign * more.gpus;
}

/// Depth first: the items of one job go to different nodes, in their order; of empty nodes only the
/// first is tried.
class AllWays {
 public:
  AllWays(const NodeShape& node, std::int32_t open, const std::vector<Item>& items)
      : node_(node), used_(static_cast<std::size_t>(open)), busy_(used_.size()), items_(items) {}
  bool any() { return next(0, 0, 0); }

 private:
  bool next(std::size_t item, std::int32_t done, std::size_t from) {
    if (item == items_.size()) return true;
    if (--left_ < 0) return false;
    const NodeNeed& need = *items_[item].need;
    if (done == need.nodes) return next(item + 1, 0, 0);
    for (std::size_t n = from; n < used_.size(); ++n) {
      if (!fits(used_[n], need.each, node_)) continue;
      const bool fresh = busy_[n] == 0;
      ++busy_[n];
      add(used_[n], need.each, 1);
      if (next(item, done + 1, n + 1)) return true;
      add(used_[n], need.each, -1);
      if (--busy_[n] == 0) used_[n] = {};
      if (fresh) break;
    }
    return false;
  }

  const NodeShape& node_;
  std::vector<NodeShape> used_;
  std::vector<int> busy_;
  const std::vector<Item>& items_;
  int left_ = kSteps;
};

bool first_fit(const NodeShape& node, std::int32_t open, const std::vector<Item>& items) {
  std::vector<NodeShape> used(static_cast<std::size_t>(open));
  for (const Item& item : items) {
    std::int32_t left = item.need->nodes;
    for (std::size_t n = 0; n < used.size() && left > 0; ++n)
      if (fits(used[n], item.need->each, node)) {
        add(used[n], item.need->each, 1);
        --left;
      }
    if (left > 0) return false;
  }
  return true;
}

/// Least slots from a job's begin to its end.
std::int32_t least_slots(const Problem& problem, std::size_t job) {
  const JobTerms* terms = problem.terms_of(job);
  std::int32_t least = problem.slots;
  for (std::size_t i = problem.jobs.mode_begin(job); i < problem.jobs.mode_end(job); ++i) {
    std::int32_t parts = 1, fastest = 1;
    if (terms != nullptr) {
      parts = fastest = terms->speed_parts;
      if (!terms->levels.empty())
        for (const PlanLevel& level : terms->levels[i - problem.jobs.mode_begin(job)])
          fastest = std::max(fastest, level.parts);
    }
    const std::int64_t work = std::int64_t{problem.jobs.mode(i).slots} * parts;
    least = std::min(least, static_cast<std::int32_t>((work + fastest - 1) / fastest));
  }
  return least;
}

}  // namespace

std::string_view to_text(AfterKind kind) noexcept {
  return kind == AfterKind::Ok ? "after-ok" : kind == AfterKind::Any ? "after-any" : "after-start";
}

std::vector<std::uint32_t> in_order(const Problem& problem) {
  const std::vector<PlanDependency>& all = problem.workflow.dependencies;
  const std::size_t jobs = problem.jobs.size();
  std::vector<int> open(jobs);
  std::vector<std::vector<std::uint32_t>> successors(jobs);
  for (const PlanDependency& d : all) {
    ++open[d.job];
    successors[d.predecessor].push_back(d.job);
  }
  std::vector<std::uint32_t> out;
  for (std::uint32_t j = 0; j < jobs; ++j)
    if (open[j] == 0) out.push_back(j);
  for (std::size_t i = 0; i < out.size(); ++i)
    for (const std::uint32_t j : successors[out[i]])
      if (--open[j] == 0) out.push_back(j);
  if (out.size() == jobs) return out;
  // Whoever is left waits for somebody left: going back from any of them ends in a circle.
  std::vector<std::uint32_t> before(jobs, kNone);
  for (const PlanDependency& d : all)
    if (open[d.job] > 0 && open[d.predecessor] > 0) before[d.job] = d.predecessor;
  std::uint32_t at = 0;
  while (before[at] == kNone) ++at;
  for (std::size_t n = 0; n < jobs; ++n) at = before[at];
  std::vector<std::string_view> names{problem.jobs.id(at)};
  for (std::uint32_t j = before[at]; j != at; j = before[j]) names.push_back(problem.jobs.id(j));
  names.push_back(problem.jobs.id(at));
  throw InputError(
      fmt::format("no job that waits for itself in the end: {}", fmt::join(names, " waits for ")));
}

Problem narrowed(const Problem& problem) {
  Problem out = problem;
  const std::vector<PlanDependency>& all = problem.workflow.dependencies;
  if (all.empty()) return out;
  for (const std::uint32_t j : in_order(problem)) {
    std::int32_t from = out.jobs.release(j);
    auto at = std::lower_bound(all.begin(), all.end(), j,
                               [](const PlanDependency& d, std::uint32_t k) { return d.job < k; });
    for (; at != all.end() && at->job == j; ++at)
      if (at->kind == AfterKind::Ok)  // else a dropped predecessor sets it free
        from = std::max(from, std::min(problem.slots, out.jobs.release(at->predecessor) +
                                                          least_slots(problem, at->predecessor) +
                                                          at->delay_slots));
    out.jobs.narrow(j, std::min(from, out.jobs.deadline(j)));
  }
  return out;
}

bool pack(const NodeShape& node, std::int32_t open, std::vector<const NodeNeed*> needs) {
  std::vector<Item> items;
  std::size_t all = 0;
  const auto share = [](double x, double of) { return x == 0 ? 0.0 : x / of; };
  for (const NodeNeed* need : needs) {
    if (need->nodes > open || !fits({}, need->each, node)) return false;
    items.push_back({need, std::max({share(need->each.cores, node.cores),
                                     share(need->each.memory_gb, node.memory_gb),
                                     share(need->each.gpus, node.gpus)})});
    all += static_cast<std::size_t>(need->nodes);
  }
  std::stable_sort(items.begin(), items.end(),
                   [](const Item& a, const Item& b) { return a.size > b.size; });
  if (first_fit(node, open, items)) return true;
  return all <= kFew && AllWays(node, open, items).any();
}

std::vector<HeldBack> held_back(const Problem& problem, const Plan& plan) {
  std::vector<HeldBack> out;
  for (const PlanDependency& d : problem.workflow.dependencies)
    if (d.kind == AfterKind::Ok && plan.jobs[d.job].site == kNone &&
        plan.jobs[d.predecessor].site == kNone && (out.empty() || out.back().job != d.job))
      out.push_back({d.job, d.predecessor});
  return out;
}

}  // namespace carnot::plan
