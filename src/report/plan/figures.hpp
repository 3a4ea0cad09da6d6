// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The figures of a plan's page. Each is empty where there is nothing to draw.

#include <string>
#include <string_view>

#include "carnot/report/plan/report.hpp"

namespace carnot::report {

/// Sites as discs, own power used and unused and grid power as slices; jobs moved as arrows.
std::string plan_map(const PlanReport& report);
/// One site over time: power, modes, prices, carbon.
std::string plan_strips(const PlanReport& report, std::size_t site);
/// Jobs as rows: their windows and when they run, coloured by mode. The greatest where there are
/// many.
std::string plan_rows(const PlanReport& report);
/// How many jobs plan_rows shows.
std::size_t plan_rows_shown(const PlanReport& report);
/// What the plan, the rules and the bound cost.
std::string plan_bars(const PlanReport& report);

/// Style of mode `m`, from 0.
std::string mode_class(std::size_t mode);
/// Style sheet of these figures.
std::string_view plan_css();

}  // namespace carnot::report
