// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/simulate/page.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

#include "report/draw/bar_figure.hpp"
#include "report/draw/html.hpp"
#include "report/draw/json_reading.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"
#include "report/plan/words.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

struct Flows {
  std::string name;
  double energy_j = 0, grid_j = 0, own_j = 0, exported_j = 0, curtailed_j = 0, own_total_j = 0;
  double carbon_g = 0, cost_eur = 0, utilisation = 0;
};

struct Policy : Flows {
  bool oracle = false;
  double jobs = 0, finished = 0, late = 0, mean_wait_s = 0, wait_p90_s = 0, seconds = 0;
  double bound_eur = 0;  ///< NaN: none
  std::string end;       ///< of the run: by then the bound wants jobs without a deadline done
  double carbon_low = 0, carbon_high = 0, cost_low = 0, cost_high = 0;  ///< NaN: no ensemble
  std::vector<Flows> sites;
  double missed() const noexcept { return jobs - finished + late; }
};

struct Simulation {
  std::string command, started, version, jobs, sites;
  std::vector<Policy> policies;

  /// Fewest jobs late or not done, then least cost, oracles left out.
  const Policy* best(const Policy* without = nullptr) const {
    const Policy* out = nullptr;
    for (const Policy& p : policies)
      if (&p != without && !p.oracle &&
          (out == nullptr ||
           std::pair(p.missed(), p.cost_eur) < std::pair(out->missed(), out->cost_eur)))
        out = &p;
    return out;
  }
};

Flows flows_of(const Json& in, const char* name, const std::string& path) {
  const auto number = [&](const char* key) { return number_at(in, key, path); };
  Flows out;
  out.name = text_at(in, name, path);
  out.energy_j = number("energy_j");
  out.grid_j = number("grid_energy_j");
  out.own_j = number("own_energy_j");
  out.exported_j = number("exported_j");
  out.curtailed_j = number("curtailed_j");
  out.own_total_j = number("own_total_j");
  out.carbon_g = number("carbon_g");
  out.cost_eur = number("cost_eur");
  out.utilisation = number("utilisation");
  return out;
}

Policy policy_of(const Json& in, const std::string& path) {
  Policy out;
  static_cast<Flows&>(out) = flows_of(in, "policy", path);
  const Json knows = part_at(in, "knows", path, false);
  out.oracle = knows.value("future", false) || knows.value("lengths", false);
  out.jobs = number_at(in, "jobs", path);
  out.finished = number_at(in, "finished", path);
  out.late = number_at(in, "late", path);
  out.mean_wait_s = number_at(in, "mean_wait_s", path);
  out.wait_p90_s = number_at(in, "wait_p90_s", path);
  out.seconds = number_at(in, "seconds", path);
  out.bound_eur = number_at(in, "bound", path);
  if (const auto end = in.find("end"); end != in.end() && end->is_string())
    out.end = end->get<std::string>();
  const Json ensemble = part_at(in, "ensemble", path, false);
  const Json carbon = part_at(ensemble, "carbon_g", path, false);
  const Json cost = part_at(ensemble, "cost_eur", path, false);
  out.carbon_low = number_at(carbon, "low", path);
  out.carbon_high = number_at(carbon, "high", path);
  out.cost_low = number_at(cost, "low", path);
  out.cost_high = number_at(cost, "high", path);
  for (const Json& site : part_at(in, "sites", path, true))
    out.sites.push_back(flows_of(site, "site", path));
  return out;
}

Simulation read(const std::string& text, const std::string& path) {
  const Json root = parse_object(text, path);
  if (text_at(root, "schema", path) != "carnot.simulate/1")
    throw InputError(path + ": schema: carnot.simulate/1");
  Simulation out;
  out.command = text_at(root, "command", path);
  out.started = text_at(root, "started", path);
  out.version = text_at(root, "carnot", path);
  out.jobs = text_at(root, "jobs_source", path);
  out.sites = text_at(root, "sites_source", path);
  for (const Json& run : part_at(root, "runs", path, true))
    out.policies.push_back(policy_of(run, path));
  if (out.policies.empty()) throw InputError(path + ": runs: at least one policy");
  return out;
}

std::string title(const Simulation& s) {
  return fmt::format("{:.0f} jobs under {} {}", s.policies.front().jobs, s.policies.size(),
                     s.policies.size() == 1 ? "policy" : "policies");
}

/// Of which schedules the bound is.
std::string in_time(const Policy& p) {
  return "that finishes every job by its deadline" +
         (p.end.empty() ? std::string(", if it has one,")
                        : fmt::format(", one without by {},", p.end));
}

std::string against(const Policy& ours, const Policy& theirs) {
  const auto change = [](double now, double before, const std::string& size) {
    return fmt::format("{} {} ({})", size, now <= before ? "less" : "more",
                       before != 0 ? percent(std::abs((now - before) / before)) : "n/a");
  };
  std::string out = fmt::format(
      "Against {}: {} cost, {} CO2e, {} of grid energy", theirs.name,
      change(ours.cost_eur, theirs.cost_eur, money_text(std::abs(ours.cost_eur - theirs.cost_eur))),
      change(ours.carbon_g, theirs.carbon_g,
             carbon_text(std::abs(ours.carbon_g - theirs.carbon_g))),
      change(ours.grid_j, theirs.grid_j, energy_text(std::abs(ours.grid_j - theirs.grid_j))));
  out += fmt::format("; mean wait {} against {}.", time_text(ours.mean_wait_s),
                     time_text(theirs.mean_wait_s));
  if (std::isfinite(ours.bound_eur))
    out += fmt::format(" No schedule {} costs less than {}, {} less.", in_time(ours),
                       money_text(ours.bound_eur), money_text(theirs.cost_eur - ours.bound_eur));
  return out;
}

std::vector<std::string> answer(const Simulation& s) {
  const Policy* best = s.best();
  if (best == nullptr) return {"Every policy is an oracle: there is nothing that could be done."};
  std::vector<std::string> out{fmt::format(
      "{} does {:.0f} of {:.0f} jobs{} for {} with {}, {} of it own power, and {} CO2e.",
      best->name, best->finished, best->jobs,
      best->late > 0 ? fmt::format(", {:.0f} of them late,", best->late) : std::string(),
      money_text(best->cost_eur), energy_text(best->energy_j),
      share_text(best->own_j, best->energy_j), carbon_text(best->carbon_g))};
  const Policy* rival = s.best(best);
  if (rival != nullptr) out.push_back(against(*best, *rival));
  const Policy& first = s.policies.front();
  if (&first != best && &first != rival) out.push_back(against(*best, first));
  for (const Policy& p : s.policies)
    if (p.oracle) {
      out.push_back(
          "Policies marked * are oracles: they know the future or the lengths of jobs, and are "
          "left out of these comparisons.");
      break;
    }
  return out;
}

std::string shown_name(const Policy& p) { return p.name + (p.oracle ? " *" : ""); }

std::string policy_table(const Simulation& s) {
  const Policy* best = s.best();
  std::vector<html::Row> rows;
  const auto with = [](const std::string& value, double low, double high, auto&& words) {
    return std::isfinite(low) ? fmt::format("{} ({} … {})", value, words(low), words(high)) : value;
  };
  for (const Policy& p : s.policies)
    rows.push_back(
        {{shown_name(p), fmt::format("{:.0f}", p.finished), fmt::format("{:.0f}", p.late),
          time_text(p.mean_wait_s), time_text(p.wait_p90_s), energy_text(p.energy_j),
          share_text(p.own_j, p.energy_j), energy_text(p.grid_j),
          with(carbon_text(p.carbon_g), p.carbon_low, p.carbon_high,
               [](double g) { return carbon_text(g); }),
          with(money_text(p.cost_eur), p.cost_low, p.cost_high, money_text),
          std::isfinite(p.bound_eur) ? money_text(p.bound_eur) : "n/a"},
         &p == best ? "best"
         : p.oracle ? "quiet"
                    : ""});
  return html::table(
      "Every policy met the same jobs, sites and weather. Ranges: 90 % over starts in the year.",
      {{"policy", false},
       {"finished"},
       {"late"},
       {"mean wait"},
       {"90 % wait"},
       {"energy"},
       {"own"},
       {"grid"},
       {"carbon"},
       {"cost"},
       {"bound"}},
      rows);
}

std::string figures(const Simulation& s) {
  const Policy* best = s.best();
  const auto figure = [&](const std::string& what, auto&& of, auto&& unit_for, double bound) {
    double most = 0;
    for (const Policy& p : s.policies)
      if (std::isfinite(of(p))) most = std::max(most, std::abs(of(p)));
    const Unit unit = unit_for(most);
    std::vector<Bar> rows;
    for (const Policy& p : s.policies)
      if (std::isfinite(of(p))) rows.push_back({shown_name(p), of(p) * unit.factor, &p == best});
    return bar_figure(fmt::format("{}, {}", what, unit.name), rows, bound);
  };
  const double none = kNaN;
  // One bound for all: the least of those that the policies were given.
  double bound = none;
  for (const Policy& p : s.policies) bound = std::fmin(bound, p.bound_eur);
  return html::figure(
      "<div class=\"small\">" +
          figure(
              "Cost", [](const Policy& p) { return p.cost_eur; },
              [](double) {
                return Unit{"EUR", 1};
              },
              bound) +
          figure(
              "Carbon, CO2e", [](const Policy& p) { return p.carbon_g; }, carbon_unit, none) +
          figure(
              "Grid energy", [](const Policy& p) { return p.grid_j; }, energy_unit, none) +
          figure(
              "Mean wait", [](const Policy& p) { return p.mean_wait_s; }, time_unit, none) +
          "</div>",
      std::isfinite(bound)
          ? fmt::format(
                "Modelled, facility boundary. The dotted line is the bound: no schedule {} costs "
                "less.",
                in_time(s.policies.front()))
          : "Modelled, facility boundary.");
}

std::string site_table(const Policy& p) {
  std::vector<html::Row> rows;
  for (const Flows& f : p.sites)
    rows.push_back(
        {{f.name, energy_text(f.own_total_j), energy_text(f.own_j), energy_text(f.exported_j),
          energy_text(f.curtailed_j), energy_text(f.grid_j), energy_text(f.energy_j),
          percent(f.utilisation), carbon_text(f.carbon_g), money_text(f.cost_eur)},
         ""});
  if (rows.empty()) return {};
  return html::details("Site by site: " + p.name,
                       html::table("Own power is used, exported, curtailed or kept in batteries.",
                                   {{"site", false},
                                    {"own power"},
                                    {"used"},
                                    {"exported"},
                                    {"curtailed"},
                                    {"grid"},
                                    {"facility"},
                                    {"in use"},
                                    {"carbon"},
                                    {"cost"}},
                                   rows));
}

}  // namespace

bool is_simulation(const std::string& text) {
  return text.find("\"carnot.simulate/1\"") < 200 && text.find('{') < 20;
}

std::string simulate_page_html(const std::string& text, const std::string& path) {
  const Simulation s = read(text, path);
  std::string body = "<header>\n" + html::heading(1, title(s));
  body += html::paragraph(fmt::format("Simulated {} by carnot {}", day_text(s.started), s.version),
                          "kicker");
  std::vector<std::string> sentences = answer(s);
  body += html::paragraph(sentences.front(), "answer");
  for (std::size_t i = 1; i < sentences.size(); ++i) body += html::paragraph(sentences[i]);
  body += "</header>\n" + html::heading(2, "Policies side by side") + policy_table(s) + figures(s);
  body += html::heading(2, "Sites");
  for (const Policy& p : s.policies) body += site_table(p);
  body += html::heading(2, "What the figures stand on");
  body += html::paragraph(
      "Modelled, at the facilities' meters: energies are exact sums over the "
      "simulated time; prices, carbon and weather are those of the tables.");
  for (const std::string& source : {s.jobs, s.sites})
    if (!source.empty()) body += html::paragraph(source, "note");
  if (!s.command.empty())
    body += html::heading(2, "Do it again") + "<pre>" + escape(s.command) + "</pre>\n";
  return html::page(title(s) + " · carnot", body);
}

std::string simulate_page_terminal(const std::string& text, const std::string& path, int width,
                                   bool colour) {
  const Simulation s = read(text, path);
  const std::size_t room = static_cast<std::size_t>(std::max(width, 40));
  std::string out = strong(cut(printable(title(s)), room), colour) + "\n\n";
  for (const std::string& sentence : answer(s))
    for (const std::string& line : wrapped(printable(sentence), room)) out += line + "\n";
  return out;
}

}  // namespace carnot::report
