// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/fleet.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "report/draw/map.hpp"
#include "report/draw/text_columns.hpp"
#include "report/plan/words.hpp"
#include "report/run/words.hpp"
#include "report/web/figure.hpp"

namespace carnot::report {

namespace {

/// Means of consecutive slots, equally many each but in the last.
std::vector<double> means(const std::vector<double>& values, std::size_t each) {
  std::vector<double> out;
  for (std::size_t first = 0; first < values.size(); first += each) {
    const std::size_t end = std::min(values.size(), first + each);
    double sum = 0;
    for (std::size_t i = first; i < end; ++i) sum += values[i];
    out.push_back(sum / static_cast<double>(end - first));
  }
  return out;
}

Json numbers(const std::vector<double>& values) {
  Json out = Json::array();
  for (const double v : values) out.push_back(number_or_null(v));
  return out;
}

Json power_words(const std::vector<double>& kilowatts) {
  Json out = Json::array();
  for (const double kw : kilowatts) out.push_back(watts_in_words(1e3 * kw));
  return out;
}

Json site_of(const PlanReport& r, std::size_t s, std::size_t each) {
  const PlanSiteReport& site = r.sites[s];
  const plan::PlanSite& given = r.file.problem.sites[s];
  const auto slots = static_cast<std::size_t>(r.file.problem.slots);
  Json out{{"name", printable(site.name)},
           {"latitude", number_or_null(site.latitude)},
           {"longitude", number_or_null(site.longitude)},
           {"jobs", site.jobs},
           {"arrivals", site.arrivals},
           {"it_text", energy_text(site.it.in(joule))},
           {"own_text", energy_text(site.own.in(joule))},
           {"grid_text", energy_text(site.grid.in(joule))},
           {"curtailed_text", energy_text(site.curtailed.in(joule))},
           {"exported_text", energy_text(site.exported.in(joule))},
           {"carbon_text", carbon_text(site.carbon.in(gram))},
           {"cost_text", money_text(site.money().in(euro))},
           {"used_text", share_text(site.it.in(joule), site.capacity.in(joule))},
           {"own_j", site.own.in(joule)},
           {"grid_j", site.grid.in(joule)},
           {"curtailed_j", site.curtailed.in(joule)}};
  std::vector<double> price, shadow;
  const bool priced = r.file.plan.price.size() == r.sites.size() * slots;
  for (std::size_t t = 0; t < slots; ++t) {
    price.push_back(1e3 * r.file.problem.grid_cost(s, t) * given.pue[t]);
    if (priced) shadow.push_back(1e3 * r.file.plan.price[s * slots + t]);
  }
  const std::vector<double> own = means(site.series.own_kw, each),
                            grid = means(site.series.grid_kw, each),
                            curtailed = means(site.series.curtailed_kw, each),
                            exported = means(site.series.exported_kw, each),
                            it = means(site.series.it_kw, each);
  out["series"] = {{"own_kw", numbers(own)},
                   {"own_text", power_words(own)},
                   {"grid_kw", numbers(grid)},
                   {"grid_text", power_words(grid)},
                   {"curtailed_kw", numbers(curtailed)},
                   {"curtailed_text", power_words(curtailed)},
                   {"exported_kw", numbers(exported)},
                   {"it_kw", numbers(it)},
                   {"it_text", power_words(it)},
                   {"capacity_kw", numbers(means(given.capacity_kw, each))},
                   {"price_eur_per_mwh", numbers(means(price, each))},
                   {"shadow_eur_per_mwh", numbers(means(shadow, each))},
                   {"carbon_g_per_kwh", numbers(means(given.carbon_g_per_kwh, each))}};
  return out;
}

Json totals_words(const plan::PlanTotals& t) {
  return {{"objective_eur", number_or_null(t.objective_eur)},
          {"objective_text", money_text(t.objective_eur)},
          {"dropped", t.dropped},
          {"energy_text", energy_text(t.energy_j)},
          {"own_text", energy_text(t.free_energy_j)},
          {"grid_text", energy_text(t.grid_energy_j)},
          {"carbon_text", carbon_text(t.carbon_g)},
          {"carbon_g", number_or_null(t.carbon_g)}};
}

/// A figure of a simulation's run, in words.
struct Worded {
  const char* key;
  std::string (*words)(double);
};

std::string energy_words(double v) { return energy_text(v); }
std::string carbon_words(double v) { return carbon_text(v); }
std::string time_words(double v) { return seconds_in_words(v); }

constexpr Worded kWorded[] = {{"energy_j", energy_words},     {"grid_energy_j", energy_words},
                              {"own_energy_j", energy_words}, {"carbon_g", carbon_words},
                              {"cost_eur", money_text},       {"curtailed_j", energy_words},
                              {"exported_j", energy_words},   {"mean_wait_s", time_words},
                              {"wait_p90_s", time_words},     {"bound", money_text}};

/// A provenance's absolute paths without the folders that lead to them.
std::string without_folders(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    const bool begins = text[i] == '/' && (i == 0 || text[i - 1] == ' ');
    if (!begins) {
      out += text[i++];
      continue;
    }
    std::size_t end = i;
    while (end < text.size() && text[end] != ' ' && text[end] != ':' && text[end] != ';') ++end;
    const std::string path = text.substr(i, end - i);
    out += path.substr(path.find_last_of('/') + 1);
    i = end;
  }
  return out;
}

void add_texts(Json& row) {
  if (!row.is_object()) return;
  Json texts = Json::object();
  const Json ensemble =
      row.contains("ensemble") && row["ensemble"].is_object() ? row["ensemble"] : Json::object();
  for (const Worded& w : kWorded) {
    const auto it = row.find(w.key);
    if (it == row.end() || !it->is_number()) continue;
    texts[w.key] = {{"text", w.words(it->get<double>())}, {"range", ""}};
    const Json spread = ensemble.value(w.key, Json());
    if (!spread.is_object()) continue;
    texts[w.key] = {{"text", w.words(number_at(spread, "mean", w.key))},
                    {"range", w.words(number_at(spread, "low", w.key)) + " … " +
                                  w.words(number_at(spread, "high", w.key))}};
  }
  if (const auto u = row.find("utilisation"); u != row.end() && u->is_number())
    texts["utilisation"] = {{"text", percent(u->get<double>())}, {"range", ""}};
  row["texts"] = std::move(texts);
}

}  // namespace

std::string fleet_plan_json(const PlanReport& r, const std::string& id, const std::string& name,
                            std::size_t most) {
  const plan::Problem& problem = r.file.problem;
  const auto slots = static_cast<std::size_t>(problem.slots);
  const std::size_t each = (slots + most - 1) / std::max<std::size_t>(most, 1);
  Json sites = Json::array(), moves = Json::array(), rules = Json::array(), words = Json::array();
  for (std::size_t s = 0; s < r.sites.size(); ++s) sites.push_back(site_of(r, s, each));
  for (const PlanMove& m : r.moves)
    moves.push_back({{"from", m.from},
                     {"to", m.to},
                     {"jobs", m.jobs},
                     {"it_j", m.it.in(joule)},
                     {"text", energy_text(m.it.in(joule))}});
  for (const PlanRival& rival : r.rivals) {
    Json row{{"rule", rule_words(rival.name)}, {"left_out", rival.left_out}};
    if (rival.computed()) {
      row.update(totals_words(rival.totals));
      row["above_text"] = above_text(rival.totals.objective_eur, r.certificate.totals.bound_eur);
    }
    rules.push_back(std::move(row));
  }
  for (const std::string& sentence : plan_answer(r)) words.push_back(printable(sentence));
  Json totals = totals_words(r.certificate.totals);
  const double left = left_eur(r);
  totals["bound_eur"] = number_or_null(r.certificate.totals.bound_eur);
  totals["bound_text"] = money_text(r.certificate.totals.bound_eur);
  totals["left_text"] = std::isfinite(left) ? money_text(left) : std::string("not known");
  totals["left_share_text"] =
      std::isfinite(left) ? share_text(left, r.certificate.totals.objective_eur) : std::string();
  return dumped({{"id", id},
                 {"name", printable(name)},
                 {"kind", "plan"},
                 {"size", plan_size(r)},
                 {"answer", std::move(words)},
                 {"check", plan_check_words(r)},
                 {"holds", r.certificate.holds()},
                 {"origin", "modelled"},
                 {"boundary", "facility"},
                 {"slot_s", problem.slot_s * static_cast<double>(each)},
                 {"points", (slots + each - 1) / each},
                 {"carbon_price_eur_per_t", problem.carbon_price_eur_per_t},
                 {"totals", std::move(totals)},
                 {"sites", std::move(sites)},
                 {"moves", std::move(moves)},
                 {"rules", std::move(rules)}});
}

std::string fleet_simulation_json(const std::string& text, const std::string& id,
                                  const std::string& name) {
  Json json = parse_object(text, name);
  if (text_at(json, "schema", name) != "carnot.simulate/1")
    throw InputError(name + ": schema: carnot.simulate/1");
  json["id"] = id;
  json["name"] = printable(name);
  json["kind"] = "simulation";
  for (const char* key : {"jobs_source", "sites_source"})
    if (json.contains(key)) json[key] = without_folders(text_at(json, key, name));
  if (json.contains("runs") && json["runs"].is_array())
    for (Json& run : json["runs"]) {
      add_texts(run);
      if (run.is_object() && run.contains("sites") && run["sites"].is_array())
        for (Json& site : run["sites"]) add_texts(site);
    }
  return dumped(json);
}

std::string plan_difference_json(const std::string& base, const std::string& other) {
  const Json a = parse_object(base, "base"), b = parse_object(other, "plan");
  for (const Json* json : {&a, &b})
    if (text_at(*json, "schema", "plan") != "carnot.plan/1")
      throw InputError("schema: carnot.plan/1");
  const double cost_a = number_at(a, "objective_eur", "base"),
               cost_b = number_at(b, "objective_eur", "plan"),
               bound_a = number_at(a, "bound_eur", "base"),
               bound_b = number_at(b, "bound_eur", "plan");
  const auto line = [&](const char* key, const char* what, double factor,
                        std::string (*words)(double)) {
    const double x = factor * number_at(a, key, "base"), y = factor * number_at(b, key, "plan");
    return Json{{"what", what},
                {"base_text", words(x)},
                {"text", words(y)},
                {"difference_text", (y >= x ? "+" : "−") + words(std::abs(y - x))},
                {"change_text", change_text(y, x)}};
  };
  Json rows = Json::array({line("objective_eur", "cost", 1, money_text),
                           line("energy_j", "energy", 1, energy_words),
                           line("free_energy_j", "own power used", 1, energy_words),
                           line("grid_energy_j", "from the grid", 1, energy_words),
                           line("carbon_g", "carbon", 1, carbon_words)});
  // The best of either variant lies between its bound and its plan.
  const double low = bound_b - cost_a, high = cost_b - bound_a;
  const auto with_sign = [](double v) { return (v < 0 ? "−" : "+") + money_text(std::abs(v)); };
  return dumped({{"rows", std::move(rows)},
                 {"dropped", number_at(b, "dropped", "plan")},
                 {"dropped_base", number_at(a, "dropped", "base")},
                 {"bound",
                  {{"low", number_or_null(low)},
                   {"value", number_or_null(cost_b - cost_a)},
                   {"high", number_or_null(high)},
                   {"text", with_sign(cost_b - cost_a)},
                   {"range", with_sign(low) + " … " + with_sign(high)},
                   {"origin", "modelled"},
                   {"boundary", "facility"},
                   {"verdict", low > 0    ? "more"
                               : high < 0 ? "less"
                                          : "not told apart"}}}});
}

std::string land_csv() { return kLandTable; }

}  // namespace carnot::report
