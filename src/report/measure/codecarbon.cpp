// SPDX-License-Identifier: Apache-2.0
#include "carnot/report/measure/codecarbon.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/sum.hpp"
#include "carnot/base/text.hpp"

#include "report/draw/csv_records.hpp"
#include "report/measure/measurement_words.hpp"

namespace carnot::report {

namespace {

// Of all versions; energies came with the first, their parts with the second.
constexpr std::array<const char*, 4> kRequired = {"timestamp", "project_name", "duration",
                                                  "emissions"};
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
  static bool is_nothing(const std::string& cell) {
    constexpr std::array<std::string_view, 9> kWords = {"",   "nan", "none", "null",    "n/a",
                                                        "na", "inf", "-inf", "infinity"};
    std::string lower = cell;
    for (char& c : lower)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
  }
  std::string text(const char* column) const {
    const auto found = columns_.find(column);
    return found == columns_.end() ? "" : (*fields_)[found->second];
  }
  double number(const char* column) {
    const std::string cell = text(column);
    if (is_nothing(cell)) return kNaN;
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

bool means_power(const std::string& version) {
  return version.empty() || (version[0] >= '3' && version[0] <= '9') ||
         (version.size() > 1 && version[1] != '.');
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
    // Before version 3 the powers are the last readings, no means.
    if (means_power(run.version) && run.duration_s > 0 && joules >= 0 &&
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

/// The runs of a file: of one run's totals so far the last stands for all.
class Runs {
 public:
  void add(EmissionsRun run) {
    const bool named = !run.run_id.empty() && run.run_id != "None";
    const auto found = last_.find(run.run_id);
    if (named && found != last_.end() && goes_on(runs_[found->second], run)) {
      run.rows = runs_[found->second].rows + 1;
      runs_[found->second] = std::move(run);
      return;
    }
    if (named) last_[run.run_id] = runs_.size();
    runs_.push_back(std::move(run));
  }
  std::vector<EmissionsRun> take() { return std::move(runs_); }

 private:
  /// Totals grow; a smaller one under the same name is another run.
  static bool goes_on(const EmissionsRun& before, const EmissionsRun& now) {
    constexpr double kRounding = 1 - 1e-9;
    const auto grows = [](double a, double b) {
      return !std::isfinite(a) || !std::isfinite(b) || b >= kRounding * a;
    };
    return grows(before.duration_s, now.duration_s) &&
           grows(before.energy.in(joule), now.energy.in(joule)) &&
           grows(before.carbon.in(gram), now.carbon.in(gram)) && before.project == now.project &&
           before.version == now.version;
  }

  std::vector<EmissionsRun> runs_;
  std::map<std::string, std::size_t> last_;
};

/// Names the separator, or the other program, of a first line that has the words but no columns.
void refuse_other_forms(std::string_view head, const std::string& name) {
  for (const auto& [separator, word] : {std::pair{';', "`;`"}, std::pair{'\t', "a tab"}})
    if (std::count(head.begin(), head.end(), separator) > std::count(head.begin(), head.end(), ','))
      throw InputError(describe({name, 1}, "",
                                fmt::format("columns apart by `,`; here they are apart by {} (as "
                                            "spreadsheets write it): save it with `,` and decimal "
                                            "points",
                                            word)));
  if (head.find("power_consumption(kWh)") != std::string_view::npos)
    throw InputError(describe({name, 1}, "",
                              "the columns of CodeCarbon; these are Eco2AI's, which are not read"));
}

bool has_all(const std::map<std::string, std::size_t>& columns) {
  return std::all_of(kRequired.begin(), kRequired.end(),
                     [&](const char* column) { return columns.contains(column); });
}

}  // namespace

bool is_emissions_csv(std::string_view text) noexcept {
  const std::string_view head = text.substr(0, text.find('\n'));
  if (head.find("CO2_emissions(kg)") != std::string_view::npos) return true;  // Eco2AI, to say so
  return std::all_of(kRequired.begin(), kRequired.end(), [&](const char* column) {
    return head.find(column) != std::string_view::npos;
  });
}

EmissionsFile parse_emissions_csv(std::string_view text, const std::string& name) {
  EmissionsFile file;
  file.name = name;
  refuse_other_forms(text.substr(0, text.find('\n')), name);
  Problems all;
  std::vector<std::string> fields;
  Runs runs;
  bool any = false;
  try {
    CsvRecords records(text);
    if (!records.next(fields)) throw InputError(describe({name, 0}, "", "a line of column names"));
    const auto columns_of = [](const std::vector<std::string>& names) {
      std::map<std::string, std::size_t> columns;
      for (std::size_t i = 0; i < names.size(); ++i) columns.emplace(names[i], i);
      return columns;
    };
    const auto columns = columns_of(fields);
    for (const char* column : kRequired) {
      if (!columns.contains(column)) all.add({name, 1}, column, "a column of this name");
    }
    all.throw_if_any();
    std::size_t width = fields.size();
    RowReader reader(columns, name);
    const auto leave_out = [&](const Problems& problems) {
      file.left_out.insert(file.left_out.end(), problems.lines().begin(), problems.lines().end());
    };
    while (records.next(fields)) {
      Problems problems;
      if (auto again = columns_of(fields); has_all(again)) {  // files one after another
        width = fields.size();
        reader = RowReader(std::move(again), name);
        continue;
      }
      if (fields.size() != width) {
        const std::string found = fmt::format("{} columns, found {}", width, fields.size());
        problems.add({name, records.line()}, "", found);
        all.add({name, records.line()}, "", found);
        leave_out(problems);
        continue;
      }
      EmissionsRun run = reader.read(fields, records.line(), problems);
      if (!problems.empty()) {
        reader.read(fields, records.line(), all);
        leave_out(problems);
        continue;
      }
      any = true;
      runs.add(std::move(run));
    }
  } catch (const InputError& error) {
    const std::string words = error.what();
    if (words.starts_with(name)) throw;
    throw InputError(describe({name, 0}, "", words));
  }
  if (!any) all.throw_if_any();
  file.runs = runs.take();
  Sum<double> energy, carbon, duration;
  for (EmissionsRun& run : file.runs) {
    flag(run);
    if (is_finite(run.energy)) energy += run.energy.in(joule);
    if (is_finite(run.carbon)) carbon += run.carbon.in(gram);
    if (std::isfinite(run.duration_s)) duration += run.duration_s;
  }
  // Version 0 has no energy: that is not none.
  const bool told = file.runs.empty() ||
                    std::any_of(file.runs.begin(), file.runs.end(),
                                [](const EmissionsRun& run) { return is_finite(run.energy); });
  file.energy = (told ? energy.value() : kNaN) * joule;
  file.carbon = carbon.value() * gram;
  file.duration_s = duration.value();
  return file;
}

}  // namespace carnot::report
