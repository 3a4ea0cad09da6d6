// SPDX-License-Identifier: Apache-2.0
// Grams and euros do not compare.
// refused: operator<
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr bool kCheaper = 3.0 * euro < 4.0 * euro;

#ifdef BAD
constexpr bool kNonsense = 3.0 * gram < 4.0 * euro;
#endif
