// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot predict` shows of a model of text: bits a character of a new text, or the text with
/// its hidden places filled. JSON is docs/formats/predict.md. Functions of values; safe from any
/// thread.

#include <cstdint>
#include <optional>
#include <string>

#include "carnot/base/estimate.hpp"
#include "carnot/learn/saved/saved_model.hpp"
#include "carnot/learn/transformer/transformer.hpp"

namespace carnot::report {

struct TextReport {
  std::string command, model_file, data_file;
  const learn::SavedModel* model = nullptr;  ///< outlives the report
  std::uint64_t bytes = 0;                   ///< of the text
  std::uint64_t unknown_bytes = 0;           ///< that training never met: 8 bits more each
  std::optional<learn::TextScore> score;
  std::optional<std::string> filled;
  std::uint64_t hidden = 0;  ///< places filled
  learn::Counters counters;
  Estimate<Energy> energy;  ///< modelled
  double seconds = 0.0;     ///< of the wall clock, measured
};

std::string to_json(const TextReport& report);
std::string to_terminal(const TextReport& report);

}  // namespace carnot::report
