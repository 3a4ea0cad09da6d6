// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Text in columns of a terminal: one column a character (carnot prints no wide ones of its own;
/// foreign names pass `printable` first). Pure functions.

#include <string>
#include <string_view>
#include <vector>

namespace carnot::report {

/// Foreign text made harmless: control characters (escape sequences among them) and broken UTF-8
/// become '?', line ends a space.
std::string printable(std::string_view text);
/// Characters, not bytes.
std::size_t columns(std::string_view text);
/// At most `width` columns, "…" at the end where something went.
std::string cut(std::string_view text, std::size_t width);
std::string padded_left(std::string_view text, std::size_t width);   ///< to the right edge
std::string padded_right(std::string_view text, std::size_t width);  ///< to the left edge
/// One column as high as `share` of [0, 1] (beyond: clipped), of eight heights: for sparklines.
std::string_view level_mark(double share);
/// Lines of at most `width` columns, broken at spaces (longer words are left whole).
std::vector<std::string> wrapped(std::string_view text, std::size_t width);

}  // namespace carnot::report
