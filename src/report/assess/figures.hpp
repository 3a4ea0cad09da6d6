// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Pictures of an assessment. Pure functions.

#include <string>

#include "carnot/report/assess/report.hpp"

namespace carnot::report {

/// Bars of the activities with most grams, each with its interval.
std::string assess_activity_figure(const assess::Assessment& assessment);
/// The Pareto front of cost and saving; the chosen portfolio marked.
std::string assess_front_figure(const assess::ActionPlan& plan);

}  // namespace carnot::report
