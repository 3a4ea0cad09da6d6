// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two special doubles, each with its one name. Compare with `kInfinity` by ==; ask for NaN
/// with std::isnan, as it equals nothing.

#include <limits>

namespace carnot::inline base {

inline constexpr double kInfinity = std::numeric_limits<double>::infinity();  ///< no bound
inline constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();      ///< not known

}  // namespace carnot::inline base
