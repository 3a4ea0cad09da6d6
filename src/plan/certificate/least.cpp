// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <limits>

#include "carnot/base/limits.hpp"

#include "plan/certificate/jobs.hpp"
#include "plan/certificate/terms.hpp"
#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

/// Least costs of everything a job can have come to, slot by slot. A state is the work done, a
/// place and what the job is about:
///
///     0                     idle, has worked before
///     1 ... need            has run so many slots in a row, or more
///     then `restart_slots`  reads its checkpoint: slots of it still to come
///     then `carry`          data is on its way here: slots of it still to come
class Bellman {
 public:
  Bellman(const Problem& problem, std::size_t job, const JobTerms& terms, const JobPrices& prices,
          bool paid)
      : problem_(problem),
        jobs_(problem.jobs),
        job_(job),
        terms_(terms),
        prices_(prices),
        paid_(paid),
        end_(paid ? stoppable_end(problem, job, terms, prices) : jobs_.deadline(job)),
        need_(terms.preemptible ? terms.min_run_slots : 1),
        carry_(carriage(problem, terms).slots),
        carry_kw_(carriage(problem, terms).end_kw),
        movable_(terms.movable && carry_ < end_ - jobs_.release(job)),
        phases_(1 + need_ + terms.restart_slots + (movable_ ? carry_ : 0)) {
    for (std::uint32_t s = 0; s < problem.sites.size(); ++s)
      if (may_run_at(jobs_, job, s)) sites_.push_back(s);
  }

  double least() {
    for (std::size_t i = jobs_.mode_begin(job_); i < jobs_.mode_end(job_); ++i) {
      mode_ = i;
      levels_ = {{jobs_.mode(i).power_kw, terms_.speed_parts}};
      if (!terms_.levels.empty())
        for (const PlanLevel& level : terms_.levels[i - jobs_.mode_begin(job_)])
          levels_.push_back(level);
      work_ = jobs_.mode(i).slots * terms_.speed_parts;
      now_.assign(
          static_cast<std::size_t>(work_) * static_cast<std::size_t>(phases_) * sites_.size(),
          kInfinity);
      for (slot_ = jobs_.release(job_); slot_ < end_; ++slot_) one_slot();
    }
    return least_;
  }

 private:
  double& at(std::vector<double>& costs, std::int32_t done, std::size_t place, int phase) const {
    return costs[(static_cast<std::size_t>(done) * sites_.size() + place) *
                     static_cast<std::size_t>(phases_) +
                 static_cast<std::size_t>(phase)];
  }
  void reach(std::int32_t done, std::size_t place, int phase, double cost) {
    double& least = at(next_, done, place, phase);
    least = std::min(least, cost);
  }
  int reading(std::int32_t to_come) const { return 1 + need_ + to_come; }
  int carrying(std::int32_t to_come) const { return 1 + need_ + terms_.restart_slots + to_come; }

  double energy(std::uint32_t site, std::int32_t t, double kw) const {
    const std::size_t cell =
        site * static_cast<std::size_t>(problem_.slots) + static_cast<std::size_t>(t);
    return kw * problem_.slot_s / 3600 * prices_.energy[cell];
  }
  double running(std::uint32_t site, double kw) const {
    const std::size_t cell =
        site * static_cast<std::size_t>(problem_.slots) + static_cast<std::size_t>(slot_);
    if (prices_.within_sites && kw > room_kw(problem_, site, static_cast<std::size_t>(slot_)))
      return kInfinity;
    return energy(site, slot_, kw) - (paid_ ? kw * prices_.reserve[cell] : 0.0);
  }

  /// This slot is worked in, as the n-th of a run.
  void work(std::int32_t done, std::size_t place, std::int32_t n, double cost) {
    for (const PlanLevel& level : levels_) {
      const double then = cost + running(sites_[place], level.power_kw);
      if (done + level.parts < work_) {
        reach(done + level.parts, place, std::min(n, need_), then);
      } else {
        const std::int32_t late = std::max(0, slot_ + 1 - terms_.due);
        least_ = std::min(least_, then + prices_.weights.late * late * terms_.late_eur_per_slot);
      }
    }
  }
  /// A run begins in this slot after a break.
  void resume(std::int32_t done, std::size_t place, double cost) {
    cost += prices_.weights.restart * terms_.restart_eur;
    if (terms_.restart_slots == 0) return work(done, place, 1, cost);
    read(done, place, terms_.restart_slots, cost);
  }
  void read(std::int32_t done, std::size_t place, std::int32_t to_come, double cost) {
    reach(done, place, reading(to_come - 1), cost + running(sites_[place], levels_[0].power_kw));
  }
  void carry(std::int32_t done, std::size_t place, std::int32_t to_come, double cost) {
    if (to_come == 0) return resume(done, place, cost);
    reach(done, place, carrying(to_come - 1), cost + energy(sites_[place], slot_, carry_kw_));
  }
  /// What the end that data leaves from costs, all of it.
  double leaving(std::size_t place) const {
    if (!movable_ || slot_ + carry_ >= end_) return kInfinity;
    double cost =
        prices_.weights.move * (egress_eur(problem_, terms_, sites_[place]) + terms_.each_move_eur);
    for (std::int32_t t = slot_; t < slot_ + carry_; ++t)
      cost += energy(sites_[place], t, carry_kw_);
    return cost;
  }
  /// Data leaves for every other site.
  void move(std::int32_t done, std::size_t place, double cost) {
    if (leaving_ == kInfinity) return;
    cost += leaving_;
    for (std::size_t to = 0; to < sites_.size(); ++to)
      if (to != place) carry(done, to, carry_, cost);
  }

  void begin(std::size_t place) {
    const std::uint32_t site = sites_[place], origin = jobs_.origin(job_);
    double cost = prices_.weights.quality * jobs_.mode(mode_).quality_eur +
                  prices_.weights.move * jobs_.move_eur(job_, site);
    if (terms_.data_gb > 0 && origin != kNone && origin != site) {
      if (slot_ - carry_ < jobs_.release(job_)) return;
      cost += prices_.weights.move * egress_eur(problem_, terms_, origin);
      for (std::int32_t t = slot_ - carry_; t < slot_; ++t)
        cost += energy(origin, t, carry_kw_) + energy(site, t, carry_kw_);
    }
    work(0, place, 1, cost);
  }

  void one_slot() {
    next_.assign(now_.size(), kInfinity);
    for (std::size_t place = 0; place < sites_.size(); ++place) {
      begin(place);
      leaving_ = leaving(place);
      for (std::int32_t done = 1; done < work_; ++done)
        for (int phase = 0; phase < phases_; ++phase)
          if (const double cost = at(now_, done, place, phase); cost < kInfinity)
            go_on(done, place, phase, cost);
    }
    now_.swap(next_);
  }

  void go_on(std::int32_t done, std::size_t place, int phase, double cost) {
    if (phase >= carrying(0)) return carry(done, place, phase - carrying(0), cost);
    if (phase > reading(0)) return read(done, place, phase - reading(0), cost);
    if (terms_.restart_slots > 0 && phase == reading(0))
      return work(done, place, terms_.restart_slots + 1, cost);
    if (phase == 0) resume(done, place, cost);
    if (phase > 0) work(done, place, phase + 1, cost);
    if (terms_.preemptible && (phase == 0 || phase == need_)) {
      reach(done, place, 0, cost);
      move(done, place, cost);
    }
  }

  const Problem& problem_;
  const PlanJobs& jobs_;
  std::size_t job_;
  const JobTerms& terms_;
  const JobPrices& prices_;
  bool paid_;
  std::int32_t end_, need_, carry_;
  double carry_kw_;
  bool movable_;
  int phases_;
  std::vector<std::uint32_t> sites_;
  std::size_t mode_ = 0;
  std::vector<PlanLevel> levels_;
  std::int32_t work_ = 0, slot_ = 0;
  double leaving_ = kInfinity;  // of this slot and place
  double least_ = kInfinity;
  std::vector<double> now_, next_;
};

/// Site, mode and k slots of a job without terms.
double least_without_terms(const Problem& problem, std::size_t job, const JobPrices& prices) {
  const PlanJobs& jobs = problem.jobs;
  double least = kInfinity;
  for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
    if (!may_run_at(jobs, job, s)) continue;
    const double* row = &prices.energy[s * static_cast<std::size_t>(problem.slots)];
    std::vector<double> window(row + jobs.release(job), row + jobs.deadline(job));
    std::sort(window.begin(), window.end());
    for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
      if (prices.within_sites) {
        window.clear();
        for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t)
          if (jobs.mode(i).power_kw <= room_kw(problem, s, static_cast<std::size_t>(t)))
            window.push_back(row[t]);
        if (std::ssize(window) < jobs.mode(i).slots) continue;
        std::sort(window.begin(), window.end());
      }
      if (std::ssize(window) < jobs.mode(i).slots) continue;
      double sum = 0;
      for (std::int32_t k = 0; k < jobs.mode(i).slots; ++k)
        sum += window[static_cast<std::size_t>(k)];
      least = std::min(least, prices.weights.quality * jobs.mode(i).quality_eur +
                                  prices.weights.move * jobs.move_eur(job, s) +
                                  sum * jobs.mode(i).power_kw * problem.slot_s / 3600);
    }
  }
  return least;
}

/// More than the sums of a schedule that costs `least` can have lost, each of them being of at most
/// four numbers a slot and twenty more. The magnitudes of what is added come to the sum itself and
/// twice what is below zero.
double rounding(const Problem& problem, std::size_t job, const JobTerms& terms,
                const JobPrices& prices, double least) {
  const PlanJobs& jobs = problem.jobs;
  const OwnWeights& w = prices.weights;
  const auto below_zero = [](double x) { return std::max(0.0, -x); };
  const double slots = jobs.deadline(job) - jobs.release(job);
  const Carriage way = carriage(problem, terms);
  const bool carries = way.slots < slots;
  double kw = carries ? 2 * way.end_kw : 0.0, quality = 0;
  for (std::size_t i = jobs.mode_begin(job); i < jobs.mode_end(job); ++i) {
    kw = std::max(kw, jobs.mode(i).power_kw);
    quality = std::max(quality, below_zero(w.quality * jobs.mode(i).quality_eur));
  }
  for (const auto& levels : terms.levels)
    for (const PlanLevel& level : levels) kw = std::max(kw, level.power_kw);
  double first = 0, move = 0, energy = 0;
  for (std::uint32_t s = 0; s < problem.sites.size(); ++s) {
    first = std::max(first, below_zero(w.move * jobs.move_eur(job, s)));
    if (carries) move = std::max(move, below_zero(w.move * egress_eur(problem, terms, s)));
    for (std::int32_t t = jobs.release(job); t < jobs.deadline(job); ++t) {
      const std::size_t cell =
          s * static_cast<std::size_t>(problem.slots) + static_cast<std::size_t>(t);
      const double reserve = prices.reserve.empty() ? 0.0 : prices.reserve[cell];
      energy = std::max(
          energy, below_zero(prices.energy[cell] * problem.slot_s / 3600) + below_zero(-reserve));
    }
  }
  const double each_slot = 2 * kw * energy + move + below_zero(w.move * terms.each_move_eur) +
                           below_zero(w.restart * terms.restart_eur) +
                           below_zero(w.late * terms.late_eur_per_slot);
  const double size = std::abs(least) + 2 * (quality + first + each_slot * slots);
  return size * (4 * slots + 20) * std::numeric_limits<double>::epsilon();
}

}  // namespace

double least_cost(const Problem& problem, std::size_t job, const JobPrices& prices) {
  const JobTerms* given = problem.terms_of(job);
  const JobTerms terms = given == nullptr ? JobTerms() : *given;
  double least = prices.weights.drop * problem.jobs.value(job);
  if (given == nullptr) {
    least = std::min(least, least_without_terms(problem, job, prices));
  } else {
    least = std::min(least, Bellman(problem, job, terms, prices, false).least());
    if (!prices.reserve.empty())
      least = std::min(least, Bellman(problem, job, terms, prices, true).least());
  }
  return least - rounding(problem, job, terms, prices, least);
}

}  // namespace carnot::plan
