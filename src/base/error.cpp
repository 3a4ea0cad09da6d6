// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/error.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <system_error>

#include <fmt/format.h>

namespace carnot::inline base {

IoError::IoError(std::string_view path, std::string_view operation, int error_number)
    : Error(fmt::format("{}: {}: {}", path, operation,
                        std::generic_category().message(error_number))) {}

std::string describe(const Place& place, std::string_view field, std::string_view allowed) {
  std::string text;
  if (!place.file.empty()) text += place.file + ":";
  if (place.line != 0) text += fmt::format("{}:", place.line);
  if (!text.empty()) text += ' ';
  if (!field.empty()) text += fmt::format("{}: ", field);
  text += allowed;
  return text;
}

void Problems::add(const Place& place, std::string_view field, std::string_view allowed) {
  lines_.push_back(describe(place, field, allowed));
}

void Problems::throw_if_any() const {
  if (lines_.empty()) return;
  std::string text;
  for (const std::string& line : lines_) {
    if (!text.empty()) text += '\n';
    text += line;
  }
  throw InputError(text);
}

std::string nearest(std::string_view word, const std::vector<std::string>& candidates) {
  // Optimal string alignment distance, three rolling rows.
  const auto distance = [](std::string_view a, std::string_view b) {
    std::vector<std::size_t> before(b.size() + 1), previous(b.size() + 1), current(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) previous[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
      current[0] = i;
      for (std::size_t j = 1; j <= b.size(); ++j) {
        const std::size_t cost = a[i - 1] == b[j - 1] ? 0 : 1;
        current[j] = std::min({previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost});
        if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
          current[j] = std::min(current[j], before[j - 2] + 1);
      }
      std::swap(before, previous);
      std::swap(previous, current);
    }
    return previous[b.size()];
  };
  std::string best;
  std::size_t best_distance = std::numeric_limits<std::size_t>::max();
  for (const std::string& candidate : candidates) {
    const std::size_t d = distance(word, candidate);
    if (d < best_distance) {
      best_distance = d;
      best = candidate;
    }
  }
  return best_distance <= std::max<std::size_t>(1, word.size() / 3) ? best : std::string();
}

namespace detail {
void check_failed(const char* condition, const char* file, int line, std::string_view message) {
  throw InternalError(
      fmt::format("{}:{}: assumption failed: {}: {}", file, line, condition, message));
}
}  // namespace detail

}  // namespace carnot::inline base
