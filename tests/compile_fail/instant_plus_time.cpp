// SPDX-License-Identifier: Apache-2.0
// A floating time must be rounded to whole nanoseconds in the open before it shifts an instant.
#include "carnot/base/instant.hpp"

carnot::Instant later(carnot::Instant start, carnot::Time wait) {
#ifdef BAD
  return start + wait;
#else
  return start + carnot::Duration::from(wait);
#endif
}
