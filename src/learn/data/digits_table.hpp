// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace carnot::learn {

/// The bytes of data/digits.txt, compiled in. See data/digits.md.
std::string_view digits_table() noexcept;

}  // namespace carnot::learn
