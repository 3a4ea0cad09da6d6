// SPDX-License-Identifier: Apache-2.0
// A quantity does not become a bare number.
// refused: Quantity
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr double kJoules = (3.0 * joule).in(joule);

#ifdef BAD
constexpr double kNonsense = 3.0 * joule;
#endif
