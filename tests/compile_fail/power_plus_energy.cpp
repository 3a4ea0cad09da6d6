// SPDX-License-Identifier: Apache-2.0
// Watts and joules do not add.
#include "carnot/base/quantity.hpp"

carnot::Energy total(carnot::Energy energy, carnot::Power power) {
#ifdef BAD
  return energy + power;
#else
  return energy + power * carnot::hour;
#endif
}
