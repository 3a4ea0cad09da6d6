// SPDX-License-Identifier: Apache-2.0
// A number leaves a quantity only with its unit named.
#include "carnot/base/quantity.hpp"

double bare(carnot::Energy energy) {
#ifdef BAD
  return energy;
#else
  return energy.in(carnot::kilowatt_hour);
#endif
}
