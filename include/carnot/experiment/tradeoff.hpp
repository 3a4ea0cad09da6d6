// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Throughput, energy and quality of one job in the ways there are to do it: its *modes*. Every
/// combination of precision, size and length is trained (experiment.hpp); a mode is a combination
/// that no other beats in all three of time, energy and quality.
///
/// *Budgets*: the best quality that each energy buys, over the same knobs; no run overdraws.
///
/// Time and energy are modelled (precision.hpp): good for ratios between modes, which is what a
/// planner wants of them. Pure but for the training; safe from any thread.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/experiment/experiment.hpp"

namespace carnot::experiment {

struct Mode {
  std::string precision;
  std::size_t hidden = 0;
  learn::TreeOptions tree;
  double epochs = 0.0;
  double quality = 0.0, quality_low = 0.0, quality_high = 0.0;  ///< mean over the seeds; its
                                                                ///< interval is of the first
  Energy energy;                                                ///< mean over the seeds
  Time time;                                                    ///< modelled, likewise
  double rows_per_second = 0.0;  ///< training rows passed over, in that time
  int seeds = 0;
  bool in_front = false;  ///< nothing is better in time, energy and quality at once
  double relative_time = 1.0, relative_power = 1.0;  ///< to the mode of best quality
};

struct TradeoffResult {
  std::string command, learner, metric, data_source, data_path, labels;
  std::size_t rows = 0;
  std::vector<Mode> modes;  ///< by falling quality
  std::size_t best = 0;     ///< of best quality
  bool stopped = false;
};

/// Modes of what was run; seeds of one setting are one mode. \throws InputError without a run
TradeoffResult tradeoff(const ExperimentResult& result);

/// What a budget buys.
struct BudgetPoint {
  Energy budget, spent;
  std::string precision;
  std::size_t hidden = 0, model_trees = 0;
  double quality = 0.0, quality_low = 0.0, quality_high = 0.0;
  double epochs = 0.0;
  std::string stopped;
};

struct BudgetResult {
  std::string command, learner, metric, data_source;
  std::vector<BudgetPoint> points;  ///< by rising budget: the best run of each
};

/// \param budgets  above 0, rising
/// \throws InputError for others, and as run_experiment
BudgetResult best_under(const ExperimentOptions& options, const learn::Split& split,
                        const std::vector<Energy>& budgets);

}  // namespace carnot::experiment
