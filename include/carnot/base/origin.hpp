// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Origins and boundaries read back from their names. Pure functions.

#include <string>
#include <string_view>

#include "carnot/base/estimate.hpp"

namespace carnot::inline base {

/// \throws InputError `what: origin: ...`
Origin origin_named(std::string_view text, const std::string& what);
/// \throws InputError `what: boundary: ...`
Boundary boundary_named(std::string_view text, const std::string& what);

}  // namespace carnot::inline base
