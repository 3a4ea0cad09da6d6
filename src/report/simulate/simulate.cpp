// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/simulate/simulate.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "carnot/base/version.hpp"
#include "carnot/simulate/ensemble.hpp"

#include "report/draw/json_reading.hpp"
#include "report/draw/table.hpp"
#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"

namespace carnot::report {

namespace {

using simulate::FleetFlows;
using simulate::FleetResult;

Json flows_json(const FleetFlows& f) {
  return Json{{"energy_j", f.facility.in(joule)},
              {"grid_energy_j", f.grid.in(joule)},
              {"own_energy_j", f.own_used.in(joule)},
              {"carbon_g", f.carbon.in(gram)},
              {"cost_eur", f.cost.in(euro)},
              {"it_energy_j", f.it.in(joule)},
              {"idle_energy_j", f.idle.in(joule)},
              {"own_total_j", f.own_total.in(joule)},
              {"exported_j", f.exported.in(joule)},
              {"curtailed_j", f.curtailed.in(joule)},
              {"battery_charged_j", (f.charged_own + f.charged_grid).in(joule)},
              {"battery_discharged_j", f.discharged.in(joule)},
              {"battery_change_j", (f.battery_end - f.battery_begin).in(joule)},
              {"reserve_asked_j", f.call_asked.in(joule)},
              {"reserve_short_j", f.call_short.in(joule)},
              {"peak_power_w", f.peak.in(watt)},
              {"balance_residual", f.balance_residual}};
}

double built(const FleetResult& r) {
  double nodes = 0.0;
  for (const simulate::FleetSiteResult& site : r.sites) nodes += site.nodes;
  return nodes;
}

/// Share of all nodes x time that jobs held.
double utilisation(const FleetFlows& flows, double nodes, const FleetResult& r) {
  const Time span = (r.end - r.begin).time();
  return span > Time{} ? flows.node_time / (nodes * span) : 0.0;
}

Json ensemble_json(const std::vector<FleetResult>& members) {
  Json out{{"members", members.size()}};
  const auto add = [&](const char* name, double (*of)(const FleetResult&)) {
    std::vector<double> values;
    for (const FleetResult& r : members) values.push_back(of(r));
    const simulate::Spread s = simulate::spread(values);
    out[name] = Json{{"mean", s.mean}, {"low", s.low}, {"high", s.high}};
  };
  add("energy_j", [](const FleetResult& r) { return r.flows.facility.in(joule); });
  add("grid_energy_j", [](const FleetResult& r) { return r.flows.grid.in(joule); });
  add("own_energy_j", [](const FleetResult& r) { return r.flows.own_used.in(joule); });
  add("carbon_g", [](const FleetResult& r) { return r.flows.carbon.in(gram); });
  add("cost_eur", [](const FleetResult& r) { return r.flows.cost.in(euro); });
  add("mean_wait_s", [](const FleetResult& r) { return r.wait_mean.in(second); });
  add("late", [](const FleetResult& r) { return static_cast<double>(r.late); });
  return out;
}

Json run_json(const SimulateRun& run) {
  const FleetResult& r = run.result;
  Json out{{"policy", r.policy},
           {"knows", Json{{"future", r.knowledge.future}, {"lengths", r.knowledge.lengths}}},
           {"jobs", r.jobs},
           {"finished", r.finished},
           {"late", r.late},
           {"failed", r.failed},
           {"cancelled", r.cancelled}};
  out.update(flows_json(r.flows));
  out.update(Json{{"mean_wait_s", r.wait_mean.in(second)},
                  {"wait_p50_s", r.wait_50.in(second)},
                  {"wait_p90_s", r.wait_90.in(second)},
                  {"wait_p99_s", r.wait_99.in(second)},
                  {"wait_max_s", r.wait_max.in(second)},
                  {"utilisation", utilisation(r.flows, built(r), r)},
                  {"starts", r.starts},
                  {"suspensions", r.suspensions},
                  {"moves", r.moves},
                  {"failures", r.failures},
                  {"kills", r.kills},
                  {"lost_node_s", r.work_lost.in(second)},
                  {"begin", r.begin.iso8601()},
                  {"end", r.end.iso8601()},
                  {"events", r.events},
                  {"seconds", r.seconds}});
  out["bound"] = run.bound ? Json(run.bound->in(euro)) : Json();
  out["bound_of"] = "cost_eur";
  out["bound_until"] = run.bound ? Json(r.end.iso8601()) : Json();
  Json sites = Json::array();
  for (const simulate::FleetSiteResult& site : r.sites) {
    Json row{{"site", site.name},
             {"nodes", site.nodes},
             {"finished", site.finished},
             {"utilisation", utilisation(site.flows, site.nodes, r)}};
    row.update(flows_json(site.flows));
    sites.push_back(std::move(row));
  }
  out["sites"] = std::move(sites);
  if (!run.members.empty()) out["ensemble"] = ensemble_json(run.members);
  return out;
}

/// The table's columns; comparisons only where there are several policies.
std::vector<Column> build(const std::vector<SimulateRun>& runs) {
  const auto gather = [&](const std::function<double(const SimulateRun&)>& of) {
    std::vector<double> values;
    for (const SimulateRun& run : runs) values.push_back(of(run));
    return values;
  };
  const auto energy = gather([](const auto& r) { return r.result.flows.facility.in(joule); });
  const auto carbon = gather([](const auto& r) { return r.result.flows.carbon.in(gram); });
  const auto cost = gather([](const auto& r) { return r.result.flows.cost.in(euro); });
  const auto wait = gather([](const auto& r) { return r.result.wait_mean.in(second); });
  const auto wait_90 = gather([](const auto& r) { return r.result.wait_90.in(second); });
  const auto seconds = gather([](const auto& r) { return r.result.seconds; });
  const auto cells = [&](const std::function<std::string(const SimulateRun&)>& of) {
    std::vector<std::string> out;
    for (const SimulateRun& run : runs) out.push_back(of(run));
    return out;
  };
  const Unit e = energy_unit(largest_of(energy)), c = carbon_unit(largest_of(carbon)),
             t = time_unit(std::max(largest_of(wait), largest_of(wait_90)));
  const SimulateRun& first = runs.front();
  const auto against_first = [&](const std::vector<double>& values) {
    std::vector<std::string> out;
    for (const double v : values)
      out.push_back(
          values.front() > 0.0 ? fmt::format("{:+.1f}", 100.0 * (v / values.front() - 1.0)) : "-");
    return out;
  };
  std::vector<Column> table = {
      {"policy", "", 100, cells([](const auto& r) {
         return printable(r.result.policy) +
                (r.result.knowledge.future || r.result.knowledge.lengths ? " *" : "");
       }),
       true},
      {"finished", fmt::format("of {}", first.result.jobs), 80,
       cells([](const auto& r) { return fmt::format("{}", r.result.finished); })},
      {"late", "", 85, cells([](const auto& r) { return fmt::format("{}", r.result.late); })},
      {"wait", t.name, 75, aligned_numbers(wait, t.factor)},
      {"90 %", t.name, 30, aligned_numbers(wait_90, t.factor)},
      {"energy", e.name, 90, aligned_numbers(energy, e.factor, 4)},
      {"own", "%", 50, cells([](const auto& r) {
         const FleetFlows& f = r.result.flows;
         return f.facility > Energy{} ? fmt::format("{:.0f}", 100.0 * (f.own_used / f.facility))
                                      : std::string("-");
       })},
      {"carbon", c.name, 95, aligned_numbers(carbon, c.factor, 4)},
      {"vs first", "%", 60, against_first(carbon)},
      {"cost", "EUR", 99, aligned_numbers(cost, 1, 4)},
      {"vs first", "%", 65, against_first(cost)},
      {"bound", "EUR", 70, cells([](const auto& r) {
         return r.bound ? fmt::format("{:.4g}", r.bound->in(euro)) : std::string("-");
       })},
      {"use", "%", 40, cells([](const auto& r) {
         return fmt::format("{:.0f}",
                            100.0 * utilisation(r.result.flows, built(r.result), r.result));
       })},
      {"moves", "", 20, cells([](const auto& r) { return fmt::format("{}", r.result.moves); })},
      {"stops", "", 25,
       cells([](const auto& r) { return fmt::format("{}", r.result.suspensions); })},
      {"computed", "s", 45, aligned_numbers(seconds, 1.0)},
  };
  if (runs.size() == 1)
    std::erase_if(table, [](const Column& column) { return column.name == "vs first"; });
  return table;
}

}  // namespace

std::string simulate_json(const SimulateReport& report) {
  Json runs = Json::array();
  for (const SimulateRun& run : report.runs) runs.push_back(run_json(run));
  return Json{{"schema", "carnot.simulate/1"}, {"carnot", std::string(kVersion)},
              {"seed", report.seed},           {"started", report.started},
              {"command", report.command},     {"jobs_source", report.jobs},
              {"sites_source", report.sites},  {"origin", "modelled"},
              {"boundary", "facility"},        {"runs", std::move(runs)}}
             .dump(2) +
         "\n";
}

std::string simulate_terminal(const SimulateReport& report, int width, bool colour) {
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  const auto strong = [&](const std::string& text) {
    return colour ? "\x1b[1m" + text + "\x1b[0m" : text;
  };
  const auto soft = [&](const std::string& text) {
    return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
  };
  if (report.runs.empty()) return "no policy was run\n";
  const FleetResult& first = report.runs.front().result;
  std::string out =
      strong(cut(fmt::format("{} jobs over {} sites, {:.0f} nodes, from {}", first.jobs,
                             first.sites.size(), built(first), first.begin.iso8601()),
                 room)) +
      "\n\n";
  const auto cheapest = std::min_element(report.runs.begin(), report.runs.end(),
                                         [](const SimulateRun& a, const SimulateRun& b) {
                                           return std::pair(a.result.late, a.result.flows.cost) <
                                                  std::pair(b.result.late, b.result.flows.cost);
                                         });
  const auto best = static_cast<std::size_t>(cheapest - report.runs.begin());
  std::vector<std::string> markers(report.runs.size(), "  ");
  if (report.runs.size() > 1) markers[best] = "> ";
  std::vector<Column> table = build(report.runs);
  const std::vector<std::string> lines = table_lines(table, room, markers);
  for (std::size_t i = 0; i < lines.size(); ++i)
    out += (i < 2 ? soft(lines[i]) : markers[i - 2] == "> " ? strong(lines[i]) : lines[i]) + "\n";
  const auto note = [&](const std::string& text) {
    for (const std::string& line : wrapped(text, room)) out += soft(line) + "\n";
  };
  if (report.runs.size() > 1) note("> fewest late, then least cost");
  const auto ends = [](const FleetResult& r) {
    return fmt::format("{} ended badly; {} cancelled: what they waited for did not come", r.failed,
                       r.cancelled);
  };
  const bool alike = std::all_of(report.runs.begin(), report.runs.end(), [&](const SimulateRun& r) {
    return ends(r.result) == ends(first);
  });
  for (const SimulateRun& run : report.runs) {
    if (run.result.failed + run.result.cancelled > 0)
      note(alike ? ends(run.result) : printable(run.result.policy) + ": " + ends(run.result));
    if (alike) break;
  }
  for (const SimulateRun& run : report.runs)
    if (run.result.knowledge.future || run.result.knowledge.lengths) {
      note("* an oracle: knows the future or the lengths of jobs");
      break;
    }
  for (const SimulateRun& run : report.runs) {
    if (run.members.empty()) continue;
    std::vector<double> carbon, cost;
    for (const FleetResult& member : run.members) {
      carbon.push_back(member.flows.carbon.in(gram));
      cost.push_back(member.flows.cost.in(euro));
    }
    const simulate::Spread g = simulate::spread(carbon), eur = simulate::spread(cost);
    const std::string words = fmt::format(
        "{}: {} starts over the year: {} to {}, mean {}; {} to {}, mean {}",
        printable(run.result.policy), run.members.size(), carbon_text(g.low), carbon_text(g.high),
        carbon_text(g.mean), money_text(eur.low), money_text(eur.high), money_text(eur.mean));
    for (const std::string& line : wrapped(words, room)) out += line + "\n";
  }
  out += "\n";
  const bool bounded = std::any_of(report.runs.begin(), report.runs.end(),
                                   [](const SimulateRun& run) { return run.bound.has_value(); });
  note(std::string("Modelled, at the facility's meter.") +
       (bounded ? fmt::format(" Bound: no schedule that finishes every job by its deadline, one "
                              "without by {}, costs less.",
                              report.runs.front().result.end.iso8601())
                : std::string()));
  note(printable(report.jobs));
  note(printable(report.sites));
  return out;
}

}  // namespace carnot::report
