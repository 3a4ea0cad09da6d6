// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/contract_columns.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/problem/room.hpp"
#include "plan/supply/packing.hpp"

namespace carnot::plan {

namespace {

constexpr double kDraw = 0.3;     // first, of prices towards the best ones
constexpr double kWorth = 1e-9;   // EUR a column must save
constexpr double kBroken = 1e-3;  // by which a packing row must be broken to be written down
constexpr int kStages = 60;       // of packing rows
constexpr int kStageRounds = 40;  // of prices in each
constexpr int kIdleStages = 4;    // that better the bound by less than
constexpr double kLittle = 1e-4;  // of what is left to prove

class Master {
 public:
  /// \param whole  power that is paid for is drawn by jobs alone, and packing rows may be added
  Master(const Problem& problem, const std::vector<Supply>& supply, const StopToken& stop,
         bool whole = false)
      : problem_(problem),
        supply_(supply),
        stop_(stop),
        whole_(whole),
        slots_(static_cast<std::size_t>(problem.slots)),
        h_(problem.slot_h()) {
    for (const Supply& x : supply) {
      std::vector<solve::Term> drawn;
      x.each([&](double power, double price) {
        drawn.push_back({program_.add_column(0.0, power, price * h_), -1.0});
      });
      const bool paid_for = whole && x.first_price < 0;
      cell_row_.push_back(program_.add_row(paid_for ? 0.0 : -kInfinity, 0.0, drawn));
      beyond_.push_back(drawn.back().column);
    }
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
      constant_ += problem.jobs.value(j);
      job_row_.push_back(program_.add_row(-kInfinity, 1.0, {}));
    }
    for (std::size_t s = 0; s < problem.sites.size(); ++s)
      for (std::size_t t = 0; t < slots_; ++t) room_.push_back(room_kw(problem, s, t));
    price_.resize(supply.size());
    rows_at_.resize(supply.size());
    runs_.resize(program_.columns());
    worth_.assign(job_row_.size(), kInfinity);
  }

  /// False if CLP gave no optimum. \throws Stopped
  bool solve() {
    const solve::ProgramAnswer answer = program_.solve(stop_);
    if (answer.status == solve::ProgramStatus::Stopped) throw Stopped();
    objective_ = answer.objective + constant_;
    for (std::size_t i = 0; i < supply_.size(); ++i) {
      price_[i] = -program_.price(cell_row_[i]) / h_;
      if (!whole_ || supply_[i].first_price >= 0) price_[i] = std::max(0.0, price_[i]);
    }
    for (std::size_t r = 0; r < packing_.size(); ++r)
      price_[supply_.size() + r] = std::max(0.0, -program_.price(packing_[r].program_row));
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
    for (std::size_t i = 0; i < supply_.size(); ++i) {
      double surplus = supply_[i].surplus(price[i]) * h_;
      if (!rows_at_[i].empty()) surplus = packed_surplus(i, price);
      bound += surplus;
    }
    for (std::size_t r = 0; r < packing_.size(); ++r)
      bound += -price[supply_.size() + r] * packing_[r].row.most();
    for (std::size_t j = 0; j < problem_.jobs.size(); ++j) {
      stop_.throw_if_requested();
      list(j, price);
      bound += problem_.jobs.value(j);
      if (options_.empty()) continue;
      const auto next = options_.begin() + std::min<std::ptrdiff_t>(1, std::ssize(options_) - 1);
      std::nth_element(options_.begin(), next, options_.end());
      bound += std::min(options_.front().priced, 0.0);
      add(j, options_.front(), price);
      if (next != options_.begin()) add(j, *next, price);
    }
    fresh = program_.columns() > before;
    return bound.value();
  }

  /// Writes down the packing rows that the last solve breaks. \return how many; 0: none
  std::size_t pack() {
    std::vector<RunningAt> running(supply_.size());
    for (std::size_t c = 0; c < runs_.size(); ++c) {
      const double share = program_.value(static_cast<int>(c));
      if (runs_[c].power_kw <= 0 || share <= 1e-9) continue;
      for (const std::size_t cell : runs_[c].cells) add_to(running[cell], runs_[c].power_kw, share);
    }
    const std::size_t before = packing_.size();
    for (std::size_t i = 0; i < supply_.size(); ++i) {
      if (running[i].empty()) continue;
      look(PackingLimit::Room, i, running[i], 0);
      if (supply_[i].second_price > supply_[i].first_price && supply_[i].most > supply_[i].first)
        look(PackingLimit::Knee, i, running[i], program_.value(beyond_[i]));
    }
    if (packing_.size() == before) return 0;
    std::vector<std::vector<solve::Term>> terms(packing_.size());
    for (std::size_t c = 0; c < runs_.size(); ++c)
      for (const std::size_t cell : runs_[c].cells)
        for (const std::size_t r : rows_at_[cell])
          if (r >= before)
            terms[r].push_back({static_cast<int>(c), packing_[r].row.share(runs_[c].power_kw)});
    for (std::size_t r = before; r < packing_.size(); ++r) {
      Packing& of = packing_[r];
      if (of.row.per_kw() > 0) terms[r].push_back({beyond_[of.cell], -of.row.per_kw()});
      of.program_row = program_.add_row(-kInfinity, of.row.most(), terms[r]);
    }
    price_.resize(supply_.size() + packing_.size());
    return packing_.size() - before;
  }

  std::size_t packing_rows() const noexcept { return packing_.size(); }

  /// Those rows at these prices.
  std::vector<PackingPrice> packing(const std::vector<double>& price) const {
    std::vector<PackingPrice> out;
    for (std::size_t r = 0; r < packing_.size(); ++r) {
      const Packing& of = packing_[r];
      const double eur = price[supply_.size() + r];
      if (eur > 0)
        out.push_back({static_cast<std::uint32_t>(of.cell / slots_),
                       static_cast<std::uint32_t>(of.cell % slots_), of.limit, of.divisor_kw, eur});
    }
    return out;
  }

 private:
  struct Packing {
    std::size_t cell;
    PackingLimit limit;
    double divisor_kw;
    PackingRow row;
    int program_row = -1;
  };
  /// Where a column of a job draws power; nothing for other columns.
  struct Run {
    double power_kw = 0;
    std::vector<std::size_t> cells;
  };

  static void add_to(RunningAt& running, double power_kw, double share) {
    for (auto& [power, jobs] : running)
      if (power == power_kw) {
        jobs += share;
        return;
      }
    running.emplace_back(power_kw, share);
  }

  void look(PackingLimit limit, std::size_t cell, const RunningAt& running, double beyond) {
    const double kw = limit_kw(problem_, supply_, limit, cell);
    const auto [divisor, broken] = broken_most(limit, kw, running, beyond);
    if (broken < kBroken) return;
    for (const std::size_t r : rows_at_[cell])
      if (packing_[r].limit == limit && packing_[r].divisor_kw == divisor) return;
    rows_at_[cell].push_back(packing_.size());
    packing_.push_back({cell, limit, divisor, PackingRow(limit, kw, divisor)});
  }

  /// Least that a site-slot costs when its rows pay for what is beyond their limits.
  double packed_surplus(std::size_t cell, const std::vector<double>& price) const {
    const Supply& of = supply_[cell];
    double beyond = (of.second_price - price[cell]) * h_;
    for (const std::size_t r : rows_at_[cell])
      beyond -= price[supply_.size() + r] * packing_[r].row.per_kw();
    return std::min(0.0, (of.first_price - price[cell]) * h_ * of.first) +
           std::min(0.0, beyond * (of.most - of.first));
  }

  /// What a mode pays in a site-slot, EUR.
  double pays(std::size_t cell, double power_kw, const std::vector<double>& price) const {
    double eur = power_kw * h_ * price[cell];
    for (const std::size_t r : rows_at_[cell])
      if (const double of = price[supply_.size() + r]; of > 0)
        eur += of * packing_[r].row.share(power_kw);
    return eur;
  }

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

  /// Orders the slots that a job may use at a site by what a mode pays there.
  void rank(std::size_t j, std::uint32_t s, const PlanMode& mode,
            const std::vector<double>& price) {
    auto& ranked = ranked_[s];
    ranked.clear();
    for (std::int32_t t = problem_.jobs.release(j); t < problem_.jobs.deadline(j); ++t) {
      const std::size_t cell = s * slots_ + static_cast<std::size_t>(t);
      ranked.emplace_back(packing_.empty() ? price[cell] : pays(cell, mode.power_kw, price), t);
    }
    std::sort(ranked.begin(), ranked.end());
  }

  void list(std::size_t j, const std::vector<double>& price) {
    const PlanJobs& jobs = problem_.jobs;
    const std::vector<std::uint32_t>* allowed = jobs.sites(j);
    ranked_.assign(problem_.sites.size(), {});
    options_.clear();
    for (std::uint32_t s = 0; s < problem_.sites.size(); ++s) {
      if (allowed != nullptr && !std::binary_search(allowed->begin(), allowed->end(), s)) continue;
      for (std::uint64_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i) {
        const PlanMode& mode = jobs.mode(i);
        if (!packing_.empty() || i == jobs.mode_begin(j)) rank(j, s, mode, price);
        double sum = 0;
        if (!each_slot(s, mode, [&](double eur, std::int32_t) { sum += eur; })) continue;
        const double own = mode.quality_eur + jobs.move_eur(j, s) - jobs.value(j);
        options_.push_back({own + (packing_.empty() ? sum * mode.power_kw * h_ : sum), own, s, i});
      }
    }
  }

  void add(std::size_t j, const Option& option, const std::vector<double>& price) {
    const PlanMode& mode = problem_.jobs.mode(option.mode);
    if (!packing_.empty()) rank(j, option.site, mode, price);
    shares_.assign(1, {job_row_[j], 1.0});
    double energy = 0;
    Run run{mode.power_kw, {}};
    each_slot(option.site, mode, [&](double, std::int32_t t) {
      const std::size_t cell = option.site * slots_ + static_cast<std::size_t>(t);
      shares_.push_back({cell_row_[cell], mode.power_kw});
      for (const std::size_t r : rows_at_[cell])
        shares_.push_back({packing_[r].program_row, packing_[r].row.share(mode.power_kw)});
      energy += pays(cell, mode.power_kw, price_);
      if (whole_) run.cells.push_back(cell);
    });
    if (option.own + energy >= worth_[j] - kWorth) return;
    program_.add_column(0.0, kInfinity, option.own, shares_);
    runs_.push_back(std::move(run));
  }

  const Problem& problem_;
  const std::vector<Supply>& supply_;
  StopToken stop_;
  bool whole_;
  std::size_t slots_;
  double h_, constant_ = 0, objective_ = kInfinity;
  solve::LinearProgram program_;
  std::vector<int> cell_row_, job_row_;
  std::vector<double> price_, worth_;  // of the last solve: [cell], [packing]; [job], at most 0
  std::vector<int> beyond_;            // [cell]: column of the dearer power
  std::vector<Packing> packing_;
  std::vector<std::vector<std::size_t>> rows_at_;  // [cell], of packing_
  std::vector<Run> runs_;                          // [column]
  std::vector<double> room_;                       // [cell]
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

PackedPrices packed_columns(const Problem& problem, const std::vector<Supply>& supply,
                            const std::vector<double>& start, double objective_eur, double close,
                            const std::function<bool(double)>& go_on, const StopToken& stop) {
  Master master(problem, supply, stop, true);
  DantzigWolfeOptions options;
  options.gap = close / 10;
  options.rounds = kStageRounds;
  options.draws = {kDraw, kDraw / 2, kDraw / 4, 0.0};
  options.stop_at_gap = true;
  PackedPrices out;
  std::vector<double> prices = start;
  const auto left = [&] { return objective_eur - out.bound; };
  bool more = true;
  options.progress = [&](const DantzigWolfe& so_far) {
    more = !go_on || go_on(std::max(out.bound, so_far.bound));
    return more;
  };
  try {
    for (int stage = 0, idle = 0; stage < kStages && idle < kIdleStages && more; ++stage) {
      const DantzigWolfe best = dantzig_wolfe(master, prices, options);
      idle = best.bound > out.bound + kLittle * left() ? 0 : idle + 1;
      if (best.bound > out.bound) {
        out.bound = best.bound;
        out.price.assign(best.price.begin(),
                         best.price.begin() + static_cast<std::ptrdiff_t>(supply.size()));
        out.packing = master.packing(best.price);
        prices = best.price;
      }
      if (!more || left() <= close * std::abs(objective_eur) || !master.solve()) break;
      const std::size_t fresh = master.pack();
      if (fresh == 0) break;
      prices.resize(supply.size() + master.packing_rows());
    }
  } catch (const Stopped&) {
  }
  return out;
}

}  // namespace carnot::plan
