// SPDX-License-Identifier: Apache-2.0
// Two points in time do not add; a point and a duration do.
// refused: operator\+
#include "carnot/base/instant.hpp"

using namespace carnot;

constexpr Instant kLater = Instant::from_unix_seconds(5) + Duration::seconds(5);

#ifdef BAD
constexpr Instant kNonsense = Instant::from_unix_seconds(5) + Instant::from_unix_seconds(5);
#endif
