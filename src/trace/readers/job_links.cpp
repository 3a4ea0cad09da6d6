// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/job_links.hpp"

#include <algorithm>
#include <string>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "carnot/base/error.hpp"
#include "carnot/trace/readers/workload.hpp"

#include "trace/readers/workload_rows.hpp"

namespace carnot::inline trace {

namespace {

/// Jobs that go round in a circle, each waiting for the next.
std::vector<std::uint32_t> cycle_in(const Workload& workload, const std::vector<int>& waits_for) {
  std::vector<std::uint32_t> next(workload.size(), kNoArray);
  for (const JobDependency& d : workload.links.dependencies)
    if (waits_for[d.predecessor] > 0 && waits_for[d.job] > 0) next[d.job] = d.predecessor;
  std::uint32_t at = 0;
  while (next[at] == kNoArray) ++at;
  std::vector<bool> seen(workload.size());
  for (; !seen[at]; at = next[at]) seen[at] = true;
  std::vector<std::uint32_t> out;
  for (const std::uint32_t first = at; out.empty() || at != first; at = next[at]) out.push_back(at);
  return out;
}

/// The least time in which the job can be done.
Duration fastest(const Workload& workload, std::size_t job, Duration length) {
  double speed = 0.0;
  for (const JobMode& mode : workload.mode_sets[workload.jobs[job].modes])
    speed = std::max(speed, mode.speed);
  return speed == 1.0 ? length : Duration::from(length.time() / speed);
}

}  // namespace

std::string_view to_text(DependencyKind kind) noexcept {
  switch (kind) {
    case DependencyKind::AfterOk:
      return "after-ok";
    case DependencyKind::AfterAny:
      return "after-any";
    case DependencyKind::AfterNotOk:
      return "after-not-ok";
    case DependencyKind::AfterStart:
      break;
  }
  return "after-start";
}

std::vector<std::uint32_t> in_order_of_links(const Workload& workload) {
  const std::vector<JobDependency>& links = workload.links.dependencies;
  std::vector<int> waits_for(workload.size());
  std::vector<std::vector<std::uint32_t>> successors(workload.size());
  for (std::size_t i = 0; i < links.size(); ++i) {
    const JobDependency& d = links[i];
    if (d.job >= workload.size() || d.predecessor >= workload.size() || d.delay < Duration{} ||
        (i > 0 && links[i - 1].job > d.job))
      throw InputError("dependencies: of jobs that are there, ascending, delays >= 0");
    ++waits_for[d.job];
    successors[d.predecessor].push_back(d.job);
  }
  std::vector<std::uint32_t> out;
  out.reserve(workload.size());
  for (std::uint32_t j = 0; j < workload.size(); ++j)
    if (waits_for[j] == 0) out.push_back(j);
  for (std::size_t i = 0; i < out.size(); ++i)
    for (const std::uint32_t j : successors[out[i]])
      if (--waits_for[j] == 0) out.push_back(j);
  if (out.size() == workload.size()) return out;
  std::vector<std::uint32_t> round = cycle_in(workload, waits_for);
  round.push_back(round.front());
  for (std::uint32_t& job : round) ++job;
  throw InputError(
      fmt::format("dependencies: no job that waits for itself in the end: jobs {} (by arrival)",
                  fmt::join(round, " -> ")));
}

std::vector<bool> never_run(const Workload& workload) {
  std::vector<bool> out(workload.size());
  if (workload.links.dependencies.empty()) return out;
  const std::vector<JobDependency>& links = workload.links.dependencies;
  for (const std::uint32_t job : in_order_of_links(workload)) {
    auto at = std::lower_bound(links.begin(), links.end(), job,
                               [](const JobDependency& d, std::uint32_t j) { return d.job < j; });
    for (; at != links.end() && at->job == job; ++at) {
      const bool bad = workload.links.failing(at->predecessor) || out[at->predecessor];
      if ((at->kind == DependencyKind::AfterOk && bad) ||
          (at->kind == DependencyKind::AfterNotOk && !bad))
        out[job] = true;
    }
  }
  return out;
}

std::vector<Duration> earliest_begins(const Workload& workload) {
  std::vector<Duration> out;
  out.reserve(workload.size());
  for (const JobRequest& job : workload.jobs) out.push_back(job.arrival);
  if (workload.links.dependencies.empty()) return out;
  const std::vector<bool> never = never_run(workload);
  const std::vector<JobDependency>& links = workload.links.dependencies;
  for (const std::uint32_t job : in_order_of_links(workload)) {
    auto at = std::lower_bound(links.begin(), links.end(), job,
                               [](const JobDependency& d, std::uint32_t j) { return d.job < j; });
    for (; at != links.end() && at->job == job; ++at) {
      if (never[at->predecessor]) continue;
      Duration from = out[at->predecessor] + at->delay;
      if (at->kind != DependencyKind::AfterStart)
        from = from + fastest(workload, at->predecessor, workload.length[at->predecessor]);
      out[job] = std::max(out[job], from);
    }
  }
  return out;
}

std::size_t pass_deadlines_on(Workload& workload) {
  if (workload.links.dependencies.empty()) return 0;
  const std::vector<std::uint32_t> order = in_order_of_links(workload);
  const std::vector<JobDependency>& links = workload.links.dependencies;
  const std::vector<Duration> begins = earliest_begins(workload);
  std::vector<bool> nearer(workload.size());
  for (auto job = order.rbegin(); job != order.rend(); ++job) {
    const JobRequest& after = workload.jobs[*job];
    if (after.allowed == kNoDeadline) continue;
    const Duration latest = after.arrival + after.allowed - fastest(workload, *job, after.estimate);
    auto at = std::lower_bound(links.begin(), links.end(), *job,
                               [](const JobDependency& d, std::uint32_t j) { return d.job < j; });
    for (; at != links.end() && at->job == *job; ++at) {
      JobRequest& before = workload.jobs[at->predecessor];
      const Duration own = fastest(workload, at->predecessor, before.estimate);
      Duration end = latest - at->delay;
      if (at->kind == DependencyKind::AfterStart) end = end + own;
      end = std::max(end, begins[at->predecessor] + own);
      if (before.allowed != kNoDeadline && before.arrival + before.allowed <= end) continue;
      before.allowed = end - before.arrival;
      nearer[at->predecessor] = true;
    }
  }
  return static_cast<std::size_t>(std::count(nearer.begin(), nearer.end(), true));
}

// --- as clusters write them ---

bool split_task(std::string_view id, std::string_view& array, std::string_view& task) {
  const std::size_t line = id.find('_');
  if (line == std::string_view::npos || line == 0 || line + 1 == id.size()) return false;
  array = id.substr(0, line);
  task = id.substr(line + 1);
  return true;
}

bool is_failed_state(std::string_view state) {
  for (const std::string_view word :
       {"FAILED", "TIMEOUT", "CANCELLED", "NODE_FAIL", "OUT_OF_MEMORY", "BOOT_FAIL", "DEADLINE"})
    if (state.starts_with(word)) return true;
  return false;
}

bool read_dependency(std::string_view text, std::size_t row, std::string_view task, RowLinks& to) {
  if (text.find('?') != std::string_view::npos) {
    ++to.not_obeyed;
    return true;
  }
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(",;"), text.size());
    std::string_view part = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    // Slurm says how far it is behind each: afterok:12(unfulfilled).
    part = part.substr(0, part.find('('));
    while (!part.empty() && part.front() == ' ') part.remove_prefix(1);
    while (!part.empty() && part.back() == ' ') part.remove_suffix(1);
    if (part.empty()) continue;
    const std::size_t colon = std::min(part.find(':'), part.size());
    const std::string_view word = part.substr(0, colon);
    std::string_view ids = part.substr(std::min(colon + 1, part.size()));
    RowLink link{row, 0, DependencyKind::AfterOk, 0.0};
    const bool corresponding = word == "aftercorr";
    if (word == "afterany") {
      link.kind = DependencyKind::AfterAny;
    } else if (word == "afternotok") {
      link.kind = DependencyKind::AfterNotOk;
    } else if (word == "after") {
      link.kind = DependencyKind::AfterStart;
    } else if (word == "singleton" || word == "afterburstbuffer" || word == "expand") {
      ++to.not_obeyed;
      continue;
    } else if (word != "afterok" && !corresponding) {
      return false;
    }
    if (ids.empty()) return false;
    while (!ids.empty()) {
      const std::size_t next = std::min(ids.find(':'), ids.size());
      std::string_view id = ids.substr(0, next);
      ids.remove_prefix(std::min(next + 1, ids.size()));
      link.delay = 0.0;
      if (const std::size_t plus = id.find('+'); plus != std::string_view::npos) {
        const std::optional<double> minutes = workload_number(id.substr(plus + 1));
        if (!minutes || *minutes < 0 || *minutes > 1e8) return false;
        link.delay = 60.0 * *minutes;
        id = id.substr(0, plus);
      }
      if (id.empty()) return false;
      // `12_*`: all tasks.
      if (id.ends_with("_*")) id.remove_suffix(2);
      link.predecessor = to.keys.of(corresponding && !task.empty() ? fmt::format("{}_{}", id, task)
                                                                   : std::string(id));
      to.links.push_back(link);
    }
  }
  return true;
}

}  // namespace carnot::inline trace
