// SPDX-License-Identifier: Apache-2.0
#include "carnot/meter/power_model/power_model.hpp"
#include "carnot/report/measure/measurement.hpp"

#include "report/draw/json_figure.hpp"
#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

Json domains(const measure::Measurement& m) {
  Json rows = Json::array();
  for (const measure::MeasuredDomain& d : m.domains) {
    rows.push_back({{"domain", d.id},
                    {"label", d.label},
                    {"kind", d.kind},
                    {"role", d.role},
                    {"source", d.source},
                    {"reason", d.reason},
                    {"energy_j", json_figure(d.energy)}});
  }
  return rows;
}

Json processes(const measure::Measurement& m) {
  Json rows = Json::array();
  for (const measure::MeasuredProcess& p : m.processes) {
    rows.push_back({{"pid", p.pid},
                    {"name", printable(p.name)},
                    {"cpu_s", number_or_null(p.cpu_s)},
                    {"energy_j", number_or_null(p.energy.in(joule))}});
  }
  return rows;
}

Json windows(const measure::Measurement& m) {
  Json rows = Json::array();
  for (const measure::MeasuredWindow& w : m.windows) {
    rows.push_back({{"label", w.label},
                    {"from_s", w.from_s},
                    {"to_s", w.to_s},
                    {"machine_energy_j", json_figure(w.machine_energy)},
                    {"energy_j", w.job_energy.in(joule)}});
  }
  return rows;
}

Json location(const model::GridIntensity& grid) {
  return {{"code", grid.code},
          {"name", grid.name},
          {"year", grid.year},
          {"carbon_g_per_j", json_figure(grid.intensity)},
          {"source", grid.source}};
}

Json gaps(const measure::Measurement& m) {
  Json rows = Json::array();
  for (const measure::MeasuredGap& g : m.gaps) {
    rows.push_back(
        {{"from_s", g.from_s}, {"to_s", g.to_s}, {"channel", g.channel}, {"why", g.why}});
  }
  return rows;
}

Json notes(const measure::Measurement& m) {
  Json rows = Json::array();
  for (const auto& [reason, remedy] : m.notes) {
    rows.push_back({{"reason", reason}, {"remedy", remedy}});
  }
  return rows;
}

Json series_of(const measure::Measurement& m) {
  const measure::MeasuredSeries& s = m.series;
  Json by_domain = Json::object();
  for (std::size_t d = 0; d < s.by_domain_w.size(); ++d) {
    by_domain[m.domains[d].id] = s.by_domain_w[d];
  }
  return {{"at_s", s.at_s},           {"length_s", s.length_s},
          {"machine_w", s.machine_w}, {"static_w", s.static_w},
          {"job_w", s.job_w},         {"busy_share", s.busy_share},
          {"job_cpus", s.job_cpus},   {"frequency_hz", s.frequency_hz},
          {"by_domain_w", by_domain}};
}

}  // namespace

std::string measurement_json(const measure::Measurement& m, bool series) {
  const model::Account& account = m.account;
  Json json{
      {"schema", "carnot.measure/1"},
      {"carnot", m.carnot_version},
      {"seed", 0},  // nothing is random
      {"started", m.started},
      {"command", m.command},
      {"job", m.job},
      {"job_method", m.job_method},
      {"static_policy", m.static_policy},
      {"complete", m.complete},
      {"outcome", m.outcome},
      {"exit_code", m.exit_code},
      {"duration_s", m.duration_s},
      {"cpu_s", m.cpu_s},
      {"meter_cpu_s", m.meter_cpu_s},
      {"energy_j", json_figure(m.energy)},
      {"power_w", json_figure(m.power)},
      {"machine_energy_j", json_figure(m.machine_energy)},
      {"static_j", m.static_energy.in(joule)},
      {"dynamic_j", m.dynamic_energy.in(joule)},
      {"static_power_w", json_figure(m.static_power)},
      {"by_domain", domains(m)},
      {"by_process", processes(m)},
      {"windows", windows(m)},
      {"facility_energy_j", json_figure(account.facility)},
      {"facility_power_w", json_figure(m.facility_power)},
      {"pue", account.pue},
      {"pue_known", account.pue_known},
      {"location", location(account.grid)},
      {"carbon_g", json_figure(account.operational)},
      {"embodied_g", json_figure(account.embodied)},
      {"cost_eur", json_figure(account.cost)},
      {"price_source", account.price_source},
      {"sci", nullptr},
      {"scopes",
       {{"scope2_g", json_figure(account.scope2)}, {"scope3_g", json_figure(account.scope3)}}},
      {"remarks", account.remarks},
      {"peak_rss_b", m.peak_rss_b},
      {"disk_read_b", m.disk_read_b},
      {"disk_write_b", m.disk_write_b},
      {"net_b", m.net_b},
      {"disk_j", json_figure(meter::disk_energy(static_cast<double>(m.disk_read_b) +
                                                static_cast<double>(m.disk_write_b)))},
      {"network_j", json_figure(meter::network_energy(static_cast<double>(m.net_b)))},
      {"samples", m.samples},
      {"gaps", gaps(m)},
      {"notes", notes(m)}};
  if (!account.functional_unit.empty()) {
    json["sci"] = {{"g_per_unit", json_figure(account.sci)}, {"unit", account.functional_unit}};
  }
  if (series) json["series"] = series_of(m);
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace carnot::report
