// SPDX-License-Identifier: Apache-2.0
// Grams and euros have no common order, except through a price.
#include "carnot/base/quantity.hpp"

bool dearer(carnot::Carbon carbon, carnot::Money money, carnot::CarbonPrice price) {
#ifdef BAD
  static_cast<void>(price);
  return money < carbon;
#else
  return money < carbon * price;
#endif
}
