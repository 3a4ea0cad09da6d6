// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What documents about computing on a grid share.

#include <string>
#include <vector>

#include "carnot/grid/network/network.hpp"
#include "carnot/grid/study/shift.hpp"

#include "report/draw/json_reading.hpp"

namespace carnot::report {

/// {`bus`, `area`, `latitude_deg`, `longitude_deg`}
Json bus_place_json(const grid::GridBus& bus);
Json sites_json(const grid::Grid& grid, const std::vector<grid::ComputingSite>& sites);
Json shift_assumptions_json(const grid::ShiftOptions& options);
/// Lines about the sites and their work.
std::string computing_words(const grid::Grid& grid, const grid::ShiftOptions& options);

}  // namespace carnot::report
