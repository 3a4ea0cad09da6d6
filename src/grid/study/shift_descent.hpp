// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Loads of a window improved against the grid's own answer. Where units do not pay what CO2 counts
/// in the objective, the dispatch minimises something else than the plan, and one programme cannot
/// hold both: so work moves a little along the margins of cost and CO2, the grid is dispatched
/// again, and the move is kept if the objective fell. A local optimum.

#include <vector>

#include "carnot/grid/study/shift.hpp"

#include "grid/study/redispatch.hpp"

namespace carnot::grid {

struct PlacedWindow {
  SiteTable placed_mw;           ///< besides the rigid part
  std::vector<ShiftHour> hours;  ///< the grid's answer
};

/// Cost + carbon price * CO2 + shedding of its hours. Infinite if one has no optimum.
double objective_of(const PlacedWindow& window, const ShiftOptions& options);

/// \param first  hour of the window \param rigid_mw  one a site
PlacedWindow answered(Redispatch& grid, SiteTable placed_mw, std::size_t first,
                      const std::vector<double>& rigid_mw);

/// \param start  with all hours Optimal, else it comes back as it is
PlacedWindow descend(Redispatch& grid, PlacedWindow start, const WindowWork& work,
                     const ShiftOptions& options, std::size_t first,
                     const std::vector<double>& rigid_mw);

}  // namespace carnot::grid
