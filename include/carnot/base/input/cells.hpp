// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The pieces that all readers of text are made of: blanks off the ends, a line cut at its
/// separators with quotes (RFC 4180) or without, a number that is the whole of a cell. Pure
/// functions, safe in any thread; views point into what was given.

#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace carnot::inline base {

/// Without blanks, tabs and line ends around it.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  constexpr std::string_view kBlank = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kBlank);
  if (first == std::string_view::npos) return text.substr(0, 0);
  return text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

/// Behind the mark that some programs begin UTF-8 with.
constexpr std::string_view without_byte_order_mark(std::string_view text) noexcept {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text.starts_with(kMark)) text.remove_prefix(kMark.size());
  return text;
}

/// Digits as `Number` is written in C, all of `text`, nothing around them; decimal point, whatever
/// the locale. False, and `out` unspecified, if it is anything else or does not fit.
template <class Number>
bool read_whole(std::string_view text, Number& out) noexcept {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size();
}

/// A finite number that is all of `text`.
inline std::optional<double> finite_number(std::string_view text) noexcept {
  double value = 0.0;
  if (!read_whole(text, value) || !std::isfinite(value)) return std::nullopt;
  return value;
}

/// The text before the next separator, which is cut off `rest` with it; all that is left where none
/// comes.
constexpr std::string_view cut_cell(std::string_view& rest, char separator) noexcept {
  const std::size_t end = rest.find(separator);
  const std::string_view cell = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return cell;
}

/// Where the cell that begins at `from` ends: at the next separator outside of quotes, or the end.
std::size_t cell_end(std::string_view line, std::size_t from, char separator) noexcept;

/// Cut at each separator, quotes being characters like others. An empty line is one empty cell.
std::vector<std::string_view> plain_cells(std::string_view line, char separator = ',');

/// Cut at each separator outside of quotes; quotes gone, doubled ones single.
std::vector<std::string> quoted_cells(std::string_view line, char separator = ',');

/// Comma, semicolon, tab or bar: whichever cuts the line most often outside of quotes, the first of
/// equals; a comma where none does.
char separator_of(std::string_view line) noexcept;

/// In double quotes, inner ones doubled, where the cell holds a separator, a quote or a line end.
std::string quoted_where_needed(std::string_view cell, char separator = ',');

}  // namespace carnot::inline base
