// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the multipliers of an extended plan prove (certificate_sites.hpp).

#include <string>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// What is wrong with the shape or the sign of a plan's multipliers; empty: nothing.
std::string unusable_multipliers(const Problem& problem, const Plan& plan);

/// No plan that keeps the problem's goals, and the plan's held ones, costs less. Lowered by more
/// than rounding can have raised it. \throws Stopped
double proven_bound(const Problem& problem, const Plan& plan, const StopToken& stop);

}  // namespace carnot::plan
