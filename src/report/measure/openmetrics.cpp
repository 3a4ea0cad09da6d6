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

class Text {
 public:
  explicit Text(Instant created) : created_(created) {}

  /// \param unit  the name's last word, empty for none
  void family(const std::string& name, const char* type, const char* unit, const char* help) {
    name_ = name;
    out_ += fmt::format("# TYPE {} {}\n", name, type);
    if (*unit != '\0') out_ += fmt::format("# UNIT {} {}\n", name, unit);
    out_ += fmt::format("# HELP {} {}\n", name, help);
  }
  void counter(const Labels& labels, double value) { counter(labels, value, created_); }
  void counter(const Labels& labels, double value, Instant created) {
    line("_total", labels, number(value));
    line("_created", labels,
         fmt::format("{:.3f}", static_cast<double>(created.unix_nanoseconds()) * 1e-9));
  }
  void gauge(const Labels& labels, double value) { line("", labels, number(value)); }
  void info(const Labels& labels) { line("_info", labels, "1"); }
  std::string finish() { return std::move(out_) + "# EOF\n"; }

 private:
  void line(const char* suffix, const Labels& labels, const std::string& value) {
    out_ += name_ + suffix;
    char before = '{';
    for (const auto& [key, text] : labels) {
      out_ += fmt::format("{}{}=\"{}\"", before, key, escaped(text));
      before = ',';
    }
    if (!labels.empty()) out_ += '}';
    out_ += ' ' + value + '\n';
  }

  Instant created_;
  std::string name_, out_;
};

Labels labels_of(const measure::MetricsState::Domain& d) {
  return {{"domain", d.id},     {"label", d.label}, {"kind", d.kind},        {"source", d.source},
          {"origin", d.origin}, {"role", d.role},   {"boundary", d.boundary}};
}

void domains(Text& text, const measure::MetricsState& s) {
  text.family("carnot_energy_joules", "counter", "joules",
              "Energy by domain; sum only rows with role=\\\"counted\\\".");
  for (const auto& d : s.domains) text.counter(labels_of(d), d.energy_j);
  text.family("carnot_power_watts", "gauge", "watts",
              "Mean power by domain over the last interval.");
  for (const auto& d : s.domains) text.gauge(labels_of(d), d.power_w);
  text.family("carnot_unobserved_seconds", "counter", "seconds",
              "Time whose energy is in no figure of the domain.");
  for (const auto& d : s.domains) text.counter({{"domain", d.id}}, d.unobserved_s);
  text.family("carnot_machine_energy_joules", "counter", "joules",
              "Energy of the counted domains: static (spent however idle) and dynamic.");
  text.counter({{"part", "static"}}, s.static_j);
  text.counter({{"part", "dynamic"}}, s.dynamic_j);
  text.family("carnot_static_power_watts", "gauge", "watts",
              "Static power of the machine as learned so far.");
  text.gauge({{"origin", s.static_origin}}, s.static_w);
}

void processes(Text& text, const measure::MetricsState& s) {
  const auto rows = [&](auto&& own, double other) {
    for (const auto& p : s.processes) {
      text.counter({{"pid", std::to_string(p.pid)}, {"name", p.name}}, own(p), p.created);
    }
    text.counter({{"pid", ""}, {"name", "other"}}, other);
  };
  text.family("carnot_process_energy_joules", "counter", "joules",
              "Dynamic energy by process; all rows together are the machine's dynamic energy.");
  rows([](const auto& p) { return p.energy_j; }, s.other_j);
  text.family("carnot_process_cpu_seconds", "counter", "seconds", "CPU time by process.");
  // Processes are read in nanoseconds, the machine in ticks; a journal only knows the machine's,
  // and what is shown must not fall when that is all there is after a restart.
  rows([](const auto& p) { return p.cpu_s; }, std::min(s.other_cpu_s, s.machine_cpu_s));
  if (s.groups.empty()) return;
  text.family("carnot_cgroup_energy_joules", "counter", "joules",
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
    text.counter(labels, g.energy_j, g.created);
  }
}

void carbon(Text& text, const measure::MetricsState& s) {
  if (s.location.empty()) return;
  const Labels labels{{"location", s.location}};
  text.family("carnot_carbon_grams", "counter", "grams",
              "Carbon dioxide equivalent of the counted energy.");
  text.counter(labels, s.carbon_g);
  text.family("carnot_carbon_intensity_grams_per_kilowatt_hour", "gauge", "",
              "Carbon intensity used.");
  text.gauge(labels, s.carbon_g_per_kwh);
}

void own(Text& text, const measure::MetricsState& s) {
  text.family("carnot_machine_cpu_seconds", "counter", "seconds", "Busy CPU time of the machine.");
  text.counter({}, s.machine_cpu_s);
  text.family("carnot_meter_cpu_seconds", "counter", "seconds", "CPU time of carnot itself.");
  text.counter({}, s.meter_cpu_s);
  text.family("carnot_samples", "counter", "", "Samples taken.");
  text.counter({}, static_cast<double>(s.samples));
  text.family("carnot_gaps", "counter", "", "Times for which some figure is not known.");
  text.counter({}, static_cast<double>(s.gaps));
  text.family("carnot_build", "info", "", "Version of carnot.");
  text.info({{"version", s.carnot_version}});
}

}  // namespace

std::string openmetrics(const measure::MetricsState& state) {
  Text text(state.created);
  domains(text, state);
  processes(text, state);
  carbon(text, state);
  own(text, state);
  return text.finish();
}

}  // namespace carnot::report
