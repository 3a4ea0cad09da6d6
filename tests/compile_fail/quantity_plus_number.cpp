// SPDX-License-Identifier: Apache-2.0
// A bare number has no dimension to add.
#include "carnot/base/quantity.hpp"

carnot::Money with_fee(carnot::Money cost) {
#ifdef BAD
  return cost + 5.0;
#else
  return cost + 5.0 * carnot::euro;
#endif
}
