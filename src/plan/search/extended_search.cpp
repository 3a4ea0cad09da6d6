// SPDX-License-Identifier: Apache-2.0
#include "plan/search/extended_search.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#include "plan/search/ruin_recreate.hpp"

namespace carnot::plan {

namespace {

constexpr std::size_t kNear = 7;  // jobs taken out at once
constexpr double kLeastPower = 1e-9;
constexpr double kFits = 1e-10;     // by which a sum of powers may pass a limit, relative
constexpr double kForbidden = 1e9;  // EUR per kW beyond what a site can hold or owes

}  // namespace

ExtendedSearch::ExtendedSearch(const SiteModel& model)
    : model_(model), problem_(model.problem()), workflow_(model.problem()) {
  const std::size_t cells = model.sites() * model.slots();
  for (std::vector<double>* of : {&owed_, &held_, &held_price_, &energy_, &reserve_})
    of->resize(cells);
  for (std::size_t s = 0; s < model.sites(); ++s)
    for (std::size_t t = 0; t < model.slots(); ++t) base_.push_back(model.base(s, t));
}

void ExtendedSearch::look(const PricedWeights& weights, const std::vector<SiteFlows>& flows) {
  weights_ = weights.jobs();
  for (std::vector<double>* of : {&owed_, &held_, &held_price_})
    std::fill(of->begin(), of->end(), 0.0);
  supply_ = supplies(model_, weights, flows);
  for (std::size_t s = 0; s < model_.sites(); ++s) {
    if (flows[s].reserve_kw.empty()) continue;
    for (std::size_t t = 0; t < model_.slots(); ++t) {
      const std::size_t i = s * model_.slots() + t;
      held_price_[i] = weights.sites(t).money * model_.offer_price(s, t);
      for (std::size_t k = 0; k < model_.hold() && t + k < model_.slots(); ++k) {
        owed_[i + k] = std::max(owed_[i + k], model_.committed(s, t));
        held_[i + k] = std::max(held_[i + k], flows[s].reserve_kw[t]);
      }
    }
  }
}

/// Of holding less reserve than is owed, or than was offered.
double ExtendedSearch::reserve_cost(std::size_t i, double stoppable) const {
  return kForbidden * std::max(0.0, owed_[i] - stoppable) +
         held_price_[i] * std::max(0.0, held_[i] - std::max(stoppable, owed_[i]));
}

double ExtendedSearch::cell_cost(std::size_t i, double load, double stoppable) const {
  double cost = reserve_cost(i, stoppable), left = base_[i] + load;
  for (const SupplyPiece& piece : supply_[i].pieces) {
    const double eur_per_kw = piece.price * model_.h();
    if (left <= piece.power) return cost + std::max(0.0, left) * eur_per_kw;
    cost += piece.power * eur_per_kw;
    left -= piece.power;
  }
  return left > kFits * (base_[i] + load) ? cost + kForbidden * left : cost;
}

double ExtendedSearch::marginal(std::size_t i, double kw, bool stoppable, double trust) const {
  const double more = stoppable ? kw : 0.0;
  const double now = cell_cost(i, sums_.load[i], sums_.stoppable[i]);
  const double then = cell_cost(i, sums_.load[i] + kw, sums_.stoppable[i] + more);
  const double cost = then - now;
  if (trust == 0 || guide_.empty()) return cost;
  return cost + trust * std::max(0.0, guide_[i] * kw * model_.h() - cost);
}

double ExtendedSearch::run_cost(const JobRun& run, double trust) {
  double sum = weighted(weights_, run.own);
  for (const Piece& piece : run.pieces) {
    const std::size_t i = cell(piece);
    sum += marginal(i, piece.power_kw, piece.stoppable, trust);
    // A run may draw twice in a cell: each on top of what went before.
    sums_.load[i] += piece.power_kw;
    if (piece.stoppable) sums_.stoppable[i] += piece.power_kw;
  }
  for (const Piece& piece : run.pieces) {
    sums_.load[cell(piece)] -= piece.power_kw;
    if (piece.stoppable) sums_.stoppable[cell(piece)] -= piece.power_kw;
  }
  return sum;
}

/// Where `job` costs least given all others.
std::optional<JobRun> ExtendedSearch::best(std::size_t job, double trust) {
  const PlanJobs& jobs = problem_.jobs;
  const JobTerms* terms = problem_.terms_of(job);
  if (terms != nullptr && terms->data_gb > 0 && problem_.network.kwh_per_gb > 0) {
    // Data is carried at a power of its own, from where the job may not run too.
    const std::int32_t slots =
        transfer_slots(problem_.network, terms->data_gb, problem_.slot_s, problem_.slots);
    const double energy_kwh = 0.5 * problem_.network.kwh_per_gb * terms->data_gb;
    const double kw = std::max(kLeastPower, energy_kwh / (std::max(slots, 1) * model_.h()));
    for (std::uint32_t s = 0; s < model_.sites(); ++s)
      for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t) {
        const std::size_t i = s * model_.slots() + static_cast<std::size_t>(t);
        energy_[i] = marginal(i, kw, false, trust) / (kw * model_.h());
      }
  }
  class Marginal final : public PowerCost {
   public:
    Marginal(const ExtendedSearch& of, double trust_of) : of_(of), trust_(trust_of) {}
    double eur(std::size_t cell, double kw, bool stoppable) const override {
      return of_.marginal(cell, kw, stoppable, trust_);
    }

   private:
    const ExtendedSearch& of_;
    double trust_;
  };
  const Marginal costs(*this, trust);
  JobPrices prices;
  prices.energy = energy_;
  if (terms != nullptr && !problem_.site_terms.empty()) prices.reserve = reserve_;
  prices.hold_slots = problem_.reserve.hold_slots;
  prices.within_s = problem_.reserve.within_s;
  prices.weights = weights_;
  prices.at_power = &costs;
  JobRun dropped;
  dropped.own.drop = jobs.value(job);
  if (!workflow_.empty()) {
    const WorkflowState::Window window = workflow_.window(job, runs_);
    if (!window.may_run) return window.may_drop ? std::optional(dropped) : std::nullopt;
    prices.from = window.from;
    prices.to = window.to;
    prices.start_by = window.start_by;
    prices.gate = &workflow_;
    if (!window.may_drop) prices.must_run = true;
    JobRun run = cheapest(problem_, job, prices);
    if (!window.may_drop)
      return run.assignment.site == kNone ? std::nullopt : std::optional(std::move(run));
    return run_cost(run, trust) < weighted(weights_, dropped.own) ? std::move(run) : dropped;
  }
  JobRun run = cheapest(problem_, job, prices);
  return run_cost(run, trust) < weighted(weights_, dropped.own) ? run : dropped;
}

void ExtendedSearch::set_runs(std::vector<JobRun> runs) {
  if (workflow_.empty()) {
    runs_ = std::move(runs);
    sums_ = sums_of(problem_, runs_);
    return;
  }
  runs_.assign(runs.size(), {});
  sums_ = sums_of(problem_, runs_);
  workflow_.clear();
  for (const std::uint32_t job : workflow_.order()) {
    std::optional<JobRun> run(std::move(runs[job]));
    if (!workflow_.allows(job, *run, runs_)) run = best(job, 0.0);
    CARNOT_CHECK(run.has_value(), "a job none of whose successors is placed can be dropped");
    put(job, std::move(*run));
  }
  sums_ = sums_of(problem_, runs_);
}

void ExtendedSearch::put(std::size_t job, JobRun run) {
  workflow_.put(job, run);
  add_run(problem_, run, 1.0, sums_);
  runs_[job] = std::move(run);
}

JobRun ExtendedSearch::take(std::size_t job) {
  JobRun run = std::move(runs_[job]);
  workflow_.take(job, run);
  add_run(problem_, run, -1.0, sums_);
  runs_[job] = {};
  return run;
}

void ExtendedSearch::sweep(double trust, const StopToken& stop) {
  for (const std::uint32_t job : workflow_.order()) {
    if (stop.requested()) break;
    JobRun before = take(job);
    std::optional<JobRun> after = best(job, trust);
    put(job, after && run_cost(*after, trust) < run_cost(before, trust) ? std::move(*after)
                                                                        : std::move(before));
  }
  // What rounding has left behind in sums of many changes goes.
  sums_ = sums_of(problem_, runs_);
}

/// A job and some that draw power where it does, or beside.
std::vector<std::size_t> ExtendedSearch::neighbours(const RandomStream& draw) const {
  std::vector<std::size_t> out{draw.below(0, runs_.size())};
  const std::vector<Piece>& pieces = runs_[out[0]].pieces;
  if (pieces.empty()) {
    if (const std::size_t other = draw.below(1, runs_.size()); other != out[0])
      out.push_back(other);
    return out;
  }
  const Piece& at = pieces[draw.below(1, pieces.size())];
  const std::size_t offset = draw.below(2, runs_.size());
  for (std::size_t n = 0; n < runs_.size() && out.size() < kNear; ++n) {
    const std::size_t job = (offset + n) % runs_.size();
    if (job == out[0]) continue;
    const PlanJobs& jobs = problem_.jobs;
    if (jobs.release(job) > at.slot + 1 || jobs.deadline(job) <= at.slot - 1) continue;
    const std::vector<Piece>& of = runs_[job].pieces;
    const bool near = of.empty() || std::any_of(of.begin(), of.end(), [&](const Piece& piece) {
                        return piece.site == at.site && std::abs(piece.slot - at.slot) <= 1;
                      });
    if (near) out.push_back(job);
  }
  return out;
}

// Plans as ruin_recreate() wants them.
struct ExtendedSearch::Rounds {
  ExtendedSearch& of;
  double warmth;
  std::vector<std::size_t> jobs;
  std::vector<std::pair<std::size_t, JobRun>> before;

  double ruin(const RandomStream& draw) {
    jobs = !of.workflow_.empty() && draw.uniform(5) < 0.5 ? of.workflow_.kin(draw, kNear)
                                                          : of.neighbours(draw);
    before.clear();
    double cost = 0;
    for (const std::size_t job : jobs) {
      before.emplace_back(job, of.take(job));
      cost += of.run_cost(before.back().second, 0.0);
    }
    return cost;
  }
  double recreate(const RandomStream& draw) {
    for (std::size_t k = jobs.size(); k > 1; --k)
      std::swap(jobs[k - 1], jobs[draw.below(100 + k, k)]);
    if (!of.workflow_.empty())  // predecessors first
      std::stable_sort(jobs.begin(), jobs.end(), [this](std::size_t a, std::size_t b) {
        return of.workflow_.depth(a) < of.workflow_.depth(b);
      });
    const double trust = draw.uniform(3) < 0.5 ? 0.0 : draw.uniform(4);
    double cost = 0;
    for (const std::size_t job : jobs) {
      std::optional<JobRun> run = of.best(job, trust);
      if (!run) return kInfinity;
      cost += of.run_cost(*run, 0.0);
      of.put(job, std::move(*run));
    }
    return cost;
  }
  double allowance(const RandomStream&, std::uint64_t n, std::uint64_t rounds) const {
    return warmth * (1.0 - static_cast<double>(n + 1) / static_cast<double>(rounds));
  }
  void restore() {
    for (const std::size_t job : jobs) of.take(job);
    for (auto& [job, run] : before) of.put(job, std::move(run));
  }
};

void ExtendedSearch::rebuild(std::uint64_t rounds, double warmth, std::uint64_t seed,
                             const StopToken& stop) {
  if (runs_.empty()) return;
  Rounds plan{*this, warmth, {}, {}};
  ruin_recreate(plan, rounds, RandomStream(seed, "rebuild"), stop);
  sums_ = sums_of(problem_, runs_);
}

}  // namespace carnot::plan
