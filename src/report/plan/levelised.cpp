// SPDX-License-Identifier: Apache-2.0
#include "report/plan/levelised.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::report {

namespace {

const Time kYear = 365.25 * 86400.0 * second;

/// A flow of the plan, exact as the problem states its series.
template <class Q>
Estimate<Q> modelled(Q value) {
  return Estimate<Q>::exact(value, Origin::Modelled, Boundary::Facility);
}

/// An assumption in the unit of `one`; zero where there is none.
template <class Q>
Estimate<Q> assumed(const std::optional<AssumedRange>& range, Q one, const char* cause) {
  if (!range) return Estimate<Q>::exact(0.0 * one, Origin::Modelled, Boundary::None);
  return Estimate<Q>(range->value * one, range->low * one, range->high * one, Origin::Assumed,
                     Boundary::None, range->low == range->high ? "" : cause, {});
}

/// What a euro spent at the start costs a year, over n years at rate r.
double annuity(double rate, double years) {
  return rate > 0 ? rate / (1 - std::pow(1 + rate, -years)) : 1 / years;
}

}  // namespace

void check(const WorkAssumptions& a) {
  const auto range = [](const char* name, const std::optional<AssumedRange>& r, double least) {
    if (!r) return;
    if (!std::isfinite(r->high) || !(r->low >= least) || !(r->value >= r->low) ||
        !(r->high >= r->value))
      throw InputError(
          fmt::format("{}: value, low and high, {} <= low <= value <= high, not {}, "
                      "{}, {}",
                      name, least, r->value, r->low, r->high));
  };
  range("server cost", a.server_eur_per_kw, 0);
  range("server carbon", a.server_kg_per_kw, 0);
  range("own power cost", a.own_eur_per_kwh, 0);
  range("work per kWh", a.work_per_kwh, 1e-12);
  if (!(a.lifetime_years > 0 && a.lifetime_years <= 100))
    throw InputError(fmt::format("lifetime: above 0, at most 100 years, not {}", a.lifetime_years));
  if (!(a.rate >= 0 && a.rate <= 1))
    throw InputError(fmt::format("rate: 0 to 1 a year, not {}", a.rate));
}

std::optional<LevelisedWork> levelised(const PlanSiteReport& site, const WorkAssumptions& a,
                                       Time horizon) {
  if (!(site.it > Energy{})) return std::nullopt;
  const auto per_work = [&](const auto& flow) { return flow / modelled(site.it); };
  const double years = horizon / kYear;
  const double kilowatts = site.greatest_capacity.in(kilowatt);
  LevelisedWork out;
  out.energy = per_work(modelled(site.grid_money) +
                        modelled(site.own) *
                            assumed(a.own_eur_per_kwh, euro_per_kilowatt_hour, "own power"));
  out.carbon = per_work(modelled(site.carbon_money));
  out.handling = per_work(modelled(site.handling()));
  out.servers = per_work(kilowatts * years * annuity(a.rate, a.lifetime_years) *
                         assumed(a.server_eur_per_kw, euro, "servers").at(Boundary::Facility));
  out.total = out.energy + out.carbon + out.handling + out.servers;
  out.operational = per_work(modelled(site.carbon));
  out.embodied =
      per_work(kilowatts * years / a.lifetime_years *
               assumed(a.server_kg_per_kw, kilogram, "embodied carbon").at(Boundary::Facility));
  out.carbon_total = out.operational + out.embodied;
  const double per_job = site.it.base() / static_cast<double>(site.jobs);
  out.eur_per_job = Estimate<double>(EstimateCore::scaled(out.total.core(), per_job));
  out.g_per_job = Estimate<double>(EstimateCore::scaled(out.carbon_total.core(), per_job));
  if (a.work_per_kwh) {
    const EstimateCore work = assumed(a.work_per_kwh, 1.0, "work per kWh").core();
    const double kwh = kilowatt_hour.base();
    out.eur_per_work =
        Estimate<double>(EstimateCore::quotient(EstimateCore::scaled(out.total.core(), kwh), work));
    out.g_per_work = Estimate<double>(
        EstimateCore::quotient(EstimateCore::scaled(out.carbon_total.core(), kwh), work));
  }
  return out;
}

}  // namespace carnot::report
