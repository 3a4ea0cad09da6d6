// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The frame of a self-contained page: style sheet for light, dark, phone and A4, and small parts.
/// Nothing on a page loads anything (a Content-Security-Policy says so to the browser) and nothing
/// needs scripts.
///
/// Style classes for figures (svg.hpp):
///   lines  axis gridline rule bound frame · s1..s8 (line and marker of series n, colour-blind
///   safe)
///          quiet (background series) strong (the one series that matters) dash (dashed)
///   areas  own battery grid charged exported curtailed · f1..f8 (fill of series n) shade
///          m0..m5 (precision, most to least bits) pause
///   text   label tick value title · end middle · soft bold
/// Every argument named `html` or `body` is markup; every other text is escaped here.

#include <string>
#include <string_view>
#include <vector>

#include "report/draw/svg.hpp"

namespace carnot::report::html {

/// The whole document. Chapters (headings of level 2) get anchors, and from four on a list of them
/// before the first.
std::string page(std::string_view title, std::string_view body, std::string_view extra_css = {});

/// `<figure>` with its caption. `wide`: scrolls sideways on a phone instead of shrinking.
std::string figure(std::string_view html, std::string_view caption, bool wide = false);

/// A link under which the page holds `text` itself, for programs: nothing is fetched.
/// \param file  the name it is saved under
std::string data_link(std::string_view words, std::string_view file, std::string_view text);

std::string heading(int level, std::string_view text);
std::string paragraph(std::string_view text, std::string_view style = {});

/// A table; the first column heads its row, columns marked `numeric` are right-aligned.
struct Column {
  std::string name;
  bool numeric = true;
};
struct Row {
  std::vector<std::string> cells;  ///< text, escaped here
  std::string style;               ///< "best", "bound", "quiet", or empty
};
std::string table(std::string_view caption, const std::vector<Column>& columns,
                  const std::vector<Row>& rows);

/// Closed by default; opens with a key or a click.
std::string details(std::string_view summary, std::string_view html);

/// Big figures with a word under each.
struct Card {
  std::string value, words, note;
};
std::string cards(const std::vector<Card>& cards);

/// Tabs without scripts: radio buttons reached by keyboard. `group` is a unique plain word.
struct Tab {
  std::string name;
  std::string body;    ///< markup
  bool print = false;  ///< shown in print
};
std::string tabs(std::string_view group, std::string_view legend, const std::vector<Tab>& tabs,
                 std::size_t chosen);

}  // namespace carnot::report::html
