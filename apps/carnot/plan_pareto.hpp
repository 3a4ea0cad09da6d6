// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// `carnot plan PROBLEM --pareto N`: what less carbon and better quality cost.

#include <string>

#include "carnot/plan/study/pareto.hpp"

#include "command.hpp"

namespace carnot::app {

/// \param options  the progress of its planner is set here
/// \param out      folder for a problem and a plan of each point, or empty
/// \return exit code
int pareto(const std::string& problem_path, plan::ParetoOptions options, const std::string& out,
           const Common& common);

}  // namespace carnot::app
