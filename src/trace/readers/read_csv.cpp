// SPDX-License-Identifier: Apache-2.0
// The general CSV reader: which column, which unit.
#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/text.hpp"

#include "trace/readers/csv_series.hpp"
#include "trace/readers/csv_unit.hpp"

namespace carnot::inline trace {

GapPolicy gap_policy(std::string_view name) {
  if (name == "refuse") return GapPolicy::Refuse;
  if (name == "hold") return GapPolicy::Hold;
  if (name == "linear") return GapPolicy::Linear;
  throw InputError(describe({}, "gaps", fmt::format("refuse, hold or linear, found `{}`", name)));
}

namespace csv {

namespace {

struct Suffix {
  std::string_view ending, unit;
};
// Lower-case endings of column names; `mw` is a megawatt, since nobody's grid is in milliwatts.
constexpr std::array<Suffix, 18> kSuffixes{{{"eur_per_mwh", "EUR/MWh"},
                                            {"eur_per_kwh", "EUR/kWh"},
                                            {"usd_per_mwh", "USD/MWh"},
                                            {"usd_per_kwh", "USD/kWh"},
                                            {"g_per_kwh", "g/kWh"},
                                            {"kg_per_mwh", "kg/MWh"},
                                            {"m_per_s", "m/s"},
                                            {"km_per_h", "km/h"},
                                            {"kmh", "km/h"},
                                            {"pct", "%"},
                                            {"degc", "degC"},
                                            {"gw", "GW"},
                                            {"mw", "MW"},
                                            {"kw", "kW"},
                                            {"w", "W"},
                                            {"c", "degC"},
                                            {"k", "K"},
                                            {"mps", "m/s"}}};

std::string without(std::string text, std::string_view part) {
  const std::size_t at = text.find(part);
  if (at != std::string::npos) text.erase(at, part.size());
  return text;
}

std::string replaced(std::string text, std::string_view part, std::string_view by) {
  const std::size_t at = text.find(part);
  if (at != std::string::npos) text.replace(at, part.size(), by);
  return text;
}

}  // namespace

ColumnName split_unit(std::string_view header) {
  const auto trim = [](std::string_view text) {
    while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return std::string(text);
  };
  for (const auto& [open, close] : {std::pair{'[', ']'}, std::pair{'(', ')'}}) {
    const std::size_t at = header.find(open);
    if (at != std::string_view::npos && header.back() == close) {
      return {trim(header.substr(0, at)), trim(header.substr(at + 1, header.size() - at - 2))};
    }
  }
  for (const Suffix& suffix : kSuffixes) {
    const std::size_t size = suffix.ending.size();
    if (header.size() > size + 1 && header.ends_with(suffix.ending) &&
        header[header.size() - size - 1] == '_') {
      return {std::string(header.substr(0, header.size() - size - 1)), std::string(suffix.unit)};
    }
    // The whole name may be the unit: `price` tables call a column just `eur_per_mwh`.
    if (header == suffix.ending && size > 1) return {std::string(header), std::string(suffix.unit)};
  }
  return {trim(header), ""};
}

UnitConversion unit_conversion(std::string_view unit, const Dimension& dimension,
                               double euro_per_dollar) {
  UnitConversion result;
  if (dimension == kDimensionless) {
    if (unit == "%") result.conversion.factor = 0.01;
    return result;
  }
  if (dimension == Temperature::kDimension &&
      (unit == "degC" || unit == "C" || unit == "°C" || unit == "celsius")) {
    result.conversion.offset = 273.15;
    return result;
  }
  std::string text(unit);
  for (const std::string_view gas : {"CO2eq", "CO2e", "CO2"}) text = without(text, gas);
  if (text.find("USD") != std::string::npos) {
    if (!(euro_per_dollar > 0.0 && euro_per_dollar < 100.0)) {
      throw InputError(describe({}, "euro_per_dollar", "above 0, below 100"));
    }
    text = replaced(text, "USD", "EUR");
    result.conversion.factor = euro_per_dollar;
    result.note = fmt::format("; converted at {:.6g} EUR/USD", euro_per_dollar);
  }
  result.conversion.factor *= base::detail::parse_quantity("1 " + text, dimension);
  return result;
}

}  // namespace csv

namespace reading {

namespace {

// The value column: by full name, by name without unit, or the only one there is.
std::size_t choose_column(const csv::Header& header, const std::string& file,
                          const std::string& wanted, std::size_t time_column) {
  if (wanted.empty()) {
    if (header.names.size() == 2) return 1 - time_column;
    throw InputError(describe({file, header.line}, "",
                              fmt::format("one column beside the time, or the option `column`; "
                                          "there are {} columns",
                                          header.names.size())));
  }
  if (std::find(header.names.begin(), header.names.end(), wanted) == header.names.end()) {
    for (std::size_t i = 0; i < header.names.size(); ++i) {
      if (csv::split_unit(header.names[i]).name == wanted) return i;
    }
  }
  return csv::find_column(header, file, wanted);
}

CoreFile read(input::Lines lines, const CsvOptions& options, const Dimension& dimension) {
  const std::string& file = lines.name();
  const csv::Header header = csv::read_header(lines);
  csv::TimeColumns time;
  time.zone = csv::parse_zone(options.zone);
  if (!options.time_column.empty()) {
    time.first = csv::find_column(header, file, options.time_column);
  }
  const std::size_t column = choose_column(header, file, options.column, time.first);
  if (column == time.first) {
    throw InputError(describe({file, header.line}, header.names[column],
                              "a column other than the one of times"));
  }
  const csv::ColumnName name = csv::split_unit(header.names[column]);
  const std::string unit = options.unit.empty() ? name.unit : options.unit;
  csv::UnitConversion unit_conversion;
  if (unit.empty() && dimension != kDimensionless) {
    throw InputError(describe({file, header.line}, header.names[column],
                              "a unit in the header, such as `wind_mw` or `price [EUR/MWh]`, or "
                              "the option `unit`"));
  }
  try {
    unit_conversion = csv::unit_conversion(unit, dimension, options.euro_per_dollar);
  } catch (const InputError& error) {
    throw InputError(describe({file, header.line}, header.names[column], error.what()));
  }
  csv::Series series = csv::read_series(lines, header, time, {column});
  csv::Rules rules;
  rules.gaps = options.gaps;
  rules.ends = options.ends;
  rules.trim_ends = options.trim_ends;
  const bool signed_by_nature = dimension == EnergyPrice::kDimension || dimension == kDimensionless;
  rules.allow_negative = options.allow_negative || signed_by_nature;
  csv::Assembled assembled =
      csv::assemble(file, series, header.names[column], std::move(series.value[0]),
                    unit_conversion.conversion, rules);
  std::string provenance =
      csv::describe_source(file, header.names[column], unit, assembled, options.gaps) +
      unit_conversion.note;
  return {std::move(assembled.core), std::move(assembled.filled), std::move(provenance)};
}

}  // namespace

CoreFile read_csv(const std::string& path, const CsvOptions& options, const Dimension& dimension) {
  return read(input::Lines::of_file(path), options, dimension);
}

CoreFile parse_csv(std::string_view text, const std::string& name, const CsvOptions& options,
                   const Dimension& dimension) {
  return read(input::Lines::of_text(text, name), options, dimension);
}

}  // namespace reading

}  // namespace carnot::inline trace
