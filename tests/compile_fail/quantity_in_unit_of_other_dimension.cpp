// SPDX-License-Identifier: Apache-2.0
// An energy cannot be asked for in kilowatts.
#include "carnot/base/quantity.hpp"

double used(carnot::Energy energy) {
#ifdef BAD
  return energy.in(carnot::kilowatt);
#else
  return energy.in(carnot::kilowatt_hour);
#endif
}
