// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of Octave's language that MATPOWER cases are written in: a function header and
/// assignments of numbers, strings, matrices and cell arrays, whole or of some elements, with plain
/// arithmetic. Functions of one's own, loops and conditions are not executed: what they would
/// assign is marked as unknown, and matters only to whom reads it.

#include <map>
#include <string>
#include <string_view>

#include "grid/network/octave_value.hpp"

namespace carnot::grid {

/// By name without the first part: `bus` for `mpc.bus = ...`, and for `bus = ...` where that is all
/// there is. A later assignment replaces an earlier. What could not be followed has a `fault`.
/// \throws InputError `name:line: field: what is allowed` for brackets, strings and comments that
/// are not closed, and for what is no statement
std::map<std::string, OctaveValue> parse_octave(std::string_view text, const std::string& name);

}  // namespace carnot::grid
