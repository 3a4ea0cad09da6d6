// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a program that calls this counts its allocations.

#include <cstdint>

namespace carnot::meter::testing {

/// Calls of operator new by this thread since it began.
std::uint64_t allocations() noexcept;

}  // namespace carnot::meter::testing
