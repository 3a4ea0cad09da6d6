// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/learn/knobs/precision.hpp"

namespace carnot::experiment {

/// Precisions by share of the steps done.
struct PrecisionStage {
  double from = 0.0;  ///< of the schedule, [0, 1)
  learn::Precision precision;
};

/// `int8`, `8`, `4>8@0.75`, `int4>int8@0.5>f32@0.9`.
/// \param of_trees  widths are those of gradients alone: 2 to 8, or 32 (`g3` and `f32` too)
/// \throws InputError saying what is allowed
std::vector<PrecisionStage> parse_schedule(const std::string& text, bool of_trees = false);

/// First step of a stage.
std::uint64_t stage_start(const PrecisionStage& stage, std::uint64_t total_steps) noexcept;

}  // namespace carnot::experiment
