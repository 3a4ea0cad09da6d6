// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/web/runs.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/ledger/store/measurement_view.hpp"
#include "carnot/measure/attribution/spans.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "report/draw/text_columns.hpp"
#include "report/run/words.hpp"
#include "report/web/run_rows.hpp"

namespace carnot::report {

namespace {

Json measured_row(const RunDocument& d) {
  const measure::Measurement& m = *d.measurement;
  return {{"kind", "measure"},
          {"subject", subject(m)},
          {"started", m.started},
          {"command", printable(m.command)},
          {"outcome", outcome_in_words(m)},
          {"ok", m.complete && m.outcome == "finished"},
          {"duration_s", m.duration_s},
          {"duration_text", seconds_in_words(m.duration_s)},
          {"energy_j", worded_figure(m.energy)},
          {"power_w", worded_figure(m.power)},
          {"carbon_g", worded_figure(m.account.operational)},
          {"cost_eur", worded_figure(m.account.cost)},
          {"place", place_in_words(m)},
          {"quality", nullptr}};
}

Json quality_json(const LaneResult& lane) {
  if (!std::isfinite(lane.quality)) return nullptr;
  const auto share = [&](double v) { return quality_text(lane.quality_metric, v); };
  return {{"metric", lane.quality_metric},
          {"value", number_or_null(lane.quality)},
          {"low", number_or_null(lane.quality_low)},
          {"high", number_or_null(lane.quality_high)},
          {"certified", lane.certified},
          {"less_is_better", less_is_better(lane.quality_metric)},
          {"text", share(lane.quality)},
          {"range", std::isfinite(lane.quality_low) && std::isfinite(lane.quality_high)
                        ? share(lane.quality_low) + " … " + share(lane.quality_high)
                        : std::string()}};
}

Json lane_row(const RunDocument& d, std::size_t index) {
  const RunResult& run = *d.run;
  const LaneResult& lane = run.lanes[index];
  const double seconds = lane.duration.in(second);
  Json row{{"kind", "run"},
           {"subject", printable(fmt::format("{}, {}", run.scenario, lane.policy))},
           {"started", run.started},
           {"command", printable(run.command)},
           {"outcome", printable(lane.outcome)},
           {"ok", lane.outcome == "target-reached"},
           {"duration_s", seconds},
           {"duration_text", seconds_in_words(seconds)},
           {"energy_j", worded_figure(lane.energy)},
           {"power_w", nullptr},
           {"carbon_g", worded_figure(lane.carbon)},
           {"cost_eur", worded_figure(lane.cost)},
           {"place", ""},
           {"quality", quality_json(lane)}};
  if (seconds > 0)
    row["power_w"] = worded_figure(Estimate<Power>((1.0 / seconds * lane.energy).core()));
  return row;
}

Json details_of(const measure::Measurement& m) {
  Json domains = Json::array(), processes = Json::array(), gaps = Json::array(),
       notes = Json::array();
  for (const measure::MeasuredDomain& d : m.domains)
    domains.push_back({{"label", printable(d.label.empty() ? d.id : d.label)},
                       {"role", d.role},
                       {"reason", printable(d.reason)},
                       {"energy_j", worded_figure(d.energy)}});
  constexpr double kDust = 1e-9;  // of sums that cancel
  for (const measure::MeasuredProcess& p : top_processes(m, 12)) {
    if (p.pid == 0 && p.energy <= kDust * m.machine_energy.value()) continue;
    processes.push_back({{"name", printable(p.name)},
                         {"pid", p.pid},
                         {"cpu_text", seconds_in_words(p.cpu_s)},
                         {"energy_j", number_or_null(p.energy.in(joule))},
                         {"energy_text", joules_in_words(p.energy.in(joule))}});
  }
  for (const std::string& words : gaps_in_words(m)) gaps.push_back(words);
  for (const auto& [reason, remedy] : m.notes)
    notes.push_back({{"reason", printable(reason)}, {"remedy", printable(remedy)}});
  return {{"domains", std::move(domains)},
          {"processes", std::move(processes)},
          {"gaps", std::move(gaps)},
          {"notes", std::move(notes)}};
}

Json figure_arrays() {
  return {{"from_s", Json::array()}, {"to_s", Json::array()},   {"power_w", Json::array()},
          {"low_w", Json::array()},  {"high_w", Json::array()}, {"text", Json::array()},
          {"range", Json::array()},  {"parts", Json::array()}};
}

void add_point(Json& out, double from, double to, const Estimate<Power>& power) {
  Json words = worded_figure(power);
  out["from_s"].push_back(from);
  out["to_s"].push_back(to);
  out["power_w"].push_back(words["value"]);
  out["low_w"].push_back(words["low"]);
  out["high_w"].push_back(words["high"]);
  out["text"].push_back(words["text"]);
  out["range"].push_back(words["range"]);
}

Json measured_series(const std::vector<ledger::Entry>& entries, std::size_t most) {
  const measure::EnergySpans spans = measure::energy_spans(entries, most);
  Json out = figure_arrays();
  std::vector<Json> parts(spans.labels.size(), Json::array());
  double joules = 0;
  for (const measure::EnergySpan& s : spans.spans) {
    add_point(out, s.from_s, s.to_s, Estimate<Power>((1.0 / s.awake_s * s.energy).core()));
    joules += s.energy.value().in(joule);
    for (std::size_t c = 0; c < parts.size(); ++c) parts[c].push_back(s.by_domain_j[c] / s.awake_s);
  }
  for (std::size_t c = 0; c < parts.size(); ++c)
    out["parts"].push_back({{"label", printable(spans.labels[c])},
                            {"counted", spans.roles[c] == "counted"},
                            {"power_w", std::move(parts[c])}});
  out["energy_j"] = joules;
  out["energy_text"] = joules_in_words(joules);
  out["bounds"] = "of each point alone, its two ends included";
  return out;
}

Json lane_series(const RunDocument& d, std::size_t index, std::size_t most) {
  const LaneSeries& s = d.run->series[index];
  const Estimate<Energy>& whole = d.run->lanes[index].energy;
  const double total = whole.value().in(joule);
  const double low = total > 0 ? whole.low().in(joule) / total : 1;
  const double high = total > 0 ? whole.high().in(joule) / total : 1;
  Json out = figure_arrays();
  const std::pair<const char*, const std::vector<double>*> kinds[] = {{"own", &s.own_used_w},
                                                                      {"battery", &s.discharged_w},
                                                                      {"grid", &s.grid_w},
                                                                      {"curtailed", &s.curtailed_w},
                                                                      {"exported", &s.exported_w}};
  Json parts[std::size(kinds)];
  for (Json& p : parts) p = Json::array();
  const std::size_t each = (s.start.size() + most - 1) / std::max<std::size_t>(most, 1);
  double joules = 0;
  for (std::size_t first = 0; first < s.start.size(); first += each) {
    const std::size_t end = std::min(s.start.size(), first + each);
    double length = 0, facility = 0, part[std::size(kinds)] = {};
    for (std::size_t i = first; i < end; ++i) {
      length += s.length_s[i];
      facility += s.length_s[i] * s.facility_w[i];
      for (std::size_t k = 0; k < std::size(kinds); ++k)
        part[k] += s.length_s[i] * (*kinds[k].second)[i];
    }
    joules += facility;
    const double from = (s.start[first] - s.start.front()).time().in(second);
    const double to = (s.start[end - 1] - s.start.front()).time().in(second) + s.length_s[end - 1];
    const double mean = facility / length;
    add_point(out, from, to,
              Estimate<Power>(mean * watt, std::min(mean * low, mean) * watt,
                              std::max(mean * high, mean) * watt, whole.origin(), whole.boundary(),
                              "run", {}));
    for (std::size_t k = 0; k < std::size(kinds); ++k) parts[k].push_back(part[k] / length);
  }
  for (std::size_t k = 0; k < std::size(kinds); ++k)
    out["parts"].push_back(
        {{"label", kinds[k].first}, {"counted", k < 3}, {"power_w", std::move(parts[k])}});
  out["energy_j"] = joules;
  out["energy_text"] = joules_in_words(joules);
  out["bounds"] = "relative bounds of the run's energy, the same at each point";
  return out;
}

}  // namespace

bool less_is_better(const std::string& metric) {
  for (const char* word : {"loss", "error", "bits", "perplexity", "rmse", "mse", "mae"})
    if (metric.find(word) != metric.npos) return true;
  return false;
}

std::string row_id(const ComparedRow& row) {
  return row.document->run ? fmt::format("{}.{}", row.document->id, row.lane) : row.document->id;
}

Json row_json(const ComparedRow& row) {
  const RunDocument& d = *row.document;
  Json out{{"id", row_id(row)}, {"name", printable(d.name)}};
  if (!d.problem.empty()) {
    out.update({{"kind", "unreadable"}, {"problem", printable(d.problem)}});
    return out;
  }
  out.update(d.measurement ? measured_row(d) : lane_row(d, row.lane));
  return out;
}

std::vector<ComparedRow> rows_of(const RunDocument& document) {
  const std::size_t lanes = document.run ? document.run->lanes.size() : 1;
  std::vector<ComparedRow> out;
  for (std::size_t i = 0; i < lanes; ++i) out.push_back({&document, i});
  return out;
}

RunDocument run_document(std::string id, std::string name,
                         const std::vector<ledger::Entry>& entries) {
  RunDocument d{std::move(id), std::move(name), "", "", std::nullopt, std::nullopt};
  try {
    if (ledger::is_measurement(entries)) {
      d.boot = std::get<ledger::MeasurementBegin>(entries.front()).boot_id;
      d.measurement =
          measure::summarise_measurement(entries, measure::recorded_account_options(entries));
    } else {
      d.run = summarise(entries);
    }
  } catch (const Error& e) {
    d.measurement.reset();
    d.run.reset();
    d.problem = e.what();
  }
  return d;
}

std::string runs_json(const std::vector<const RunDocument*>& documents, const std::string& next) {
  Json rows = Json::array();
  for (const RunDocument* d : documents)
    for (const ComparedRow& row : rows_of(*d)) rows.push_back(row_json(row));
  return dumped({{"runs", std::move(rows)}, {"next", next.empty() ? Json() : Json(next)}});
}

std::string run_json(const RunDocument& d) {
  Json rows = Json::array();
  for (const ComparedRow& row : rows_of(d)) rows.push_back(row_json(row));
  Json out{{"id", d.id}, {"rows", std::move(rows)}};
  if (d.measurement) {
    out["details"] = details_of(*d.measurement);
    out["document"] = Json::parse(measurement_json(*d.measurement));
  } else if (d.run) {
    out["document"] = Json::parse(to_json(*d.run));
  }
  return dumped(out);
}

std::string run_series_json(const RunDocument& d, std::size_t lane,
                            const std::vector<ledger::Entry>& entries, std::size_t most) {
  if (!d.problem.empty()) throw InputError(d.problem);
  if (d.run && lane >= d.run->lanes.size()) throw InputError("no such policy in this run");
  Json out = d.measurement ? measured_series(entries, most) : lane_series(d, lane, most);
  out["id"] = row_id({&d, lane});
  return dumped(out);
}

}  // namespace carnot::report
