// SPDX-License-Identifier: Apache-2.0
#include "learn/data/delimited.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "learn/data/dates.hpp"
#include "learn/data/numbers.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kGreatestRows = 0xFFFFFFF0u;
constexpr std::size_t kSniffedLines = 100;
constexpr std::size_t kRowsBelow = 20000;  // looked at to tell a header from data

/// A line as it stands, its quotes included, without its end.
std::string_view take_line(std::string_view& text) noexcept {
  bool quoted = false;
  std::size_t end = 0;
  while (end < text.size() && (quoted || (text[end] != '\n' && text[end] != '\r'))) {
    if (text[end] == '"') quoted = !quoted;
    ++end;
  }
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

/// Calls `cell` with each cell of a line; good enough to compare separators by.
template <class F>
void each_cell(std::string_view line, char separator, F cell) {
  bool quoted = false;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '"') quoted = !quoted;
    if (quoted || line[i] != separator) continue;
    cell(line.substr(begin, i - begin));
    begin = i + 1;
  }
  cell(line.substr(begin));
}

std::size_t count_cells(std::string_view line, char separator) {
  std::size_t count = 0;
  if (separator != ' ') {
    each_cell(line, separator, [&](std::string_view) { ++count; });
    return count;
  }
  bool quoted = false;
  bool inside = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const bool blank = !quoted && (c == ' ' || c == '\t');
    count += !blank && !inside ? 1u : 0u;
    inside = !blank;
  }
  return count;
}

/// The width that most of the lines have, and how many have it.
struct Evenness {
  std::size_t width = 0;
  std::size_t lines = 0;
};

Evenness evenness(const std::vector<std::string_view>& lines, char separator) {
  std::vector<std::size_t> widths;
  for (const std::string_view line : lines) widths.push_back(count_cells(line, separator));
  std::sort(widths.begin(), widths.end());
  Evenness best;
  for (std::size_t i = 0; i < widths.size();) {
    const std::size_t width = widths[i];
    const std::size_t begin = i;
    while (i < widths.size() && widths[i] == width) ++i;
    if (width > 1 && i - begin >= best.lines) best = {width, i - begin};
  }
  return best;
}

/// Whether every comma of these lines stands inside a number that semicolons set apart.
bool commas_are_decimal(const std::vector<std::string_view>& lines) {
  NumberStyle decimal;
  decimal.decimal = ',';
  NumberStyle groups;
  groups.group = ',';
  bool all = true;
  for (const std::string_view line : lines)
    each_cell(line, ';', [&](std::string_view cell) {
      double ignored = 0.0;
      cell = trimmed(cell);
      if (cell.starts_with('"') || cell.find(',') == std::string_view::npos) return;
      all = all && (read_styled(cell, decimal, ignored) == CellKind::Number ||
                    read_styled(cell, groups, ignored) == CellKind::Number);
    });
  return all;
}

/// '\0' if nothing cuts the lines into two cells.
char find_separator(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty() && lines.size() < kSniffedLines) {
    const std::string_view line = take_line(text);
    if (!trimmed(line).empty()) lines.push_back(line);
  }
  char best = '\0';
  Evenness most;
  for (const char separator : {',', '\t', ';', '|'}) {
    const Evenness even = evenness(lines, separator);
    if (even.width == 0) continue;
    const bool decimal = separator == ';' && best == ',' && 2 * even.lines > lines.size() &&
                         commas_are_decimal(lines);
    if (best == '\0' || decimal || even.lines > most.lines ||
        (even.lines == most.lines && even.width > most.width)) {
      best = separator;
      most = even;
    }
  }
  const Evenness blanks = evenness(lines, ' ');
  if (blanks.width > 0 && 2 * blanks.lines > lines.size() && blanks.lines > most.lines) {
    // A ragged file is told by its rows, not by its separator.
    const bool ragged = best != '\0' && count_cells(lines.front(), best) > 2;
    if (!ragged) return ' ';
  }
  return best;
}

/// Cuts one text into rows of cells.
class Scanner {
 public:
  Scanner(Table& table, std::string_view text, std::uint32_t line)
      : table_(table), text_(text), runs_(table.separator == ' '), line_(line) {}

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
      if (table_.cells.size() > kGreatestCells)
        refuse(line, "cells", fmt::format("at most {} cells in a table", kGreatestCells));
    }
  }
  const std::vector<std::size_t>& widths() const noexcept { return widths_; }

 private:
  [[noreturn]] void refuse(std::size_t line, std::string_view field, std::string_view allowed) {
    throw InputError(describe({table_.file, line}, field, allowed));
  }

  bool at_line_end() const noexcept { return text_[at_] == '\n' || text_[at_] == '\r'; }
  /// One cell's end: the separator or the line's.
  bool at_end() const noexcept {
    const char c = text_[at_];
    return c == table_.separator || c == '\n' || c == '\r' || (c == '\t' && runs_);
  }
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] == '\t' && runs_))) ++at_;
  }

  void row() {
    if (runs_) skip_blanks();
    while (true) {
      cell();
      if (runs_) skip_blanks();
      if (at_ >= text_.size()) return;
      if (at_line_end()) {
        const bool two = text_[at_] == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] == '\n';
        at_ += two ? 2 : 1;
        ++line_;
        return;
      }
      if (runs_) continue;
      ++at_;
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
    while (at_ < text_.size() && !at_end()) {
      if (text_[at_] == '\0') refuse(line_, "text", "no zero bytes in a text table");
      ++at_;
    }
    // The loop may have begun before leading blanks; trimming removes them.
    std::string_view cell = trimmed(text_.substr(start, at_ > start ? at_ - start : 0));
    if (cell.size() > 2 && cell.front() == '\'' && cell.back() == '\'')
      cell = cell.substr(1, cell.size() - 2);
    table_.cells.push_back(cell);
  }

  void quoted_cell() {
    const std::uint32_t opened = line_;
    const std::size_t begin = ++at_;
    bool doubled = false;
    while (true) {
      if (at_ >= text_.size()) refuse(opened, "quote", "a closing \" for the one opened here");
      const char c = text_[at_];
      if (c == '\0') refuse(line_, "text", "no zero bytes in a text table");
      if (c == '\n' || (c == '\r' && at_ + 1 < text_.size() && text_[at_ + 1] != '\n')) ++line_;
      if (c == '"') {
        if (at_ + 1 >= text_.size() || text_[at_ + 1] != '"') break;
        doubled = true;
        ++at_;
      }
      ++at_;
    }
    std::string_view inside = text_.substr(begin, at_ - begin);
    ++at_;
    while (at_ < text_.size() && !at_end()) {
      if (text_[at_] != ' ' && text_[at_] != '\t')
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
  bool runs_;  ///< blanks in a row are one separator
  std::size_t at_ = 0;
  std::uint32_t line_;
  std::vector<std::size_t> widths_;
};

bool is_number(std::string_view cell) noexcept {
  double ignored = 0.0;
  const CellKind kind = read_cell(cell, ignored);
  return kind == CellKind::Number || kind == CellKind::NotFinite;
}

/// A number or a date in any way of writing: nothing that names a column.
bool is_value(std::string_view cell) {
  if (is_number(cell)) return true;
  if (cell.empty() || cell.find_first_of("0123456789") == std::string_view::npos) return false;
  NumberStyle style;
  double ignored = 0.0;
  for (const auto& [decimal, group] : {std::pair(',', '.'), std::pair('.', ',')}) {
    style.decimal = decimal;
    style.group = group;
    if (read_styled(cell, style, ignored) == CellKind::Number) return true;
  }
  for (const DateOrder order : {DateOrder::YearFirst, DateOrder::DayFirst, DateOrder::MonthFirst})
    if (read_date(cell, order)) return true;
  return false;
}

using Row = std::vector<std::string_view>;

/// `0,1,2,label` or `,0,1,2`: the numbers of the columns.
bool counts_columns(const Row& first) {
  std::size_t numbers = 0;
  std::size_t offset = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!is_number(first[i])) continue;
    if (numbers == 0) {
      if (i > 1 || (first[i] != "0" && first[i] != "1")) return false;
      offset = i - (first[i] == "1" ? 1 : 0);
    }
    if (first[i] != std::to_string(i - offset)) return false;
    ++numbers;
  }
  return numbers >= 3 && (numbers < first.size() || numbers >= 5);
}

/// What the rows below say of the first one.
struct Below {
  bool numbers = false;   ///< a text of it stands above a column of numbers alone
  std::size_t again = 0;  ///< cells of it that occur again in their column
};

Below look_below(const Table& table, const Row& first) {
  Below below;
  const std::size_t most = std::min(table.cells.size(), kRowsBelow * first.size());
  for (std::size_t c = 0; c < first.size(); ++c) {
    std::size_t numbers = 0;
    std::size_t texts = 0;
    bool again = false;
    for (std::size_t i = first.size() + c; i < most; i += first.size()) {
      const std::string_view cell = table.cells[i];
      again = again || cell == first[c];
      if (is_missing_word(cell)) continue;
      ++(is_value(cell) ? numbers : texts);
      if (again && texts > 0) break;
    }
    below.again += again ? 1u : 0u;
    below.numbers = below.numbers || (numbers > 0 && texts == 0 && !is_missing_word(first[c]));
  }
  return below;
}

bool is_header(const Table& table, const Row& first, std::string_view label, bool even) {
  if (!label.empty() && !is_number(label) &&
      std::find(first.begin(), first.end(), label) != first.end())
    return true;
  if (counts_columns(first)) return true;
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (first[i].empty() && i > 0) return false;
    if (is_value(first[i]) || !seen.insert(first[i]).second) return false;
  }
  if (!even) return true;
  const Below below = look_below(table, first);
  return below.numbers || 2 * below.again < first.size();
}

/// `150,4,setosa,versicolor,virginica` above 150 rows of 4 features and a label.
bool is_counting_line(const Row& first, std::size_t rows, std::size_t columns) {
  if (first.size() < 4) return false;
  for (std::size_t i = 2; i < first.size(); ++i)
    if (first[i].empty() || is_number(first[i])) return false;
  return first[0] == std::to_string(rows) && first[1] == std::to_string(columns - 1);
}

bool all_alike(const std::vector<std::size_t>& widths, std::size_t first) {
  return std::all_of(widths.begin() + static_cast<std::ptrdiff_t>(first), widths.end(),
                     [&](std::size_t width) { return width == widths[first]; });
}

/// A separator at the end of every row leaves a column of nothing: it goes.
void drop_empty_last_column(Table& table, std::vector<std::size_t>& widths, std::size_t from) {
  if (widths.size() <= from || widths[from] < 3 || !all_alike(widths, from)) return;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < from; ++i) begin += widths[i];
  const std::size_t width = widths[from];
  for (std::size_t end = begin + width; end <= table.cells.size(); end += width)
    if (!table.cells[end - 1].empty()) return;
  std::size_t out = begin;
  for (std::size_t i = begin; i < table.cells.size(); ++i)
    if ((i - begin) % width != width - 1) table.cells[out++] = table.cells[i];
  table.cells.resize(out);
  for (std::size_t i = from; i < widths.size(); ++i) --widths[i];
}

/// Lines at the top that begin with `#` or `%`; `text` goes on behind them.
struct Comments {
  std::vector<std::string_view> lines;
  std::uint32_t next_line = 1;
};

Comments take_comments(std::string_view& text) {
  Comments comments;
  while (!text.empty()) {
    std::string_view rest = text;
    const std::size_t end = std::min(rest.find_first_of("\r\n"), rest.size());
    const std::string_view line = trimmed(rest.substr(0, end));
    if (!line.empty() && line.front() != '#' && line.front() != '%') break;
    if (!line.empty()) comments.lines.push_back(line);
    const bool two = end + 1 < rest.size() && rest[end] == '\r' && rest[end + 1] == '\n';
    text.remove_prefix(std::min(end + (two ? 2 : 1), text.size()));
    ++comments.next_line;
  }
  return comments;
}

/// The last comment as names, if it has as many as the rows have cells.
std::vector<std::string> names_of(const Comments& comments, char separator, std::size_t columns) {
  if (comments.lines.empty()) return {};
  std::string_view line = comments.lines.back();
  line.remove_prefix(1);
  std::vector<std::string> names;
  Table one;
  one.separator = separator;
  one.unescaped = std::make_shared<std::vector<std::unique_ptr<std::string>>>();
  try {
    Scanner(one, trimmed(line), 1).scan();
  } catch (const InputError&) {
    return {};
  }
  if (one.cells.size() != columns) return {};
  for (const std::string_view name : one.cells) {
    if (is_number(name)) return {};
    names.emplace_back(name);
  }
  return names;
}

}  // namespace

std::string some_names(const std::vector<std::string>& names) {
  constexpr std::size_t kMost = 20;
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kMost); ++i)
    text += (i > 0 ? ", " : "") + names[i];
  if (names.size() > kMost) text += fmt::format(" and {} more", names.size() - kMost);
  return text;
}

Table parse_delimited(std::string text, const std::string& file, std::string_view label,
                      HeaderRow header) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Table table;
  table.file = file;
  table.unescaped = std::make_shared<std::vector<std::unique_ptr<std::string>>>();
  table.text = std::make_shared<const std::string>(std::move(text));
  std::string_view all = *table.text;
  const auto refuse = [&](std::size_t line, std::string_view field, const std::string& allowed) {
    throw InputError(describe({file, line}, field, allowed));
  };
  std::string_view behind = all;
  Comments comments = take_comments(behind);
  if (behind.empty() && comments.lines.size() > 1) {  // colours such as `#ff8800`, not comments
    behind = all;
    comments = {};
  }
  if (behind.empty()) refuse(0, "text", "at least one data row; the file is empty");
  table.separator = find_separator(behind);
  if (table.separator == '\0')
    refuse(1, "separator",
           "at least two columns set apart by comma, tab, semicolon, bar or blanks");

  Scanner scanner(table, behind, comments.next_line);
  scanner.scan();
  std::vector<std::size_t> widths = scanner.widths();
  CARNOT_CHECK(!widths.empty(), "text with content has a row");
  drop_empty_last_column(table, widths, 0);
  drop_empty_last_column(table, widths, 1);
  Row first(table.cells.begin(), table.cells.begin() + static_cast<std::ptrdiff_t>(widths[0]));

  bool drop_first = false;
  const bool more = widths.size() > 1;
  const bool even = all_alike(widths, 0);
  table.columns = widths[0];
  std::vector<std::string> names = names_of(comments, table.separator, widths[0]);
  if (header == HeaderRow::Found && more && is_counting_line(first, widths.size() - 1, widths[1])) {
    table.columns = widths[1];
    table.class_names.assign(first.begin() + 2, first.end());
    drop_first = true;
  } else if (header == HeaderRow::Present || (header == HeaderRow::Found && names.empty() &&
                                              is_header(table, first, label, even))) {
    table.has_header = drop_first = true;
    if (more && widths[1] == widths[0] + 1 && all_alike(widths, 1)) {
      table.columns = widths[1];
      first.insert(first.begin(), std::string_view("row"));  // names of rows have none themselves
    }
  } else if (header == HeaderRow::Found && !names.empty()) {
    table.has_header = true;
  }
  for (std::size_t i = drop_first ? 1 : 0; i < widths.size(); ++i)
    if (widths[i] != table.columns)
      refuse(table.lines[i], "row",
             fmt::format("{} cells as in the first row, found {}", table.columns, widths[i]));
  for (std::size_t c = 0; c < table.columns; ++c) {
    const std::string name = !table.has_header ? std::string()
                             : drop_first      ? std::string(first[c])
                                               : names[c];
    table.names.push_back(name.empty() ? fmt::format("column {}", c + 1) : name);
  }
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
