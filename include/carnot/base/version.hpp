// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which carnot this is; written into every report and result so that a figure can be traced to
/// the code that made it. The build fails if this differs from the project version in CMake.

#include <string_view>

namespace carnot::inline base {

/// Semantic version, `major.minor.patch`.
inline constexpr std::string_view kVersion = "0.1.0";

}  // namespace carnot::inline base
