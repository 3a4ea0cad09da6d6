// SPDX-License-Identifier: Apache-2.0
// A quantity leaves only in a unit of its own kind.
// refused: Quantity
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr double kHours = (3.0 * kilowatt_hour).in(kilowatt_hour);

#ifdef BAD
constexpr double kNonsense = (3.0 * kilowatt_hour).in(kilowatt);
#endif
