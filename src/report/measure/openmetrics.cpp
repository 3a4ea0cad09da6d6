// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/meter/processes/group_owner.hpp"
#include "carnot/report/measure/metrics.hpp"

#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

/// A label's value between its quotes: backslash, quote and line end escaped, UTF-8 made sound.
std::string escaped(std::string_view value) {
  std::string lines, out;
  for (const char c : value) lines += c == '\n' ? '\x01' : c;
  for (std::size_t at = 0; at <= lines.size();) {
    const std::size_t end = std::min(lines.find('\x01', at), lines.size());
    for (const char c : printable(std::string_view(lines).substr(at, end - at))) {
      if (c == '\\' || c == '"') out += '\\';
      out += c;
    }
    if (end < lines.size()) out += "\\n";
    at = end + 1;
  }
  return out;
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return shortest(value);
}

class Families {
 public:
  explicit Families(Instant created) : created_(created) {}

  /// \param unit  the name's last word, empty for none
  void family(const char* name, MetricType type, const char* unit, const char* help) {
    all_.push_back({name, type, unit, help, {}});
  }
  void counter(const Labels& labels, double value) { counter(labels, value, created_); }
  void counter(const Labels& labels, double value, Instant created) {
    MetricSeries& series = all_.back().series.emplace_back();
    for (const auto& [key, text] : labels) series.labels.emplace_back(key, text);
    series.value = value;
    series.created = created;
  }
  void gauge(const Labels& labels, double value) { counter(labels, value); }
  void info(const Labels& labels) { counter(labels, 1.0); }
  std::vector<MetricFamily> finish() { return std::move(all_); }

 private:
  Instant created_;
  std::vector<MetricFamily> all_;
};

Labels labels_of(const measure::MetricsState::Domain& d) {
  return {{"domain", d.id},     {"label", d.label}, {"kind", d.kind},        {"source", d.source},
          {"origin", d.origin}, {"role", d.role},   {"boundary", d.boundary}};
}

void domains(Families& families, const measure::MetricsState& s) {
  families.family("carnot_energy_joules", MetricType::Counter, "joules",
                  "Energy by domain; sum only rows with role=\"counted\".");
  for (const auto& d : s.domains) families.counter(labels_of(d), d.energy_j);
  families.family("carnot_power_watts", MetricType::Gauge, "watts",
                  "Mean power by domain over the last interval.");
  for (const auto& d : s.domains) families.gauge(labels_of(d), d.power_w);
  families.family("carnot_unobserved_seconds", MetricType::Counter, "seconds",
                  "Time whose energy is in no figure of the domain.");
  for (const auto& d : s.domains) families.counter({{"domain", d.id}}, d.unobserved_s);
  families.family("carnot_machine_energy_joules", MetricType::Counter, "joules",
                  "Energy of the counted domains: static (spent however idle) and dynamic.");
  families.counter({{"part", "static"}}, s.static_j);
  families.counter({{"part", "dynamic"}}, s.dynamic_j);
  families.family("carnot_static_power_watts", MetricType::Gauge, "watts",
                  "Static power of the machine as learned so far.");
  families.gauge({{"origin", s.static_origin}}, s.static_w);
}

void processes(Families& families, const measure::MetricsState& s) {
  const auto rows = [&](auto&& own, double other) {
    for (const auto& p : s.processes) {
      families.counter({{"pid", std::to_string(p.pid)}, {"name", p.name}}, own(p), p.created);
    }
    families.counter({{"pid", ""}, {"name", "other"}}, other);
  };
  families.family("carnot_process_energy_joules", MetricType::Counter, "joules",
                  "Dynamic energy by process; all rows together are the machine's dynamic energy.");
  rows([](const auto& p) { return p.energy_j; }, s.other_j);
  families.family("carnot_process_cpu_seconds", MetricType::Counter, "seconds",
                  "CPU time by process.");
  // Processes are read in nanoseconds, the machine in ticks; a journal only knows the machine's,
  // and what is shown must not fall when that is all there is after a restart.
  rows([](const auto& p) { return p.cpu_s; }, std::min(s.other_cpu_s, s.machine_cpu_s));
  if (s.groups.empty()) return;
  families.family("carnot_cgroup_energy_joules", MetricType::Counter, "joules",
                  "Dynamic energy by control group, subgroups included: do not sum.");
  for (const auto& g : s.groups) {
    const meter::GroupOwner owner = meter::group_owner(g.path);
    Labels labels{{"cgroup", g.path}};
    for (const auto& [key, value] : Labels{{"slurm_job", owner.slurm_job},
                                           {"slurm_step", owner.slurm_step},
                                           {"pod_uid", owner.pod},
                                           {"container", owner.container},
                                           {"runtime", owner.runtime},
                                           {"service", owner.service}})
      if (!value.empty()) labels.emplace_back(key, value);
    families.counter(labels, g.energy_j, g.created);
  }
}

void carbon(Families& families, const measure::MetricsState& s) {
  if (s.location.empty()) return;
  const Labels labels{{"location", s.location}};
  families.family("carnot_carbon_grams", MetricType::Counter, "grams",
                  "Carbon dioxide equivalent of the counted energy.");
  families.counter(labels, s.carbon_g);
  families.family("carnot_carbon_intensity_grams_per_kilowatt_hour", MetricType::Gauge, "",
                  "Carbon intensity used.");
  families.gauge(labels, s.carbon_g_per_kwh);
}

void own(Families& families, const measure::MetricsState& s) {
  families.family("carnot_machine_cpu_seconds", MetricType::Counter, "seconds",
                  "Busy CPU time of the machine.");
  families.counter({}, s.machine_cpu_s);
  families.family("carnot_meter_cpu_seconds", MetricType::Counter, "seconds",
                  "CPU time of carnot itself.");
  families.counter({}, s.meter_cpu_s);
  families.family("carnot_samples", MetricType::Counter, "", "Samples taken.");
  families.counter({}, static_cast<double>(s.samples));
  families.family("carnot_gaps", MetricType::Counter, "",
                  "Times for which some figure is not known.");
  families.counter({}, static_cast<double>(s.gaps));
  families.family("carnot_build", MetricType::Info, "", "Version of carnot.");
  families.info({{"version", s.carnot_version}});
}

/// Help in the exposition's escapes.
std::string escaped_help(std::string_view help) {
  std::string out;
  for (const char c : help) {
    if (c == '\\' || c == '"') out += '\\';
    out += c;
  }
  return out;
}

const char* word_of(MetricType type) {
  return type == MetricType::Counter ? "counter" : type == MetricType::Gauge ? "gauge" : "info";
}

}  // namespace

std::vector<MetricFamily> metric_families(const measure::MetricsState& state) {
  Families families(state.created);
  domains(families, state);
  processes(families, state);
  carbon(families, state);
  own(families, state);
  return families.finish();
}

std::vector<MetricLine> metric_lines(const MetricFamily& family) {
  std::vector<MetricLine> out;
  for (const MetricSeries& series : family.series) {
    switch (family.type) {
      case MetricType::Counter:
        out.push_back({family.name + "_total", &series, series.value});
        out.push_back({family.name + "_created", &series,
                       static_cast<double>(series.created.unix_nanoseconds()) * 1e-9});
        break;
      case MetricType::Gauge:
        out.push_back({family.name, &series, series.value});
        break;
      case MetricType::Info:
        out.push_back({family.name + "_info", &series, series.value});
        break;
    }
  }
  return out;
}

std::string openmetrics(const measure::MetricsState& state) {
  std::string out;
  for (const MetricFamily& family : metric_families(state)) {
    out += fmt::format("# TYPE {} {}\n", family.name, word_of(family.type));
    if (!family.unit.empty()) out += fmt::format("# UNIT {} {}\n", family.name, family.unit);
    out += fmt::format("# HELP {} {}\n", family.name, escaped_help(family.help));
    for (const MetricLine& line : metric_lines(family)) {
      out += line.name;
      char before = '{';
      for (const auto& [key, text] : line.series->labels) {
        out += fmt::format("{}{}=\"{}\"", before, key, escaped(text));
        before = ',';
      }
      if (!line.series->labels.empty()) out += '}';
      out += ' ';
      out +=
          line.name.ends_with("_created") ? fmt::format("{:.3f}", line.value) : number(line.value);
      out += '\n';
    }
  }
  return out + "# EOF\n";
}

}  // namespace carnot::report
