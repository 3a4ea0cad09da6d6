// SPDX-License-Identifier: Apache-2.0
// Two points in time have a difference, not a sum.
#include "carnot/base/instant.hpp"

carnot::Duration between(carnot::Instant a, carnot::Instant b) {
#ifdef BAD
  return a + b;
#else
  return a - b;
#endif
}
