// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Fitted laws of effort and error, for people and for programs: carnot.scaling/1
/// (docs/formats/scaling.md). Pure functions; thread-safe.

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "carnot/model/scaling/scaling.hpp"

namespace carnot::report {

struct ScalingReport {
  std::string command, source;
  std::string effort, error;  ///< names of the columns; of two terms: empty
  std::optional<model::PowerLaw> power;
  double greatest_effort = 0;   ///< among the points
  std::vector<double> targets;  ///< errors asked for
  std::optional<model::TwoTermLaw> two_terms;
  std::vector<double> flops;  ///< computes asked for
};

std::string scaling_terminal(const ScalingReport& report, std::size_t width, bool colour);
std::string scaling_json(const ScalingReport& report);

}  // namespace carnot::report
