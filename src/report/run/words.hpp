// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Figures and results in plain words, shared by the terminal and the page, so that both say the
/// same. Pure functions.

#include <string>
#include <vector>

#include "carnot/report/run/result.hpp"

#include "report/run/facts.hpp"

namespace carnot::report {

/// A customary unit: value in base units times `factor` is the number to print.
struct Unit {
  std::string name;
  double factor = 1;
};
Unit energy_unit(double largest_j);  ///< J, Wh, kWh, MWh, GWh
Unit power_unit(double largest_w);   ///< W, kW, MW, GW
Unit carbon_unit(double largest_g);  ///< g, kg, t
Unit time_unit(double largest_s);    ///< s, min, h, d

// "12.3 MWh"; "n/a" when not finite.
std::string energy_text(double joules, int digits = 3);
std::string carbon_text(double grams, int digits = 3);
std::string money_text(double euros);  ///< "123 EUR", cents below 100
std::string time_text(double seconds, int digits = 3);

/// "97.5 %" for accuracy, "0.812" for the rest, as `quality_text`; the axis' words likewise.
std::string quality_text(const std::string& metric, double value);
/// Half the quality interval's width; NaN where it is not known or says nothing (all of [0, 1]).
double quality_half_width(const LaneResult& lane);
/// "97.5 ± 0.6 %"; without an interval the value alone.
std::string interval_text(const LaneResult& lane);
std::string metric_words(const std::string& metric);  ///< "accuracy, %", "R²"
double metric_factor(const std::string& metric);      ///< 100 for accuracy, else 1

/// Share of the facility's energy that was own power, direct or through the battery; NaN if none.
double own_share(const LaneResult& lane);
/// Cost above the bound, relative; NaN where there is no bound or it is not positive.
double regret(const LaneResult& lane, const Bound& bound);
/// "+8.1", in percent; "12x" from a thousand percent; "bound" for the bound itself; "-"
/// where it says nothing: the target missed or no bound.
std::string regret_text(const LaneResult& lane, const Bound& bound);
/// Cheapest lane beside the best and the bound that reached the target; nullptr: none.
const LaneResult* best_rival(const RunResult& result);
/// "+8.1 %" and so on, of a over b; "n/a" without a positive base.
std::string change_text(double a, double b);

/// The run's answer, one sentence each, best first: what was reached, against the best rival,
/// against the best fixed precision, the bound, and what was cut short.
std::vector<std::string> answer(const RunResult& result, const Facts& facts);

/// Where the figures come from and what they enclose: "Energy: modelled, facility boundary, ..."
std::string provenance(const RunResult& result);

}  // namespace carnot::report
