// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Levelised cost and carbon of information work; the formula stands in report/plan/report.hpp.

#include <optional>

#include "carnot/report/plan/report.hpp"

namespace carnot::report {

/// \throws InputError naming the assumption that is out of range or order
void check(const WorkAssumptions& assumptions);

/// \param horizon  of the plan
/// \return nothing where no work is done
std::optional<LevelisedWork> levelised(const PlanSiteReport& site,
                                       const WorkAssumptions& assumptions, Time horizon);

}  // namespace carnot::report
