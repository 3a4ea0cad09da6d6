// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Numbers and times as the cells of foreign tables spell them. Pure functions, but for the memory
/// of a TimeReader.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace carnot::assess {

/// A number, with blanks, a thousands comma ("1,234.5") or a decimal comma ("0,5") where it cannot
/// be anything else. Empty: none.
std::optional<double> number_of(std::string_view text);

/// Seconds of UTC since 1970 out of "2024-09-18 22:00:00", "2024-09-18T22:00:00Z", "2024-09-18",
/// "09/18/2024" (month first, as Azure writes it), or a count of seconds or milliseconds. Times
/// without a zone are taken as UTC. Years 1990 to 2105.
std::optional<std::uint32_t> seconds_of(std::string_view text);

/// The same, remembering the last text: bills repeat their times.
class TimeReader {
 public:
  std::optional<std::uint32_t> read(std::string_view text);

 private:
  std::string last_;
  std::optional<std::uint32_t> value_;
};

std::string lower_case(std::string_view text);
/// Whether `text` holds `part`, ASCII case apart; `part` in lower case.
bool holds(std::string_view text, std::string_view part);

}  // namespace carnot::assess
