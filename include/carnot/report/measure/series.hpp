// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a series of measurements says: one row a value, the curves drawn, and what follows from
/// them: the machine's static power from power against load, the batch or the clock rate of least
/// energy. Built from the entries of each measurement alone. Values; thread-safe to read.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "carnot/measure/series.hpp"
#include "carnot/report/measure/measurement.hpp"

namespace carnot::report {

/// What is asked of the series; decides the axes.
enum class SeriesKind {
  Load,       ///< machine power against busy share
  Batch,      ///< job energy and peak memory against batch size
  ClockRate,  ///< job energy, time and their product against clock rate
  Other,      ///< job energy and time against whatever varied
};

/// One value, over its rounds.
struct SeriesRow {
  std::string value;
  double x = 0;                ///< the value as a number; NaN if it is none. Load: mean busy share
  int rounds = 0, failed = 0;  ///< measurements; of them commands that did not end well
  Estimate<Energy> energy;     ///< of the job, mean over rounds
  Estimate<Energy> machine_energy;       ///< mean over rounds
  Estimate<Power> machine_power;         ///< energy over time
  Time duration, cpu;                    ///< means
  Energy least_energy, greatest_energy;  ///< of the rounds: the spread between them
  double busy_share = 0;                 ///< of the machine
  std::uint64_t peak_rss_b = 0;          ///< greatest
  double energy_time_js = 0;             ///< energy x time, J s
};

/// Power = static_power + slope x busy share, least squares over the rows.
struct LoadLine {
  Power static_power, at_full_load;
  double residual_w = 0;  ///< root mean square
};

struct SeriesSummary {
  SeriesKind kind = SeriesKind::Other;
  std::string name, carnot_version, command, started;
  std::vector<SeriesRow> rows;   ///< in the order of the values
  std::optional<LoadLine> line;  ///< Load, over a fifth of the machine or more
  std::optional<std::size_t> least_energy, least_energy_time;  ///< rows
  bool stopped = false;                                        ///< before all was measured
  std::uint64_t seed = 1;                                      ///< of the order of measuring
  std::vector<std::pair<std::string, std::string>> notes;      ///< of the first measurement
};

/// \throws InputError if a point's entries are no measurement
SeriesSummary summarise_series(const measure::SeriesResult& result, SeriesKind kind,
                               const model::AccountOptions& options);

std::string series_json(const SeriesSummary& series);  ///< carnot.measure-series/1
std::string series_html(const SeriesSummary& series);  ///< one page with the curves
std::string series_terminal(const SeriesSummary& series, int width);
std::string_view name(SeriesKind kind) noexcept;  ///< "load", "batch", "frequency", "other"

}  // namespace carnot::report
