// SPDX-License-Identifier: Apache-2.0
// Text is read as something: the dimension is part of the call.
#include "carnot/base/text.hpp"

auto rated() {
#ifdef BAD
  return carnot::parse_as<double>("5 MW");
#else
  return carnot::parse_as<carnot::Power>("5 MW");
#endif
}
