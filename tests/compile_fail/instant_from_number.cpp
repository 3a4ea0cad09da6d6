// SPDX-License-Identifier: Apache-2.0
// A bare number is no point in time.
// refused: Instant
#include "carnot/base/instant.hpp"

using namespace carnot;

constexpr Instant kThen = Instant::from_unix_seconds(5);

#ifdef BAD
constexpr Instant kNonsense = 5;
#endif
