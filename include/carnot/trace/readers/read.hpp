// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Traces out of files: a general CSV reader and readers for published data sets. docs/formats/
/// trace-csv.md is the format's page.
///
/// A row is the mean over one interval; its time marks the interval's start (`ends`: its end).
/// The common step is the difference of times that most rows share; the last interval takes it. A
/// wider difference is a gap, [end of a row, start of the next); a narrower one an overlap. Times
/// are ISO 8601 with `Z` or an offset; without either, `zone` must state the fixed offset (named
/// zones are refused: daylight saving makes hours that exist twice). The unit stands in the header
/// (`wind_mw`, `price [EUR/MWh]`, `power (kW)`) or in `unit`; it is never guessed.
///
/// Separator (comma, semicolon, tab), quotes, CRLF, byte order mark and gzip are recognised by
/// content; lines that begin with `#` before the header are skipped. The decimal sign is a point.
/// Whatever is wrong (gaps, overlaps, repeated or backward times, empty and non-finite cells,
/// negative power, ragged rows, an empty file) is reported as `file:line: column: what is allowed`,
/// up to 50 together. Files are streamed: memory is 16 bytes a row, time is memory-bound parsing.
/// All functions throw InputError for content, IoError for the file. Thread-safe.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/trace.hpp"

namespace carnot::inline trace {

/// What to do where rows or cells are missing.
enum class GapPolicy {
  Refuse,  ///< throw, naming each
  Hold,    ///< repeat the value before
  Linear,  ///< straight line between the neighbours' values
};

/// \throws InputError unless refuse, hold or linear
GapPolicy gap_policy(std::string_view name);

/// Yearly mean for 2023 of the European Central Bank's reference rate, 1.0813 USD for a euro.
inline constexpr double kEuroPerDollar2023 = 1.0 / 1.0813;

struct CsvOptions {
  std::string column{};       ///< name in the header, with or without its unit; empty: the only one
  std::string time_column{};  ///< empty: the first column
  std::string unit{};         ///< empty: from the header
  std::string zone{};  ///< `Z` or `+01:00` for times without one; empty: such times are refused
  bool ends = false;   ///< times mark ends of intervals, not starts
  bool allow_negative = false;  ///< negative power, carbon intensity or speed
  bool trim_ends = false;       ///< cut empty cells off both ends instead of calling them gaps
  GapPolicy gaps = GapPolicy::Refuse;
  double euro_per_dollar = kEuroPerDollar2023;  ///< for units in USD; recorded in `provenance`
};

/// An interval whose mean was made up by the gap policy.
struct FilledGap {
  Instant from, to;
};

template <class Q>
struct TraceFile {
  Trace<Q> trace;
  std::vector<FilledGap> filled;  ///< in time order; empty under GapPolicy::Refuse
  std::string provenance;         ///< file, column, unit, span, conversions, credit: for reports
};

namespace reading {
struct CoreFile {
  TraceCore core;
  std::vector<FilledGap> filled;
  std::string provenance;
};
CoreFile read_csv(const std::string& path, const CsvOptions& options, const Dimension& dimension);
CoreFile parse_csv(std::string_view text, const std::string& name, const CsvOptions& options,
                   const Dimension& dimension);
template <class Q>
TraceFile<Q> typed(CoreFile file) {
  return {Trace<Q>(std::move(file.core)), std::move(file.filled), std::move(file.provenance)};
}
template <class Q>
constexpr Dimension dimension_of() {
  if constexpr (requires { Q::kDimension; }) {
    return Q::kDimension;
  } else {
    return kDimensionless;
  }
}
}  // namespace reading

/// Reads one column as a trace of `Q`: Power, EnergyPrice, CarbonIntensity, Temperature, Speed or
/// double (which needs no unit).
template <class Q>
TraceFile<Q> read_csv(const std::string& path, const CsvOptions& options = {}) {
  return reading::typed<Q>(reading::read_csv(path, options, reading::dimension_of<Q>()));
}
/// The same from text in memory (plain or gzip); `name` stands in messages.
template <class Q>
TraceFile<Q> parse_csv(std::string_view text, const std::string& name,
                       const CsvOptions& options = {}) {
  return reading::typed<Q>(reading::parse_csv(text, name, options, reading::dimension_of<Q>()));
}

/// RTS-GMLC time series (GridMod/RTS-GMLC): columns Year, Month, Day, Period and one a farm or
/// area, MW; Period counts from 1 through the day, so 24 make hours and 288 five minutes. Times
/// are taken as UTC. Works for wind, PV, hydro and regional load, real-time and day-ahead.
TraceFile<Power> read_rts_gmlc(const std::string& path, const std::string& column,
                               GapPolicy gaps = GapPolicy::Refuse);

/// Hourly site tables: column `utc`, then one a zone; the unit is the table's. Empty cells at the
/// ends of the year (local years do not cover the UTC year) are cut off; inner ones are gaps.
TraceFile<EnergyPrice> read_sites_price(const std::string& path, const std::string& zone,
                                        double euro_per_dollar = kEuroPerDollar2023,
                                        GapPolicy gaps = GapPolicy::Refuse);
TraceFile<CarbonIntensity> read_sites_carbon(const std::string& path, const std::string& zone,
                                             GapPolicy gaps = GapPolicy::Refuse);
TraceFile<Temperature> read_sites_temperature(const std::string& path, const std::string& zone,
                                              GapPolicy gaps = GapPolicy::Refuse);

/// Such a table whole: each cell as it stands, NaN where it is empty.
struct SiteTable {
  Instant start;
  Duration step;
  std::vector<std::string> zones;
  std::vector<std::vector<double>> value;  ///< [zone][row]
};
SiteTable read_site_table(const std::string& path);

/// Hourly generation by fuel of a US balancing authority (EIA-930 via SustainDC): a time column,
/// WND SUN WAT OIL NG COL NUC OTH in MWh of the hour, avg_CI in g/kWh. Small negative generation
/// (auxiliary load of idle plants) counts as zero.
TraceFile<Power> read_eia_power(const std::string& path, const std::string& fuel,
                                GapPolicy gaps = GapPolicy::Refuse);
/// The fuel's share of all generation, in [0, 1].
TraceFile<double> read_eia_share(const std::string& path, const std::string& fuel,
                                 GapPolicy gaps = GapPolicy::Refuse);
TraceFile<CarbonIntensity> read_eia_carbon(const std::string& path,
                                           GapPolicy gaps = GapPolicy::Refuse);

/// Great Britain's wind in 15-minute steps: what the farms had planned to deliver, what they were
/// told to curtail (as positive power), and what was left.
enum class GbSeries { Planned, Curtailed, Delivered };
TraceFile<Power> read_gb_curtailment(const std::string& path, GbSeries series,
                                     GapPolicy gaps = GapPolicy::Refuse);

}  // namespace carnot::inline trace
