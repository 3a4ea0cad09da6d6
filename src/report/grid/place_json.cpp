// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "carnot/base/version.hpp"
#include "carnot/report/grid/place.hpp"

#include "report/grid/words.hpp"

namespace carnot::report {

namespace {

using grid::ShiftHour;
using grid::ShiftTotals;
using grid::ShiftVariant;
using grid::SiteHour;

constexpr std::size_t kWeek = 168;

Instant hour_start(const GridPlaceReport& r, std::size_t at) {
  return r.begin + Duration::seconds(3600) * static_cast<std::int64_t>(at);
}

std::size_t hours_of(const grid::ShiftStudy& study) {
  return study.variants.empty() ? 0 : study.variants.front().hours.size();
}

Json totals_json(const GridPlaceReport& r, const ShiftVariant& variant, std::size_t first,
                 std::size_t count) {
  const ShiftTotals t = variant.totals(first, count);
  return {{"begin", hour_start(r, first).iso8601()},
          {"hours", t.hours},
          {"unsolved", t.unsolved},
          {"cost", t.cost},
          {"co2_t", t.co2_t},
          {"weighted_cost", t.objective(r.study.options, r.study.options.carbon_price_per_t)},
          {"demand_mwh", t.demand_mwh},
          {"computing_mwh", t.computing_mwh},
          {"shed_mwh", t.shed_mwh},
          {"available_mwh", t.available_mwh},
          {"curtailed_mwh", t.curtailed_mwh},
          {"curtailed_hours", t.curtailed_hours},
          {"absorbed_share", number_or_null(r.study.absorbed_share(variant, first, count))},
          {"own_used_mwh", t.own_used_mwh},
          {"moved_mwh", t.moved_mwh},
          {"congested_hours", t.congested_hours},
          {"losses_mwh", t.losses_mwh},
          {"overload_mw", t.overload_mw},
          {"residual_mw", t.residual_mw}};
}

/// Two decimals: enough for a picture, a tenth of the bytes.
Json short_number(double value) { return number_or_null(std::round(value * 100.0) / 100.0 + 0.0); }

template <class Value>
Json by_hour(const ShiftVariant& variant, std::size_t first, std::size_t count, Value value) {
  Json list = Json::array();
  for (std::size_t at = first; at < std::min(first + count, variant.hours.size()); ++at) {
    const ShiftHour& hour = variant.hours[at];
    list.push_back(hour.status == grid::OpfStatus::Optimal ? short_number(value(hour)) : Json());
  }
  return list;
}

Json week_json(const GridPlaceReport& r, std::size_t week) {
  const std::size_t first = week * kWeek;
  Json variants = Json::array();
  for (const ShiftVariant& variant : r.study.variants) {
    const auto list = [&](auto value) { return by_hour(variant, first, kWeek, value); };
    Json sites = Json::array();
    for (std::size_t s = 0; s < r.study.options.sites.size(); ++s) {
      const auto of_site = [&](auto value) {
        return list([&](const ShiftHour& hour) { return value(hour.sites[s]); });
      };
      sites.push_back(
          {{"bus", r.grid.buses[r.study.options.sites[s].bus].id},
           {"load_mw", of_site([](const SiteHour& h) { return h.load_mw; })},
           {"own_used_mw", of_site([](const SiteHour& h) { return h.own_used_mw(); })},
           {"exported_mw", of_site([](const SiteHour& h) { return h.exported_mw(); })},
           {"curtailed_mw", of_site([](const SiteHour& h) { return h.curtailed_mw; })},
           {"price_per_mwh", of_site([](const SiteHour& h) { return h.price_per_mwh; })},
           {"average_co2_kg_per_mwh",
            of_site([](const SiteHour& h) { return h.average_co2_kg_per_mwh; })},
           {"marginal_co2_kg_per_mwh",
            of_site([](const SiteHour& h) { return h.marginal_co2_kg_per_mwh; })}});
    }
    Json flows = Json::array();
    for (std::size_t l = 0; l < r.grid.branches.size(); ++l)
      flows.push_back(list([l](const ShiftHour& hour) { return double{hour.flow_mw[l]}; }));
    variants.push_back({{"signal", grid::name(variant.signal)},
                        {"sites", std::move(sites)},
                        {"flow_mw", std::move(flows)},
                        {"demand_mw", list([](const ShiftHour& h) { return h.demand_mw; })},
                        {"curtailed_mw", list([](const ShiftHour& h) { return h.curtailed_mw; })},
                        {"losses_mw", list([](const ShiftHour& h) { return h.loss_mw; })},
                        {"cost_per_h", list([](const ShiftHour& h) { return h.cost_per_h; })},
                        {"co2_kg_per_h", list([](const ShiftHour& h) { return h.co2_kg_per_h; })}});
  }
  return {{"index", week},
          {"begin", hour_start(r, first).iso8601()},
          {"hours", std::min(kWeek, hours_of(r.study) - first)},
          {"variants", std::move(variants)}};
}

Json buses_json(const grid::Grid& grid) {
  const std::vector<double> weather = grid::weather_mw(grid);
  Json buses = Json::array();
  for (std::size_t b = 0; b < grid.buses.size(); ++b) {
    buses.push_back(bus_place_json(grid.buses[b]));
    buses.back()["weather_mw"] = weather[b];
  }
  return buses;
}

Json branches_json(const grid::Grid& grid) {
  Json branches = Json::array();
  for (const grid::GridBranch& branch : grid.branches)
    branches.push_back({{"from", grid.buses[branch.from].id},
                        {"to", grid.buses[branch.to].id},
                        {"limit_mw", number_or_null(branch.limit_mw)},
                        {"resistance_pu", branch.resistance_pu}});
  return branches;
}

Json variants_json(const GridPlaceReport& r) {
  Json variants = Json::array();
  for (const ShiftVariant& variant : r.study.variants) {
    Json weeks = Json::array();
    for (std::size_t first = 0; first + kWeek <= variant.hours.size(); first += kWeek)
      weeks.push_back(totals_json(r, variant, first, kWeek));
    variants.push_back({{"signal", grid::name(variant.signal)},
                        {"total", totals_json(r, variant, 0, variant.hours.size())},
                        {"weeks", std::move(weeks)}});
  }
  return variants;
}

}  // namespace

std::string grid_place_json(const GridPlaceReport& r) {
  const grid::ShiftOptions& o = r.study.options;
  return Json{{"schema", "carnot.grid-place/1"},
              {"carnot", std::string(kVersion)},
              {"seed", 0},  // nothing is random
              {"started", r.started},
              {"command", r.command},
              {"case", r.grid.name},
              {"origin", "modelled"},
              {"begin", r.begin.iso8601()},
              {"hours", hours_of(r.study)},
              {"assumptions", shift_assumptions_json(o)},
              {"sites", sites_json(r.grid, o.sites)},
              {"buses", buses_json(r.grid)},
              {"branches", branches_json(r.grid)},
              {"variants", variants_json(r)},
              {"week", week_json(r, r.week.value_or(telling_week(r.study)))},
              {"programme_gap", number_or_null(r.study.programme_gap())},
              {"solve_s", r.seconds}}
             .dump() +
         "\n";
}

}  // namespace carnot::report
