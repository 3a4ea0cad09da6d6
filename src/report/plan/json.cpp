// SPDX-License-Identifier: Apache-2.0
#include <cmath>

#include "carnot/base/version.hpp"
#include "carnot/report/plan/report.hpp"

#include "report/draw/json_figure.hpp"

namespace carnot::report {

namespace {

template <class Q>
Json per_kwh(const Estimate<Q>& figure) {
  return json_figure(Estimate<double>(EstimateCore::scaled(figure.core(), kilowatt_hour.base())));
}

Json levelised_json(const LevelisedWork& l) {
  Json json{{"energy_eur_per_kwh", per_kwh(l.energy)},
            {"carbon_eur_per_kwh", per_kwh(l.carbon)},
            {"handling_eur_per_kwh", per_kwh(l.handling)},
            {"servers_eur_per_kwh", per_kwh(l.servers)},
            {"eur_per_kwh", per_kwh(l.total)},
            {"operational_g_per_kwh", per_kwh(l.operational)},
            {"embodied_g_per_kwh", per_kwh(l.embodied)},
            {"g_per_kwh", per_kwh(l.carbon_total)},
            {"eur_per_job", json_figure(l.eur_per_job)},
            {"g_per_job", json_figure(l.g_per_job)}};
  if (l.eur_per_work) {
    json["eur_per_work"] = json_figure(*l.eur_per_work);
    json["g_per_work"] = json_figure(*l.g_per_work);
  }
  return json;
}

Json site_json(const PlanSiteReport& s) {
  Json json{{"name", s.name}};
  if (std::isfinite(s.latitude)) {
    json["latitude"] = s.latitude;
    json["longitude"] = s.longitude;
  }
  json["jobs"] = s.jobs;
  json["arrivals"] = s.arrivals;
  json["it_j"] = s.it.in(joule);
  json["energy_j"] = s.facility().in(joule);
  json["own_j"] = s.own.in(joule);
  json["grid_j"] = s.grid.in(joule);
  json["available_j"] = s.available.in(joule);
  json["exported_j"] = s.exported.in(joule);
  json["curtailed_j"] = s.curtailed.in(joule);
  json["utilisation"] = number_or_null(s.it / s.capacity);
  json["carbon_g"] = s.carbon.in(gram);
  json["grid_eur"] = s.grid_money.in(euro);
  json["carbon_eur"] = s.carbon_money.in(euro);
  json["move_eur"] = s.move_money.in(euro);
  json["quality_eur"] = s.quality_money.in(euro);
  json["delay_eur"] = s.delay_money.in(euro);
  json["site_eur"] = s.site_money.in(euro);
  json["levelised"] = s.levelised ? levelised_json(*s.levelised) : Json();
  return json;
}

Json totals_json(const plan::PlanTotals& t) {
  return {{"objective_eur", t.objective_eur}, {"dropped", t.dropped},
          {"energy_j", t.energy_j},           {"free_energy_j", t.free_energy_j},
          {"grid_energy_j", t.grid_energy_j}, {"carbon_g", t.carbon_g}};
}

Json range_json(const std::optional<AssumedRange>& r) {
  if (!r) return Json();
  return {{"value", r->value},   {"low", r->low},      {"high", r->high},
          {"origin", "assumed"}, {"boundary", "none"}, {"sources", Json::array()}};
}

}  // namespace

std::string plan_report_json(const PlanReport& r, const std::string& command,
                             const std::string& started) {
  const plan::Certificate& c = r.certificate;
  const WorkAssumptions& a = r.assumptions;
  Json json{{"schema", "carnot.plan-report/1"},
            {"carnot", std::string(kVersion)},
            {"seed", 0},  // nothing is random
            {"started", started},
            {"command", command},
            {"plan", r.path},
            {"planned",
             {{"carnot", r.carnot_version},
              {"command", r.command},
              {"started", r.started},
              {"solver", r.solver},
              {"seconds", number_or_null(r.seconds)}}},
            {"origin", "modelled"},
            {"boundary", "facility"},
            {"holds", c.holds()},
            {"violation_count", c.violation_count},
            {"violations", c.violations},
            {"jobs", r.file.problem.jobs.size()}};
  json.update(totals_json(c.totals));
  json["bound_eur"] = number_or_null(c.totals.bound_eur);
  json["gap"] = number_or_null(c.totals.gap);
  json["dropped_eur"] = r.dropped_money.in(euro);
  json["sites"] = Json::array();
  for (const PlanSiteReport& site : r.sites) json["sites"].push_back(site_json(site));
  json["all"] = site_json(r.all);
  json["moves"] = Json::array();
  for (const PlanMove& move : r.moves)
    json["moves"].push_back(
        {{"from", move.from}, {"to", move.to}, {"jobs", move.jobs}, {"it_j", move.it.in(joule)}});
  json["rules"] = Json::array();
  for (const PlanRival& rival : r.rivals) {
    Json rule{{"rule", rival.name}, {"computed", rival.computed()}};
    if (rival.computed()) rule.update(totals_json(rival.totals));
    json["rules"].push_back(rule);
  }
  const PlanRival* best = r.best_rival();
  json["best_rule"] = best != nullptr ? Json(best->name) : Json();
  json["assumptions"] = {{"server_eur_per_kw", range_json(a.server_eur_per_kw)},
                         {"server_kg_per_kw", range_json(a.server_kg_per_kw)},
                         {"own_eur_per_kwh", range_json(a.own_eur_per_kwh)},
                         {"work_per_kwh", range_json(a.work_per_kwh)},
                         {"work_unit", a.work_unit},
                         {"lifetime_years", a.lifetime_years},
                         {"rate", a.rate}};
  return json.dump(2) + "\n";
}

}  // namespace carnot::report
