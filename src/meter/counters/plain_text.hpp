// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the kernel writes into small files: words and whole numbers with blanks around them.
/// Nothing here allocates or throws.

#include <charconv>
#include <string_view>

namespace carnot::meter {

/// Without blanks and line ends around it.
inline std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Decimal digits only, after a minus sign where `Integer` has one; blanks around them allowed.
/// \return false if it is anything else or does not fit
template <class Integer>
bool parse_decimal(std::string_view text, Integer& value) noexcept {
  text = trimmed(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size();
}

}  // namespace carnot::meter
