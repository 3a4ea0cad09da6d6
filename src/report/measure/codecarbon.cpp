// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/codecarbon.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/base/text.hpp"

#include "report/draw/csv_records.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

constexpr std::array<const char*, 7> kRequired = {"timestamp",      "duration",   "emissions",
                                                  "cpu_energy",     "gpu_energy", "ram_energy",
                                                  "energy_consumed"};
constexpr double kSumTolerance = 0.01;
constexpr double kPowerTolerance = 0.1;       // its powers are means over unequal steps
constexpr double kLargestGramsPerKwh = 2000;  // no grid emits more
constexpr double kLargestNumber = 1e15;  // in any of its units: more than all machines ever used

class RowReader {
 public:
  RowReader(std::map<std::string, std::size_t> columns, std::string file)
      : columns_(std::move(columns)), file_(std::move(file)) {}

  EmissionsRun read(const std::vector<std::string>& fields, std::size_t line, Problems& problems) {
    fields_ = &fields;
    line_ = line;
    problems_ = &problems;
    EmissionsRun run;
    run.line = line;
    run.timestamp = text("timestamp");
    run.project = text("project_name");
    run.run_id = text("run_id");
    run.country = text("country_name");
    run.region = text("region");
    run.tracking_mode = text("tracking_mode");
    run.version = text("codecarbon_version");
    run.duration_s = number("duration");
    run.energy = number("energy_consumed") * kilowatt_hour;
    run.cpu = number("cpu_energy") * kilowatt_hour;
    run.gpu = number("gpu_energy") * kilowatt_hour;
    run.ram = number("ram_energy") * kilowatt_hour;
    run.cpu_power = number("cpu_power") * watt;
    run.gpu_power = number("gpu_power") * watt;
    run.ram_power = number("ram_power") * watt;
    run.carbon = number("emissions") * kilogram;
    const double pue = number("pue");
    run.pue = std::isfinite(pue) ? pue : 1.0;
    return run;
  }

 private:
  std::string text(const char* column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? "" : (*fields_)[found->second];
  }
  double number(const char* column) {
    const std::string cell = text(column);
    if (cell.empty() || cell == "nan" || cell == "None") return kNaN;
    try {
      const double value = parse_number(cell);
      if (std::abs(value) <= kLargestNumber) return value;
    } catch (const InputError&) {
      // said below, with its place
    }
    problems_->add({file_, line_}, column, fmt::format("a number, found `{}`", cell.substr(0, 40)));
    return kNaN;
  }

  std::map<std::string, std::size_t> columns_;
  std::string file_;
  const std::vector<std::string>* fields_ = nullptr;
  std::size_t line_ = 0;
  Problems* problems_ = nullptr;
};

bool differ(double a, double b, double tolerance) {
  return std::isfinite(a) && std::isfinite(b) &&
         std::abs(a - b) > tolerance * std::max(std::abs(a), std::abs(b));
}

void flag(EmissionsRun& run) {
  const auto add = [&](std::string words) { run.flags.push_back(std::move(words)); };
  const struct {
    const char* name;
    Energy energy;
    Power power;
  } parts[] = {{"cpu", run.cpu, run.cpu_power},
               {"gpu", run.gpu, run.gpu_power},
               {"ram", run.ram, run.ram_power}};
  Sum<double> sum;
  bool all_known = true;
  for (const auto& part : parts) {
    const double joules = part.energy.in(joule), watts = part.power.in(watt);
    if (joules < 0)
      add(fmt::format("{}_energy is negative: {}", part.name, joules_in_words(joules)));
    if (run.duration_s > 0 && joules >= 0 &&
        differ(watts * run.duration_s, joules, kPowerTolerance)) {
      add(fmt::format("{}_power is {}, its energy over its duration {}", part.name,
                      watts_in_words(watts), watts_in_words(joules / run.duration_s)));
    }
    sum += joules;
    all_known = all_known && std::isfinite(joules);
  }
  const double energy = run.energy.in(joule);
  if (energy < 0) add(fmt::format("energy_consumed is negative: {}", joules_in_words(energy)));
  if (all_known && differ(sum.value() * run.pue, energy, kSumTolerance)) {
    add(fmt::format("energy_consumed is {}, its parts{} {}", joules_in_words(energy),
                    run.pue == 1 ? "" : " times PUE", joules_in_words(sum.value() * run.pue)));
  }
  if (!(run.duration_s >= 0)) add("duration is missing or negative");
  if (energy == 0 && run.duration_s > 0) add("no energy in a run that lasted");
  if (run.pue < 1) add("PUE is below 1");
  if (energy > 0) {
    const double g = run.carbon.in(gram) / run.energy.in(kilowatt_hour);
    if (g < 0 || g > kLargestGramsPerKwh) {
      add(fmt::format("emissions are {} g a kWh", fmt::format("{:.3g}", g)));
    }
  }
  if (run.country == "Canada" && run.region == "quebec") {
    add("Quebec: also what is assumed there when the place could not be looked up");
  }
}

}  // namespace

bool is_emissions_csv(std::string_view text) noexcept {
  const std::string_view head = text.substr(0, text.find('\n'));
  return std::all_of(kRequired.begin(), kRequired.end(), [&](const char* column) {
    return head.find(column) != std::string_view::npos;
  });
}

EmissionsFile parse_emissions_csv(std::string_view text, const std::string& name) {
  EmissionsFile file;
  file.name = name;
  Problems problems;
  std::vector<std::string> fields;
  Sum<double> energy, carbon, duration;
  try {
    CsvRecords records(text);
    if (!records.next(fields)) throw InputError(describe({name, 0}, "", "a line of column names"));
    std::map<std::string, std::size_t> columns;
    for (std::size_t i = 0; i < fields.size(); ++i) columns.emplace(fields[i], i);
    for (const char* column : kRequired) {
      if (!columns.contains(column)) problems.add({name, 1}, column, "a column of this name");
    }
    problems.throw_if_any();
    const std::size_t width = fields.size();
    RowReader reader(std::move(columns), name);
    while (records.next(fields)) {
      if (fields.size() != width) {
        problems.add({name, records.line()}, "",
                     fmt::format("{} columns, found {}", width, fields.size()));
        continue;
      }
      EmissionsRun run = reader.read(fields, records.line(), problems);
      flag(run);
      if (is_finite(run.energy)) energy += run.energy.in(joule);
      if (is_finite(run.carbon)) carbon += run.carbon.in(gram);
      if (std::isfinite(run.duration_s)) duration += run.duration_s;
      file.runs.push_back(std::move(run));
    }
  } catch (const InputError& error) {
    const std::string words = error.what();
    if (words.starts_with(name)) throw;
    throw InputError(describe({name, 0}, "", words));
  }
  problems.throw_if_any();
  file.energy = energy.value() * joule;
  file.carbon = carbon.value() * gram;
  file.duration_s = duration.value();
  return file;
}

}  // namespace carnot::report
