// SPDX-License-Identifier: Apache-2.0
// Power and energy do not add.
// refused: operator\+
#include "carnot/base/quantity.hpp"

using namespace carnot;

constexpr Energy kSum = 3.0 * watt * (2.0 * second) + 1.0 * joule;

#ifdef BAD
constexpr Energy kNonsense = 3.0 * watt + 1.0 * joule;
#endif
