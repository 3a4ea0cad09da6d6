// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/job_pricing.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>
#include <tuple>
#include <utility>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

#include "plan/pricing/shortest_path.hpp"
#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

const JobTerms kContract;

std::vector<std::uint32_t> sites_of(const Problem& problem, std::size_t job) {
  if (const auto* sites = problem.jobs.sites(job)) return *sites;
  std::vector<std::uint32_t> all(problem.sites.size());
  std::iota(all.begin(), all.end(), 0U);
  return all;
}

bool stops_in_time(const JobTerms& terms, const JobPrices& offer) {
  return terms.preemptible && std::isfinite(terms.stop_s) && terms.stop_s <= offer.within_s;
}

/// The k cheapest slots of the cheapest site and mode.
void cheapest_slots(const Problem& problem, std::size_t job, const JobPrices& prices,
                    JobPath& best) {
  const PlanJobs& jobs = problem.jobs;
  const auto slots = static_cast<std::size_t>(problem.slots);
  std::vector<std::pair<double, std::int32_t>> window;
  const std::int32_t from = std::max(jobs.release(job), prices.from);
  const std::int32_t to = std::min(jobs.deadline(job), prices.to);
  for (const std::uint32_t s : sites_of(problem, job)) {
    window.clear();
    for (std::int32_t t = from; t < to; ++t)
      window.emplace_back(prices.energy[s * slots + static_cast<std::size_t>(t)], t);
    std::sort(window.begin(), window.end());
    for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
      const PlanMode& mode = jobs.mode(i);
      if (std::ssize(window) < mode.slots) continue;
      const auto number = static_cast<std::uint32_t>(i - jobs.mode_begin(job));
      const double per_price = prices.at_power != nullptr ? 1.0 : mode.power_kw * problem.slot_h();
      if (prices.at_power != nullptr || prices.within_sites) {
        for (auto& [eur, t] : window) {
          const std::size_t cell = s * slots + static_cast<std::size_t>(t);
          if (prices.within_sites &&
              mode.power_kw > room_kw(problem, s, static_cast<std::size_t>(t)))
            eur = kInfinity;
          else if (prices.gate != nullptr && !prices.gate->open(cell, number))
            eur = kInfinity;
          else
            eur = prices.at_power != nullptr ? prices.at_power->eur(cell, mode.power_kw, false)
                                             : prices.energy[cell];
        }
        std::sort(window.begin(), window.end());
      }
      // One of them is early enough.
      const auto early = std::find_if(window.begin(), window.end(), [&](const auto& slot) {
        return slot.second <= prices.start_by;
      });
      if (early == window.end()) continue;
      if (early - window.begin() >= mode.slots) std::rotate(window.begin(), early, early + 1);
      double sum = 0;
      for (std::int32_t k = 0; k < mode.slots; ++k)
        sum += window[static_cast<std::size_t>(k)].first;
      if (sum == kInfinity) continue;
      const double cost = prices.weights.quality * mode.quality_eur +
                          prices.weights.move * jobs.move_eur(job, s) + sum * per_price;
      if (cost >= best.cost) continue;
      best = {cost, {s, number, {}}, {}};
      for (std::int32_t k = 0; k < mode.slots; ++k)
        best.assignment.slots.push_back(window[static_cast<std::size_t>(k)].second);
      std::sort(best.assignment.slots.begin(), best.assignment.slots.end());
    }
  }
}

/// No schedule in one mode that stays at `site` costs less: the cheapest slots at the best level,
/// nothing else being below zero; minus infinite if something may be.
double floor_at(const Problem& problem, std::size_t job, const JobTerms& terms, std::uint32_t mode,
                std::uint32_t site, const JobPrices& prices, bool stoppable,
                std::vector<double>& eur_per_kw) {
  const PlanJobs& jobs = problem.jobs;
  const OwnWeights& w = prices.weights;
  if (terms.data_gb > 0 || w.restart < 0 || w.late < 0 || prices.at_power != nullptr)
    return -kInfinity;
  eur_per_kw.clear();
  const std::size_t first = site * static_cast<std::size_t>(problem.slots);
  for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t) {
    const std::size_t cell = first + static_cast<std::size_t>(t);
    eur_per_kw.push_back(problem.slot_h() * prices.energy[cell] -
                         (stoppable ? prices.reserve[cell] : 0.0));
    if (eur_per_kw.back() < 0) return -kInfinity;
  }
  const PlanMode& m = jobs.mode(jobs.mode_begin(job) + mode);
  double kw_a_part = m.power_kw / terms.speed_parts;
  std::int32_t fastest = terms.speed_parts;
  if (!terms.levels.empty())
    for (const PlanLevel& level : terms.levels[mode]) {
      kw_a_part = std::min(kw_a_part, level.power_kw / level.parts);
      fastest = std::max(fastest, level.parts);
    }
  if (eur_per_kw.empty()) return kInfinity;
  const double need = static_cast<double>(m.slots) * terms.speed_parts / fastest;
  const auto whole = static_cast<std::ptrdiff_t>(need);
  const auto last = std::min(whole, std::ssize(eur_per_kw) - 1);
  std::nth_element(eur_per_kw.begin(), eur_per_kw.begin() + last, eur_per_kw.end());
  double sum = 0;
  for (std::ptrdiff_t k = 0; k < whole; ++k) sum += eur_per_kw[static_cast<std::size_t>(k)];
  if (whole < std::ssize(eur_per_kw))
    sum += (need - static_cast<double>(whole)) * eur_per_kw[static_cast<std::size_t>(whole)];
  return w.quality * m.quality_eur + w.move * jobs.move_eur(job, site) + sum * kw_a_part * fastest;
}

void best_path(const Problem& problem, std::size_t job, const JobTerms& terms,
               const JobPrices& prices, bool stoppable, JobPath& best) {
  const std::vector<std::uint32_t> sites = sites_of(problem, job);
  const auto modes =
      static_cast<std::uint32_t>(problem.jobs.mode_end(job) - problem.jobs.mode_begin(job));
  const auto consider = [&](const std::vector<std::uint32_t>& places, std::uint32_t m) {
    JobPath path = shortest_path(problem, job, terms, m, places, prices, stoppable);
    if (path.cost < best.cost) best = std::move(path);
  };
  if (terms.movable && terms.preemptible) {
    for (std::uint32_t m = 0; m < modes; ++m) consider(sites, m);
    return;
  }
  // Places of the least floor first: most of the others need no look.
  std::vector<std::tuple<double, std::uint32_t, std::uint32_t>> order;
  std::vector<double> scratch;
  for (std::uint32_t m = 0; m < modes; ++m)
    for (const std::uint32_t s : sites)
      order.emplace_back(floor_at(problem, job, terms, m, s, prices, stoppable, scratch), m, s);
  std::sort(order.begin(), order.end());
  for (const auto& [floor, m, s] : order)
    if (floor < best.cost) consider({s}, m);
}

/// What is written only where it says something.
void shorten(JobPath& path) {
  const auto all = [](const std::vector<std::uint32_t>& of, std::uint32_t x) {
    return std::all_of(of.begin(), of.end(), [&](std::uint32_t y) { return y == x; });
  };
  if (all(path.schedule.sites, path.assignment.site)) path.schedule.sites.clear();
  if (all(path.schedule.levels, 0)) path.schedule.levels.clear();
}

/// Half of the energy of a transfer that ends where `before` begins, at each end.
void carry(const Problem& problem, const JobTerms& terms, std::uint32_t from, std::uint32_t to,
           std::int32_t before, JobRun& run) {
  const PlanNetwork& network = problem.network;
  if (!network.egress_eur_per_gb.empty())
    run.own.move += network.egress_eur_per_gb[from] * terms.data_gb;
  const std::int32_t slots = transfer_slots(network, terms.data_gb, problem.slot_s, before);
  if (slots == 0 || network.kwh_per_gb * terms.data_gb == 0) return;
  const double kw = 0.5 * network.kwh_per_gb * terms.data_gb / (slots * problem.slot_h());
  for (std::int32_t t = before - slots; t < before; ++t) {
    run.pieces.push_back({std::min(from, to), t, kw, false});
    run.pieces.push_back({std::max(from, to), t, kw, false});
  }
}

}  // namespace

JobRun cheapest(const Problem& problem, std::size_t job, const JobPrices& prices) {
  JobPath best{prices.must_run ? kInfinity : prices.weights.drop * problem.jobs.value(job), {}, {}};
  const JobTerms* terms = problem.terms_of(job);
  if (terms == nullptr) {
    cheapest_slots(problem, job, prices, best);
  } else {
    best_path(problem, job, *terms, prices, false, best);
    if (!prices.reserve.empty() && stops_in_time(*terms, prices))
      best_path(problem, job, *terms, prices, true, best);
  }
  shorten(best);
  return run_of(problem, job, best.assignment, best.schedule, prices);
}

JobRun run_of(const Problem& problem, std::size_t job, const Assignment& assignment,
              const JobSchedule& schedule, const JobPrices& offer) {
  JobRun run{assignment, schedule, {}, {}};
  const PlanJobs& jobs = problem.jobs;
  if (assignment.site == kNone) {
    run.own.drop = jobs.value(job);
    return run;
  }
  const JobTerms* own_terms = problem.terms_of(job);
  const JobTerms& terms = own_terms == nullptr ? kContract : *own_terms;
  const PlanMode& mode = jobs.mode(jobs.mode_begin(job) + assignment.mode);
  const std::int32_t end = assignment.slots.back() + 1;
  const bool stoppable = stops_in_time(terms, offer) &&
                         end + offer.hold_slots + terms.restart_slots <= jobs.deadline(job);
  run.own.quality = mode.quality_eur;
  run.own.move = jobs.move_eur(job, assignment.site);
  run.own.late = terms.late_eur_per_slot * std::max(0, end - terms.due);
  std::uint32_t at = jobs.origin(job);
  for (std::size_t i = 0; i < assignment.slots.size(); ++i) {
    const std::int32_t t = assignment.slots[i];
    const std::uint32_t site = schedule.sites.empty() ? assignment.site : schedule.sites[i];
    if (site != at && at != kNone && terms.data_gb > 0) carry(problem, terms, at, site, t, run);
    if (i > 0 && (site != at || t != assignment.slots[i - 1] + 1)) {
      run.own.restart += terms.restart_eur;
      if (site != at) run.own.move += terms.each_move_eur;
    }
    at = site;
    const std::uint32_t level = schedule.levels.empty() ? 0 : schedule.levels[i];
    const double kw =
        level == 0 ? mode.power_kw : terms.levels[assignment.mode][level - 1].power_kw;
    run.pieces.push_back({site, t, kw, stoppable});
  }
  return run;
}

double priced(const Problem& problem, const JobRun& run, const JobPrices& prices) {
  const OwnWeights& w = prices.weights;
  double sum = w.quality * run.own.quality + w.move * run.own.move + w.restart * run.own.restart +
               w.late * run.own.late + w.drop * run.own.drop;
  for (const Piece& piece : run.pieces) {
    const std::size_t cell =
        piece.site * static_cast<std::size_t>(problem.slots) + static_cast<std::size_t>(piece.slot);
    sum += piece.power_kw * problem.slot_h() * prices.energy[cell];
    if (piece.stoppable && !prices.reserve.empty()) sum -= piece.power_kw * prices.reserve[cell];
  }
  return sum;
}

double cheapest_runs(const Problem& problem, const JobPrices& prices, int threads,
                     std::vector<JobRun>& out, const StopToken& stop) {
  std::vector<double> cost(problem.jobs.size());
  out.resize(cost.size());
  const auto some = [&](std::size_t from, std::size_t step) {
    for (std::size_t j = from; j < cost.size() && !stop.requested(); j += step) {
      out[j] = cheapest(problem, j, prices);
      cost[j] = priced(problem, out[j], prices);
    }
  };
  const auto workers = static_cast<std::size_t>(std::max(1, threads));
  std::vector<std::thread> others;
  for (std::size_t k = 1; k < workers; ++k) others.emplace_back(some, k, workers);
  some(0, workers);
  for (std::thread& other : others) other.join();
  stop.throw_if_requested();
  Sum<double> sum;
  for (const double x : cost) sum += x;
  return sum.value();
}

double JobPricing::respond(const std::vector<double>& price, int threads,
                           std::vector<double>& demand) {
  JobPrices prices;
  prices.energy = price;
  prices.hold_slots = problem_.reserve.hold_slots;  // no price, but what counts as stoppable
  prices.within_s = problem_.reserve.within_s;
  prices.weights = weights_;
  const double cost = cheapest_runs(problem_, prices, threads, runs_, stop_);
  demand.assign(price.size(), 0.0);
  for (const JobRun& run : runs_)
    for (const Piece& piece : run.pieces)
      demand[piece.site * static_cast<std::size_t>(problem_.slots) +
             static_cast<std::size_t>(piece.slot)] += piece.power_kw;
  return cost;
}

}  // namespace carnot::plan
