// SPDX-License-Identifier: Apache-2.0
#include "plan/search/contract_search.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <tuple>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

#include "plan/search/ruin_recreate.hpp"

namespace carnot::plan {

namespace {

constexpr std::size_t kNear = 8;
constexpr std::size_t kBetweenLooks = 2048;  // jobs, at the clock
constexpr std::size_t kLooks = 8;            // at all costs anew, in a sweep
constexpr double kLittle = 0.25;             // of the mean power of a job
constexpr std::size_t kTilts = 4096;
constexpr std::uint64_t kNeighbours = 6;
constexpr double kTilt = 0.5;  // greatest, of a cost

}  // namespace

ContractSearch::ContractSearch(const Problem& problem, const std::vector<Supply>& supply,
                               WindowClasses& table, const std::vector<double>& price, int threads)
    : problem_(problem),
      table_(table),
      threads_(threads),
      slots_(static_cast<std::size_t>(problem.slots)),
      price_(price),
      cells_(supply, price),
      jobs_(problem.jobs.size()),
      near_(table.classes() * std::min(kNear, table.sites())),
      bucket_(supply.size()),
      place_(problem.jobs.size()) {
  double power = 0;
  for (std::size_t j = 0; j < jobs_.size(); ++j)
    power += problem.jobs.mode(problem.jobs.mode_begin(j)).power_kw;
  little_ =
      std::max(kLittle * power / static_cast<double>(std::max<std::size_t>(jobs_.size(), 1)), 1e-9);
}

// The nearest sites of each class, and the table, at these costs of the cells.
void ContractSearch::rank_sites(const std::vector<double>& price) {
  table_.evaluate(price, threads_);
  const std::size_t sites = table_.sites(), keep = std::min(kNear, sites);
  constexpr std::size_t kBlock = 1024;
  for_all((table_.classes() + kBlock - 1) / kBlock, threads_, [&](std::size_t block) {
    std::vector<std::uint32_t> order(sites);
    for (std::size_t c = block * kBlock; c < std::min(table_.classes(), (block + 1) * kBlock);
         ++c) {
      std::iota(order.begin(), order.end(), 0U);
      const double* cost = table_.cost(c);
      std::partial_sort(
          order.begin(), order.begin() + static_cast<std::ptrdiff_t>(keep), order.end(),
          [cost](auto a, auto b) { return cost[a] < cost[b] || (cost[a] == cost[b] && a < b); });
      std::copy_n(order.begin(), keep, near_.begin() + static_cast<std::ptrdiff_t>(c * keep));
    }
  });
}

void ContractSearch::look(const CostView& view) {
  cells_.look(view);
  std::vector<double> price;
  cells_.prices(little_, price);
  rank_sites(price);
}

void ContractSearch::price_window(std::size_t job, std::uint32_t site, double power) {
  const auto from = static_cast<std::size_t>(problem_.jobs.release(job));
  const auto length = static_cast<std::size_t>(problem_.jobs.deadline(job)) - from;
  const std::size_t base = site * slots_ + from;
  costs_.resize(length);
  cells_.marginals(base, length, power, costs_.data());
  if (tilt_.empty()) return;
  const double* tilt = &tilt_[(tilt_from_ + base) % kTilts];
  for (std::size_t i = 0; i < length; ++i) costs_[i] *= tilt[i];
}

// Where the job might run, with what the table says of it.
void ContractSearch::offer(std::size_t job, bool everywhere) {
  const PlanJobs& jobs = problem_.jobs;
  const double h = problem_.slot_h();
  const std::vector<std::uint32_t>* allowed = jobs.sites(job);
  const std::uint32_t origin = jobs.origin(job);
  const std::size_t keep = std::min(kNear, table_.sites());
  offers_.clear();
  for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
    const PlanMode& mode = jobs.mode(i);
    const double* row = table_.cost(table_.class_of(i));
    const auto at = [&](std::uint32_t s) {
      const double floor = mode.quality_eur + jobs.move_eur(job, s) + mode.power_kw * h * row[s];
      offers_.push_back({floor, i, s});
    };
    if (allowed != nullptr) {
      for (const std::uint32_t s : *allowed) at(s);
    } else if (everywhere || jobs.move_row(job) != nullptr) {
      for (std::uint32_t s = 0; s < table_.sites(); ++s) at(s);
    } else {
      const std::uint32_t* near = &near_[table_.class_of(i) * keep];
      if (origin != kNone) at(origin);
      for (std::size_t n = 0; n < keep; ++n)
        if (near[n] != origin) at(near[n]);
    }
  }
}

// Takes a site and mode into best_ if it costs less than best_cost_.
void ContractSearch::consider(std::size_t job, const Offer& at) {
  const PlanMode& mode = problem_.jobs.mode(at.mode);
  const double h = problem_.slot_h();
  const double fixed = mode.quality_eur + problem_.jobs.move_eur(job, at.site);
  price_window(job, at.site, mode.power_kw);
  const double room = (best_cost_ - fixed) / h;
  const auto k = static_cast<std::size_t>(mode.slots);
  const auto begin = costs_.begin(), end = costs_.end();
  if (k < costs_.size()) std::nth_element(begin, begin + static_cast<std::ptrdiff_t>(k) - 1, end);
  double sum = 0;
  for (std::size_t n = 0; n < k; ++n) sum += costs_[n];
  if (!(sum < room)) return;
  best_cost_ = fixed + sum * h;
  best_.site = at.site;
  best_.mode = static_cast<std::uint32_t>(at.mode - problem_.jobs.mode_begin(job));
}

// Leaves the cheapest site and mode in best_ (without slots) and its cost in best_cost_.
void ContractSearch::find(std::size_t job) {
  best_.site = kNone;
  best_.slots.clear();
  best_cost_ = problem_.jobs.value(job);
  for (const bool everywhere : {false, true}) {
    offer(job, everywhere);
    double most = kInfinity;
    while (!offers_.empty()) {
      const auto next = std::min_element(offers_.begin(), offers_.end(), [](auto& a, auto& b) {
        return std::tie(a.floor, a.mode, a.site) < std::tie(b.floor, b.mode, b.site);
      });
      if (most == kInfinity && !everywhere) most = next->floor + reach_;
      if (next->floor > most || (!rebuilding_ && next->floor >= best_cost_)) break;
      consider(job, *next);
      *next = offers_.back();
      offers_.pop_back();
    }
    if (best_.site != kNone) return;
  }
}

// Fills best_.slots for the site and mode in best_.
void ContractSearch::choose_slots(std::size_t job) {
  if (best_.site == kNone) return;
  const PlanJobs& jobs = problem_.jobs;
  const PlanMode& mode = jobs.mode(jobs.mode_begin(job) + best_.mode);
  price_window(job, best_.site, mode.power_kw);
  ranked_.clear();
  for (std::size_t i = 0; i < costs_.size(); ++i)
    ranked_.emplace_back(costs_[i], jobs.release(job) + static_cast<std::int32_t>(i));
  std::nth_element(ranked_.begin(), ranked_.begin() + mode.slots - 1, ranked_.end());
  best_.slots.clear();
  for (std::int32_t n = 0; n < mode.slots; ++n)
    best_.slots.push_back(ranked_[static_cast<std::size_t>(n)].second);
  std::sort(best_.slots.begin(), best_.slots.end());
}

// Cost of where the job is, were it to be put there now.
double ContractSearch::cost_now(std::size_t job) const {
  const Assignment& a = jobs_[job];
  if (a.site == kNone) return problem_.jobs.value(job);
  const PlanMode& mode = problem_.jobs.mode(problem_.jobs.mode_begin(job) + a.mode);
  double cost = 0;
  for (const std::int32_t t : a.slots)
    cost += cells_.marginal(a.site * slots_ + static_cast<std::size_t>(t), mode.power_kw);
  return mode.quality_eur + problem_.jobs.move_eur(job, a.site) + cost * problem_.slot_h();
}

void ContractSearch::occupy(std::size_t job, double sign) {
  const Assignment& a = jobs_[job];
  if (a.site == kNone) return;
  const double power = sign * problem_.jobs.mode(problem_.jobs.mode_begin(job) + a.mode).power_kw;
  for (const std::int32_t t : a.slots)
    cells_.add(a.site * slots_ + static_cast<std::size_t>(t), power);
}

void ContractSearch::insert_all(const std::function<bool()>& go_on) {
  const PlanJobs& jobs = problem_.jobs;
  std::vector<std::pair<double, std::size_t>> order;
  order.reserve(jobs.size());
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    if (jobs_[j].site != kNone) continue;
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
  const std::size_t every = order.size() / kLooks + 1;
  for (std::size_t n = 0; n < order.size(); ++n) {
    if (n % kBetweenLooks == 0 && !go_on()) return;
    if (n % every == 0) look({.trust = 1.0});
    const std::size_t j = order[n].second;
    find(j);
    choose_slots(j);
    jobs_[j] = best_;
    occupy(j, +1);
  }
}

void ContractSearch::keep(std::size_t job, const Assignment& to) {
  const PlanJobs& jobs = problem_.jobs;
  if (to.site >= table_.sites() || to.mode >= jobs.mode_end(job) - jobs.mode_begin(job)) return;
  const std::vector<std::uint32_t>* allowed = jobs.sites(job);
  if (allowed != nullptr && !std::binary_search(allowed->begin(), allowed->end(), to.site)) return;
  const PlanMode& mode = jobs.mode(jobs.mode_begin(job) + to.mode);
  if (to.slots.size() != static_cast<std::size_t>(mode.slots)) return;
  if (to.slots.front() < jobs.release(job) || to.slots.back() >= jobs.deadline(job)) return;
  if (std::adjacent_find(to.slots.begin(), to.slots.end(), std::greater_equal<>()) !=
      to.slots.end())
    return;
  jobs_[job] = to;
  if (cost_now(job) < kInfinity)
    occupy(job, +1);
  else
    jobs_[job] = {};
}

void ContractSearch::sweep(const CostView& view, const std::function<bool()>& go_on) {
  const std::size_t every = jobs_.size() / kLooks + 1;
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    if (j % kBetweenLooks == 0 && !go_on()) return;
    if (j % every == 0) look(view);
    occupy(j, -1);
    const double cost = cost_now(j);
    find(j);
    if (best_cost_ < cost - 1e-12 * std::abs(cost)) {
      choose_slots(j);
      jobs_[j] = best_;
    }
    occupy(j, +1);
  }
}

void ContractSearch::order_buckets() {
  for (auto& bucket : bucket_) bucket.clear();
  for (std::size_t j = 0; j < jobs_.size(); ++j) {
    const Assignment& a = jobs_[j];
    if (a.site == kNone) continue;
    auto& bucket = bucket_[a.site * slots_ + static_cast<std::size_t>(a.slots.front())];
    place_[j] = static_cast<std::uint32_t>(bucket.size());
    bucket.push_back(static_cast<std::uint32_t>(j));
  }
}

void ContractSearch::take(std::size_t job) {
  const Assignment& a = jobs_[job];
  if (a.site == kNone) return;
  occupy(job, -1);
  auto& bucket = bucket_[a.site * slots_ + static_cast<std::size_t>(a.slots.front())];
  bucket[place_[job]] = bucket.back();
  place_[bucket.back()] = place_[job];
  bucket.pop_back();
}

void ContractSearch::put(std::size_t job, const Assignment& to) {
  jobs_[job] = to;
  if (to.site == kNone) return;
  occupy(job, +1);
  auto& bucket = bucket_[to.site * slots_ + static_cast<std::size_t>(to.slots.front())];
  place_[job] = static_cast<std::uint32_t>(bucket.size());
  bucket.push_back(static_cast<std::uint32_t>(job));
}

// Jobs of a site that start at a slot or not long before.
void ContractSearch::gather(std::size_t site, std::size_t slot, std::size_t most,
                            std::uint64_t random) {
  std::size_t n = 0;
  for (std::size_t back = 0; back <= std::min<std::size_t>(slot, 24) && n < most; ++back) {
    const auto& bucket = bucket_[site * slots_ + slot - back];
    for (std::size_t i = 0; i < bucket.size() && n < most; ++i) {
      const std::uint32_t j = bucket[(i + random) % bucket.size()];
      if (std::find(out_.begin(), out_.end(), j) != out_.end()) continue;
      out_.push_back(j);
      ++n;
    }
  }
}

// Plans as ruin_recreate() wants them, with costs that are distorted in half of the rounds.
struct ContractSearch::Rounds {
  ContractSearch& of;
  double warmth, reach;
  std::vector<double> tilts;
  std::vector<Assignment> before;  // of the jobs of of.out_
  std::vector<std::uint32_t> order;

  double ruin(const RandomStream& draw) {
    of.pick(draw);
    before.clear();
    double cost = 0;
    of.cells_.trust(0);
    for (const std::uint32_t j : of.out_) {
      before.push_back(of.jobs_[j]);
      of.take(j);
      cost += of.cost_now(j);
    }
    return cost;
  }
  double recreate(const RandomStream& draw) {
    order = of.shuffled(draw);
    if (reach < kInfinity) of.reach_ = -reach * std::log(std::max(draw.uniform(13), 1e-9));
    if (draw.below(10, 2) == 0) of.tilt_.swap(tilts);
    of.tilt_from_ = draw.below(11, kTilts);
    const double trust = draw.below(9, 2) == 0 ? 0.0 : draw.uniform(12);
    double cost = 0;
    for (const std::uint32_t j : order) {
      of.cells_.trust(trust);
      of.find(j);
      of.choose_slots(j);
      of.cells_.trust(0);
      of.jobs_[j] = of.best_;
      cost += of.cost_now(j);
      of.put(j, of.best_);
    }
    if (!of.tilt_.empty()) of.tilt_.swap(tilts);
    return cost;
  }
  double allowance(const RandomStream& draw, std::uint64_t n, std::uint64_t rounds) const {
    return -warmth * std::log(std::max(draw.uniform(8), 1e-9)) *
           (1.0 - static_cast<double>(n) / static_cast<double>(rounds));
  }
  void restore() {
    for (const std::uint32_t j : order) of.take(j);
    for (std::size_t i = 0; i < of.out_.size(); ++i) of.put(of.out_[i], before[i]);
  }
};

void ContractSearch::rebuild(std::uint64_t rounds, double warmth, double reach, std::uint64_t seed,
                             const StopToken& stop) {
  if (jobs_.empty()) return;
  order_buckets();
  rank_sites(price_);
  cells_.look({});
  rebuilding_ = true;
  const RandomStream random(seed, "plan-rebuild");
  Rounds plan{*this, warmth, reach, {}, {}, {}};
  for (std::size_t i = 0; i < kTilts + slots_; ++i)
    plan.tilts.push_back(1.0 + kTilt * random.child(rounds).uniform(i));
  ruin_recreate(plan, rounds, random, stop);
  rebuilding_ = false;
  reach_ = kInfinity;
}

// A job, some that run beside it and some at another site at the same time, into out_.
void ContractSearch::pick(const RandomStream& draw) {
  const auto j = static_cast<std::uint32_t>(draw.below(0, jobs_.size()));
  out_.assign(1, j);
  const std::uint64_t most = 1 + draw.below(1, kNeighbours);
  const auto from = static_cast<std::uint64_t>(problem_.jobs.release(j));
  const auto to = static_cast<std::uint64_t>(problem_.jobs.deadline(j));
  const std::uint64_t slot = from + draw.below(2, to - from);
  const std::uint64_t site = jobs_[j].site == kNone ? draw.below(3, table_.sites()) : jobs_[j].site;
  gather(site, slot, most, draw.bits(4) >> 8);
  gather(draw.below(5, table_.sites()), slot, most / 2 + 1, draw.bits(6) >> 8);
}

// The jobs of out_ in an order of one of three kinds: any, big first, tight first.
std::vector<std::uint32_t> ContractSearch::shuffled(const RandomStream& draw) const {
  std::vector<std::pair<double, std::uint32_t>> order;
  const std::uint64_t kind = draw.below(7, 3);
  for (std::size_t i = 0; i < out_.size(); ++i) {
    const std::uint32_t j = out_[i];
    const PlanMode& mode = problem_.jobs.mode(problem_.jobs.mode_begin(j));
    const double u = draw.uniform(20 + i);
    const double tight =
        static_cast<double>(mode.slots) / (problem_.jobs.deadline(j) - problem_.jobs.release(j));
    order.emplace_back(kind == 0 ? u : -(0.5 + u) * (kind == 1 ? mode.power_kw : tight), j);
  }
  std::sort(order.begin(), order.end());
  std::vector<std::uint32_t> out;
  for (const auto& [key, j] : order) out.push_back(j);
  return out;
}

double ContractSearch::objective() const {
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
  total += cells_.total() * problem_.slot_h();
  return total.value();
}

}  // namespace carnot::plan
