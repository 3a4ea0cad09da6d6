// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The search of plan/search/planner.hpp over any convex supplies, without the certificate.

#include <vector>

#include "carnot/plan/search/planner.hpp"

#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// \param supply  of each cell; the problem's sites are looked at for their number alone
/// \return objective and bound as the search has summed them
Plan search(const Problem& problem, const std::vector<Supply>& supply,
            const PlannerOptions& options);

}  // namespace carnot::plan
