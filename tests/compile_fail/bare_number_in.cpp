// SPDX-License-Identifier: Apache-2.0
// A bare number does not become a quantity.
// refused: Quantity
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr Energy kEnergy = 3.0 * joule;

#ifdef BAD
constexpr Energy kNonsense = 3.0;
#endif
