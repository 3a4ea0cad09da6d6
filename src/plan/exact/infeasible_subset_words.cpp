// SPDX-License-Identifier: Apache-2.0
#include "plan/exact/infeasible_subset_words.hpp"

#include <algorithm>
#include <numeric>
#include <string>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

constexpr std::size_t kMostNames = 4;

/// `a, b and c`, or the first few `and 7 more`.
std::string listed(const std::vector<std::string>& names) {
  if (names.size() == 1) return names.front();
  const bool all = names.size() <= kMostNames;
  const std::size_t shown = all ? names.size() - 1 : kMostNames - 1;
  const std::vector<std::string> first(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(shown));
  return fmt::format("{} and {}", fmt::join(first, ", "),
                     all ? names.back() : fmt::format("{} more", names.size() - shown));
}

std::string slots_in_words(std::int32_t first, std::int32_t last) {
  return first == last ? fmt::format("slot {}", first) : fmt::format("slots {}..{}", first, last);
}

std::string job_in_words(const Problem& problem, std::uint32_t job) {
  const PlanJobs& jobs = problem.jobs;
  std::vector<std::string> ways, where;
  for (const std::uint64_t i : needed_modes(jobs, job)) {
    const PlanMode& mode = jobs.mode(i);
    ways.push_back(fmt::format("{} {} at {:.6g} kW", mode.slots, mode.slots == 1 ? "slot" : "slots",
                               mode.power_kw));
  }
  for (const std::uint32_t s : sites_of(problem, job)) where.push_back(problem.sites[s].name);
  return fmt::format(
      "job {} needs {} in {} at {}", jobs.id(job), fmt::join(ways, ", or "),
      slots_in_words(jobs.release(job), jobs.deadline(job) - 1),
      where.size() == problem.sites.size() && where.size() > 1 ? "any site" : listed(where));
}

/// Why a site's IT power ends where it does in a slot.
std::string limit_in_words(const Problem& problem, const PowerLimit& limit) {
  const PlanSite& site = problem.sites[limit.site];
  const auto t = static_cast<std::size_t>(limit.slot);
  const double power = site.free_kw[t] + site.grid_limit_kw[t];
  if (site.capacity_kw[t] <= power / site.pue[t])
    return fmt::format("at most {:.6g} kW of IT (capacity)", site.capacity_kw[t]);
  return fmt::format(
      "at most {:.6g} kW of IT ({:.6g} kW of own power and {:.6g} kW of grid at a "
      "PUE of {:.6g})",
      power / site.pue[t], site.free_kw[t], site.grid_limit_kw[t], site.pue[t]);
}

}  // namespace

std::vector<std::uint32_t> sites_of(const Problem& problem, std::size_t job) {
  if (const std::vector<std::uint32_t>* allowed = problem.jobs.sites(job)) return *allowed;
  std::vector<std::uint32_t> all(problem.sites.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

std::vector<std::uint64_t> needed_modes(const PlanJobs& jobs, std::size_t job) {
  std::vector<std::uint64_t> out;
  for (std::uint64_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
    const PlanMode& mode = jobs.mode(i);
    bool needed = true;
    for (std::uint64_t k = jobs.mode_begin(job); k < jobs.mode_end(job) && needed; ++k) {
      const PlanMode& other = jobs.mode(k);
      const bool same = other.slots == mode.slots && other.power_kw == mode.power_kw;
      needed =
          k == i || other.slots > mode.slots || other.power_kw > mode.power_kw || (same && k > i);
    }
    if (needed) out.push_back(i);
  }
  return out;
}

std::pair<double, double> powers(const PlanJobs& jobs, std::size_t job) {
  std::pair<double, double> out{kInfinity, 0.0};
  for (const std::uint64_t i : needed_modes(jobs, job)) {
    out.first = std::min(out.first, jobs.mode(i).power_kw);
    out.second = std::max(out.second, jobs.mode(i).power_kw);
  }
  return out;
}

void put_in_words(const Problem& problem, Clash& clash) {
  std::vector<std::string> names, limits;
  double together = 0;
  for (const std::uint32_t j : clash.jobs) {
    names.push_back(fmt::format("job {}", problem.jobs.id(j)));
    clash.members.push_back(job_in_words(problem, j));
    together += powers(problem.jobs, j).first;
  }
  for (std::size_t i = 0; i < clash.limits.size();) {
    const PowerLimit& first = clash.limits[i];
    const std::string words = limit_in_words(problem, first);
    std::size_t end = i + 1;
    while (end < clash.limits.size() && clash.limits[end].site == first.site &&
           clash.limits[end].slot == clash.limits[end - 1].slot + 1 &&
           limit_in_words(problem, clash.limits[end]) == words)
      ++end;
    limits.push_back(fmt::format("{} in {}: {}", problem.sites[first.site].name,
                                 slots_in_words(first.slot, clash.limits[end - 1].slot), words));
    i = end;
  }
  clash.members.insert(clash.members.end(), limits.begin(), limits.end());
  clash.words = names.size() == 1
                    ? fmt::format("{} cannot run: {}", names.front(), listed(limits))
                    : fmt::format("{} cannot all run: together they draw at least {:.6g} kW; {}",
                                  listed(names), together, listed(limits));
}

}  // namespace carnot::plan
