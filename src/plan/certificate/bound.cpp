// SPDX-License-Identifier: Apache-2.0
#include "plan/certificate/bound.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

#include "plan/certificate/jobs.hpp"

namespace carnot::plan {

namespace {

constexpr double kRounding = 1e-13;  // of all terms' magnitude: more than double sums can lose
constexpr double kGreatest = 1e15;
const SiteTerms kContract;

double in(const std::vector<double>& series, std::size_t t) {
  return series.empty() ? 0.0 : series[t];
}

/// What a unit counts for in a slot: in the objective, and times their multipliers in the goals.
struct Counted {
  double eur = 1;
  double carbon = 0;
  double own = 0, grid = 0;  // a kWh of each drawn
};

class Bound {
 public:
  Bound(const Problem& problem, const Plan& plan, const StopToken& stop)
      : problem_(problem),
        plan_(plan),
        stop_(stop),
        slots_(static_cast<std::size_t>(problem.slots)),
        h_(problem.slot_s / 3600.0),
        counted_(slots_) {}

  double value() {
    goals();
    for (std::size_t s = 0; s < problem_.sites.size(); ++s) {
      for (std::size_t t = 0; t < slots_; ++t) cell(s, t);
      battery(s);
      peaks(s);
      if (!plan_.site_multipliers[s].reserve.empty()) reserve(s);
    }
    jobs();
    return sum_.value() - kRounding * magnitude_.value();
  }

 private:
  void add(double x) {
    sum_ += x;
    magnitude_ += std::abs(x);
  }
  /// A decision in [low, high] that costs `slope` a unit.
  void add(double slope, double low, double high) { add(slope > 0 ? slope * low : slope * high); }

  const SiteTerms& terms(std::size_t s) const {
    return problem_.site_terms.empty() ? kContract : problem_.site_terms[s];
  }
  double it_most(std::size_t s, std::size_t t) const { return problem_.sites[s].capacity_kw[t]; }
  /// No plan has use for more than the facility and the battery can draw.
  double grid_most(std::size_t s, std::size_t t) const {
    const PlanSite& site = problem_.sites[s];
    double draw = terms(s).idle_kw + site.pue[t] * it_most(s, t) + terms(s).battery.charge_kw;
    for (const FacilityKnee& knee : terms(s).knees)
      draw += std::max(0.0, it_most(s, t) - knee.from_kw) * knee.extra;
    return std::min(draw, site.grid_limit_kw[t]);
  }

  void all_slots(double carbon, double own, double grid, double eur) {
    for (Counted& c : counted_) {
      c.carbon += carbon;
      c.own += own;
      c.grid += grid;
      c.eur += eur;
    }
  }

  void goals() {
    const PlanGoals& goals = problem_.goals;
    const GoalMultipliers& y = plan_.goal_multipliers;
    if (y.carbon > 0) {
      add(-y.carbon * goals.carbon_cap_g);
      all_slots(y.carbon, 0, 0, 0);
    }
    if (y.energy > 0) {
      add(-y.energy * goals.energy_budget_kwh);
      all_slots(0, y.energy, y.energy, 0);
    }
    if (y.quality > 0) {
      add(-y.quality * goals.quality_cap_eur);
      jobs_.quality += y.quality;
    }
    for (std::size_t t = 0; t < slots_ && !y.own_share.empty(); ++t) {
      const double x = y.own_share[goals.own_share_each_slot ? t : 0];
      counted_[t].own -= x * (1 - goals.own_share);
      counted_[t].grid += x * goals.own_share;
    }
    for (std::size_t k = 0; k < y.held.size(); ++k) {
      const double x = y.held[k];
      add(-x * plan_.held[k].limit());
      switch (plan_.held[k].measure) {
        case Measure::Late:
          jobs_.late += x;
          break;
        case Measure::Dropped:
          jobs_.drop += x;
          break;
        case Measure::Quality:
          jobs_.quality += x;
          break;
        case Measure::Carbon:
          all_slots(x, 0, 0, 0);
          break;
        case Measure::Energy:
          all_slots(0, x, x, 0);
          break;
        case Measure::Cost:
          all_slots(0, 0, 0, x);
          for (double* w : {&jobs_.quality, &jobs_.move, &jobs_.restart, &jobs_.late, &jobs_.drop})
            *w += x;
          break;
      }
    }
  }

  /// Multipliers of a kW drawn from the grid in the demand charges' rows.
  double peak_price(std::size_t s, std::size_t t) const {
    double sum = 0;
    for (std::size_t d = 0; d < terms(s).demand_charges.size(); ++d) {
      const DemandCharge& charge = terms(s).demand_charges[d];
      const auto slot = static_cast<std::int32_t>(t);
      if (slot >= charge.from && slot < charge.to)
        sum += plan_.site_multipliers[s].peak[d][static_cast<std::size_t>(slot - charge.from)];
    }
    return sum;
  }

  void cell(std::size_t s, std::size_t t) {
    const PlanSite& site = problem_.sites[s];
    const Counted& c = counted_[t];
    const double lambda = plan_.price[s * slots_ + t];
    const double bus = plan_.site_multipliers[s].facility[t];
    const double kappa = problem_.carbon_price_eur_per_t / 1e6;
    // IT power, in straight pieces of what it takes at the facility.
    const double it = c.eur * (terms(s).it_eur_per_kwh + kappa * terms(s).it_g_per_kwh) +
                      c.carbon * terms(s).it_g_per_kwh;
    add(h_ * lambda * in(terms(s).base_kw, t));
    add(h_ * bus * terms(s).idle_kw);
    double slope = site.pue[t], from = 0;
    for (std::size_t k = 0; k <= terms(s).knees.size(); ++k) {
      const bool last = k == terms(s).knees.size();
      const double to = last ? it_most(s, t) : std::min(it_most(s, t), terms(s).knees[k].from_kw);
      add(h_ * (it + slope * bus - lambda), 0, std::max(0.0, to - from));
      if (!last) {
        from = std::max(from, to);
        slope += terms(s).knees[k].extra;
      }
    }
    const double grid = c.eur * (site.price_eur_per_kwh[t] + kappa * site.carbon_g_per_kwh[t]) +
                        c.carbon * site.carbon_g_per_kwh[t] + c.grid;
    add(h_ * (grid - bus) + peak_price(s, t), 0, grid_most(s, t));
    // Own power is used, sold or neither: the best of the corners of that triangle.
    const double use = h_ * (c.own - bus), sell = -h_ * c.eur * in(terms(s).export_eur_per_kwh, t);
    const double free = site.free_kw[t], sold = std::min(free, in(terms(s).export_kw, t));
    add(std::min({0.0, use * free, sell * sold, sell * sold + use * (free - sold)}));
  }

  void battery(std::size_t s) {
    const PlanBattery& battery = terms(s).battery;
    if (battery.capacity_kwh <= 0) return;
    const SiteMultipliers& y = plan_.site_multipliers[s];
    for (std::size_t t = 0; t < slots_; ++t) {
      const double worth = y.stored[t];
      const double charge = h_ * (y.facility[t] - worth * battery.charge_efficiency);
      const double discharge = h_ * (counted_[t].eur * battery.wear_eur_per_kwh - y.facility[t] +
                                     worth / battery.discharge_efficiency);
      add(std::min({0.0, charge * battery.charge_kw, discharge * battery.discharge_kw}));
      // What is stored after this slot.
      if (t + 1 < slots_)
        add(worth - y.stored[t + 1], 0, battery.capacity_kwh);
      else
        add(worth, battery.end_kwh, battery.capacity_kwh);
    }
    add(-y.stored[0] * battery.start_kwh);
  }

  void peaks(std::size_t s) {
    for (std::size_t d = 0; d < terms(s).demand_charges.size(); ++d) {
      const DemandCharge& charge = terms(s).demand_charges[d];
      double slope = counted_[static_cast<std::size_t>(charge.from)].eur * charge.eur_per_kw;
      double most = 0;
      for (const double y : plan_.site_multipliers[s].peak[d]) slope -= y;
      for (std::int32_t t = charge.from; t < charge.to; ++t)
        most = std::max(most, grid_most(s, static_cast<std::size_t>(t)));
      add(slope, 0, most);
    }
  }

  void reserve(std::size_t s) {
    const auto hold = static_cast<std::size_t>(problem_.reserve.hold_slots);
    reserve_.resize(problem_.sites.size() * slots_);
    for (std::size_t t = 0; t < slots_; ++t) {
      double calls = 0;
      for (std::size_t k = 0; k < hold && t + k < slots_; ++k) {
        const double y = plan_.site_multipliers[s].reserve[t * hold + k];
        calls += y;
        reserve_[s * slots_ + t + k] += y;
      }
      add(calls * in(terms(s).committed_kw, t));
      add(calls - counted_[t].eur * in(terms(s).offer_eur_per_kw, t), 0, in(terms(s).offer_kw, t));
    }
  }

  void jobs() {
    JobPrices prices;
    prices.energy = plan_.price;
    prices.reserve = reserve_;
    prices.hold_slots = problem_.reserve.hold_slots;
    prices.within_s = problem_.reserve.within_s;
    prices.weights = jobs_;
    prices.within_sites = true;
    for (std::size_t j = 0; j < problem_.jobs.size(); ++j) {
      stop_.throw_if_requested();
      add(least_cost(problem_, j, prices));
    }
  }

  const Problem& problem_;
  const Plan& plan_;
  const StopToken& stop_;
  std::size_t slots_;
  double h_;
  std::vector<Counted> counted_;  // [slot]
  OwnWeights jobs_;
  std::vector<double> reserve_;  // [site x slots + slot] EUR per kW that a job could stop
  Sum<double> sum_, magnitude_;
};

}  // namespace

std::string unusable_multipliers(const Problem& problem, const Plan& plan) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  const auto fine = [](const std::vector<double>& of, std::size_t size, double least) {
    return of.size() == size && std::all_of(of.begin(), of.end(),
                                            [&](double x) { return x >= least && x <= kGreatest; });
  };
  if (!fine(plan.price, problem.sites.size() * slots, -kGreatest))
    return fmt::format("prices: {} numbers a site", slots);
  if (plan.site_multipliers.size() != problem.sites.size())
    return fmt::format("multipliers of {} sites, not {}", plan.site_multipliers.size(),
                       problem.sites.size());
  for (std::size_t s = 0; s < problem.sites.size(); ++s) {
    const SiteTerms& terms = problem.site_terms.empty() ? kContract : problem.site_terms[s];
    const SiteMultipliers& y = plan.site_multipliers[s];
    bool right = fine(y.facility, slots, -kGreatest) &&
                 fine(y.stored, terms.battery.capacity_kwh > 0 ? slots : 0, -kGreatest) &&
                 y.peak.size() == terms.demand_charges.size() &&
                 (y.reserve.empty() ||
                  fine(y.reserve, slots * static_cast<std::size_t>(problem.reserve.hold_slots), 0));
    for (std::size_t d = 0; right && d < y.peak.size(); ++d) {
      const DemandCharge& charge = terms.demand_charges[d];
      right = fine(y.peak[d], static_cast<std::size_t>(charge.to - charge.from), 0);
    }
    if (!right) return fmt::format("site {}: multipliers of another shape or sign", s);
  }
  const PlanGoals& goals = problem.goals;
  const GoalMultipliers& y = plan.goal_multipliers;
  const auto of = [&](double x, bool there) {
    return x == 0 || (there && x > 0 && x <= kGreatest);
  };
  const std::size_t shares = goals.own_share_each_slot ? slots : 1;
  if (!of(y.carbon, goals.carbon_cap_g < kInfinity) ||
      !of(y.energy, goals.energy_budget_kwh < kInfinity) ||
      !of(y.quality, goals.quality_cap_eur < kInfinity) ||
      !(y.own_share.empty() || (goals.own_share > 0 && fine(y.own_share, shares, 0))) ||
      !(y.held.empty() || fine(y.held, plan.held.size(), 0)))
    return "multipliers of goals of another shape or sign";
  return {};
}

double proven_bound(const Problem& problem, const Plan& plan, const StopToken& stop) {
  return Bound(problem, plan, stop).value();
}

}  // namespace carnot::plan
