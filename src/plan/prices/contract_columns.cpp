// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/contract_columns.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

constexpr double kDraw = 0.3;    // first, of prices towards the best ones
constexpr double kWorth = 1e-9;  // EUR a column must save

class Master {
 public:
  Master(const Problem& problem, const std::vector<Supply>& supply, const StopToken& stop)
      : problem_(problem),
        supply_(supply),
        stop_(stop),
        slots_(static_cast<std::size_t>(problem.slots)),
        h_(problem.slot_h()) {
    for (const Supply& x : supply) {
      std::vector<solve::Term> drawn;
      x.each([&](double power, double price) {
        drawn.push_back({program_.add_column(0.0, power, price * h_), -1.0});
      });
      cell_row_.push_back(program_.add_row(-kInfinity, 0.0, drawn));
    }
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
      constant_ += problem.jobs.value(j);
      job_row_.push_back(program_.add_row(-kInfinity, 1.0, {}));
    }
    for (std::size_t s = 0; s < problem.sites.size(); ++s)
      for (std::size_t t = 0; t < slots_; ++t) room_.push_back(room_kw(problem, s, t));
    price_.resize(supply.size());
    worth_.assign(job_row_.size(), kInfinity);
  }

  /// False if CLP gave no optimum. \throws Stopped
  bool solve() {
    const solve::ProgramAnswer answer = program_.solve(stop_);
    if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
    objective_ = answer.objective + constant_;
    for (std::size_t i = 0; i < price_.size(); ++i)
      price_[i] = std::max(0.0, -program_.price(cell_row_[i]) / h_);
    for (std::size_t j = 0; j < worth_.size(); ++j) worth_[j] = program_.price(job_row_[j]);
    return answer.status == solve::ProgramStatus::Optimal;
  }
  double objective() const noexcept { return objective_; }
  const std::vector<double>& prices() const noexcept { return price_; }

  /// Bound that `price` proves. Adds what each job would do at these prices, and the next best,
  /// where it is worth something at the master's own. \throws Stopped
  double ask(const std::vector<double>& price, bool& fresh) {
    const std::size_t before = program_.columns();
    Sum<double> bound;
    for (std::size_t i = 0; i < supply_.size(); ++i) bound += supply_[i].surplus(price[i]) * h_;
    for (std::size_t j = 0; j < problem_.jobs.size(); ++j) {
      stop_.throw_if_requested();
      list(j, price);
      bound += problem_.jobs.value(j);
      if (options_.empty()) continue;
      const auto next = options_.begin() + std::min<std::ptrdiff_t>(1, std::ssize(options_) - 1);
      std::nth_element(options_.begin(), next, options_.end());
      bound += std::min(options_.front().priced, 0.0);
      add(j, options_.front());
      if (next != options_.begin()) add(j, *next);
    }
    fresh = program_.columns() > before;
    return bound.value();
  }

 private:
  /// A site and a mode of a job, in the slots that cost least.
  struct Option {
    double priced = 0, own = 0;  // EUR over being dropped; `own` without energy
    std::uint32_t site = 0;
    std::uint64_t mode = 0;
    bool operator<(const Option& other) const noexcept {
      return priced < other.priced ||
             (priced == other.priced &&
              (site < other.site || (site == other.site && mode < other.mode)));
    }
  };

  /// The cheapest slots of a mode at a site, of those that can feed it. False: too few.
  template <class Visit>
  bool each_slot(std::uint32_t site, const PlanMode& mode, Visit&& visit) const {
    std::int32_t left = mode.slots;
    for (const auto& [eur, t] : ranked_[site]) {
      if (left == 0) break;
      if (mode.power_kw > room_[site * slots_ + static_cast<std::size_t>(t)]) continue;
      visit(eur, t);
      --left;
    }
    return left == 0;
  }

  void list(std::size_t j, const std::vector<double>& price) {
    const PlanJobs& jobs = problem_.jobs;
    const std::vector<std::uint32_t>* allowed = jobs.sites(j);
    ranked_.assign(problem_.sites.size(), {});
    options_.clear();
    for (std::uint32_t s = 0; s < problem_.sites.size(); ++s) {
      if (allowed != nullptr && !std::binary_search(allowed->begin(), allowed->end(), s)) continue;
      auto& ranked = ranked_[s];
      for (std::int32_t t = jobs.release(j); t < jobs.deadline(j); ++t)
        ranked.emplace_back(price[s * slots_ + static_cast<std::size_t>(t)], t);
      std::sort(ranked.begin(), ranked.end());
      for (std::uint64_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
        const PlanMode& mode = jobs.mode(i);
        double sum = 0;
        if (!each_slot(s, mode, [&](double eur, std::int32_t) { sum += eur; })) continue;
        const double own = mode.quality_eur + jobs.move_eur(j, s) - jobs.value(j);
        options_.push_back({own + sum * mode.power_kw * h_, own, s, i});
      }
    }
  }

  void add(std::size_t j, const Option& option) {
    const PlanMode& mode = problem_.jobs.mode(option.mode);
    shares_.assign(1, {job_row_[j], 1.0});
    double energy = 0;
    each_slot(option.site, mode, [&](double, std::int32_t t) {
      const std::size_t cell = option.site * slots_ + static_cast<std::size_t>(t);
      shares_.push_back({cell_row_[cell], mode.power_kw});
      energy += mode.power_kw * h_ * price_[cell];
    });
    if (option.own + energy < worth_[j] - kWorth)
      program_.add_column(0.0, kInfinity, option.own, shares_);
  }

  const Problem& problem_;
  const std::vector<Supply>& supply_;
  StopToken stop_;
  std::size_t slots_;
  double h_, constant_ = 0, objective_ = kInfinity;
  solve::LinearProgram program_;
  std::vector<int> cell_row_, job_row_;
  std::vector<double> price_, worth_;  // of the last solve: [cell]; [job], at most 0
  std::vector<double> room_;           // [cell]
  std::vector<Option> options_;
  std::vector<std::vector<std::pair<double, std::int32_t>>> ranked_;  // [site]
  std::vector<solve::Share> shares_;
};

}  // namespace

DantzigWolfe contract_columns(const Problem& problem, const std::vector<Supply>& supply,
                              const std::vector<double>& start, double close,
                              const std::function<bool(const DantzigWolfe&)>& go_on,
                              const StopToken& stop) {
  Master master(problem, supply, stop);
  DantzigWolfeOptions options;
  options.gap = close;
  options.draws = {kDraw, kDraw / 2, kDraw / 4, 0.0};
  options.stop_at_gap = false;
  if (go_on)
    options.progress = [&](const DantzigWolfe& so_far) {
      return so_far.rounds == 1 || go_on(so_far);
    };
  return dantzig_wolfe(master, start, options);
}

}  // namespace carnot::plan
