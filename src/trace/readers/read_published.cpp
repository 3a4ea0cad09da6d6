// SPDX-License-Identifier: Apache-2.0
// Readers for published data sets: RTS-GMLC, site tables, EIA fuel mix, GB curtailment.
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "trace/readers/csv_series.hpp"
#include "trace/readers/csv_unit.hpp"

namespace carnot::inline trace {

namespace {

using csv::Assembled;
using csv::Header;
using csv::Series;
using input::Lines;

constexpr csv::Zone kUtc{true, 0};

template <class Q>
TraceFile<Q> finish(const std::string& path, std::string_view column, std::string_view unit,
                    Assembled assembled, GapPolicy gaps, std::string_view note) {
  std::string provenance = csv::describe_source(path, column, unit, assembled, gaps);
  provenance += note;
  return {Trace<Q>(std::move(assembled.core)), std::move(assembled.filled), std::move(provenance)};
}

// A header column that must be there for the file to be of its kind.
void expect_column(const Header& header, const std::string& path, std::size_t at,
                   std::string_view name, std::string_view kind) {
  if (at < header.names.size() && header.names[at] == name) return;
  throw InputError(describe({path, header.line}, fmt::format("column {}", at + 1),
                            fmt::format("`{}`, as {} has", name, kind)));
}

template <class Q>
TraceFile<Q> read_sites(const std::string& path, const std::string& zone, std::string_view unit,
                        double euro_per_dollar, GapPolicy gaps) {
  Lines lines = Lines::of_file(path);
  const Header header = csv::read_header(lines);
  expect_column(header, path, 0, "utc", "a site table");
  const std::size_t column = csv::find_column(header, path, zone);
  if (column == 0) throw InputError(describe({path, header.line}, zone, "a zone, not the time"));
  const csv::UnitConversion conversion = csv::unit_conversion(unit, Q::kDimension, euro_per_dollar);
  Series series = csv::read_series(lines, header, {csv::TimeColumns::Kind::Iso, 0, kUtc}, {column});
  csv::Rules rules;
  rules.gaps = gaps;
  rules.trim_ends = true;
  rules.negative = std::is_same_v<Q, EnergyPrice> ? NegativePolicy::Allow : NegativePolicy::Refuse;
  Assembled assembled =
      csv::assemble(path, series, zone, std::move(series.value[0]), conversion.conversion, rules);
  return finish<Q>(path, zone, unit, std::move(assembled), gaps, conversion.note);
}

constexpr std::array<std::string_view, 8> kFuels{"WND", "SUN", "WAT", "OIL",
                                                 "NG",  "COL", "NUC", "OTH"};

// An EIA table with the columns asked for; its first column is the time, whatever its name.
Series read_eia(const std::string& path, const std::vector<std::string_view>& names) {
  Lines lines = Lines::of_file(path);
  const Header header = csv::read_header(lines);
  std::vector<std::size_t> columns;
  for (const std::string_view name : names) {
    columns.push_back(csv::find_column(header, path, name));
    if (columns.back() == 0) {
      throw InputError(describe({path, header.line}, name, "a fuel, not the time"));
    }
  }
  return csv::read_series(lines, header, {csv::TimeColumns::Kind::Iso, 0, kUtc}, columns);
}

// A generation below zero is the auxiliary load of idle plants; NaN stays missing.
double generation(double value) { return value < 0.0 ? 0.0 : value; }

csv::Rules eia_rules(GapPolicy gaps) {
  csv::Rules rules;
  rules.gaps = gaps;
  rules.negative = NegativePolicy::Refuse;
  return rules;
}

void require_fuel(const std::string& path, const std::string& fuel) {
  if (std::find(kFuels.begin(), kFuels.end(), fuel) != kFuels.end()) return;
  throw InputError(describe({path, 0}, fuel, "one of WND, SUN, WAT, OIL, NG, COL, NUC, OTH"));
}

}  // namespace

TraceFile<Power> read_rts_gmlc(const std::string& path, const std::string& column, GapPolicy gaps) {
  Lines lines = Lines::of_file(path);
  const Header header = csv::read_header(lines);
  constexpr std::array<std::string_view, 4> kTime{"Year", "Month", "Day", "Period"};
  for (std::size_t i = 0; i < kTime.size(); ++i) {
    expect_column(header, path, i, kTime[i], "an RTS-GMLC series");
  }
  const std::size_t at = csv::find_column(header, path, column);
  if (at < kTime.size()) {
    throw InputError(
        describe({path, header.line}, column, "a farm or area, not a part of the date"));
  }
  Series series =
      csv::read_series(lines, header, {csv::TimeColumns::Kind::YearMonthDayPeriod, 0, kUtc}, {at});
  csv::Rules rules;
  rules.gaps = gaps;
  rules.negative = NegativePolicy::Refuse;
  Assembled assembled = csv::assemble(path, series, column, std::move(series.value[0]),
                                      {megawatt.base(), 0.0}, rules);
  return finish<Power>(path, column, "MW", std::move(assembled), gaps,
                       "; RTS-GMLC, NREL; synthetic year, local hours taken as UTC");
}

TraceFile<EnergyPrice> read_sites_price(const std::string& path, const std::string& zone,
                                        double euro_per_dollar, GapPolicy gaps) {
  return read_sites<EnergyPrice>(path, zone, "USD/MWh", euro_per_dollar, gaps);
}

TraceFile<CarbonIntensity> read_sites_carbon(const std::string& path, const std::string& zone,
                                             GapPolicy gaps) {
  return read_sites<CarbonIntensity>(path, zone, "g/kWh", 1.0, gaps);
}

TraceFile<Temperature> read_sites_temperature(const std::string& path, const std::string& zone,
                                              GapPolicy gaps) {
  return read_sites<Temperature>(path, zone, "degC", 1.0, gaps);
}

SiteTable read_site_table(const std::string& path) {
  Lines lines = Lines::of_file(path);
  const Header header = csv::read_header(lines);
  expect_column(header, path, 0, "utc", "a site table");
  std::vector<std::size_t> columns(header.names.size() - 1);
  std::iota(columns.begin(), columns.end(), std::size_t{1});
  Series series = csv::read_series(lines, header, {csv::TimeColumns::Kind::Iso, 0, kUtc}, columns);
  const auto step = [&](std::size_t i) { return series.time[i + 1] - series.time[i]; };
  for (std::size_t i = 0; i + 1 < series.time.size(); ++i)
    if (step(i) != step(0))
      throw InputError(describe({path, series.first_line + i + 1}, "utc",
                                "times one common step apart, no row missing"));
  if (columns.empty() || series.time.size() < 2)
    throw InputError(describe({path, header.line}, "", "two rows and a zone at least"));
  return {Instant::from_unix_nanoseconds(series.time.front()), Duration::nanoseconds(step(0)),
          std::move(series.names), std::move(series.value)};
}

TraceFile<Power> read_eia_power(const std::string& path, const std::string& fuel, GapPolicy gaps) {
  require_fuel(path, fuel);
  Series series = read_eia(path, {fuel});
  std::vector<double> value = std::move(series.value[0]);
  for (double& v : value) v = generation(v);
  // Energy of an hour in MWh is the mean power in MW.
  Assembled assembled =
      csv::assemble(path, series, fuel, std::move(value), {megawatt.base(), 0.0}, eia_rules(gaps));
  return finish<Power>(path, fuel, "MWh in the hour", std::move(assembled), gaps, "; EIA-930");
}

TraceFile<double> read_eia_share(const std::string& path, const std::string& fuel, GapPolicy gaps) {
  require_fuel(path, fuel);
  Series series = read_eia(path, {kFuels.begin(), kFuels.end()});
  const auto which =
      static_cast<std::size_t>(std::find(kFuels.begin(), kFuels.end(), fuel) - kFuels.begin());
  std::vector<double> share(series.time.size());
  for (std::size_t i = 0; i < share.size(); ++i) {
    double total = 0.0;
    // A missing fuel makes the sum, and so the share, missing.
    for (const std::vector<double>& column : series.value) total += generation(column[i]);
    share[i] = generation(series.value[which][i]) / total;
  }
  Assembled assembled = csv::assemble(path, series, fuel, std::move(share), {}, eia_rules(gaps));
  return finish<double>(path, fuel, "share of generation", std::move(assembled), gaps, "; EIA-930");
}

TraceFile<CarbonIntensity> read_eia_carbon(const std::string& path, GapPolicy gaps) {
  Series series = read_eia(path, {"avg_CI"});
  Assembled assembled = csv::assemble(path, series, "avg_CI", std::move(series.value[0]),
                                      {gram_per_kilowatt_hour.base(), 0.0}, eia_rules(gaps));
  return finish<CarbonIntensity>(path, "avg_CI", "g/kWh", std::move(assembled), gaps, "; EIA-930");
}

TraceFile<Power> read_gb_curtailment(const std::string& path, GbSeries which, GapPolicy gaps) {
  Lines lines = Lines::of_file(path);
  const Header header = csv::read_header(lines);
  expect_column(header, path, 0, "utc", "a GB curtailment table");
  const Series series = csv::read_series(lines, header, {csv::TimeColumns::Kind::Iso, 0, kUtc},
                                         {csv::find_column(header, path, "planned_gwh"),
                                          csv::find_column(header, path, "curtailment_gwh"),
                                          csv::find_column(header, path, "extra_gwh")});
  std::vector<double> value(series.time.size());
  for (std::size_t i = 0; i < value.size(); ++i) {
    const double planned = series.value[0][i];
    // Curtailment is written as a negative change of the plan.
    const double curtailed = -series.value[1][i];
    switch (which) {
      case GbSeries::Planned:
        value[i] = planned;
        break;
      case GbSeries::Curtailed:
        value[i] = curtailed;
        break;
      case GbSeries::Delivered:
        value[i] = planned - curtailed + series.value[2][i];
        break;
    }
    if (value[i] == 0.0) value[i] = 0.0;  // no negative zero
  }
  const std::string_view name = which == GbSeries::Planned     ? "planned_gwh"
                                : which == GbSeries::Curtailed ? "curtailment_gwh"
                                                               : "planned, less curtailed";
  csv::Rules rules;
  rules.gaps = gaps;
  rules.negative = NegativePolicy::Refuse;
  // GWh of a quarter of an hour.
  Assembled assembled = csv::assemble(path, series, name, std::move(value), {4e9, 0.0}, rules);
  if (assembled.core.step() != Duration::seconds(900)) {
    throw InputError(describe({path, 0}, "utc", "steps of 15 minutes, of which the GWh are"));
  }
  return finish<Power>(path, name, "GWh in 15 min", std::move(assembled), gaps,
                       "; contains BMRS data (c) Elexon Limited copyright and database right");
}

}  // namespace carnot::inline trace
