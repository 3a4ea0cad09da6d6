// SPDX-License-Identifier: Apache-2.0
// An instant from an integer must say what the integer counts.
#include "carnot/base/instant.hpp"

carnot::Instant start() {
#ifdef BAD
  return carnot::Instant(1577836800);
#else
  return carnot::Instant::from_unix_seconds(1577836800);
#endif
}
