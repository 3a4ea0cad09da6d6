// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/actions/actions.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "carnot/assess/machines/machines.hpp"
#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/text.hpp"
#include "carnot/model/footprint/accounting.hpp"

#include "assess/machines/tables.hpp"

namespace carnot::assess {

namespace {

constexpr std::size_t kDraws = 4096;
constexpr double kNinety = 1.6448536269514722;  // standard deviations to 90 % on both sides
constexpr double kWriteOff = 4;                 // years over which what is bought once is spread

/// A positive factor with a range, drawn as two half-lognormals.
struct Ratio {
  double value = 1, low = 1, high = 1;
  double draw(double z) const {
    const double end = z < 0 ? low : high;
    return value * std::pow(std::max(end, 1e-9) / value, std::abs(z) / kNinety);
  }
};

Ratio ratio_of(const EstimateCore& e) { return {e.value(), e.low(), e.high()}; }

/// Of one action: which activities it touches, and by what.
struct Effect {
  std::string id;
  Action action;
  Ratio energy;
  std::vector<double> middle;     ///< factor of grams, by activity
  std::vector<double> on_energy;  ///< factor of joules, by activity
  std::vector<bool> touched;
  std::vector<Ratio> carbon;     ///< beside energy's, by activity
  std::vector<double> embodied;  ///< factor of embodied grams, by activity
  double added = 0;
  Ratio added_range;
  double spend = 0;
};

double euros(const std::map<std::string, double>& money) {
  double sum = 0;
  for (const auto& [currency, amount] : money) {
    if (currency == "EUR") sum += amount;
    if (currency == "USD") sum += amount * factor("usd.eur").value();
  }
  return std::max(0.0, sum);
}

bool is_machine(const Activity& a) {
  return a.group == ActivityGroup::Machines || a.group == ActivityGroup::Accelerators;
}

bool applies(const std::string& id, const Activity& a) {
  const bool boards = a.group == ActivityGroup::Accelerators;
  if (id == "idle-off") return is_machine(a) && a.modelled_hours > 0;
  if (id == "rightsize") return a.group == ActivityGroup::Machines;
  if (id == "efficient-processors") return a.cloud && a.group == ActivityGroup::Machines;
  if (id == "newer-hardware") return !a.cloud && is_machine(a) && a.machine_hours > 0;
  if (id == "power-cap" || id == "precision") return boards;
  if (id == "region") return a.cloud && is_machine(a) && !a.place.empty();
  if (id == "pue") return !a.cloud && is_machine(a);
  if (id == "storage-tier") return a.group == ActivityGroup::Storage;
  if (id == "model-choice") return a.group == ActivityGroup::Models;
  if (id == "caching")
    return a.group == ActivityGroup::Models && a.what.starts_with("input tokens");
  if (id == "shift-time") return boards;
  return false;
}

/// The cleanest grid of a provider's regions.
struct Cleanest {
  std::string region, grid;
  Ratio intensity;
};
Cleanest cleanest(const std::string& provider) {
  Cleanest best;
  for (const auto& row : table_rows(kCloudRegionsTable, 4)) {
    if (row[0] != provider) continue;
    const auto grid = model::grid_intensity(row[2]);
    const Ratio here = ratio_of(grid.intensity.core());
    if (best.region.empty() || here.value < best.intensity.value) best = {row[1], row[2], here};
  }
  return best;
}

class Planner {
 public:
  Planner(const std::vector<Activity>& activities, const Footprint& footprint, double yearly)
      : a_(activities), f_(footprint), yearly_(yearly) {
    for (std::size_t i = 0; i < a_.size(); ++i) {
      operational_.push_back(yearly_ * std::max(0.0, f_.parts[i].operational.value().in(gram)));
      embodied_.push_back(yearly_ * std::max(0.0, f_.parts[i].embodied.value().in(gram)));
    }
  }

  std::vector<Effect> effects() {
    std::vector<Effect> out;
    for (const auto& row : table_rows(kAssessActionsTable, 8)) {
      Effect e;
      e.id = row[0];
      e.action.id = row[0];
      e.action.chapter = row[6];
      e.action.title = row[7];
      e.action.one_off_eur = parse_number(row[4]);
      e.energy = {parse_number(row[1]), parse_number(row[2]), parse_number(row[3])};
      e.spend = parse_number(row[5]);
      const std::size_t n = a_.size();
      e.middle.assign(n, 1);
      e.on_energy.assign(n, 1);
      e.touched.assign(n, false);
      e.carbon.assign(n, {});
      e.embodied.assign(n, 1);
      bool any = false;
      for (std::size_t i = 0; i < n; ++i)
        if (applies(e.id, a_[i]) && operational_[i] + embodied_[i] > 0) any = touch(e, i) || any;
      if (any) {
        finish(e);
        out.push_back(std::move(e));
      }
    }
    return out;
  }

  double base(std::size_t i) const { return operational_[i] + embodied_[i]; }

  /// Grams saved by one action in one draw. `z`: energy, carbon, added.
  double drawn(const Effect& e, double z_energy, double z_carbon, double z_added) const {
    double saved = 0;
    const double energy = e.energy.draw(z_energy);
    for (std::size_t i = 0; i < a_.size(); ++i)
      if (e.touched[i])
        saved += operational_[i] * (1 - energy * e.carbon[i].draw(z_carbon)) +
                 embodied_[i] * (1 - e.embodied[i]);
    return saved - (e.added > 0 ? e.added_range.draw(z_added) : 0);
  }
  /// Factor of an activity's grams in one draw.
  double drawn_factor(const Effect& e, std::size_t i, double z_energy, double z_carbon) const {
    if (!e.touched[i] || !(base(i) > 0)) return 1;
    return (operational_[i] * e.energy.draw(z_energy) * e.carbon[i].draw(z_carbon) +
            embodied_[i] * e.embodied[i]) /
           base(i);
  }

 private:
  bool touch(Effect& e, std::size_t i) {
    const Activity& a = a_[i];
    double energy = e.energy.value, carbon = 1;
    if (e.id == "region") {
      const Cleanest to = cleanest(a.provider);
      const Ratio here = ratio_of(f_.parts[i].intensity.core());
      if (to.region.empty() || to.grid == a.place || !(here.value > 0) ||
          to.intensity.value >= here.value)
        return false;
      carbon = to.intensity.value / here.value;
      // Both grids may be elsewhere in their ranges.
      e.carbon[i] = {carbon, to.intensity.low / here.high, to.intensity.high / here.low};
      // Each provider has its own.
      const std::string there = fmt::format("{} ({})", to.region, to.grid);
      if (e.action.what.find(there) == std::string::npos)
        e.action.what += (e.action.what.empty() ? "to " : ", ") + there;
    } else if (e.id == "pue") {
      const Ratio reached = ratio_of(factor("pue.reached"));
      const double now = f_.parts[i].pue.value();
      if (now <= reached.value) return false;
      carbon = reached.value / now;
      e.carbon[i] = {carbon, reached.low / f_.parts[i].pue.high(),
                     std::max(carbon, reached.high / f_.parts[i].pue.low())};
      energy *= carbon;
    } else if (e.id == "shift-time") {
      const Ratio shift = ratio_of(factor("shift.carbon"));
      e.carbon[i] = shift;
      carbon = shift.value;
    } else if (e.id == "idle-off" || e.id == "rightsize") {
      e.embodied[i] = a.cloud ? e.energy.value : 1;
    } else if (e.id == "newer-hardware") {
      e.embodied[i] = 0;
      const double servers = a.machine_hours * yearly_ / (365.25 * 24);
      const double boards = a.accelerator_hours * yearly_ / (365.25 * 24);
      const auto server = model::embodied("server").total;
      const auto board = factor("accelerator.embodied");
      e.added += (servers * server.value().in(gram) + boards * 1000 * board.value()) / kWriteOff;
      e.added_range.low +=
          (servers * server.low().in(gram) + boards * 1000 * board.low()) / kWriteOff;
      e.added_range.high +=
          (servers * server.high().in(gram) + boards * 1000 * board.high()) / kWriteOff;
      e.action.one_off_eur +=
          servers * factor("server.price").value() + boards * factor("accelerator.price").value();
    }
    e.touched[i] = true;
    e.on_energy[i] = energy;
    const double left = operational_[i] * e.energy.value * carbon + embodied_[i] * e.embodied[i];
    e.middle[i] = left / base(i);
    const double kwh = yearly_ * f_.parts[i].facility.value().in(kilowatt_hour);
    e.action.saved_kwh += kwh * (1 - energy);
    const double money = yearly_ * euros(a.money);
    const double spent = a.cloud ? money * e.spend : kwh * factor("price.own").value();
    e.action.yearly_eur -= spent * (1 - energy);
    return true;
  }

  void finish(Effect& e) const {
    e.added_range.value = e.added;
    if (e.id == "newer-hardware") {
      e.added_range.low -= 1;  // the neutral range it began with
      e.added_range.high -= 1;
      double saved = 0;
      for (std::size_t i = 0; i < a_.size(); ++i)
        if (e.touched[i]) saved += operational_[i] * (1 - e.energy.value);
      if (saved > 0) e.action.payback_years = kWriteOff * e.added / saved;
    }
  }

  const std::vector<Activity>& a_;
  const Footprint& f_;
  double yearly_;
  std::vector<double> operational_, embodied_;
};

double quantile(std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1))];
}

}  // namespace

ActionPlan plan_actions(const std::vector<Activity>& activities, const Footprint& footprint,
                        std::uint32_t first, std::uint32_t last, const ActionOptions& options,
                        const FootprintOptions&) {
  ActionPlan plan;
  plan.budget_eur = options.budget_eur;
  const double hours = first < last ? (last - first) / 3600.0 : 365.25 * 24;
  plan.period_h = hours;
  plan.yearly = 365.25 * 24 / std::max(1.0, hours);
  if (first >= last)
    plan.remarks.emplace_back("no time is stated: what there is counts as a year's");
  if (first < last && hours < 7 * 24)
    plan.remarks.emplace_back("less than a week was seen: a year at this rate is a rough guess");
  Planner planner(activities, footprint, plan.yearly);
  std::vector<Effect> effects = planner.effects();
  const std::size_t n = effects.size(), m = activities.size();
  for (std::size_t i = 0; i < m; ++i) plan.base_g += planner.base(i);

  const RandomStream random(options.seed, "assess actions");
  std::vector<double> joint(kDraws);
  for (std::size_t k = 0; k < n; ++k) {
    std::vector<double> saved(kDraws);
    std::size_t positive = 0;
    for (std::size_t d = 0; d < kDraws; ++d) {
      const std::uint64_t at = (d * kMostActions + k) * 4;
      saved[d] = planner.drawn(effects[k], random.normal(at), random.normal(at + 1),
                               random.normal(at + 2));
      positive += saved[d] > 0;
    }
    std::sort(saved.begin(), saved.end());
    Action& action = effects[k].action;
    action.low_g = quantile(saved, 0.05);
    action.high_g = quantile(saved, 0.95);
    action.probability = static_cast<double>(positive) / kDraws;
    for (std::size_t i = 0; i < m; ++i)
      action.saved_g += planner.base(i) * (1 - effects[k].middle[i]);
    action.saved_g -= effects[k].added;
    const double cost = action.one_off_eur / kWriteOff + action.yearly_eur;
    if (cost > 0 && action.saved_g > 0) action.eur_per_t = cost / (action.saved_g / 1e6);
    plan.sum_g += action.saved_g;
  }
  for (std::size_t d = 0; d < kDraws; ++d) {
    for (std::size_t i = 0; i < m; ++i) {
      double left = 1;
      for (std::size_t k = 0; k < n; ++k) {
        const std::uint64_t at = (d * kMostActions + k) * 4;
        left *= planner.drawn_factor(effects[k], i, random.normal(at), random.normal(at + 1));
      }
      joint[d] += planner.base(i) * (1 - left);
    }
    for (std::size_t k = 0; k < n; ++k)
      if (effects[k].added > 0)
        joint[d] -= effects[k].added_range.draw(random.normal((d * kMostActions + k) * 4 + 2));
  }
  std::sort(joint.begin(), joint.end());
  plan.joint_low_g = quantile(joint, 0.05);
  plan.joint_high_g = quantile(joint, 0.95);

  const auto sets_of = [&] {
    ActionSets sets;
    for (std::size_t i = 0; i < m; ++i) sets.base.push_back(planner.base(i));
    for (const Effect& e : effects) {
      sets.factors.push_back(e.middle);
      sets.added.push_back(e.added);
      sets.cost.push_back(e.action.one_off_eur);
    }
    return sets;
  };
  std::vector<double> shares = shapley_shares(savings_of_all(sets_of()));
  for (std::size_t k = 0; k < n; ++k) effects[k].action.share_g = shares[k];
  std::stable_sort(effects.begin(), effects.end(), [](const Effect& x, const Effect& y) {
    return x.action.share_g > y.action.share_g;
  });
  const ActionSets sets = sets_of();
  const std::vector<double> saved = savings_of_all(sets);
  plan.joint_g = saved.back();
  plan.front = pareto_front(saved, sets.cost);
  plan.best = best_within(saved, sets.cost, options.budget_eur.value_or(1e300));
  for (Effect& e : effects) plan.actions.push_back(std::move(e.action));
  return plan;
}

}  // namespace carnot::assess
