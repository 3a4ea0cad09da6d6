// SPDX-License-Identifier: Apache-2.0
#include "report/measure/measurement_words.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"

namespace carnot::report {

namespace {

struct Step {
  double size;
  const char* unit;
};

constexpr Step kEnergy[] = {{1e-3, "mJ"}, {1, "J"}, {1e3, "kJ"}, {3.6e6, "kWh"}, {3.6e9, "MWh"}};
constexpr Step kPower[] = {{1e-3, "mW"}, {1, "W"}, {1e3, "kW"}, {1e6, "MW"}};
constexpr Step kCarbon[] = {{1e-6, "µg"}, {1e-3, "mg"}, {1, "g"}, {1e3, "kg"}, {1e6, "t"}};
constexpr Step kBytes[] = {{1, "B"}, {1e3, "kB"}, {1e6, "MB"}, {1e9, "GB"}, {1e12, "TB"}};
constexpr Step kMoney[] = {{1e-2, "ct"}, {1, "EUR"}};

const Step& fitting(std::span<const Step> steps, double value) {
  if (value == 0)
    return *std::find_if(steps.begin(), steps.end(), [](const Step& s) { return s.size >= 1; });
  const Step* best = &steps.front();
  for (const Step& step : steps) {
    // What would round up to 1000 goes to the next unit.
    if (std::abs(value) >= 0.9995 * step.size) best = &step;
  }
  return *best;
}

std::string number(double value, int digits) {
  const double size = std::abs(value);
  if (size > 0 && size < 1e-3) return figure_text(value, digits);
  // 0.9996 of three digits is 1.00, not 1.000.
  const double rounded = size > 0 ? std::stod(fmt::format("{:.{}g}", value, digits)) : 0.0;
  return figure_text(rounded, digits);
}

std::string in_words(std::span<const Step> steps, double value, int digits) {
  if (!std::isfinite(value)) return "n/a";
  const Step& step = fitting(steps, value);
  return fmt::format("{} {}", number(value / step.size, digits), step.unit);
}

std::string interval(std::span<const Step> steps, double value, double low, double high) {
  if (!std::isfinite(value)) return "n/a";
  const Step& step = fitting(steps, value != 0 ? value : high);
  const std::string shown = fmt::format("{} {}", number(value / step.size, 3), step.unit);
  if (!(high > low)) return shown;
  // What rounding leaves of a bound that is zero.
  constexpr double kRoundingOff = 1e-9;
  if (std::abs(low) < kRoundingOff * high) low = 0;
  return fmt::format("{} ({} … {})", shown, number(low / step.size, 3),
                     number(high / step.size, 3));
}

template <class Q>
std::string interval_of(std::span<const Step> steps, const Estimate<Q>& e) {
  return interval(steps, e.value().base(), e.low().base(), e.high().base());
}

}  // namespace

std::string joules_in_words(double joules, int digits) { return in_words(kEnergy, joules, digits); }
std::string watts_in_words(double watts, int digits) { return in_words(kPower, watts, digits); }
std::string bytes_in_words(double bytes) { return in_words(kBytes, bytes, 3); }
std::string grams_in_words(double grams) { return in_words(kCarbon, grams, 3); }
std::string euros_in_words(double euros) { return in_words(kMoney, euros, 3); }

std::string seconds_in_words(double seconds) {
  if (!std::isfinite(seconds)) return "n/a";
  if (seconds < 0.9995) return fmt::format("{} ms", number(1e3 * seconds, 3));
  if (seconds < 119.95) return fmt::format("{} s", number(seconds, 3));
  const auto whole = static_cast<long long>(std::llround(seconds));
  if (whole < 2 * 3600) return fmt::format("{} min {} s", whole / 60, whole % 60);
  if (whole < 2 * 86400) return fmt::format("{} h {} min", whole / 3600, whole / 60 % 60);
  return fmt::format("{} d {} h", whole / 86400, whole / 3600 % 24);
}

std::string interval_in_words(const Estimate<Energy>& e) { return interval_of(kEnergy, e); }
std::string interval_in_words(const Estimate<Power>& p) { return interval_of(kPower, p); }
std::string interval_in_words(const Estimate<Carbon>& c) { return interval_of(kCarbon, c); }
std::string interval_in_words(const Estimate<Money>& m) { return interval_of(kMoney, m); }

std::string origin_in_words(const Estimate<Energy>& energy) {
  const std::string origin(name(energy.origin()));
  if (energy.sources().empty()) return origin;
  return printable(fmt::format("{}, {}", origin, fmt::join(energy.sources(), " + ")));
}

std::string subject(const measure::Measurement& m) {
  if (m.job_method.empty()) return "the machine";
  return m.job.empty() ? "the job" : printable(m.job);
}

std::string outcome_in_words(const measure::Measurement& m) {
  if (!m.complete) return "cut short";
  if (m.outcome == "failed") return fmt::format("failed, exit code {}", m.exit_code);
  if (m.outcome == "killed") return fmt::format("killed, exit code {}", m.exit_code);
  return printable(m.outcome);
}

std::string place_in_words(const measure::Measurement& m) {
  const model::GridIntensity& grid = m.account.grid;
  const double g = grid.intensity.value().in(gram_per_kilowatt_hour);
  const double low = grid.intensity.low().in(gram_per_kilowatt_hour);
  const double high = grid.intensity.high().in(gram_per_kilowatt_hour);
  std::string place = printable(grid.name.empty() ? grid.code : grid.name);
  if (grid.code == "WORLD") place = "location not stated, so the world";
  return fmt::format("{}, {} g/kWh ({} … {})", place, number(g, 3), number(low, 3),
                     number(high, 3));
}

std::vector<measure::MeasuredProcess> top_processes(const measure::Measurement& m,
                                                    std::size_t most) {
  std::vector<measure::MeasuredProcess> rows;
  measure::MeasuredProcess rest;
  std::size_t processes = 0;
  for (const measure::MeasuredProcess& p : m.processes) {
    if (p.pid == 0) continue;
    if (++processes <= most) {
      rows.push_back(p);
    } else {
      rest.cpu_s += p.cpu_s;
      rest.energy += p.energy;
    }
  }
  if (processes > most) {
    rest.name = fmt::format("{} more processes", processes - most);
    rows.push_back(rest);
  }
  for (const measure::MeasuredProcess& p : m.processes) {
    if (p.pid == 0) rows.push_back(p);
  }
  return rows;
}

std::vector<std::string> gaps_in_words(const measure::Measurement& m) {
  struct Group {
    std::size_t count = 0;
    double seconds = 0;
  };
  std::map<std::pair<std::string, std::string>, Group> groups;
  const auto label = [&](const std::string& id) {
    const auto domain = std::find_if(m.domains.begin(), m.domains.end(),
                                     [&](const measure::MeasuredDomain& d) { return d.id == id; });
    return domain == m.domains.end() || domain->label.empty() ? id : domain->label;
  };
  for (const measure::MeasuredGap& gap : m.gaps) {
    Group& group = groups[{label(gap.channel), gap.why}];
    ++group.count;
    group.seconds += gap.to_s - gap.from_s;
  }
  std::vector<std::string> out;
  for (const auto& [key, group] : groups) {
    const auto& [channel, why] = key;
    out.push_back(printable(fmt::format(
        "{}, {}{}: {}", channel.empty() ? "the meter" : channel, seconds_in_words(group.seconds),
        group.count == 1 ? "" : fmt::format(" in {} gaps", group.count), why)));
  }
  return out;
}

}  // namespace carnot::report
