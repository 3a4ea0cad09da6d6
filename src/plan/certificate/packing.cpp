// SPDX-License-Identifier: Apache-2.0
#include "plan/certificate/packing.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "plan/certificate/terms.hpp"
#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

constexpr double kGreatest = 1e12, kMostJobs = 1e6;
constexpr double kLeastRest = 1e-3;
constexpr double kHair = 1e-9;  // by which a limit is passed before rounding says so

/// IT power of the cheaper of own power and grid, and what the dearer costs at most.
struct Power {
  double cheap_kw = 0, most_kw = 0;
  double cheap_eur = 0, dear_eur = 0;  // per kWh of IT
};
Power power_of(const Problem& problem, std::size_t s, std::size_t t) {
  const PlanSite& site = problem.sites[s];
  const double grid =
      site.price_eur_per_kwh[t] + problem.carbon_price_eur_per_t / 1e6 * site.carbon_g_per_kwh[t];
  Power out;
  out.most_kw =
      std::min(site.capacity_kw[t], (site.free_kw[t] + site.grid_limit_kw[t]) / site.pue[t]);
  const double first = grid >= 0 ? site.free_kw[t] : site.grid_limit_kw[t];
  out.cheap_kw = std::min(out.most_kw, first / site.pue[t]);
  (grid >= 0 ? out.dear_eur : out.cheap_eur) = grid * site.pue[t];
  return out;
}

double limit_of(const Problem& problem, const PackingPrice& of) {
  if (of.limit == PackingLimit::Room) return room_kw(problem, of.site, of.slot);
  const double kw = power_of(problem, of.site, of.slot).cheap_kw;
  return kw + kHair * (1 + kw);
}

}  // namespace

std::string unusable_packing(const Problem& problem, const Plan& plan) {
  if (plan.packing.empty()) return {};
  if (problem.extended()) return "packing prices, yet the problem is beyond the contract";
  for (std::size_t i = 0; i < plan.packing.size(); ++i) {
    const PackingPrice& of = plan.packing[i];
    const auto wrong = [&](const char* what) { return fmt::format("packing {}: {}", i, what); };
    if (of.site >= problem.sites.size() || of.slot >= static_cast<std::uint32_t>(problem.slots))
      return wrong("a site and a slot of the problem");
    if (!(of.price_eur >= 0 && of.price_eur <= kGreatest)) return wrong("a price, 0 to 1e12");
    const double kw = limit_of(problem, of);
    if (!(of.divisor_kw > 0 && of.divisor_kw <= kGreatest && kw <= kMostJobs * of.divisor_kw))
      return wrong("a divisor above a millionth of the limit");
    const double jobs = kw / of.divisor_kw;
    if (of.limit == PackingLimit::Knee && 1 - (jobs - std::floor(jobs)) < kLeastRest)
      return wrong("a divisor that rounding does not spoil");
  }
  return {};
}

PackingTerms::PackingTerms(const Problem& problem, const Plan& plan)
    : problem_(problem),
      plan_(plan),
      slots_(static_cast<std::size_t>(problem.slots)),
      rows_(problem.sites.size() * slots_) {
  for (const PackingPrice& of : plan.packing) {
    const double jobs = limit_of(problem, of) / of.divisor_kw;
    rows_[of.site * slots_ + of.slot].push_back({of.divisor_kw, std::floor(jobs),
                                                 jobs - std::floor(jobs), of.price_eur,
                                                 of.limit == PackingLimit::Knee});
  }
}

double PackingTerms::share(const Row& row, double power_kw) {
  const double a = power_kw / row.divisor;
  if (1 - row.rest < kLeastRest) return std::floor(a);
  return std::floor(a) + std::max(0.0, a - std::floor(a) - row.rest) / (1 - row.rest);
}

double PackingTerms::job(std::size_t j) const {
  const PlanJobs& jobs = problem_.jobs;
  const double h = problem_.slot_s / 3600.0;
  double least = jobs.value(j);
  std::vector<double> paid;
  for (std::uint32_t s = 0; s < problem_.sites.size(); ++s) {
    if (!may_run_at(jobs, j, s)) continue;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
      const PlanMode& mode = jobs.mode(i);
      paid.clear();
      for (std::int32_t t = jobs.release(j); t < jobs.deadline(j); ++t) {
        const auto slot = static_cast<std::size_t>(t);
        if (mode.power_kw > room_kw(problem_, s, slot)) continue;
        double eur = mode.power_kw * h * plan_.price[s * slots_ + slot];
        for (const Row& row : rows_[s * slots_ + slot])
          eur += row.price * share(row, mode.power_kw);
        paid.push_back(eur);
      }
      if (std::ssize(paid) < mode.slots) continue;
      std::sort(paid.begin(), paid.end());
      double sum = mode.quality_eur + jobs.move_eur(j, s);
      for (std::int32_t k = 0; k < mode.slots; ++k) sum += paid[static_cast<std::size_t>(k)];
      least = std::min(least, sum);
    }
  }
  return least;
}

double PackingTerms::cell(std::size_t s, std::size_t t) const {
  const Power power = power_of(problem_, s, t);
  const double h = problem_.slot_s / 3600.0, lambda = plan_.price[s * slots_ + t];
  double earned = 0;
  for (const Row& row : rows_[s * slots_ + t])
    if (row.knee) earned += row.price / (row.divisor * (1 - row.rest));
  const double cheap = (power.cheap_eur - lambda) * h * power.cheap_kw;
  const double dear =
      ((power.dear_eur - lambda) * h - earned) * std::max(0.0, power.most_kw - power.cheap_kw);
  return std::min(0.0, cheap) + std::min(0.0, dear);
}

double PackingTerms::allowed() const {
  double sum = 0;
  for (const auto& cell : rows_)
    for (const Row& row : cell) sum += row.price * row.most;
  return sum * (1 + kHair * 1e-3);
}

}  // namespace carnot::plan
