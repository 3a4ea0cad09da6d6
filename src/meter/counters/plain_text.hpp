// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the kernel writes into small files: words and whole numbers with blanks around them.
/// Nothing here allocates or throws.

#include <string_view>

#include "carnot/base/input/cells.hpp"

namespace carnot::meter {

/// Decimal digits only, after a minus sign where `Integer` has one; blanks around them allowed.
/// \return false if it is anything else or does not fit
template <class Integer>
bool parse_decimal(std::string_view text, Integer& value) noexcept {
  return carnot::read_whole(trimmed(text), value);
}

}  // namespace carnot::meter
