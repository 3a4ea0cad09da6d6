// SPDX-License-Identifier: Apache-2.0
#include "plan/certificate/sites.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"

#include "plan/certificate/bound.hpp"
#include "plan/certificate/jobs.hpp"

namespace carnot::plan {

namespace {

constexpr double kFit = 1e-9;        // by which powers may pass a limit, relative
constexpr double kNoise = 1e-12;     // of what a site can draw: smaller powers are rounding
constexpr double kTankFit = 1e-7;    // by which a battery may pass its ends, of its capacity
constexpr double kGoalFit = 1e-7;    // by which a goal may be missed, relative
constexpr double kGoalNoise = 1e-9;  // g, kWh or EUR: rounding of goals that are all but zero
constexpr double kJoulesPerKwh = 3.6e6;
constexpr std::size_t kMostWords = 50;
const SiteTerms kContract;

double in(const std::vector<double>& series, std::size_t t) {
  return series.empty() ? 0.0 : series[t];
}

class Walk {
 public:
  Walk(const Problem& problem, const Plan& plan, Certificate& out)
      : problem_(problem),
        plan_(plan),
        out_(out),
        slots_(static_cast<std::size_t>(problem.slots)),
        h_(problem.slot_s / 3600.0),
        load_(problem.sites.size() * slots_),
        stoppable_(load_.size()) {}

  void jobs() {
    if (plan_.jobs.size() != problem_.jobs.size())
      return wrong(fmt::format("the plan has {} jobs, the problem {}", plan_.jobs.size(),
                               problem_.jobs.size()));
    JobPrices offer;
    offer.hold_slots = problem_.reserve.hold_slots;
    offer.within_s = problem_.reserve.within_s;
    for (std::size_t j = 0; j < plan_.jobs.size(); ++j) {
      const auto at = plan_.schedules.find(static_cast<std::uint32_t>(j));
      std::vector<std::string> wrongs;
      const OwnCost own = check_schedule(problem_, j, plan_.jobs[j],
                                         at == plan_.schedules.end() ? JobSchedule() : at->second,
                                         offer, load_, stoppable_, wrongs);
      for (std::string& words : wrongs) wrong(std::move(words));
      out_.totals.dropped += plan_.jobs[j].site == kNone;
      cost_ += own.total();
      quality_ += own.quality;
      late_ += own.late;
      dropped_ += own.drop;
    }
  }

  void sites() {
    for (std::size_t s = 0; s < problem_.sites.size(); ++s)
      if (shaped(s)) site(s);
    PlanTotals& totals = out_.totals;
    totals.objective_eur = cost_.value();
    totals.free_energy_j = own_.value() * kJoulesPerKwh;
    totals.grid_energy_j = grid_.value() * kJoulesPerKwh;
    totals.energy_j = totals.free_energy_j + totals.grid_energy_j;
    totals.exported_j = exported_.value() * kJoulesPerKwh;
    totals.curtailed_j = curtailed_.value() * kJoulesPerKwh;
    totals.carbon_g = carbon_.value();
    totals.embodied_g = embodied_.value();
    totals.quality_eur = quality_.value();
    totals.late_eur = late_.value();
  }

  void goals() {
    const PlanGoals& goals = problem_.goals;
    const double carbon = carbon_.value() + embodied_.value();
    const double energy = own_.value() + grid_.value();
    keep("carbon_cap_g", carbon, goals.carbon_cap_g);
    keep("energy_budget_kwh", energy, goals.energy_budget_kwh);
    keep("quality_cap_eur", quality_.value(), goals.quality_cap_eur);
    if (goals.own_share > 0 && goals.own_share_each_slot) {
      for (std::size_t t = 0; t < slots_; ++t) share(t, fmt::format("own_share in slot {}", t));
    } else if (goals.own_share > 0 && own_.value() < (goals.own_share - kGoalFit) * energy) {
      wrong(fmt::format("own_share: {} kWh of {} kWh are own, the least share is {}", own_.value(),
                        energy, goals.own_share));
    }
    const auto amount = [&](Measure measure) {
      switch (measure) {
        case Measure::Late:
          return late_.value();
        case Measure::Dropped:
          return dropped_.value();
        case Measure::Quality:
          return quality_.value();
        case Measure::Carbon:
          return carbon;
        case Measure::Energy:
          return energy;
        case Measure::Cost:
          break;
      }
      return cost_.value();
    };
    for (const HeldGoal& held : plan_.held)
      keep(to_text(held.measure), amount(held.measure), held.limit());
  }

 private:
  void wrong(std::string words) {
    if (out_.violation_count++ < kMostWords) out_.violations.push_back(std::move(words));
  }
  void keep(std::string_view name, double amount, double limit) {
    if (!(amount <= limit + kGoalFit * std::abs(limit) + kGoalNoise))
      wrong(fmt::format("{}: {}, the most is {}", name, amount, limit));
  }
  /// kW that sums of the powers of a site in a slot may be off by.
  double noise(std::size_t s, std::size_t t) const {
    const PlanSite& site = problem_.sites[s];
    return kNoise * (terms(s).idle_kw + site.pue[t] * site.capacity_kw[t] +
                     in(terms(s).base_kw, t) + site.free_kw[t]);
  }
  const SiteTerms& terms(std::size_t s) const {
    return problem_.site_terms.empty() ? kContract : problem_.site_terms[s];
  }

  bool shaped(std::size_t s) {
    const SiteFlows& flows = plan_.flows[s];
    const bool battery = terms(s).battery.capacity_kwh > 0;
    const bool reserve = !terms(s).committed_kw.empty() || !terms(s).offer_kw.empty();
    const auto fine = [&](const std::vector<double>& series, bool there) {
      return series.size() == (there ? slots_ : 0) &&
             std::all_of(series.begin(), series.end(),
                         [](double x) { return x >= 0 && x <= 1e15; });
    };
    const bool right = fine(flows.grid_kw, true) && fine(flows.own_kw, true) &&
                       fine(flows.export_kw, true) && fine(flows.charge_kw, battery) &&
                       fine(flows.discharge_kw, battery) && fine(flows.reserve_kw, reserve);
    if (!right)
      wrong(
          fmt::format("site {}: decisions are {} numbers, at least 0, for what it has", s, slots_));
    return right;
  }

  void site(std::size_t s) {
    const PlanSite& site = problem_.sites[s];
    const SiteFlows& flows = plan_.flows[s];
    const PlanBattery& battery = terms(s).battery;
    double stored = battery.start_kwh;
    for (std::size_t t = 0; t < slots_; ++t) {
      const auto at_most = [&](const char* name, double is, double limit, double fit = 0) {
        if (!(is <= limit * (1 + kFit) + fit + noise(s, t)))
          wrong(fmt::format("site {} slot {}: {} {} kW, the most is {} kW", s, t, name, is, limit));
      };
      const double it = in(terms(s).base_kw, t) + std::max(0.0, load_[s * slots_ + t]);
      double facility = terms(s).idle_kw + site.pue[t] * it;
      for (const FacilityKnee& knee : terms(s).knees)
        facility += std::max(0.0, it - knee.from_kw) * knee.extra;
      const double grid = flows.grid_kw[t], own = flows.own_kw[t], sold = flows.export_kw[t];
      const double charge = in(flows.charge_kw, t), discharge = in(flows.discharge_kw, t);
      at_most("IT power", it, site.capacity_kw[t]);
      at_most("grid power", grid, site.grid_limit_kw[t]);
      at_most("own power used and exported", own + sold, site.free_kw[t]);
      at_most("export", sold, in(terms(s).export_kw, t));
      const double lack = facility + charge - own - grid - discharge;
      if (std::abs(lack) > kFit * (facility + charge) + noise(s, t))
        wrong(fmt::format("site {} slot {}: draws {} kW, is given {} kW", s, t, facility + charge,
                          own + grid + discharge));
      if (battery.capacity_kwh > 0) {
        const double busy = charge / battery.charge_kw + discharge / battery.discharge_kw;
        if (!(busy <= 1 + kFit))
          wrong(fmt::format("site {} slot {}: the battery works {} of the slot", s, t, busy));
        stored +=
            h_ * (charge * battery.charge_efficiency - discharge / battery.discharge_efficiency);
        const double fit = kTankFit * battery.capacity_kwh;
        if (stored < -fit || stored > battery.capacity_kwh + fit)
          wrong(fmt::format("site {} slot {}: {} kWh in a battery of {}", s, t, stored,
                            battery.capacity_kwh));
        cost_ += h_ * discharge * battery.wear_eur_per_kwh;
      }
      const double price = site.price_eur_per_kwh[t] +
                           problem_.carbon_price_eur_per_t / 1e6 * site.carbon_g_per_kwh[t];
      const double it_price =
          terms(s).it_eur_per_kwh + problem_.carbon_price_eur_per_t / 1e6 * terms(s).it_g_per_kwh;
      cost_ += h_ * grid * price;
      cost_ += h_ * it * it_price;
      cost_ += -h_ * sold * in(terms(s).export_eur_per_kwh, t);
      own_ += h_ * own;
      grid_ += h_ * grid;
      exported_ += h_ * sold;
      curtailed_ += h_ * std::max(0.0, site.free_kw[t] - own - sold);
      carbon_ += h_ * grid * site.carbon_g_per_kwh[t];
      embodied_ += h_ * it * terms(s).it_g_per_kwh;
      if (!flows.reserve_kw.empty()) reserve(s, t);
    }
    if (battery.capacity_kwh > 0 && stored < battery.end_kwh - kTankFit * battery.capacity_kwh)
      wrong(fmt::format("site {}: the battery ends at {} kWh, not {}", s, stored, battery.end_kwh));
    for (const DemandCharge& charge : terms(s).demand_charges)
      cost_ += charge.eur_per_kw * *std::max_element(flows.grid_kw.begin() + charge.from,
                                                     flows.grid_kw.begin() + charge.to);
  }

  void reserve(std::size_t s, std::size_t t) {
    const double held = plan_.flows[s].reserve_kw[t], owed = in(terms(s).committed_kw, t);
    const double most = owed + in(terms(s).offer_kw, t);
    const double fit = noise(s, t);
    if (!(held >= owed * (1 - kFit) - fit && held <= most * (1 + kFit) + fit))
      wrong(fmt::format("site {} slot {}: {} kW of reserve, {} to {} allowed", s, t, held, owed,
                        most));
    for (std::size_t k = 0; k < static_cast<std::size_t>(problem_.reserve.hold_slots); ++k)
      if (t + k < slots_ && stoppable_[s * slots_ + t + k] < held * (1 - kFit) - fit)
        wrong(fmt::format("site {} slot {}: {} kW of reserve, {} kW of jobs can stop in slot {}", s,
                          t, held, stoppable_[s * slots_ + t + k], t + k));
    cost_ += -(held - owed) * in(terms(s).offer_eur_per_kw, t);
  }

  void share(std::size_t t, const std::string& name) {
    double own = 0, all = 0, fit = 0;
    for (std::size_t s = 0; s < plan_.flows.size(); ++s) {
      const SiteFlows& flows = plan_.flows[s];
      fit += noise(s, t);
      if (t >= flows.own_kw.size() || t >= flows.grid_kw.size()) continue;
      own += flows.own_kw[t];
      all += flows.own_kw[t] + flows.grid_kw[t];
    }
    if (own < (problem_.goals.own_share - kGoalFit) * all - fit)
      wrong(fmt::format("{}: {} kW of {} kW are own, the least share is {}", name, own, all,
                        problem_.goals.own_share));
  }

  const Problem& problem_;
  const Plan& plan_;
  Certificate& out_;
  std::size_t slots_;
  double h_;
  std::vector<double> load_, stoppable_;  // kW, [site x slots + slot]
  Sum<double> cost_, own_, grid_, exported_, curtailed_, carbon_, embodied_;
  Sum<double> quality_, late_, dropped_;
};

}  // namespace

Certificate certify_sites(const Problem& problem, const Plan& plan, const StopToken& stop) {
  Certificate out;
  PlanTotals& totals = out.totals;
  totals.bound_eur = -kInfinity;
  if (plan.flows.size() != problem.sites.size()) {
    out.violations.push_back(
        fmt::format("decisions of {} sites, not {}", plan.flows.size(), problem.sites.size()));
    out.violation_count = 1;
    return out;
  }
  Walk walk(problem, plan, out);
  walk.jobs();
  walk.sites();
  walk.goals();
  if (const std::string words = unusable_multipliers(problem, plan); !words.empty()) {
    out.violations.push_back(words);
    ++out.violation_count;
  } else {
    totals.bound_eur = proven_bound(problem, plan, stop);
  }
  totals.gap = relative_gap(totals.objective_eur, totals.bound_eur);
  return out;
}

}  // namespace carnot::plan
