// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Tables filled row by row, and the frame of a figure: what the views of `carnot learn` share.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "report/draw/html.hpp"
#include "report/draw/svg.hpp"
#include "report/draw/text_columns.hpp"
#include "report/draw/text_table.hpp"

namespace carnot::report {

inline constexpr double kViewWidth = 720, kViewHeight = 360, kViewLeft = 76, kViewRight = 700,
                        kViewTop = 34, kViewBottom = 310;

/// A table for terminal and page alike.
class ViewTable {
 public:
  struct Head {
    std::string name, unit;
    int worth;
    bool left = false;
  };
  explicit ViewTable(std::vector<Head> heads) : heads_(std::move(heads)) {}
  /// \param marked  stands out
  void row(std::vector<std::string> cells, bool marked = false) {
    rows_.push_back(std::move(cells));
    marked_.push_back(marked);
  }
  std::string terminal(std::size_t room, bool colour) const;
  std::string html(std::string_view caption) const;

 private:
  std::vector<Head> heads_;
  std::vector<std::vector<std::string>> rows_;
  std::vector<bool> marked_;
};

/// Lines no wider than the terminal.
std::string lines_of(const std::string& text, int width);
/// How it was made: where the joules come from, which program and command.
std::string made_how(const std::string& data_source, const std::string& command);
/// 97.5 % or 0.812.
std::string quality_text(double quality, const std::string& metric);
/// A scale for values above 0: logarithmic, a little wider than they are.
svg::Scale wide_scale(const std::vector<double>& values, double from, double to);

}  // namespace carnot::report
