// SPDX-License-Identifier: Apache-2.0
#include "plan/search/workflow_state.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

WorkflowState::WorkflowState(const Problem& problem)
    : problem_(problem),
      any_(problem.workflow.any()),
      depth_(problem.jobs.size()),
      before_(problem.jobs.size()),
      after_(problem.jobs.size()),
      array_(problem.jobs.size(), kNone) {
  if (!any_) {
    order_.resize(problem.jobs.size());
    std::iota(order_.begin(), order_.end(), 0U);
    return;
  }
  order_ = in_order(problem);
  const PlanWorkflow& workflow = problem.workflow;
  for (std::uint32_t d = 0; d < workflow.dependencies.size(); ++d) {
    before_[workflow.dependencies[d].job].push_back(d);
    after_[workflow.dependencies[d].predecessor].push_back(d);
  }
  for (const std::uint32_t j : order_)
    for (const std::uint32_t d : before_[j])
      depth_[j] = std::max(depth_[j], depth_[workflow.dependencies[d].predecessor] + 1);
  for (std::uint32_t a = 0; a < workflow.arrays.size(); ++a)
    for (const std::uint32_t j : workflow.arrays[a].jobs) array_[j] = a;
  clear();
}

void WorkflowState::clear() {
  if (!any_) return;
  turns_.assign(problem_.workflow.arrays.size(),
                std::vector<std::int32_t>(static_cast<std::size_t>(problem_.slots)));
  if (!problem_.workflow.nodes.empty())
    on_nodes_.assign(problem_.sites.size() * static_cast<std::size_t>(problem_.slots), {});
}

const NodeNeed* WorkflowState::need(std::size_t job, std::uint32_t mode) const {
  const auto at = problem_.workflow.needs.find(static_cast<std::uint32_t>(job));
  return at == problem_.workflow.needs.end() ? nullptr : &at->second[mode];
}

void WorkflowState::put(std::size_t job, const JobRun& run) {
  if (!any_ || run.assignment.site == kNone) return;
  const Assignment& a = run.assignment;
  if (array_[job] != kNone)
    for (const std::int32_t t : a.slots) ++turns_[array_[job]][static_cast<std::size_t>(t)];
  if (const NodeNeed* takes = on_nodes_.empty() ? nullptr : need(job, a.mode))
    for (std::size_t i = 0; i < a.slots.size(); ++i)
      on_nodes_[cell(run.schedule.sites.empty() ? a.site : run.schedule.sites[i], a.slots[i])]
          .push_back(takes);
}

void WorkflowState::take(std::size_t job, const JobRun& run) {
  if (!any_ || run.assignment.site == kNone) return;
  const Assignment& a = run.assignment;
  if (array_[job] != kNone)
    for (const std::int32_t t : a.slots) --turns_[array_[job]][static_cast<std::size_t>(t)];
  if (const NodeNeed* takes = on_nodes_.empty() ? nullptr : need(job, a.mode))
    for (std::size_t i = 0; i < a.slots.size(); ++i) {
      auto& of =
          on_nodes_[cell(run.schedule.sites.empty() ? a.site : run.schedule.sites[i], a.slots[i])];
      of.erase(std::find(of.begin(), of.end(), takes));
    }
}

std::int32_t WorkflowState::begins(std::size_t job, const JobRun& run) const {
  const Assignment& a = run.assignment;
  const JobTerms* terms = problem_.terms_of(job);
  const std::uint32_t origin = problem_.jobs.origin(job);
  if (terms == nullptr || terms->data_gb == 0 || origin == kNone || origin == a.site)
    return a.slots.front();
  return a.slots.front() -
         transfer_slots(problem_.network, terms->data_gb, problem_.slot_s, problem_.slots);
}

WorkflowState::Window WorkflowState::window(std::size_t job, const std::vector<JobRun>& runs) {
  asked_ = job;
  Window out{problem_.jobs.release(job), problem_.jobs.deadline(job), problem_.slots, true, true};
  for (const std::uint32_t i : before_[job]) {
    const PlanDependency& d = problem_.workflow.dependencies[i];
    const Assignment& a = runs[d.predecessor].assignment;
    if (a.site == kNone) {
      out.may_run = out.may_run && d.kind != AfterKind::Ok;
      continue;
    }
    out.from =
        std::max(out.from, d.delay_slots +
                               (d.kind == AfterKind::Start ? a.slots.front() : a.slots.back() + 1));
  }
  for (const std::uint32_t i : after_[job]) {
    const PlanDependency& d = problem_.workflow.dependencies[i];
    const JobRun& run = runs[d.job];
    if (run.assignment.site == kNone) continue;
    if (d.kind == AfterKind::Ok) out.may_drop = false;
    const std::int32_t latest = begins(d.job, run) - d.delay_slots;
    if (d.kind == AfterKind::Start)
      out.start_by = std::min(out.start_by, latest);
    else
      out.to = std::min(out.to, latest);
  }
  return out;
}

bool WorkflowState::allows(std::size_t job, const JobRun& run, const std::vector<JobRun>& runs) {
  if (!any_) return true;
  const Window w = window(job, runs);
  const Assignment& a = run.assignment;
  if (a.site == kNone) return w.may_drop;
  if (!w.may_run || begins(job, run) < w.from || a.slots.back() >= w.to ||
      a.slots.front() > w.start_by)
    return false;
  for (std::size_t i = 0; i < a.slots.size(); ++i)
    if (!open(cell(run.schedule.sites.empty() ? a.site : run.schedule.sites[i], a.slots[i]),
              a.mode))
      return false;
  return true;
}

bool WorkflowState::open(std::size_t at, std::uint32_t mode) const {
  const std::size_t slot = at % static_cast<std::size_t>(problem_.slots);
  const std::uint32_t array = array_[asked_];
  if (array != kNone && turns_[array][slot] >= problem_.workflow.arrays[array].at_once)
    return false;
  if (on_nodes_.empty()) return true;
  const NodeNeed* takes = need(asked_, mode);
  const PlanNodes& nodes = problem_.workflow.nodes[at / static_cast<std::size_t>(problem_.slots)];
  if (takes == nullptr || nodes.open.empty()) return true;
  std::vector<const NodeNeed*> all = on_nodes_[at];
  all.push_back(takes);
  return pack(nodes.node, nodes.open[slot], std::move(all));
}

std::vector<std::size_t> WorkflowState::kin(const RandomStream& draw, std::size_t most) const {
  std::vector<std::size_t> out{draw.below(200, depth_.size())};
  for (std::uint64_t n = 0; n < 4 * most && out.size() < most; ++n) {
    const std::size_t at = out[draw.below(201 + 2 * n, out.size())];
    const std::size_t ways = before_[at].size() + after_[at].size();
    if (ways == 0) break;
    const std::size_t way = draw.below(202 + 2 * n, ways);
    const std::size_t next =
        way < before_[at].size()
            ? problem_.workflow.dependencies[before_[at][way]].predecessor
            : problem_.workflow.dependencies[after_[at][way - before_[at].size()]].job;
    if (std::find(out.begin(), out.end(), next) == out.end()) out.push_back(next);
  }
  return out;
}

std::vector<RunRow> workflow_rows(const Problem& problem, const WorkflowState& state,
                                  const std::vector<std::vector<JobRun>>& runs) {
  std::vector<RunRow> out;
  const PlanWorkflow& workflow = problem.workflow;
  const auto runs_at_all = [](const JobRun& run) { return run.assignment.site != kNone; };
  for (const PlanDependency& d : workflow.dependencies)
    for (std::int32_t t = 0; t < problem.slots; ++t) {
      // Who has begun by slot t is behind a predecessor that was over, or had begun, in time.
      RunRow row{-kInfinity, d.kind == AfterKind::Ok ? 0.0 : 1.0, {}};
      for (std::size_t k = 0; k < runs[d.job].size(); ++k)
        if (const JobRun& run = runs[d.job][k]; runs_at_all(run) && state.begins(d.job, run) <= t)
          row.terms.push_back({d.job, k, 1.0});
      if (row.terms.empty()) continue;
      for (std::size_t k = 0; k < runs[d.predecessor].size(); ++k) {
        const JobRun& run = runs[d.predecessor][k];
        if (!runs_at_all(run)) continue;
        const std::vector<std::int32_t>& slots = run.assignment.slots;
        const bool in_time =
            d.delay_slots + (d.kind == AfterKind::Start ? slots.front() : slots.back() + 1) <= t;
        if (d.kind == AfterKind::Ok && in_time) row.terms.push_back({d.predecessor, k, -1.0});
        if (d.kind != AfterKind::Ok && !in_time) row.terms.push_back({d.predecessor, k, 1.0});
      }
      out.push_back(std::move(row));
    }
  for (const PlanArray& array : workflow.arrays)
    for (std::int32_t t = 0; t < problem.slots; ++t) {
      RunRow row{-kInfinity, static_cast<double>(array.at_once), {}};
      for (const std::uint32_t j : array.jobs)
        for (std::size_t k = 0; k < runs[j].size(); ++k) {
          const std::vector<std::int32_t>& slots = runs[j][k].assignment.slots;
          if (std::binary_search(slots.begin(), slots.end(), t)) row.terms.push_back({j, k, 1.0});
        }
      if (!row.terms.empty()) out.push_back(std::move(row));
    }
  for (std::uint32_t s = 0; s < workflow.nodes.size(); ++s) {
    const PlanNodes& nodes = workflow.nodes[s];
    if (nodes.open.empty()) continue;
    for (std::int32_t t = 0; t < problem.slots; ++t) {
      const double open = nodes.open[static_cast<std::size_t>(t)];
      for (const auto of : {&NodeShape::cores, &NodeShape::memory_gb, &NodeShape::gpus}) {
        if (!std::isfinite(nodes.node.*of)) continue;
        RunRow row{-kInfinity, open * (nodes.node.*of), {}};
        for (const auto& [j, needs] : workflow.needs)
          for (std::size_t k = 0; k < runs[j].size(); ++k) {
            const JobRun& run = runs[j][k];
            const Assignment& a = run.assignment;
            for (std::size_t i = 0; i < a.slots.size(); ++i)
              if (a.slots[i] == t &&
                  (run.schedule.sites.empty() ? a.site : run.schedule.sites[i]) == s &&
                  needs[a.mode].each.*of > 0)
                row.terms.push_back({j, k, needs[a.mode].nodes * (needs[a.mode].each.*of)});
          }
        if (!row.terms.empty()) out.push_back(std::move(row));
      }
    }
  }
  return out;
}

}  // namespace carnot::plan
