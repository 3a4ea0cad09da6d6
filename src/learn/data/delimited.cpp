// SPDX-License-Identifier: Apache-2.0
#include "learn/data/delimited.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

constexpr double kGreatestMagnitude = 1e30;  // squares and sums of these stay finite in double
constexpr std::size_t kGreatestRows = 0xFFFFFFF0u;

std::string_view trimmed(std::string_view text) noexcept {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

char find_separator(std::string_view text) noexcept {
  constexpr std::string_view kSeparators = ",\t;|";
  std::size_t counts[4] = {};
  bool quoted = false;
  for (const char c : text) {
    if (c == '"') quoted = !quoted;
    if (c == '\n' && !quoted) break;
    if (quoted) continue;
    const std::size_t which = kSeparators.find(c);
    if (which != std::string_view::npos) ++counts[which];
  }
  const auto* most = std::max_element(std::begin(counts), std::end(counts));
  return *most == 0 ? '\0' : kSeparators[static_cast<std::size_t>(most - std::begin(counts))];
}

/// Cuts one text into rows of cells.
class Scanner {
 public:
  Scanner(Table& table, std::string_view text) : table_(table), text_(text) {}

  void scan() {
    while (at_ < text_.size()) {
      const std::size_t first_cell = table_.cells.size();
      const std::uint32_t line = line_;
      row();
      const std::size_t width = table_.cells.size() - first_cell;
      if (width == 1 && table_.cells.back().empty()) {  // blank line
        table_.cells.pop_back();
        continue;
      }
      table_.lines.push_back(line);
      widths_.push_back(width);
      if (widths_.size() > kGreatestRows) refuse(line, "rows", "fewer than 2^32 rows");
    }
  }
  const std::vector<std::size_t>& widths() const noexcept { return widths_; }

 private:
  [[noreturn]] void refuse(std::size_t line, std::string_view field, std::string_view allowed) {
    throw InputError(describe({table_.file, line}, field, allowed));
  }

  void row() {
    while (true) {
      cell();
      if (at_ >= text_.size()) return;
      const char c = text_[at_++];
      if (c == '\n') {
        ++line_;
        return;
      }
      if (at_ == text_.size()) {  // a separator ends the text: one empty cell follows
        table_.cells.emplace_back();
        return;
      }
    }
  }

  void cell() {
    std::size_t start = at_;
    while (start < text_.size() && text_[start] == ' ') ++start;
    if (start < text_.size() && text_[start] == '"') {
      at_ = start;
      quoted_cell();
      return;
    }
    while (at_ < text_.size() && text_[at_] != table_.separator && text_[at_] != '\n') {
      if (text_[at_] == '\0') refuse(line_, "text", "no zero bytes in a text table");
      ++at_;
    }
    // The loop may have begun before leading blanks; trimming removes them.
    table_.cells.push_back(trimmed(text_.substr(start, at_ > start ? at_ - start : 0)));
  }

  void quoted_cell() {
    const std::uint32_t opened = line_;
    const std::size_t begin = ++at_;
    bool doubled = false;
    while (true) {
      if (at_ >= text_.size()) refuse(opened, "quote", "a closing \" for the one opened here");
      const char c = text_[at_];
      if (c == '\0') refuse(line_, "text", "no zero bytes in a text table");
      if (c == '\n') ++line_;
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        doubled = true;
        ++at_;
      }
      ++at_;
    }
    std::string_view inside = text_.substr(begin, at_ - begin);
    ++at_;
    while (at_ < text_.size() && text_[at_] != table_.separator && text_[at_] != '\n') {
      if (text_[at_] != ' ' && text_[at_] != '\r' && text_[at_] != '\t')
        refuse(line_, "quote", "a separator or the line's end after a closing \"");
      ++at_;
    }
    if (doubled) {
      auto plain = std::make_unique<std::string>();
      for (std::size_t i = 0; i < inside.size(); ++i) {
        plain->push_back(inside[i]);
        if (inside[i] == '"') ++i;
      }
      inside = *plain;
      table_.unescaped->push_back(std::move(plain));
    }
    table_.cells.push_back(trimmed(inside));
  }

  Table& table_;
  std::string_view text_;
  std::size_t at_ = 0;
  std::uint32_t line_ = 1;
  std::vector<std::size_t> widths_;
};

bool is_number(std::string_view cell) noexcept {
  double ignored = 0.0;
  const CellKind kind = read_cell(cell, ignored);
  return kind == CellKind::Number || kind == CellKind::NotFinite;
}

bool is_header(const std::vector<std::string_view>& first, std::string_view label) {
  if (!label.empty() && !is_number(label) &&
      std::find(first.begin(), first.end(), label) != first.end())
    return true;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].empty() && i > 0) return false;
    if (is_number(first[i]) || !seen.insert(first[i]).second) return false;
  }
  return true;
}

/// `150,4,setosa,versicolor,virginica` above 150 rows of 4 features and a label.
bool is_counting_line(const std::vector<std::string_view>& first, std::size_t rows,
                      std::size_t columns) {
  if (first.size() < 4) return false;
  for (std::size_t i = 2; i < first.size(); ++i)
    if (first[i].empty() || is_number(first[i])) return false;
  return first[0] == std::to_string(rows) && first[1] == std::to_string(columns - 1);
}

}  // namespace

CellKind read_cell(std::string_view cell, double& value) noexcept {
  if (cell.empty() || cell == "?" || cell == "NA") return CellKind::Missing;
  if (cell.front() == '+' && cell.size() > 1 && cell[1] != '-') cell.remove_prefix(1);
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (end != cell.data() + cell.size()) return CellKind::Text;
  if (error == std::errc::result_out_of_range) return CellKind::NotFinite;
  if (error != std::errc()) return CellKind::Text;
  return std::isfinite(value) && std::abs(value) <= kGreatestMagnitude ? CellKind::Number
                                                                       : CellKind::NotFinite;
}

Table parse_delimited(std::string text, const std::string& file, std::string_view label) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Table table;
  table.file = file;
  table.unescaped = std::make_shared<std::vector<std::unique_ptr<std::string>>>();
  table.text = std::make_shared<const std::string>(std::move(text));
  const std::string_view all = *table.text;
  const auto refuse = [&](std::size_t line, std::string_view field, const std::string& allowed) {
    throw InputError(describe({file, line}, field, allowed));
  };
  const std::size_t content = all.find_first_not_of(" \t\r\n");
  if (content == std::string_view::npos)
    refuse(0, "text", "at least one data row; the file is empty");
  table.separator = find_separator(all.substr(all.find_last_of('\n', content) + 1));
  if (table.separator == '\0')
    refuse(1, "separator", "at least two columns set apart by comma, tab, semicolon or bar");

  Scanner scanner(table, all);
  scanner.scan();
  const std::vector<std::size_t>& widths = scanner.widths();
  CARNOT_CHECK(!widths.empty(), "text with content has a row");
  const std::vector<std::string_view> first(
      table.cells.begin(), table.cells.begin() + static_cast<std::ptrdiff_t>(widths[0]));

  bool drop_first = false;
  table.columns = widths[0];
  if (widths.size() > 1 && is_counting_line(first, widths.size() - 1, widths[1])) {
    table.columns = widths[1];
    table.class_names.assign(first.begin() + 2, first.end());
    drop_first = true;
  } else if (is_header(first, label)) {
    table.has_header = drop_first = true;
  }
  for (std::size_t i = drop_first ? 1 : 0; i < widths.size(); ++i)
    if (widths[i] != table.columns)
      refuse(table.lines[i], "row",
             fmt::format("{} cells as in the first row, found {}", table.columns, widths[i]));
  for (std::size_t c = 0; c < table.columns; ++c)
    table.names.push_back(table.has_header && !first[c].empty() ? std::string(first[c])
                                                                : fmt::format("column {}", c + 1));
  if (drop_first) {
    table.cells.erase(table.cells.begin(),
                      table.cells.begin() + static_cast<std::ptrdiff_t>(widths[0]));
    table.lines.erase(table.lines.begin());
  }
  table.rows = table.lines.size();
  if (table.rows == 0) refuse(0, "rows", "at least one data row below the header");
  if (table.columns < 2) refuse(table.lines[0], "row", "at least two columns");
  return table;
}

}  // namespace carnot::learn
