// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/facility/facility.hpp"

#include <array>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

struct Part {
  const char* name;
  Power model::PlantHour::*power;
};
constexpr std::array<Part, 8> kParts = {{{"IT", &model::PlantHour::it},
                                         {"power conversion", &model::PlantHour::conversion},
                                         {"air handlers' fans", &model::PlantHour::fans},
                                         {"pumps", &model::PlantHour::pumps},
                                         {"chillers", &model::PlantHour::compressors},
                                         {"heat rejection", &model::PlantHour::rejection_fans},
                                         {"lights, controls", &model::PlantHour::misc},
                                         {"heat pump", &model::PlantHour::heat_pump}}};

std::string hours_text(double hours) { return fmt::format("{:.0f}", hours); }

std::string years_text(const FacilityReport& r, std::size_t width, bool colour) {
  RowTable table({"climate", "PUE", "likely", "hours free", "mixed", "chiller", "worst hour",
                  "L/kWh", "at mean weather"});
  for (const FacilityRow& row : r.rows)
    table.row({printable(row.climate), fmt::format("{:.3f}", row.year.pue),
               fmt::format("{:.2f}–{:.2f}", row.good.pue, row.poor.pue),
               hours_text(row.year.free_hours), hours_text(row.year.mixed_hours),
               hours_text(row.year.mechanical_hours), fmt::format("{:.2f}", row.year.worst_hour),
               fmt::format("{:.2f}", row.year.wue_l_per_kwh),
               fmt::format("{:.3f}", row.year.pue_at_mean)});
  return table.text(width, colour);
}

std::string parts_text(const FacilityReport& r, std::size_t width, bool colour) {
  const model::PlantYear &y = r.rows.front().year, &good = r.rows.front().good,
                         &poor = r.rows.front().poor;
  RowTable table(
      {printable(r.rows.front().climate) + ": where it goes", "mean", "over IT", "likely"});
  for (const Part& part : kParts) {
    const Power p = y.mean.*part.power;
    if (!(p > Power{})) continue;
    const auto share = [&](const model::PlantYear& of) { return of.mean.*part.power / of.mean.it; };
    table.row({part.name, format(p), fmt::format("{:.4f}", share(y)),
               fmt::format("{:.3f}–{:.3f}", std::min(share(good), share(poor)),
                           std::max(share(good), share(poor)))});
  }
  table.row({"facility", format(y.mean.total), fmt::format("{:.4f}", y.pue),
             fmt::format("{:.3f}–{:.3f}", good.pue, poor.pue)},
            true);
  return table.text(width, colour);
}

std::string node_text(const FacilityReport& r, std::size_t width, bool colour) {
  RowTable table({"fans of a node", "speed", "fans", "leakage", "node", "chip", "air out"});
  const auto add = [&](const char* what, const model::ServerState& s, bool marked) {
    table.row(
        {what, fmt::format("{:.2f}", s.speed), format(s.fan), format(s.leakage), format(s.total),
         s.runaway ? "runs away" : fmt::format("{:.1f} degC", to_celsius(s.chip)),
         fmt::format("{:.1f} degC", to_celsius(s.outlet))},
        marked);
  };
  add(r.node.best.within_limit ? "least power" : "too hot even so", r.node.best, true);
  add("slowest", r.node.slow, false);
  add("full speed", r.node.full, false);
  return table.text(width, colour);
}

std::string rate(model::EntropyRate s) {
  return fmt::format("{:.4g} W/K", s.in(model::watt_per_kelvin));
}

std::string site_text(const FacilitySite& s, std::size_t width, bool colour) {
  const model::SiteEntropy& e = s.entropy;
  RowTable table({"entropy flow of the site", "", ""}, {0, 2});
  table.row({"turbine", rate(e.turbine), "wind that nobody drew, as heat"});
  table.row({"hall", rate(e.hall), "P_other / T0"});
  table.row({"EF, both", rate(e.flow), "= (P_wind - P_prod) / T0"}, true);
  table.row({"bits", rate(e.information), "k_B ln 2 (S(p0) - S(p1)) a second"});
  table.row({"bound", rate(e.bound), "bits - P_other / T0 + constant"});
  table.row({"avoidable", rate(e.avoidable), "EF - bound"});
  return table.text(width, colour) +
         fmt::format("{:.1f} % of the flow is made by power that was curtailed.\n",
                     100 * e.curtailed_share);
}

Json hour_json(const model::PlantHour& h) {
  return {{"it_w", h.it.in(watt)},
          {"conversion_w", h.conversion.in(watt)},
          {"fans_w", h.fans.in(watt)},
          {"pumps_w", h.pumps.in(watt)},
          {"compressors_w", h.compressors.in(watt)},
          {"rejection_fans_w", h.rejection_fans.in(watt)},
          {"misc_w", h.misc.in(watt)},
          {"heat_pump_w", h.heat_pump.in(watt)},
          {"total_w", h.total.in(watt)},
          {"rejected_w", h.rejected.in(watt)},
          {"delivered_w", h.delivered.in(watt)},
          {"exergy_w", h.exergy.in(watt)},
          {"free_share", h.free_share}};
}

Json year_json(const FacilityRow& row) {
  const model::PlantYear& y = row.year;
  return {{"climate", printable(row.climate)},
          {"source", printable(row.source)},
          {"hours", row.hours},
          {"origin", "modelled"},
          {"pue", y.pue},
          {"pue_low", row.good.pue},
          {"pue_high", row.poor.pue},
          {"pue_best_hour", y.best_hour},
          {"pue_worst_hour", y.worst_hour},
          {"pue_at_mean_weather", y.pue_at_mean},
          {"ere", y.ere},
          {"reuse_factor", y.reuse_factor},
          {"wue_l_per_kwh", y.wue_l_per_kwh},
          {"free_hours", y.free_hours},
          {"mixed_hours", y.mixed_hours},
          {"mechanical_hours", y.mechanical_hours},
          {"it_j", y.it.in(joule)},
          {"total_j", y.total.in(joule)},
          {"delivered_j", y.delivered.in(joule)},
          {"exergy_j", y.exergy.in(joule)},
          {"entropy_w_per_k", y.entropy_w_per_k},
          {"mean", hour_json(y.mean)}};
}

Json state_json(const model::ServerState& s) {
  return {{"fan_speed", s.speed},
          {"flow_m3_per_s", s.flow_m3_per_s},
          {"fan_w", s.fan.in(watt)},
          {"leakage_w", s.leakage.in(watt)},
          {"dynamic_w", s.dynamic.in(watt)},
          {"other_w", s.other.in(watt)},
          {"total_w", s.total.in(watt)},
          {"chip_k", s.chip.in(kelvin)},
          {"outlet_k", s.outlet.in(kelvin)},
          {"runaway", s.runaway},
          {"within_limit", s.within_limit}};
}

Json site_json(const FacilitySite& s) {
  const auto in = [](model::EntropyRate r) { return r.in(model::watt_per_kelvin); };
  return {{"wind_w", s.powers.wind.in(watt)},
          {"exported_w", s.powers.exported.in(watt)},
          {"other_w", s.powers.other.in(watt)},
          {"curtailed_w", s.powers.curtailed.in(watt)},
          {"surroundings_k", s.surroundings.in(kelvin)},
          {"bits_per_second", s.bits_per_second},
          {"turbine_w_per_k", in(s.entropy.turbine)},
          {"hall_w_per_k", in(s.entropy.hall)},
          {"flow_w_per_k", in(s.entropy.flow)},
          {"information_w_per_k", in(s.entropy.information)},
          {"constant_w_per_k", in(s.entropy.constant)},
          {"bound_w_per_k", in(s.entropy.bound)},
          {"avoidable_w_per_k", in(s.entropy.avoidable)},
          {"curtailed_share", s.entropy.curtailed_share}};
}

}  // namespace

std::string facility_terminal(const FacilityReport& r, std::size_t width, bool colour) {
  std::string out;
  const auto words = [&](const std::string& text) {
    for (const std::string& line : wrapped(text, width)) out += line + "\n";
  };
  const model::PlantOptions& o = r.plant;
  words(fmt::format(
      "{} of computing in a hall of {}, cooled by {}, air at {:.0f} degC{}: an hour at a time",
      format(r.it), format(o.rated_it),
      o.rejection == model::HeatRejection::Tower ? "a tower"
      : o.rejection == model::HeatRejection::Dry ? "dry coolers"
                                                 : "chillers alone",
      to_celsius(o.supply),
      o.liquid_share > 0 ? fmt::format(", {:.0f} % of the heat to water of {:.0f} degC",
                                       100 * o.liquid_share, to_celsius(o.liquid_supply))
                         : ""));
  out += "\n" + years_text(r, width, colour) + "\n" + parts_text(r, width, colour) + "\n" +
         node_text(r, width, colour);
  const model::PlantYear& y = r.rows.front().year;
  if (y.delivered > Energy{}) {
    out += "\n";
    words(
        fmt::format("Heat to the neighbour: {} a year, worth {} of work; reuse factor {:.3f}, "
                    "ERE {:.3f}.",
                    format(y.delivered), format(y.exergy), y.reuse_factor, y.ere));
  }
  if (r.site) out += "\n" + site_text(*r.site, width, colour);
  out += "\n";
  words(fmt::format("Entropy the hall makes: {:.4g} W/K, heat over the temperature it leaves at.",
                    y.entropy_w_per_k));
  words(
      "Modelled: plant from its approaches and shares of Carnot, weather as named. Likely: the "
      "same "
      "with all of these at the good and at the poor end of what is published.");
  return out;
}

std::string facility_json(const FacilityReport& r) {
  Json rows = Json::array();
  for (const FacilityRow& row : r.rows) rows.push_back(year_json(row));
  const Json out = {{"schema", "carnot.facility/1"},
                    {"carnot", std::string(kVersion)},
                    {"command", r.command},
                    {"plant",
                     {{"cooling", name(r.plant.rejection)},
                      {"rated_it_w", r.plant.rated_it.in(watt)},
                      {"supply_k", r.plant.supply.in(kelvin)},
                      {"liquid_share", r.plant.liquid_share},
                      {"liquid_supply_k", r.plant.liquid_supply.in(kelvin)},
                      {"chiller_efficiency", r.plant.chiller_efficiency},
                      {"reuse_share", r.plant.reuse.share},
                      {"reuse_k", r.plant.reuse.wanted.in(kelvin)}}},
                    {"years", std::move(rows)},
                    {"node",
                     {{"utilisation", r.node.utilisation},
                      {"inlet_k", r.node.inlet.in(kelvin)},
                      {"best", state_json(r.node.best)},
                      {"slowest", state_json(r.node.slow)},
                      {"full_speed", state_json(r.node.full)}}},
                    {"site", r.site ? site_json(*r.site) : Json()}};
  return out.dump(2) + "\n";
}

}  // namespace carnot::report
