// SPDX-License-Identifier: Apache-2.0
// Bits and operations are counted apart.
// refused: Quantity
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr double kSame = 3.0 * operation / (1.0 * operation);

#ifdef BAD
constexpr double kNonsense = 3.0 * bit / (1.0 * operation);
#endif
