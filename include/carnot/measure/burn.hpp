// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A load of known size: threads that compute a stated share of the time, or a stated amount of
/// work. Measuring it shows what a meter sees: power against load, energy against frequency.
///
/// Each thread repeats periods of 10 ms: it computes until its CPU clock has advanced by
/// share x 10 ms and sleeps out the rest; what a late wake-up cost one period is made up in the
/// next. The work is a chain of 64-bit multiply-adds (one unit = 2^20 of them), dependent on each
/// other, so that it takes the same number of cycles at any clock rate and touches no memory.

#include <cstdint>

#include "carnot/base/quantity.hpp"

namespace carnot::measure {

struct BurnOptions {
  int threads = 0;          ///< 0: one for every CPU this process may use
  double share = 1.0;       ///< of the time, (0, 1]; 0 sleeps
  Time length{};            ///< for so long; 0: until `units` are done
  std::uint64_t units = 0;  ///< work of all threads together; 0: until `length` has passed
};

struct BurnResult {
  Time length;              ///< wall clock
  Time cpu;                 ///< of all threads
  std::uint64_t units = 0;  ///< done
  int threads = 0;
};

/// Blocks until done. \throws InputError unless exactly one of `length` and `units` is positive and
/// 0 <= share <= 1 (with `units`: > 0)
BurnResult burn(const BurnOptions& options);

}  // namespace carnot::measure
