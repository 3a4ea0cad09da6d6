// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/text.hpp"
#include "carnot/base/version.hpp"
#include "carnot/report/measure/codecarbon.hpp"

#include "report/draw/csv_cell.hpp"
#include "report/draw/json_figure.hpp"
#include "report/draw/text_columns.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

constexpr const char* kSource = "CodeCarbon emissions.csv";
constexpr std::size_t kRunsShown = 15;

/// Such a file states neither sensor nor interval.
template <class Q>
Json stated(Q value, double pue) {
  if (!is_finite(value)) return nullptr;
  return json_figure(Estimate<Q>::exact(value, Origin::Modelled,
                                        pue == 1 ? Boundary::Node : Boundary::Facility, {kSource}));
}

template <class Q>
Json joules_or_null(Q value) {
  return number_or_null(value.base());
}

std::string kwh(Energy energy) { return shortest(energy.in(kilowatt_hour)); }

}  // namespace

std::string emissions_json(const EmissionsFile& file, std::string_view command) {
  Json runs = Json::array();
  std::string started;
  for (const EmissionsRun& run : file.runs) {
    if (started.empty() || run.timestamp < started) started = run.timestamp;
    runs.push_back({{"line", run.line},
                    {"timestamp", run.timestamp},
                    {"project", run.project},
                    {"run_id", run.run_id},
                    {"rows", run.rows},
                    {"country", run.country},
                    {"region", run.region},
                    {"tracking_mode", run.tracking_mode},
                    {"codecarbon", run.version},
                    {"duration_s", number_or_null(run.duration_s)},
                    {"energy_j", stated(run.energy, run.pue)},
                    {"cpu_j", joules_or_null(run.cpu)},
                    {"gpu_j", joules_or_null(run.gpu)},
                    {"ram_j", joules_or_null(run.ram)},
                    {"carbon_g", stated(run.carbon, run.pue)},
                    {"pue", run.pue},
                    {"flags", run.flags}});
  }
  const bool facility = std::any_of(file.runs.begin(), file.runs.end(),
                                    [](const EmissionsRun& run) { return run.pue != 1; });
  const double boundary = facility ? 2.0 : 1.0;
  return Json{{"schema", "carnot.emissions/1"},
              {"carnot", std::string(kVersion)},
              {"seed", 0},
              {"started", started},
              {"command", command},
              {"file", file.name},
              {"duration_s", file.duration_s},
              {"energy_j", stated(file.energy, boundary)},
              {"carbon_g", stated(file.carbon, boundary)},
              {"left_out", file.left_out},
              {"runs", runs}}
             .dump(2, ' ', false, Json::error_handler_t::replace) +
         "\n";
}

std::string emissions_terminal(const EmissionsFile& file, int columns_wide, bool colour) {
  const auto width = static_cast<std::size_t>(std::max(columns_wide, 40));
  const auto styled = [&](const char* code, const std::string& text) {
    return colour ? code + text + "\x1b[0m" : text;
  };
  std::string out = styled("\x1b[1m", cut(printable(file.name), width)) + "\n";
  out += fmt::format("{} runs, {}: {} and {} CO2e, modelled by CodeCarbon (no interval stated)\n\n",
                     file.runs.size(), seconds_in_words(file.duration_s),
                     joules_in_words(file.energy.in(joule)), grams_in_words(file.carbon.in(gram)));
  std::size_t flagged = 0;
  const std::size_t from = file.runs.size() > kRunsShown ? file.runs.size() - kRunsShown : 0;
  if (from > 0) out += styled("\x1b[2m", fmt::format("the last {}:", kRunsShown)) + "\n";
  for (std::size_t i = 0; i < file.runs.size(); ++i) {
    const EmissionsRun& run = file.runs[i];
    flagged += run.flags.empty() ? 0U : 1U;
    if (i < from) continue;
    const std::string row =
        fmt::format("{}  {} {} {}  {}", padded_right(cut(printable(run.timestamp), 19), 19),
                    padded_left(joules_in_words(run.energy.in(joule)), 9),
                    padded_left(seconds_in_words(run.duration_s), 10),
                    padded_left(grams_in_words(run.carbon.in(gram)), 9), printable(run.project));
    out += cut(row, width) + "\n";
    for (const std::string& words : run.flags) {
      for (const std::string& line : wrapped(printable("! " + words), width - 4)) {
        out += "    " + styled("\x1b[33m", line) + "\n";
      }
    }
  }
  std::size_t inside = 0;
  for (const EmissionsRun& run : file.runs) inside += run.rows - 1;
  if (inside > 0)
    out += fmt::format(
        "\n{} rows are totals so far of runs that went on: inside the last of each.\n", inside);
  for (const std::string& why : file.left_out)
    for (const std::string& line : wrapped(printable("left out: " + why), width))
      out += styled("\x1b[33m", line) + "\n";
  if (flagged > 0) {
    out += fmt::format("\n{} of {} runs contradict themselves; --json says all.\n", flagged,
                       file.runs.size());
  }
  return out;
}

std::string codecarbon_csv(const measure::Measurement& m) {
  Energy cpu, gpu, ram, counted;
  for (const measure::MeasuredDomain& d : m.domains) {
    if (d.role != "counted") continue;
    Energy& part = d.kind == "gpu" ? gpu : d.kind == "dram" ? ram : cpu;
    part += d.energy.value();
    counted += d.energy.value();
  }
  const double share = counted > Energy{} ? m.energy.value() / counted : 0.0;
  const double pue = m.account.pue, seconds = m.duration_s;
  const auto part = [&](Energy e) { return kwh(share * e); };
  const auto power = [&](Energy e) {
    return shortest(seconds > 0 ? share * e.in(joule) / seconds : 0.0);
  };
  const double kilograms = m.account.operational.value().in(kilogram);
  const auto origin = std::string(name(m.energy.origin()));
  std::string when = m.started.substr(0, 19);
  const std::pair<const char*, std::string> cells[] = {
      {"timestamp", when},
      {"project_name", "carnot"},
      {"run_id", m.started},
      {"experiment_id", ""},
      {"duration", shortest(seconds)},
      {"emissions", shortest(kilograms)},
      {"emissions_rate", shortest(seconds > 0 ? kilograms / seconds : 0.0)},
      {"cpu_power", power(cpu)},
      {"gpu_power", power(gpu)},
      {"ram_power", power(ram)},
      {"cpu_energy", part(cpu)},
      {"gpu_energy", part(gpu)},
      {"ram_energy", part(ram)},
      {"energy_consumed", kwh(pue * m.energy.value())},
      {"water_consumed", ""},
      {"country_name", m.account.grid.name},
      {"country_iso_code", m.account.grid.code},
      {"region", ""},
      {"cloud_provider", ""},
      {"cloud_region", ""},
      {"os", ""},
      {"python_version", ""},
      {"codecarbon_version", "carnot " + m.carnot_version + ", " + origin},
      {"cpu_count", ""},
      {"cpu_model", ""},
      {"gpu_count", ""},
      {"gpu_model", ""},
      {"longitude", ""},
      {"latitude", ""},
      {"ram_total_size", ""},
      {"tracking_mode", m.job_method.empty() ? "machine" : "process"},
      {"cpu_utilization_percent", ""},
      {"gpu_utilization_percent", ""},
      {"ram_utilization_percent", ""},
      {"ram_used_gb", ""},
      {"on_cloud", "N"},
      {"pue", shortest(pue)},
      {"wue", ""}};
  std::string head, row;
  for (const auto& [column, value] : cells) {
    head += (head.empty() ? "" : ",") + std::string(column);
    row += (row.empty() ? "" : ",") + csv_cell(value);
  }
  return head + "\n" + row + "\n";
}

}  // namespace carnot::report
