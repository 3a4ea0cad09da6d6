// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/farm.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

constexpr double kHoursPerYear = 8760.0;

double paid(const ShiftTotals& totals, const ShiftOptions& options) {
  return totals.objective(options, options.units_pay_per_t);
}

double available_mwh(const GridHours& hours, const FarmPlan& plan, double size_mw) {
  double sum = 0.0;
  for (const GridState& state : hours.states) sum += state.maximum_mw[plan.shape];
  return sum * size_mw / hours.grid.generators[plan.shape].maximum_mw;
}

}  // namespace

double FarmCosts::per_mw_year() const {
  const auto refuse = [](const char* what) { throw InputError(std::string("farm: ") + what); };
  if (!(capital_per_kw >= 0.0) || !std::isfinite(capital_per_kw))
    refuse("capital cost: at least 0 per kW");
  if (!(upkeep_per_kw_year >= 0.0) || !std::isfinite(upkeep_per_kw_year))
    refuse("upkeep: at least 0 per kW and year");
  if (!(lifetime_years > 0.0) || !std::isfinite(lifetime_years)) refuse("lifetime: above 0 years");
  if (!(interest >= 0.0) || !std::isfinite(interest)) refuse("interest: at least 0");
  const double annuity = interest > 0.0
                             ? interest / (1.0 - std::pow(1.0 + interest, -lifetime_years))
                             : 1.0 / lifetime_years;
  return 1000.0 * (capital_per_kw * annuity + upkeep_per_kw_year);
}

double FarmStudy::value_per_mw_year(const FarmCase& one) const noexcept {
  return one.cost_saved / one.size_mw * kHoursPerYear / static_cast<double>(hours);
}

double FarmStudy::value_per_mwh(const FarmCase& one) const noexcept {
  return one.delivered_mwh > 0.0 ? one.cost_saved / one.delivered_mwh : 0.0;
}

double FarmStudy::levelised_per_mwh(const FarmCase& one, const FarmCosts& costs) const {
  if (!(one.delivered_mwh > 0.0)) return kInfinity;
  return costs.per_mw_year() * one.size_mw * static_cast<double>(hours) / kHoursPerYear /
         one.delivered_mwh;
}

GridHours with_farm(const GridHours& hours, std::size_t bus, std::size_t shape, double size_mw) {
  if (bus >= hours.grid.buses.size()) throw InputError("farm: a bus of the grid");
  if (shape >= hours.grid.generators.size() || !hours.grid.generators[shape].weather_driven ||
      !(hours.grid.generators[shape].maximum_mw > 0.0))
    throw InputError("farm: shape: a generator of wind or sun");
  if (!(size_mw > 0.0) || !std::isfinite(size_mw)) throw InputError("farm: a size above 0 MW");
  GridHours more = hours;
  GridGenerator farm = hours.grid.generators[shape];
  const double scale = size_mw / farm.maximum_mw;
  farm.name = "new farm";
  farm.bus = bus;
  farm.maximum_mw = size_mw;
  farm.setpoint_mw = 0.0;
  more.grid.generators.push_back(farm);
  for (GridState& state : more.states) {
    state.minimum_mw.push_back(0.0);
    state.maximum_mw.push_back(state.maximum_mw[shape] * scale);
  }
  return more;
}

FarmStudy study_farm(const GridHours& hours, const ShiftOptions& options, const FarmPlan& plan,
                     const std::vector<ShiftSignal>& signals,
                     const std::function<bool(std::size_t)>& progress) {
  FarmStudy study;
  study.plan = plan;
  study.hours = hours.states.size();
  const ShiftStudy without = study_shift(hours, options, signals, {});
  if (options.stop.requested()) return study;
  std::size_t done = 1;
  for (const double size : plan.sizes_mw) {
    if (progress && !progress(done++)) break;
    const GridHours more = with_farm(hours, plan.bus, plan.shape, size);
    const ShiftStudy with = study_shift(more, options, signals, {});
    if (options.stop.requested()) break;
    for (const ShiftVariant& variant : with.variants) {
      const ShiftTotals after = variant.totals(), before = without.find(variant.signal)->totals();
      FarmCase one;
      one.signal = variant.signal;
      one.size_mw = size;
      one.available_mwh = available_mwh(hours, plan, size);
      one.delivered_mwh = (after.available_mwh - after.curtailed_mwh) -
                          (before.available_mwh - before.curtailed_mwh);
      one.curtailed_mwh = one.available_mwh - one.delivered_mwh;
      one.cost_saved = paid(before, options) - paid(after, options);
      one.co2_saved_t = before.co2_t - after.co2_t;
      one.unsolved = after.unsolved + before.unsolved;
      study.cases.push_back(one);
    }
  }
  return study;
}

}  // namespace carnot::grid
