// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The figures of a run's page, each one `<svg>` with units on its axes. Pure functions of result
/// and facts; an empty string where there is nothing to draw.

#include <functional>
#include <string>
#include <vector>

#include "carnot/report/run/result.hpp"

#include "report/run/facts.hpp"

namespace carnot::report {

/// What all lanes share, so that their figures compare: one time axis and one power axis.
struct Stage {
  Instant origin;
  double end_s = 1;       ///< latest end of any lane or the deadline
  double deadline_s = 0;  ///< NaN: none
  double power_w = 0;     ///< highest stack of any lane, after downsampling
  double hall_w = 0;      ///< highest facility power of any lane
  double loss = 0;        ///< highest
  double quality_low = 0, quality_high = 1;
};
Stage stage_of(const RunResult& result, const Facts& facts);

/// Class of a mode's colour: m0 has the most bits.
std::string mode_style(const Facts& facts, const std::string& mode);

/// Power over time (stacked), precision strip, loss and quality on one time axis.
std::string time_figure(const LaneResult& lane, const LaneSeries& series, const Facts& facts,
                        const Stage& stage);

/// Horizontal bars of one quantity, a row per policy, and the bound as a dotted line (NaN: none).
struct Bars {
  std::string title, unit;
  double factor = 1;  ///< unit over base unit
  std::function<double(const LaneResult&)> of;
  double bound = 0;
};
std::string bars_figure(const RunResult& result, const Bars& bars);

/// Quality against the facility energy spent so far.
std::string quality_figure(const RunResult& result, const Facts& facts, const Stage& stage);

/// The learning cycle: remaining bits against effective temperature.
std::string cycle_figure(const LaneResult& lane, const Facts& facts);

/// From joules spent down to k_B T ln 2 per bit learned.
struct Rung {
  std::string name, note;
  double joules = 0;
};
std::vector<Rung> ladder(const LaneResult& lane, const Facts& facts);
std::string ladder_figure(const std::vector<Rung>& rungs);

}  // namespace carnot::report
