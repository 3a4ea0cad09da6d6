// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/shortest_path.hpp"

#include <algorithm>

#include "carnot/base/limits.hpp"

#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

/// Costs to go at the beginning of a slot with work left:
///   run(n)   the slot before was the n-th of its run, counted up to what a run needs at least
///   idle     the slot before was idle
///   resume   a run begins here, after a break
/// Places are numbers in `sites`.
class Search {
 public:
  Search(const Problem& problem, std::size_t job, const JobTerms& terms, std::uint32_t mode,
         const std::vector<std::uint32_t>& sites, const JobPrices& prices, bool stoppable)
      : problem_(problem),
        job_(job),
        terms_(terms),
        sites_(sites),
        weights_(prices.weights),
        mode_(mode),
        gate_(prices.gate),
        release_(std::max(problem.jobs.release(job), prices.from)),
        deadline_(problem.jobs.deadline(job)),
        end_(std::min(stoppable ? deadline_ - prices.hold_slots - terms.restart_slots : deadline_,
                      prices.to)),
        start_by_(prices.start_by),
        run_needs_(terms.preemptible ? terms.min_run_slots : 1),
        carry_slots_(transfer_slots(problem.network, terms.data_gb, problem.slot_s, deadline_)) {
    const PlanMode& m = problem.jobs.mode(problem.jobs.mode_begin(job) + mode);
    work_ = m.slots * terms.speed_parts;
    levels_.push_back({m.power_kw, terms.speed_parts});
    if (!terms.levels.empty())
      levels_.insert(levels_.end(), terms.levels[mode].begin(), terms.levels[mode].end());
    for (const PlanLevel& level : levels_) fastest_ = std::max(fastest_, level.parts);
    quality_ = prices.weights.quality * m.quality_eur;
    if (end_ <= release_) return;
    price_cells(prices, stoppable);
    fill();
  }

  JobPath best() const {
    JobPath out{kInfinity, {}, {}};
    std::size_t at = 0;
    std::int32_t from = 0;
    for (std::int32_t t = release_; t <= std::min(end_ - 1, start_by_); ++t)
      for (std::size_t i = 0; i < sites_.size(); ++i)
        if (const double cost = start(t, i); cost < out.cost) {
          out.cost = cost;
          at = i;
          from = t;
        }
    if (out.cost < kInfinity) trace(from, at, out);
    return out;
  }

 private:
  struct Step {
    double cost;
    std::size_t level;
  };
  struct Entry {
    double cost = kInfinity;
    std::size_t place = 0;
  };

  std::size_t cell(std::size_t i, std::int32_t t) const {
    return i * static_cast<std::size_t>(end_ - release_) + static_cast<std::size_t>(t - release_);
  }
  std::size_t state(std::int32_t t, std::int32_t left, std::size_t i) const {
    return (static_cast<std::size_t>(t - release_) * static_cast<std::size_t>(work_) +
            static_cast<std::size_t>(left - 1)) *
               sites_.size() +
           i;
  }
  double& run(std::size_t state, std::int32_t n) {
    return run_[state * static_cast<std::size_t>(run_needs_) + static_cast<std::size_t>(n - 1)];
  }
  double run(std::size_t state, std::int32_t n) const {
    return const_cast<Search*>(this)->run(state, n);
  }

  /// EUR per kW of running, and sums over the slots of a restart or of a transfer, by place and
  /// first slot.
  void price_cells(const JobPrices& prices, bool stoppable) {
    const double h = problem_.slot_h();
    const auto slots = static_cast<std::size_t>(problem_.slots);
    const double carried_kw =
        carry_slots_ == 0 ? 0.0
                          : 0.5 * problem_.network.kwh_per_gb * terms_.data_gb / (carry_slots_ * h);
    const auto window = static_cast<std::size_t>(end_ - release_);
    const auto first = [&](std::uint32_t s) {
      return s * slots + static_cast<std::size_t>(release_);
    };
    const bool by_level = prices.at_power != nullptr || prices.within_sites;
    // Sums of a row over `length` slots from each on, those past the end left out.
    std::vector<double> sums;
    const auto append_sums = [&](const double* row, std::int32_t length, double scale, double plus,
                                 std::vector<double>& to) {
      sums.assign(1, 0.0);
      for (std::size_t t = 0; t < window; ++t) sums.push_back(sums.back() + row[t]);
      for (std::size_t t = 0; t < window; ++t) {
        const std::size_t until = std::min(window, t + static_cast<std::size_t>(length));
        to.push_back((sums[until] - sums[t]) * scale + plus);
      }
    };
    for (std::size_t i = 0; i < sites_.size(); ++i) {
      const std::size_t from = first(sites_[i]);
      for (std::size_t t = from; t < from + window; ++t)
        kw_.push_back(h * prices.energy[t] - (stoppable ? prices.reserve[t] : 0.0));
      append_sums(&prices.energy[from], carry_slots_, h * carried_kw, 0, carry_);
      if (!by_level)
        append_sums(&kw_[i * window], terms_.restart_slots, levels_[0].power_kw,
                    weights_.restart * terms_.restart_eur, restart_);
    }
    if (by_level) price_levels(prices, stoppable, window);
    if (const std::uint32_t origin = problem_.jobs.origin(job_); origin != kNone)
      append_sums(&prices.energy[first(origin)], carry_slots_, h * carried_kw, 0, origin_carry_);
  }

  /// What each level costs in each cell, and restarts at level 0.
  void price_levels(const JobPrices& prices, bool stoppable, std::size_t window) {
    for (const PlanLevel& level : levels_)
      for (std::size_t i = 0; i < sites_.size(); ++i)
        for (std::size_t n = 0; n < window; ++n) {
          const std::size_t t = static_cast<std::size_t>(release_) + n;
          const std::size_t at = sites_[i] * static_cast<std::size_t>(problem_.slots) + t;
          if (prices.within_sites && level.power_kw > room_kw(problem_, sites_[i], t))
            level_eur_.push_back(kInfinity);
          else if (gate_ != nullptr && !gate_->open(at, mode_))
            level_eur_.push_back(kInfinity);
          else if (prices.at_power != nullptr)
            level_eur_.push_back(prices.at_power->eur(at, level.power_kw, stoppable));
          else
            level_eur_.push_back(kw_[i * window + n] * level.power_kw);
        }
    // Summed anew for each: infinite and huge ones leave no trace in the others.
    for (std::size_t i = 0; i < sites_.size(); ++i)
      for (std::size_t t = 0; t < window; ++t) {
        double sum = weights_.restart * terms_.restart_eur;
        const std::size_t until =
            std::min(window, t + static_cast<std::size_t>(terms_.restart_slots));
        for (std::size_t n = t; n < until; ++n) sum += level_eur_[i * window + n];
        restart_.push_back(sum);
      }
  }

  double egress(std::uint32_t site) const {
    const std::vector<double>& eur = problem_.network.egress_eur_per_gb;
    return eur.empty() ? 0.0 : weights_.move * eur[site] * terms_.data_gb;
  }

  /// Runs slot t, the n-th of its run (or a later one): cost to go from before it.
  Step work(std::int32_t t, std::int32_t left, std::size_t i, std::int32_t n) const {
    Step best{kInfinity, 0};
    if (t >= end_) return best;
    for (std::size_t l = 0; l < levels_.size(); ++l) {
      const std::int32_t after = left - levels_[l].parts;
      double cost = level_eur_.empty() ? kw_[cell(i, t)] * levels_[l].power_kw
                                       : level_eur_[l * kw_.size() + cell(i, t)];
      if (after <= 0)
        cost += weights_.late * terms_.late_eur_per_slot * std::max(0, t + 1 - terms_.due);
      else
        cost += t + 1 < end_ ? run(state(t + 1, after, i), n) : kInfinity;
      if (cost < best.cost) best = {cost, l};
    }
    return best;
  }

  std::int32_t capped(std::int32_t n) const { return std::min(n, run_needs_); }

  double start(std::int32_t t, std::size_t i) const {
    const std::uint32_t site = sites_[i], origin = problem_.jobs.origin(job_);
    double cost = quality_ + weights_.move * problem_.jobs.move_eur(job_, site);
    if (terms_.data_gb > 0 && origin != kNone && origin != site) {
      if (t - carry_slots_ < release_) return kInfinity;
      const std::int32_t leaves = t - carry_slots_;
      cost += egress(origin) + carry_[cell(i, leaves)] +
              origin_carry_[static_cast<std::size_t>(leaves - release_)];
    }
    return cost + work(t, work_, i, 1).cost;
  }

  /// The site to go on at when the data leaves in slot t; not `from`.
  Entry enter(std::int32_t t, std::int32_t left, std::size_t from) const {
    Entry best;
    for (std::size_t i = 0; i < sites_.size(); ++i)
      if (const double cost = entry(t, left, i); i != from && cost < best.cost) best = {cost, i};
    return best;
  }
  double entry(std::int32_t t, std::int32_t left, std::size_t i) const {
    if (t + carry_slots_ >= end_) return kInfinity;
    return weights_.move * terms_.each_move_eur + carry_[cell(i, t)] +
           resume_[state(t + carry_slots_, left, i)];
  }
  double leave(std::int32_t t, std::size_t i) const {
    return egress(sites_[i]) + carry_[cell(i, t)];
  }
  bool moves() const { return terms_.movable && terms_.preemptible && sites_.size() > 1; }

  void fill() {
    const std::size_t states = state(end_, 1, 0);
    run_.assign(states * static_cast<std::size_t>(run_needs_), kInfinity);
    if (terms_.preemptible) {
      idle_.assign(states, kInfinity);
      resume_.assign(states, kInfinity);
    }
    for (std::int32_t t = end_ - 1; t > release_; --t) {
      // Work left that can have come about by now, and can still be done.
      const auto done = static_cast<std::int64_t>(fastest_) * (t - release_);
      const auto can = static_cast<std::int64_t>(fastest_) * (end_ - t);
      const auto least = static_cast<std::int32_t>(std::max<std::int64_t>(1, work_ - done));
      const auto most = static_cast<std::int32_t>(std::min<std::int64_t>(work_, can));
      for (std::int32_t left = least; left <= most; ++left) fill(t, left);
    }
  }

  void fill(std::int32_t t, std::int32_t left) {
    const std::int32_t pause = terms_.restart_slots;
    const std::size_t first = state(t, left, 0), places = sites_.size();
    if (terms_.preemptible)
      for (std::size_t i = 0; i < places; ++i)
        resume_[first + i] =
            restart_[cell(i, t)] + work(t + pause, left, i, capped(pause + 1)).cost;
    // Least and second least way in: what each site has that is not to be left for itself.
    Entry best, second;
    if (moves())
      for (std::size_t i = 0; i < places; ++i) {
        const Entry in{entry(t, left, i), i};
        if (in.cost < best.cost) {
          second = best;
          best = in;
        } else if (in.cost < second.cost) {
          second = in;
        }
      }
    for (std::size_t i = 0; i < places; ++i) {
      for (std::int32_t n = 1; n <= run_needs_; ++n)
        run(first + i, n) = work(t, left, i, capped(n + 1)).cost;
      if (!terms_.preemptible) continue;
      double stop = t + 1 < end_ ? idle_[state(t + 1, left, i)] : kInfinity;
      if (moves()) stop = std::min(stop, leave(t, i) + (best.place == i ? second : best).cost);
      run(first + i, run_needs_) = std::min(run(first + i, run_needs_), stop);
      idle_[first + i] = std::min(resume_[first + i], stop);
    }
  }

  /// Follows the least costs forward from the first run.
  void trace(std::int32_t t, std::size_t i, JobPath& out) const {
    out.assignment.site = sites_[i];
    out.assignment.mode = mode_;
    const auto take = [&](std::size_t level) {
      out.assignment.slots.push_back(t++);
      out.schedule.sites.push_back(sites_[i]);
      out.schedule.levels.push_back(static_cast<std::uint32_t>(level));
    };
    std::int32_t left = work_, n = 0;
    const auto work_once = [&](std::int32_t length) {
      const Step step = work(t, left, i, length);
      left -= levels_[step.level].parts;
      n = length;
      take(step.level);
    };
    const auto resume_here = [&] {
      for (std::int32_t k = 0; k < terms_.restart_slots; ++k) take(0);
      work_once(capped(terms_.restart_slots + 1));
    };
    work_once(1);
    for (bool running = true; left > 0;) {
      const std::size_t here = state(t, left, i);
      if (running && work(t, left, i, capped(n + 1)).cost <= run(here, n)) {
        work_once(capped(n + 1));
        continue;
      }
      if (!running && resume_[here] <= idle_[here]) {
        resume_here();
        running = true;
        continue;
      }
      const double stay = t + 1 < end_ ? idle_[state(t + 1, left, i)] : kInfinity;
      const Entry in = moves() ? enter(t, left, i) : Entry();
      if (leave(t, i) + in.cost < stay) {
        t += carry_slots_;
        i = in.place;
        resume_here();
        running = true;
      } else {
        ++t;
        running = false;
      }
    }
  }

  const Problem& problem_;
  std::size_t job_;
  const JobTerms& terms_;
  const std::vector<std::uint32_t>& sites_;
  OwnWeights weights_;
  std::uint32_t mode_;
  const SlotGate* gate_;
  std::int32_t release_, deadline_, end_;  // runs in [release, end)
  std::int32_t start_by_;                  // its first slot is this or before
  std::int32_t run_needs_, carry_slots_;
  std::int32_t work_ = 0, fastest_ = 0;
  double quality_ = 0;
  std::vector<PlanLevel> levels_;
  std::vector<double> kw_, carry_, restart_, origin_carry_;  // [place x slots + slot]
  std::vector<double> level_eur_;            // [level][place x slots + slot]; empty: kw_ x power
  std::vector<double> run_, idle_, resume_;  // [state], run also by n
};

}  // namespace

JobPath shortest_path(const Problem& problem, std::size_t job, const JobTerms& terms,
                      std::uint32_t mode, const std::vector<std::uint32_t>& sites,
                      const JobPrices& prices, bool stoppable) {
  return Search(problem, job, terms, mode, sites, prices, stoppable).best();
}

}  // namespace carnot::plan
