// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot predict` shows: predictions, their quality where labels are known, and what they
/// cost. JSON is docs/formats/predict.md. Functions of values; safe from any thread.

#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/learn/saved/saved_model.hpp"

namespace carnot::report {

struct PredictionReport {
  std::string command, model_file, data_file;
  const learn::SavedModel* model = nullptr;  ///< these three outlive the report
  const learn::EncodedTable* table = nullptr;
  const learn::Predictions* predictions = nullptr;
  learn::Quality quality;   ///< trials 0: no labels
  Estimate<Energy> energy;  ///< of predicting, modelled
  double seconds = 0.0;     ///< of the wall clock, measured
  bool probabilities = false;
};

std::string to_json(const PredictionReport& report);
std::string to_terminal(const PredictionReport& report, int columns);
/// `prediction` and `probability` (classes), or `prediction` alone; a column a class where asked.
std::string to_csv(const PredictionReport& report);

}  // namespace carnot::report
