// SPDX-License-Identifier: Apache-2.0
#include "plan/insertion.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "carnot/base/sum.hpp"

namespace carnot::plan {

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr std::size_t kNear = 8;
constexpr double kFit = 1e-9;  // kW that a load may exceed a limit by rounding, relative

}  // namespace

Insertion::Insertion(const Problem& problem, const std::vector<Supply>& supply,
                     const PriceTable& table, const std::vector<double>& price)
    : problem_(problem), supply_(supply), table_(table), price_(price) {
  jobs_.resize(problem.jobs.size());
  load_.assign(supply.size(), 0.0);
  const std::size_t sites = table.sites(), keep = std::min(kNear, sites);
  near_.resize(table.classes() * keep);
  std::vector<std::uint32_t> order(sites);
  for (std::size_t c = 0; c < table.classes(); ++c) {
    std::iota(order.begin(), order.end(), 0U);
    const double* cost = table.cost(c);
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(),
                      [cost](auto a, auto b) { return cost[a] < cost[b] || (cost[a] == cost[b] && a < b); });
    std::copy_n(order.begin(), keep, near_.begin() + static_cast<std::ptrdiff_t>(c * keep));
  }
}

// Marginal cost of `power` more in a cell, EUR per hour; with trust, never below the price that the
// rest of the jobs would pay for the same room.
double Insertion::slot_cost(std::size_t cell, double power, double trust) const noexcept {
  const Supply& x = supply_[cell];
  const double load = load_[cell], after = load + power;
  if (after > x.most * (1 + kFit)) return kInfinity;
  const double low = std::min(after, x.first) - std::min(load, x.first);
  const double price = trust * price_[cell];
  return low * std::max(x.first_price, price) + (power - low) * std::max(x.second_price, price);
}

double Insertion::place(std::size_t job, std::uint32_t site, const PlanMode& mode, double trust,
                        double above) {
  const std::int32_t from = problem_.jobs.release(job), to = problem_.jobs.deadline(job);
  const auto base = static_cast<std::size_t>(site) * static_cast<std::size_t>(problem_.slots);
  priced_.clear();
  for (std::int32_t t = from; t < to; ++t) {
    const double cost = slot_cost(base + static_cast<std::size_t>(t), mode.power_kw, trust);
    if (cost < kInfinity) priced_.emplace_back(cost, t);
  }
  const auto k = static_cast<std::size_t>(mode.slots);
  if (priced_.size() < k) return kInfinity;
  if (priced_.size() > k)
    std::nth_element(priced_.begin(), priced_.begin() + static_cast<std::ptrdiff_t>(k) - 1, priced_.end());
  double sum = 0;
  for (std::size_t i = 0; i < k; ++i) sum += priced_[i].first;
  sum *= problem_.slot_h();
  if (sum >= above) return kInfinity;
  best_.slots.clear();
  for (std::size_t i = 0; i < k; ++i) best_.slots.push_back(priced_[i].second);
  return sum;
}

void Insertion::find(std::size_t job, double trust) {
  const PlanJobs& jobs = problem_.jobs;
  best_.site = kNone;
  best_.slots.clear();
  best_cost_ = jobs.value(job);
  const double h = problem_.slot_h();
  const auto look = [&](std::size_t i, std::uint32_t s) {
    const PlanMode& mode = jobs.mode(i);
    const double fixed = mode.quality_eur + jobs.move_eur(job, s);
    // With full trust the priced cost is a floor of what this site can offer.
    if (trust >= 1 && fixed + mode.power_kw * h * table_.cost(table_.class_of(i))[s] >= best_cost_) return;
    const double cost = place(job, s, mode, trust, best_cost_ - fixed);
    if (cost == kInfinity) return;
    best_cost_ = fixed + cost;
    best_.site = s;
    best_.mode = static_cast<std::uint32_t>(i - jobs.mode_begin(job));
  };
  const std::vector<std::uint32_t>* allowed = jobs.sites(job);
  const std::size_t keep = std::min(kNear, table_.sites());
  const bool few = allowed == nullptr && jobs.move_row(job) == nullptr;
  if (few) {
    for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
      const std::uint32_t* near = &near_[table_.class_of(i) * keep];
      if (jobs.origin(job) != kNone) look(i, jobs.origin(job));
      for (std::size_t n = 0; n < keep; ++n)
        if (near[n] != jobs.origin(job)) look(i, near[n]);
    }
    if (best_.site != kNone) return;
  }
  for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
    if (allowed == nullptr)
      for (std::uint32_t s = 0; s < table_.sites(); ++s) look(i, s);
    else
      for (const std::uint32_t s : *allowed) look(i, s);
  }
}

void Insertion::occupy(std::size_t job, double sign) {
  const Assignment& a = jobs_[job];
  if (a.site == kNone) return;
  const double power = sign * problem_.jobs.mode(problem_.jobs.mode_begin(job) + a.mode).power_kw;
  const auto base = static_cast<std::size_t>(a.site) * static_cast<std::size_t>(problem_.slots);
  for (const std::int32_t t : a.slots) {
    double& load = load_[base + static_cast<std::size_t>(t)];
    load = std::max(0.0, load + power);
  }
}

void Insertion::insert_all() {
  const PlanJobs& jobs = problem_.jobs;
  std::vector<std::pair<double, std::size_t>> order;
  order.reserve(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    double power = 0;
    std::int32_t slots = 0;
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
      power = std::max(power, jobs.mode(i).power_kw);
      slots = std::max(slots, jobs.mode(i).slots);
    }
    const double tight = static_cast<double>(slots) / (jobs.deadline(j) - jobs.release(j));
    order.emplace_back(-power * (0.2 + tight), j);
  }
  std::sort(order.begin(), order.end());
  for (const auto& [key, j] : order) {
    find(j, 1.0);
    std::sort(best_.slots.begin(), best_.slots.end());
    jobs_[j] = best_;
    occupy(j, +1);
  }
}

double Insertion::sweep(double trust) {
  double saved = 0;
  const double h = problem_.slot_h();
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    occupy(j, -1);
    Assignment& now = jobs_[j];
    double cost = problem_.jobs.value(j);
    if (now.site != kNone) {
      const PlanMode& mode = problem_.jobs.mode(problem_.jobs.mode_begin(j) + now.mode);
      const auto base = static_cast<std::size_t>(now.site) * static_cast<std::size_t>(problem_.slots);
      cost = mode.quality_eur + problem_.jobs.move_eur(j, now.site);
      for (const std::int32_t t : now.slots)
        cost += h * slot_cost(base + static_cast<std::size_t>(t), mode.power_kw, trust);
    }
    find(j, trust);
    if (best_cost_ < cost - 1e-12 * std::abs(cost)) {
      saved += cost - best_cost_;
      std::sort(best_.slots.begin(), best_.slots.end());
      now = best_;
    }
    occupy(j, +1);
  }
  return saved;
}

double Insertion::objective() const {
  Sum<double> total;
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    const Assignment& a = jobs_[j];
    if (a.site == kNone) {
      total += problem_.jobs.value(j);
    } else {
      total += problem_.jobs.mode(problem_.jobs.mode_begin(j) + a.mode).quality_eur;
      total += problem_.jobs.move_eur(j, a.site);
    }
  }
  for (std::size_t i = 0; i < load_.size(); ++i) total += supply_[i].cost(load_[i]) * problem_.slot_h();
  return total.value();
}

}  // namespace carnot::plan
