// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Changes of a planning problem that the page offers. Pure.

#include <map>
#include <string>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

namespace carnot::app {

struct Slider;

/// "carbon_price_eur_per_t", and factors of "wind", "grid_price", "grid_limit", "capacity",
/// "overhead" (what PUE is above 1), "battery"; "deadline_slots" are added to every deadline.
std::vector<Slider> plan_sliders();
/// \param change  by key; what is left out stays
void change_problem(plan::Problem& problem, const std::map<std::string, double>& change);

}  // namespace carnot::app
