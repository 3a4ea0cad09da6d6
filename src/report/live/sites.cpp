// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/live/sites.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"

#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

namespace {

using Json = nlohmann::ordered_json;
using live::SitesPolicyResult;

Json bound_json(const live::SitesBound& bound) {
  return bound.feasible ? Json(bound.carbon.in(gram)) : Json();
}

Json training_json(const live::SitesTraining& t) {
  Json out{{"metric", t.metric},
           {"quality", t.quality},
           {"floor", t.floor > 0 ? Json(t.floor) : Json()},
           {"certified", t.certified},
           {"lower_bound", t.certified ? Json(t.lower_bound) : Json()},
           {"steps", t.steps},
           {"total_steps", t.total_steps},
           {"rounds", t.rounds},
           {"bytes_up", t.bytes_up},
           {"bytes_down", t.bytes_down},
           {"synchronous_bytes", t.synchronous_bytes}};
  return out;
}

Json policy_json(const SitesPolicyResult& p) {
  const live::SitesResult& r = p.schedule;
  Json out{{"policy", r.policy},
           {"finished", r.finished},
           {"elapsed_s", r.elapsed.in(second)},
           {"work_left_s", r.work_left.in(second)},
           {"energy_j", r.energy.in(joule)},
           {"idle_energy_j", r.idle_energy.in(joule)},
           {"transfer_energy_j", p.transfer.in(joule)},
           {"carbon_g", r.carbon.in(gram)},
           {"below_threshold", r.below_threshold},
           {"bound_carbon_g", bound_json(p.bound)}};
  Json sites = Json::array();
  for (const live::SiteTotals& s : r.sites)
    sites.push_back(Json{{"site", s.name},
                         {"training_s", s.training.in(second)},
                         {"idle_s", s.idle.in(second)},
                         {"starts", s.starts},
                         {"energy_j", s.energy.in(joule)},
                         {"carbon_g", s.carbon.in(gram)}});
  out["sites"] = std::move(sites);
  if (p.training) out["training"] = training_json(*p.training);
  return out;
}

/// A character a slice of the time: blank off, `.` makes ready, up to a full block when it trains.
std::string strip(const live::SitesResult& r, std::size_t site, std::size_t width) {
  static const char* const kLevels[] = {" ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  std::string out;
  const std::size_t slots = r.on.size();
  const std::size_t columns = std::min(width, slots);
  for (std::size_t c = 0; c < columns; ++c) {
    const std::size_t from = c * slots / columns,
                      to = std::max(from + 1, (c + 1) * slots / columns);
    std::size_t training = 0, ready = 0;
    for (std::size_t t = from; t < to; ++t) {
      training += r.on[t][site] == 2;
      ready += r.on[t][site] == 1;
    }
    if (training == 0 && ready > 0)
      out += ".";
    else
      out += kLevels[training == 0 ? 0 : 1 + training * 7 / (to - from)];
  }
  return out;
}

std::string over_bound(Carbon carbon, const live::SitesBound& bound) {
  if (!bound.feasible || !(bound.carbon > Carbon{})) return "-";
  return fmt::format("{:.2f}", carbon / bound.carbon);
}

std::string policies_table(const live::SitesRun& run, std::size_t room) {
  std::vector<Column> table = {{"policy", "", 100, {}, true}, {"done", "after", 90, {}},
                               {"energy", "kWh", 80, {}},     {"ready", "kWh", 30, {}},
                               {"carbon", "kg", 99, {}},      {"over", "bound", 95, {}},
                               {"below", "%", 50, {}},        {"site", "hours", 40, {}}};
  const bool trains = run.config.trains;
  if (trains) {
    table.push_back({"quality", "", 85, {}});
    table.push_back({"floor", "", 84, {}});
    table.push_back({"sent", "MB", 60, {}});
    table.push_back({"of all", "%", 55, {}});
  }
  for (const SitesPolicyResult& p : run.policies) {
    const live::SitesResult& r = p.schedule;
    Time hours;
    for (const live::SiteTotals& s : r.sites) hours += s.training;
    std::size_t c = 0;
    const auto cell = [&](std::string text) { table[c++].cells.push_back(std::move(text)); };
    cell(r.policy);
    cell(r.finished ? format(r.elapsed) : "late");
    cell(fmt::format("{:.4g}", r.energy.in(kilowatt_hour)));
    cell(fmt::format("{:.3g}", r.idle_energy.in(kilowatt_hour)));
    cell(fmt::format("{:.4g}", r.carbon.in(kilogram)));
    cell(over_bound(r.carbon, p.bound));
    cell(fmt::format("{:.0f}", 100 * r.below_threshold));
    cell(fmt::format("{:.2f}", hours.in(hour)));
    if (!trains) continue;
    const live::SitesTraining& t = *p.training;
    const double sent = static_cast<double>(t.bytes_up + t.bytes_down);
    cell(fmt::format("{:.4f}", t.quality));
    cell(t.certified ? "certified" : t.floor > 0 ? "no" : "-");
    cell(fmt::format("{:.3g}", sent / 1e6));
    cell(t.synchronous_bytes > 0
             ? fmt::format("{:.2g}", 100 * sent / static_cast<double>(t.synchronous_bytes))
             : "-");
  }
  std::string out;
  const std::vector<std::string> markers(run.policies.size(), "  ");
  for (const std::string& line : table_lines(table, room, markers)) out += line + "\n";
  return out;
}

std::string starts_table(const SitesReport& report, std::size_t room) {
  std::vector<Column> table = {{"policy", "", 100, {}, true}, {"starts", "", 70, {}},
                               {"late", "", 90, {}},          {"median", "of bound", 99, {}},
                               {"90 %", "of bound", 80, {}},  {"worst", "of bound", 85, {}},
                               {"sum", "of bound", 60, {}}};
  for (const live::StartsResult& r : report.starts) {
    std::size_t c = 0;
    const auto cell = [&](std::string text) { table[c++].cells.push_back(std::move(text)); };
    cell(r.policy);
    cell(std::to_string(r.starts));
    cell(std::to_string(r.late));
    for (const double ratio : {r.median, r.high, r.worst})
      cell(ratio > 0 ? fmt::format("{:.3f}", ratio) : "-");
    cell(r.bound > Carbon{} ? fmt::format("{:.3f}", r.carbon / r.bound) : "-");
  }
  std::string out;
  const std::vector<std::string> markers(report.starts.size(), "  ");
  for (const std::string& line : table_lines(table, room, markers)) out += line + "\n";
  return out;
}

}  // namespace

std::string sites_json(const SitesReport& report) {
  const live::SitesConfig& c = report.run.config;
  Json sites = Json::array();
  for (std::size_t i = 0; i < c.sites.size(); ++i)
    sites.push_back(Json{{"site", c.sites[i].name},
                         {"carbon", c.carbon_sources[i]},
                         {"training_power_w", c.sites[i].training_power.in(watt)},
                         {"idle_power_w", c.sites[i].idle_power.in(watt)},
                         {"provisioning_s", c.sites[i].provisioning.in(second)},
                         {"speed", c.sites[i].speed}});
  Json out{{"schema", "carnot.sites/1"},
           {"carnot", std::string(kVersion)},
           {"command", report.command},
           {"origin", "modelled"},
           {"boundary", "node"},
           {"start", c.task.start.iso8601()},
           {"deadline_s", c.task.deadline.in(second)},
           {"work_s", c.task.work.in(second)},
           {"slot_s", c.task.slot.in(second)},
           {"threshold_g_per_kwh", c.task.threshold.in(gram_per_kilowatt_hour)},
           {"sites", std::move(sites)}};
  if (report.starts.empty()) {
    out["bound_carbon_g"] = bound_json(report.run.bound);
    Json policies = Json::array();
    for (const SitesPolicyResult& p : report.run.policies) policies.push_back(policy_json(p));
    out["policies"] = std::move(policies);
    return out.dump(2) + "\n";
  }
  Json rows = Json::array();
  for (const live::StartsResult& r : report.starts) {
    const auto ratio = [](double v) { return v > 0 ? Json(v) : Json(); };
    rows.push_back(Json{{"policy", r.policy},
                        {"starts", r.starts},
                        {"late", r.late},
                        {"median_over_bound", ratio(r.median)},
                        {"p90_over_bound", ratio(r.high)},
                        {"worst_over_bound", ratio(r.worst)},
                        {"carbon_g", r.carbon.in(gram)},
                        {"bound_carbon_g", r.bound.in(gram)}});
  }
  out["every_s"] = report.every.in(second);
  out["starts"] = std::move(rows);
  return out.dump(2) + "\n";
}

std::string sites_terminal(const SitesReport& report, int width, bool colour) {
  const auto room = static_cast<std::size_t>(std::max(width, 40));
  const auto soft = [&](const std::string& text) {
    return colour ? "\x1b[2m" + text + "\x1b[0m" : text;
  };
  const live::SitesConfig& c = report.run.config;
  std::string out =
      fmt::format("{} of one site's training at {} sites, by {} after {}\n\n", format(c.task.work),
                  c.sites.size(), format(c.task.deadline), c.task.start.iso8601());
  if (!report.starts.empty()) {
    out += starts_table(report, room);
    return out + soft(fmt::format("\nEvery {}. Carbon of those in time over the least possible for "
                                  "the same work, all of the future known. Powers are stated, not "
                                  "measured.\n",
                                  format(report.every)));
  }
  out += policies_table(report.run, room);
  std::size_t longest = 0;
  for (const auto& site : c.sites) longest = std::max(longest, columns(printable(site.name)));
  const std::size_t strip_room =
      room > longest + 6 ? std::min<std::size_t>(96, room - longest - 4) : 20;
  for (const SitesPolicyResult& p : report.run.policies) {
    if (p.schedule.policy.starts_with("single:") || p.schedule.policy == "all") continue;
    out += "\n  " + p.schedule.policy + "\n";
    for (std::size_t s = 0; s < c.sites.size(); ++s)
      out += "  " + c.sites[s].name + std::string(longest - columns(c.sites[s].name) + 2, ' ') +
             strip(p.schedule, s, strip_room) + "\n";
  }
  out += soft(fmt::format(
      "\nOver bound: carbon over the least that the same work could emit at these sites by the "
      "deadline, all known.\nBelow: share of the energy at less than {}. Powers are stated, not "
      "measured.\n",
      format(c.task.threshold)));
  return out;
}

}  // namespace carnot::report
