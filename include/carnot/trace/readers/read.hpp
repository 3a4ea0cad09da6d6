// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Traces out of files: a general CSV reader and readers for published data sets. docs/formats/
/// trace-csv.md is the format's page.
///
/// A row is the mean over one interval; its time marks the interval's start (`TimeMark::Ends`: its
/// end). The common step is the difference of times that most rows share; the last interval takes
/// it. A wider difference is a gap, [end of a row, start of the next); a narrower one an overlap,
/// unless at least four rows keep to it: then the resolution of the file changes there, and all of
/// it comes out at the finest. Rows that stand twice count once, a file from last to first is
/// turned round.
///
/// Times are ISO 8601, seconds or milliseconds of the Unix epoch, dates in other orders (their
/// order told by the file where it can be, else by `time_format`), intervals `A - B`, or several
/// columns (Year, Month, Day, Hour; a date and a time; a date and an hour or settlement period).
/// Without `Z` or an offset the zone is stated by the header or comments of the file ("UTC"), by
/// what is known of its publisher, or by `zone`: an offset or a name such as Europe/Berlin, whose
/// hour that exists twice is told by the order of rows. It is never assumed. The unit stands in the
/// header (`wind_mw`, `price [EUR/MWh]`, `power (kW)`), a line of units below it, a comment, or in
/// `unit`; it is never guessed. Energy of an interval (MWh) is read as its mean power.
///
/// Separator (comma, semicolon, tab), quotes, CRLF, byte order mark, gzip, decimal comma and where
/// the header begins are recognised by content; lines that begin with `#` before it are skipped.
/// What was recognised beyond the plain form stands in `provenance`.
/// Whatever is wrong (gaps, overlaps, repeated or backward times, empty and non-finite cells,
/// negative power, ragged rows, an empty file) is reported as `file:line: column: what is allowed`,
/// up to 50 together. Files are streamed: memory is 16 bytes a row, time is memory-bound parsing.
/// All functions throw InputError for content, IoError for the file. Thread-safe.

#include <cstddef>
#include <optional>
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

/// What to do with negative power, carbon intensity or speed. Prices may always be negative.
enum class NegativePolicy {
  Refuse,  ///< throw, naming each
  Zero,    ///< count as 0: a turbine's own use, a sensor's offset
  Allow,
};
/// \throws InputError unless refuse, zero or allow
NegativePolicy negative_policy(std::string_view name);

/// Which of several rows of one time counts, where they differ. Equal ones count once.
enum class RepeatPolicy { Refuse, First, Last, Mean };
/// \throws InputError unless refuse, first, last or mean
RepeatPolicy repeat_policy(std::string_view name);

enum class TimeMark { Recognise, Starts, Ends };
/// Empty: Recognise. \throws InputError unless starts or ends
TimeMark time_mark(std::string_view name);

/// Yearly mean for 2023 of the European Central Bank's reference rate, 1.0813 USD for a euro.
inline constexpr double kEuroPerDollar2023 = 1.0 / 1.0813;

struct CsvOptions {
  /// Name in the header, with or without its unit, or `#3`, the third; empty: the only one, or the
  /// only one whose unit fits.
  std::string column{};
  std::string time_column{};  ///< empty: the first whose cells are times
  /// Empty: from the header. May carry a number: `148 MW` for a share of 148 MW.
  std::string unit{};
  std::string zone{};         ///< `Z`, `+01:00` or Europe/Berlin, for times that state none
  std::string time_format{};  ///< `%d.%m.%Y %H:%M` (%Y %y %m %d %b %H %I %M %S %p %z)
  TimeMark times = TimeMark::Recognise;  ///< Starts unless the header says that they are ends
  char decimal = 0;                      ///< `.` or `,`; 0: recognised
  int skip_rows = -1;                    ///< lines above the header; -1: recognised
  NegativePolicy negative = NegativePolicy::Refuse;
  RepeatPolicy repeats = RepeatPolicy::Refuse;
  bool trim_ends = false;  ///< cut empty cells off both ends instead of calling them gaps
  GapPolicy gaps = GapPolicy::Refuse;
  Duration longest_gap{};  ///< gaps wider are refused all the same; 0: any
  /// What the caller uses; both or neither. Rows beyond a gap on either side of it are left out.
  std::optional<Instant> needed_from{}, needed_to{};
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

/// \throws InputError unless `unit` is one that a column of that dimension may have
void check_csv_unit(std::string_view unit, const Dimension& dimension);

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
