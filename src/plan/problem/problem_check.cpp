// SPDX-License-Identifier: Apache-2.0
// What a job may be, for both readers.
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "plan/problem/problem_read.hpp"

namespace carnot::plan {

namespace {

constexpr double kGreatest = 1e12;
constexpr double kMostStates = 2e7;  // of a job with terms: 160 MB while it is priced

bool allowed(double x, double low) { return std::isfinite(x) && x >= low && x <= kGreatest; }

/// Does the work of each mode fit into the window at full speed, and into memory when planned?
template <class Wrong>
void check_work(const JobRow& row, std::size_t all_sites, const Wrong& wrong) {
  const JobTerms& terms = row.terms;
  const std::int64_t window = row.deadline - row.release;
  const std::size_t sites = !terms.movable ? 1 : row.sites.empty() ? all_sites : row.sites.size();
  for (std::size_t m = 0; m < row.modes.size(); ++m) {
    std::int64_t fastest = terms.speed_parts;
    if (!terms.levels.empty())
      for (const PlanLevel& level : terms.levels[m])
        fastest = std::max<std::int64_t>(fastest, level.parts);
    const std::string field = fmt::format("mode {} slots", m + 1);
    const std::int64_t work = std::int64_t{row.modes[m].slots} * terms.speed_parts;
    if (work > window * fastest)
      wrong(field,
            fmt::format("at most {}, the length of the window{}, not {}",
                        window * fastest / terms.speed_parts,
                        fastest > terms.speed_parts ? " at full speed" : "", row.modes[m].slots));
    const double states = static_cast<double>(window) * static_cast<double>(work) *
                          static_cast<double>(sites) * (2 + terms.min_run_slots);
    if (terms != JobTerms() && states > kMostStates)
      wrong(field, fmt::format("fewer: window x work x sites x runs are {} states, allowed are {}",
                               states, kMostStates));
  }
}

bool is_id(std::string_view id) {
  const auto plain = [](char c) {
    return static_cast<unsigned char>(c) >= 32 && c != ',' && c != '"' && c != 127;
  };
  return !id.empty() && id.size() <= 200 && std::all_of(id.begin(), id.end(), plain);
}

}  // namespace

void Findings::add(const Place& place, std::string_view field, std::string_view allowed) {
  if (count_++ < kMost) problems_.add(place, field, allowed);
}

void Findings::throw_if_any() const {
  if (count_ > kMost) {
    Problems all = problems_;
    all.add({}, "", fmt::format("and {} more", count_ - kMost));
    all.throw_if_any();
  }
  problems_.throw_if_any();
}

bool check_job(JobRow& row, const Place& place, const Problem& problem, Findings& findings) {
  const std::size_t before = findings.count();
  const std::size_t sites = problem.sites.size();
  const auto wrong = [&](std::string_view field, std::string_view what) {
    findings.add(place, field, what);
  };
  if (!is_id(row.id)) wrong("id", "1 to 200 characters, no comma, quote or control character");
  if (row.release < 0 || row.release >= problem.slots)
    wrong("release", fmt::format("a slot, 0 to {}, not {}", problem.slots - 1, row.release));
  else if (row.deadline <= row.release || row.deadline > problem.slots)
    wrong("deadline",
          fmt::format("a slot, {} to {}, not {}", row.release + 1, problem.slots, row.deadline));
  else
    check_work(row, sites, wrong);
  if (!allowed(row.value, 0)) wrong("value_eur", "a number, 0 to 1e12");
  if (!allowed(row.move_flat, -kGreatest)) wrong("move_cost_eur", "a number, -1e12 to 1e12");
  if (row.origin != kNone && row.origin >= sites)
    wrong("origin", fmt::format("a site, 0 to {}, not {}", sites - 1, row.origin));
  std::sort(row.sites.begin(), row.sites.end());
  for (const std::uint32_t s : row.sites)
    if (s >= sites) wrong("sites", fmt::format("a site, 0 to {}, not {}", sites - 1, s));
  if (std::adjacent_find(row.sites.begin(), row.sites.end()) != row.sites.end())
    wrong("sites", "each site once");
  for (const double x : row.move_row)
    if (!allowed(x, -kGreatest)) wrong("move_cost_eur", "numbers, -1e12 to 1e12");
  if (!row.move_row.empty() && row.move_row.size() != sites)
    wrong("move_cost_eur",
          fmt::format("{} numbers, one a site, not {}", sites, row.move_row.size()));
  if (row.modes.empty()) wrong("modes", "at least one");
  for (std::size_t m = 0; m < row.modes.size(); ++m) {
    const PlanMode& mode = row.modes[m];
    if (mode.slots < 1)
      wrong(fmt::format("mode {} slots", m + 1), fmt::format("at least 1, not {}", mode.slots));
    if (!allowed(mode.power_kw, 0)) wrong(fmt::format("mode {} power", m + 1), "kW, 0 to 1e12");
    if (!allowed(mode.quality_eur, -kGreatest))
      wrong(fmt::format("mode {} quality cost", m + 1), "EUR, -1e12 to 1e12");
  }
  return findings.count() == before;
}

void add_job(const JobRow& row, PlanJobs& jobs) {
  jobs.add(row.id, static_cast<std::int32_t>(row.release), static_cast<std::int32_t>(row.deadline),
           row.value, row.modes, row.origin, row.move_flat, row.sites, row.move_row);
}

std::vector<std::pair<std::size_t, std::size_t>> repeated_ids(const PlanJobs& jobs) {
  std::vector<std::pair<std::size_t, std::uint32_t>> seen;
  seen.reserve(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j)
    seen.emplace_back(std::hash<std::string_view>{}(jobs.id(j)), static_cast<std::uint32_t>(j));
  std::sort(seen.begin(), seen.end());
  std::vector<std::pair<std::size_t, std::size_t>> out;
  for (std::size_t i = 1; i < seen.size() && out.size() < 50; ++i)
    for (std::size_t k = i; k-- > 0 && seen[k].first == seen[i].first;)
      if (jobs.id(seen[k].second) == jobs.id(seen[i].second)) {
        out.emplace_back(seen[k].second, seen[i].second);
        break;
      }
  std::sort(out.begin(), out.end(), [](auto& a, auto& b) { return a.second < b.second; });
  return out;
}

}  // namespace carnot::plan
