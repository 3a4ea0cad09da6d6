// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/grid/place.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/grid/words.hpp"

namespace carnot::report {

using grid::ShiftHour;
using grid::ShiftSignal;
using grid::ShiftTotals;
using grid::ShiftVariant;

namespace {

constexpr std::size_t kWeek = 168;

Instant hour_start(const GridPlaceReport& r, std::size_t at) {
  return r.begin + Duration::seconds(3600) * static_cast<std::int64_t>(at);
}

std::size_t hours_of(const grid::ShiftStudy& study) {
  return study.variants.empty() ? 0 : study.variants.front().hours.size();
}

}  // namespace

std::size_t telling_week(const grid::ShiftStudy& study) {
  const ShiftVariant* average = study.find(ShiftSignal::AverageCarbon);
  const ShiftVariant* even = study.find(ShiftSignal::NoShift);
  std::size_t telling = 0;
  double most = -kInfinity;
  for (std::size_t first = 0;
       average != nullptr && even != nullptr && first + kWeek <= average->hours.size();
       first += kWeek) {
    const double added = average->totals(first, kWeek).co2_t - even->totals(first, kWeek).co2_t;
    if (!(added > most)) continue;
    most = added;
    telling = first / kWeek;
  }
  return telling;
}

std::string grid_place_terminal(const GridPlaceReport& r) {
  const grid::ShiftOptions& o = r.study.options;
  std::string out =
      fmt::format("{}: {} hours from {}\n", r.grid.name, hours_of(r.study), r.begin.iso8601());
  out += computing_words(r.grid, o);
  out += fmt::format(
      "\n  {:<16}{:>10}{:>10}{:>11}{:>10}{:>9}{:>10}{:>9}{:>9}\n"
      "  {:<16}{:>10}{:>10}{:>11}{:>10}{:>9}{:>10}{:>9}{:>9}\n",
      "", "cost", "CO2", "weighted", "curtailed", "absorbed", "congested", "losses", "moved",
      "signal", "M", "kt", "cost M", "GWh", "%", "hours", "GWh", "GWh");
  std::size_t unsolved = 0;
  double overload = 0.0, residual = 0.0;
  for (const ShiftVariant& variant : r.study.variants) {
    const ShiftTotals t = variant.totals();
    const double absorbed = r.study.absorbed_share(variant, 0, variant.hours.size());
    out += fmt::format("  {:<16}{:>10.3f}{:>10.2f}{:>11.3f}{:>10.2f}{:>9}{:>10}{:>9.2f}{:>9.1f}\n",
                       grid::name(variant.signal), t.cost / 1e6, t.co2_t / 1e3,
                       t.objective(r.study.options, r.study.options.carbon_price_per_t) / 1e6,
                       t.curtailed_mwh / 1e3,
                       std::isfinite(absorbed) ? fmt::format("{:.1f}", 100 * absorbed) : "-",
                       t.congested_hours, t.losses_mwh / 1e3, t.moved_mwh / 1e3);
    unsolved += t.unsolved;
    overload = std::max(overload, t.overload_mw);
    residual = std::max(residual, t.residual_mw);
  }
  out += fmt::format(
      "\n  weighted cost: with {:.0f} a tonne; units pay {:.0f}. All modelled.\n"
      "  greatest overload {:.1e} MW, residual {:.1e} MW",
      o.carbon_price_per_t, o.units_pay_per_t, overload, residual);
  if (const double gap = r.study.programme_gap(); std::isfinite(gap))
    out += fmt::format(", two programmes for joint-cost apart by {:.1e}", gap);
  out += "\n";
  if (unsolved > 0) out += fmt::format("  {} hours without a dispatch\n", unsolved);
  const ShiftVariant* even = r.study.find(ShiftSignal::NoShift);
  if (even == nullptr || even->hours.size() < kWeek) return out;
  const std::size_t first = r.week.value_or(telling_week(r.study)) * kWeek;
  out += fmt::format("  week from {}: CO2 against no-shift, kt:", hour_start(r, first).iso8601());
  const double co2_t = even->totals(first, kWeek).co2_t;
  for (const ShiftVariant& variant : r.study.variants)
    if (variant.signal > ShiftSignal::NoShift)
      out += fmt::format(" {} {:+.2f}", grid::name(variant.signal),
                         (variant.totals(first, kWeek).co2_t - co2_t) / 1e3);
  return out + "\n";
}

std::string grid_place_csv(const GridPlaceReport& r) {
  std::string out =
      "signal,time,optimal,cost_per_h,co2_kg_per_h,demand_mw,computing_mw,available_mw,"
      "curtailed_mw,shed_mw,losses_mw,congested,overload_mw\n";
  for (const ShiftVariant& variant : r.study.variants)
    for (std::size_t at = 0; at < variant.hours.size(); ++at) {
      const ShiftHour& h = variant.hours[at];
      double computing = 0.0;
      for (const grid::SiteHour& site : h.sites) computing += site.load_mw;
      out += fmt::format(
          "{},{},{:d},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{:.6f},{},{:.3g}\n",
          grid::name(variant.signal), hour_start(r, at).iso8601(),
          h.status == grid::OpfStatus::Optimal, h.cost_per_h, h.co2_kg_per_h, h.demand_mw,
          computing, h.available_mw, h.curtailed_mw, h.shed_mw, h.loss_mw, h.congested,
          h.overload_mw);
    }
  return out;
}

}  // namespace carnot::report
