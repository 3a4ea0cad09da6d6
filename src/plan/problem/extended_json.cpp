// SPDX-License-Identifier: Apache-2.0
#include "plan/problem/extended_json.hpp"

#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::plan {

namespace {

using Json = nlohmann::ordered_json;

void add(const char* key, const std::vector<double>& series, Json& to) {
  if (!series.empty()) to[key] = series;
}

}  // namespace

void add_site_terms(const SiteTerms& terms, Json& site) {
  const PlanBattery& b = terms.battery;
  if (b.capacity_kwh > 0)
    site["battery"] = {{"capacity_kwh", b.capacity_kwh},
                       {"charge_kw", b.charge_kw},
                       {"discharge_kw", b.discharge_kw},
                       {"charge_efficiency", b.charge_efficiency},
                       {"discharge_efficiency", b.discharge_efficiency},
                       {"start_kwh", b.start_kwh},
                       {"end_kwh", b.end_kwh},
                       {"wear_eur_per_kwh", b.wear_eur_per_kwh}};
  if (!terms.export_kw.empty())
    site["export"] = {{"limit_kw", terms.export_kw},
                      {"price_eur_per_kwh", terms.export_eur_per_kwh}};
  for (const DemandCharge& charge : terms.demand_charges)
    site["demand_charges"].push_back(
        {{"eur_per_kw", charge.eur_per_kw}, {"from", charge.from}, {"to", charge.to}});
  add("base_kw", terms.base_kw, site);
  if (terms.idle_kw > 0) site["idle_kw"] = terms.idle_kw;
  for (const FacilityKnee& knee : terms.knees)
    site["knees"].push_back({{"from_kw", knee.from_kw}, {"extra", knee.extra}});
  if (terms.it_eur_per_kwh > 0) site["it_eur_per_kwh"] = terms.it_eur_per_kwh;
  if (terms.it_g_per_kwh > 0) site["it_g_per_kwh"] = terms.it_g_per_kwh;
  if (terms.committed_kw.empty() && terms.offer_kw.empty()) return;
  Json& reserve = site["reserve"] = Json::object();
  add("committed_kw", terms.committed_kw, reserve);
  add("offer_kw", terms.offer_kw, reserve);
  add("offer_eur_per_kw", terms.offer_eur_per_kw, reserve);
}

Json reserve_json(const PlanReserve& reserve) {
  Json out;
  if (reserve.hold_slots != 1) out["hold_slots"] = reserve.hold_slots;
  if (std::isfinite(reserve.within_s)) out["within_s"] = reserve.within_s;
  return out;
}

Json goals_json(const PlanGoals& goals) {
  Json out;
  const auto limit = [&out](const char* key, double x) {
    if (x < kInfinity) out[key] = x;
  };
  limit("carbon_cap_g", goals.carbon_cap_g);
  limit("energy_budget_kwh", goals.energy_budget_kwh);
  limit("quality_cap_eur", goals.quality_cap_eur);
  if (goals.own_share > 0) {
    out["own_share"] = goals.own_share;
    out["own_share_each_slot"] = goals.own_share_each_slot;
  }
  for (const Measure measure : goals.order) out["order"].push_back(to_text(measure));
  return out;
}

void add_extended(const Plan& plan, const PlanTotals& totals, Json& document) {
  if (plan.flows.empty()) return;
  document["exported_j"] = totals.exported_j;
  document["curtailed_j"] = totals.curtailed_j;
  document["embodied_g"] = totals.embodied_g;
  document["quality_eur"] = totals.quality_eur;
  document["late_eur"] = totals.late_eur;
  Json& held = document["held"] = Json::array();
  for (const HeldGoal& goal : plan.held)
    held.push_back(
        {{"measure", to_text(goal.measure)}, {"value", goal.value}, {"bound", goal.bound}});
  Json& sites = document["sites"] = Json::array();
  for (const SiteFlows& flows : plan.flows) {
    Json site;
    add("grid_kw", flows.grid_kw, site);
    add("own_kw", flows.own_kw, site);
    add("export_kw", flows.export_kw, site);
    add("charge_kw", flows.charge_kw, site);
    add("discharge_kw", flows.discharge_kw, site);
    add("reserve_kw", flows.reserve_kw, site);
    sites.push_back(site);
  }
  Json& prices = document["site_multipliers"] = Json::array();
  for (const SiteMultipliers& of : plan.site_multipliers) {
    Json site;
    add("facility", of.facility, site);
    add("stored", of.stored, site);
    if (!of.peak.empty()) site["peak"] = of.peak;
    add("reserve", of.reserve, site);
    prices.push_back(site);
  }
  const GoalMultipliers& y = plan.goal_multipliers;
  document["goal_multipliers"] = {{"carbon", y.carbon},
                                  {"energy", y.energy},
                                  {"quality", y.quality},
                                  {"own_share", y.own_share},
                                  {"held", y.held}};
}

void read_extended(const nlohmann::json& document, const std::string& path, Plan& plan) {
  if (!document.contains("sites")) return;
  const auto series = [](const nlohmann::json& in, const char* key) {
    return in.value(key, std::vector<double>());
  };
  try {
    for (const nlohmann::json& in : document.at("sites"))
      plan.flows.push_back({series(in, "grid_kw"), series(in, "own_kw"), series(in, "export_kw"),
                            series(in, "charge_kw"), series(in, "discharge_kw"),
                            series(in, "reserve_kw")});
    for (const nlohmann::json& in : document.at("site_multipliers"))
      plan.site_multipliers.push_back({series(in, "facility"), series(in, "stored"),
                                       in.value("peak", std::vector<std::vector<double>>()),
                                       series(in, "reserve")});
    const nlohmann::json& y = document.at("goal_multipliers");
    plan.goal_multipliers = {y.at("carbon"), y.at("energy"), y.at("quality"),
                             series(y, "own_share"), series(y, "held")};
    for (const nlohmann::json& in : document.at("held"))
      for (const Measure measure : {Measure::Cost, Measure::Late, Measure::Dropped,
                                    Measure::Quality, Measure::Carbon, Measure::Energy})
        if (in.at("measure") == to_text(measure))
          plan.held.push_back({measure, in.at("value"), in.at("bound")});
  } catch (const nlohmann::json::exception& error) {
    throw InputError(
        describe({path, 0}, "sites, site_multipliers, goal_multipliers, held", error.what()));
  }
}

}  // namespace carnot::plan
