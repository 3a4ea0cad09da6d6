// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A measurement while it goes on, drawn for a terminal: one line a domain and a process, with
/// watts now, on average, energy so far and a sparkline. A pure function of state
/// (carnot/measure/attribution/live.hpp) and size, at most `height` lines of at most `width`
/// columns, no escape sequences but colour, no cursor movement (that is the caller's).

#include <string>

#include "carnot/measure/attribution/live.hpp"

namespace carnot::report {

/// \param width, height  of the terminal; at least 40 x 4 are used
std::string live_view(const measure::LiveState& state, int width, int height, bool colour);

}  // namespace carnot::report
