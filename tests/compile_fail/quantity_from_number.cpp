// SPDX-License-Identifier: Apache-2.0
// A number enters a quantity only with its unit named.
#include "carnot/base/quantity.hpp"

carnot::Power rated() {
#ifdef BAD
  return carnot::Power(5.0);
#else
  return 5.0 * carnot::megawatt;
#endif
}
