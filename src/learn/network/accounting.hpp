// SPDX-License-Identifier: Apache-2.0
#pragma once

// Closed forms of what training counts. Written from the formulas, apart from the code that counts
// (integer_step.cpp, float_step.cpp), so that a test can hold one against the other.

#include "carnot/learn/knobs/precision.hpp"

#include "learn/network/network.hpp"

namespace carnot::learn {

Counters forward_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows);
Counters loss_counters(const NetworkShape& shape, std::uint64_t rows);
/// Backward; with `update`, the new coefficients and the share of renewing scales too.
Counters backward_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows,
                           const Optimiser& optimiser, bool update);
/// Converting the coefficients, and Adam's moments.
Counters conversion_counters(const NetworkShape& shape, const Precision& from, const Precision& to,
                             const Optimiser& optimiser);
/// Making the copy of `rows` rows of data at the width of `p`.
Counters copy_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows);

}  // namespace carnot::learn
