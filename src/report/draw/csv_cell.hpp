// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text as one cell of a CSV file (RFC 4180). Pure function.

#include <string>
#include <string_view>

namespace carnot::report {

/// Quoted where it must be; line ends become spaces, so that a row stays a line.
inline std::string csv_cell(std::string_view text) {
  std::string out;
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') out += '"';
    quoted = quoted || c == '"' || c == ',';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return quoted ? "\"" + out + "\"" : out;
}

}  // namespace carnot::report
