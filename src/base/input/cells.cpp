// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/cells.hpp"

#include <algorithm>
#include <array>

namespace carnot::inline base {

std::size_t cell_end(std::string_view line, std::size_t from, char separator) noexcept {
  bool quoted = false;
  for (std::size_t i = from; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (line[i] == separator && !quoted) return i;
  }
  return line.size();
}

std::vector<std::string_view> plain_cells(std::string_view line, char separator) {
  std::vector<std::string_view> cells;
  for (std::size_t at = 0;;) {
    const std::size_t end = line.find(separator, at);
    cells.push_back(line.substr(at, end == std::string_view::npos ? end : end - at));
    if (end == std::string_view::npos) return cells;
    at = end + 1;
  }
}

std::vector<std::string> quoted_cells(std::string_view line, char separator) {
  std::vector<std::string> cells(1);
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (c == '"') {
      if (quoted && i + 1 < line.size() && line[i + 1] == '"')
        cells.back() += line[++i];
      else
        quoted = !quoted;
    } else if (c == separator && !quoted) {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

char separator_of(std::string_view line) noexcept {
  constexpr std::array<char, 4> kKnown = {',', ';', '\t', '|'};
  std::array<std::size_t, 4> counts{};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    for (std::size_t i = 0; i < kKnown.size(); ++i) counts[i] += c == kKnown[i];
  }
  return kKnown[static_cast<std::size_t>(std::max_element(counts.begin(), counts.end()) -
                                         counts.begin())];
}

std::string quoted_where_needed(std::string_view cell, char separator) {
  if (cell.find_first_of("\"\n\r") == std::string_view::npos &&
      cell.find(separator) == std::string_view::npos)
    return std::string(cell);
  std::string out = "\"";
  for (const char c : cell) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

}  // namespace carnot::inline base
