// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <fmt/format.h>

#include "carnot/report/measure/series.hpp"

#include "report/draw/json_figure.hpp"
#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_words.hpp"
#include "report/measure/series_words.hpp"

namespace carnot::report {

std::vector<std::string> series_findings(const SeriesSummary& s) {
  std::vector<std::string> out;
  if (s.line)
    out.push_back(fmt::format(
        "Power = {} idle + {} x load ({} at full load; the line misses the points by {}).",
        watts_in_words(s.line->static_power.in(watt)),
        watts_in_words((s.line->at_full_load - s.line->static_power).in(watt)),
        watts_in_words(s.line->at_full_load.in(watt)), watts_in_words(s.line->residual_w)));
  else if (s.kind == SeriesKind::Load && s.rows.size() > 1) {
    const auto [least, most] = std::minmax_element(
        s.rows.begin(), s.rows.end(),
        [](const SeriesRow& a, const SeriesRow& b) { return a.busy_share < b.busy_share; });
    out.push_back(
        fmt::format("The machine's load hardly moved ({:.0f} to {:.0f} % busy), so power cannot be "
                    "told against it: other work runs here, or the values lie close together.",
                    100 * least->busy_share, 100 * most->busy_share));
  }
  const auto best = [&](std::size_t i) { return fmt::format("{} {}", s.name, s.rows[i].value); };
  if (s.kind != SeriesKind::Load && s.least_energy)
    out.push_back(fmt::format("Least energy: {}, {}.", best(*s.least_energy),
                              interval_in_words(s.rows[*s.least_energy].energy)));
  if (s.kind == SeriesKind::ClockRate && s.least_energy_time)
    out.push_back(fmt::format("Least energy x time: {}, {:.3g} J s.", best(*s.least_energy_time),
                              s.rows[*s.least_energy_time].energy_time_js));
  int failed = 0;
  for (const SeriesRow& r : s.rows) failed += r.failed;
  if (failed > 0)
    out.push_back(fmt::format("{} of the commands did not end well; their rows say so.", failed));
  if (s.stopped) out.push_back("Stopped before all was measured.");
  if (!s.rows.empty())
    out.push_back(fmt::format("Energy is {}; ranges hold nine times in ten.",
                              origin_in_words(s.rows.front().machine_energy)));
  return out;
}

std::string series_terminal(const SeriesSummary& s, int width) {
  const std::vector<std::string> heads = {s.name,        "rounds",     "time",    "CPU",
                                          "peak memory", "job energy", "machine", "busy"};
  std::vector<std::vector<std::string>> table = {heads};
  for (const SeriesRow& r : s.rows)
    table.push_back({r.value,
                     r.failed > 0 ? fmt::format("{} ({} failed)", r.rounds, r.failed)
                                  : fmt::format("{}", r.rounds),
                     seconds_in_words(r.duration.in(second)), seconds_in_words(r.cpu.in(second)),
                     bytes_in_words(static_cast<double>(r.peak_rss_b)), interval_in_words(r.energy),
                     watts_in_words(r.machine_power.value().in(watt)),
                     fmt::format("{:.0f} %", 100 * r.busy_share)});
  std::vector<std::size_t> widths(heads.size());
  for (const auto& row : table)
    for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], columns(row[c]));
  std::string out = fmt::format("{} measured at {} values\n\n", s.name, s.rows.size());
  const auto most = static_cast<std::size_t>(std::max(width, 40));
  for (const auto& row : table) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c) line += " " + padded_left(row[c], widths[c]);
    out += cut(line, most) + "\n";
  }
  out += "\n";
  for (const std::string& sentence : series_findings(s))
    for (const std::string& line : wrapped(sentence, most)) out += line + "\n";
  return out;
}

std::string series_json(const SeriesSummary& s) {
  Json rows = Json::array();
  for (const SeriesRow& r : s.rows)
    rows.push_back({{"value", r.value},
                    {"x", number_or_null(r.x)},
                    {"rounds", r.rounds},
                    {"failed", r.failed},
                    {"duration_s", r.duration.in(second)},
                    {"cpu_s", r.cpu.in(second)},
                    {"busy_share", r.busy_share},
                    {"peak_rss_b", r.peak_rss_b},
                    {"energy_j", json_figure(r.energy)},
                    {"least_energy_j", r.least_energy.in(joule)},
                    {"greatest_energy_j", r.greatest_energy.in(joule)},
                    {"machine_energy_j", json_figure(r.machine_energy)},
                    {"machine_power_w", json_figure(r.machine_power)},
                    {"energy_time_js", r.energy_time_js}});
  Json notes = Json::array();
  for (const auto& [why, remedy] : s.notes) notes.push_back({{"why", why}, {"remedy", remedy}});
  Json out = {{"schema", "carnot.measure-series/1"},
              {"carnot", s.carnot_version},
              {"seed", s.seed},
              {"started", s.started},
              {"command", s.command},
              {"kind", name(s.kind)},
              {"name", s.name},
              {"complete", !s.stopped},
              {"rows", rows},
              {"line", nullptr},
              {"least_energy", nullptr},
              {"least_energy_time", nullptr},
              {"notes", notes}};
  if (s.line)
    out["line"] = {{"static_power_w", s.line->static_power.in(watt)},
                   {"full_load_power_w", s.line->at_full_load.in(watt)},
                   {"residual_w", s.line->residual_w}};
  if (s.least_energy) out["least_energy"] = s.rows[*s.least_energy].value;
  if (s.least_energy_time) out["least_energy_time"] = s.rows[*s.least_energy_time].value;
  return out.dump(2) + "\n";
}

}  // namespace carnot::report
