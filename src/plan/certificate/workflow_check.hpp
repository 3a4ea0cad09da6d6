// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Ties between jobs, followed slot by slot.

#include <string>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// What a plan whose jobs are each allowed by themselves breaks of the workflow, in words.
std::vector<std::string> check_workflow(const Problem& problem, const Plan& plan);

/// The problem with later releases where predecessors have to be done first.
Problem with_later_releases(const Problem& problem);

}  // namespace carnot::plan
