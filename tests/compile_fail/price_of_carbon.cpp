// SPDX-License-Identifier: Apache-2.0
// A carbon price times energy is not money.
// refused: Quantity
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr Money kCost = 80.0 * euro_per_tonne * (2.0 * tonne);

#ifdef BAD
constexpr Money kNonsense = 80.0 * euro_per_tonne * (2.0 * megawatt_hour);
#endif
