// SPDX-License-Identifier: Apache-2.0
#include "learn/data/arff.hpp"

#include <algorithm>
#include <charconv>
#include <set>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "learn/data/numbers.hpp"

namespace carnot::learn {

namespace {

bool is_blank(char c) noexcept { return c == ' ' || c == '\t' || c == '\r'; }

bool starts_with_word(std::string_view text, std::string_view lower) noexcept {
  if (text.size() < lower.size()) return false;
  for (std::size_t i = 0; i < lower.size(); ++i) {
    const char c = text[i] >= 'A' && text[i] <= 'Z' ? static_cast<char>(text[i] + 32) : text[i];
    if (c != lower[i]) return false;
  }
  return text.size() == lower.size() || is_blank(text[lower.size()]) || text[lower.size()] == '{';
}

/// Reads a file line by line into a table.
class Reader {
 public:
  Reader(Table& table, std::string_view text) : table_(table), text_(text) {}

  void read() {
    bool data = false;
    while (!text_.empty()) {
      const std::size_t end = std::min(text_.find_first_of("\n\r"), text_.size());
      line_ = trimmed(text_.substr(0, end));
      const bool two = end + 1 < text_.size() && text_[end] == '\r' && text_[end + 1] == '\n';
      text_.remove_prefix(std::min(end + (two ? 2 : 1), text_.size()));
      ++number_;
      if (line_.empty() || line_.front() == '%') continue;
      if (data)
        line_.front() == '{' ? sparse_row() : dense_row();
      else
        data = declaration();
    }
    if (!data) refuse("@data", "a line @data above the rows");
    if (table_.rows == 0) refuse("rows", "at least one data row below @data");
  }

 private:
  [[noreturn]] void refuse(std::string_view field, const std::string& allowed) const {
    throw InputError(describe({table_.file, number_}, field, allowed));
  }

  void blanks() {
    while (!line_.empty() && is_blank(line_.front())) line_.remove_prefix(1);
  }

  /// A word up to one of `stops`, or what stands in quotes; a backslash keeps the next character.
  std::string_view word(std::string_view stops) {
    blanks();
    if (line_.empty() || (line_.front() != '\'' && line_.front() != '"')) {
      const std::size_t end = std::min(line_.find_first_of(stops), line_.size());
      const std::string_view found = trimmed(line_.substr(0, end));
      line_.remove_prefix(end);
      quoted_ = false;
      return found;
    }
    const char quote = line_.front();
    std::string plain;
    bool escaped = false;
    std::size_t i = 1;
    for (;; ++i) {
      if (i >= line_.size()) refuse("quote", fmt::format("a closing {} for the one opened", quote));
      if (line_[i] == '\\' && i + 1 < line_.size()) {
        escaped = true;
        plain += line_[++i];
      } else if (line_[i] == quote) {
        break;
      } else {
        plain += line_[i];
      }
    }
    std::string_view inside = line_.substr(1, i - 1);
    line_.remove_prefix(i + 1);
    quoted_ = true;
    if (escaped) {
      table_.unescaped->push_back(std::make_unique<std::string>(std::move(plain)));
      inside = *table_.unescaped->back();
    }
    return inside;
  }

  /// Whether this was @data.
  bool declaration() {
    if (starts_with_word(line_, "@relation")) return false;
    if (starts_with_word(line_, "@data")) {
      if (table_.columns < 2) refuse("@data", "at least two attributes above it");
      return true;
    }
    if (!starts_with_word(line_, "@attribute"))
      refuse("declaration", fmt::format("@relation, @attribute, @data or a comment, found `{}`",
                                        line_.substr(0, 40)));
    line_.remove_prefix(std::string_view("@attribute").size());
    const std::string name(word(" \t{"));
    blanks();
    if (name.empty() || line_.empty()) refuse("@attribute", "a name and a type");
    table_.names.push_back(name);
    ++table_.columns;
    levels_.emplace_back();
    first_levels_.emplace_back();
    if (line_.front() == '{') {
      table_.kinds.push_back(ColumnKind::Category);
      line_.remove_prefix(1);
      while (true) {
        const std::string_view level = word(",}");
        if (levels_.back().empty()) first_levels_.back() = level;
        levels_.back().insert(level);
        blanks();
        if (line_.empty()) refuse(name, "levels between { and }");
        const char end = line_.front();
        if (end != ',' && end != '}') refuse(name, "levels apart by commas between { and }");
        line_.remove_prefix(1);
        if (end == '}') break;
      }
      return false;
    }
    if (starts_with_word(line_, "numeric") || starts_with_word(line_, "real") ||
        starts_with_word(line_, "integer"))
      table_.kinds.push_back(ColumnKind::Number);
    else if (starts_with_word(line_, "string"))
      table_.kinds.push_back(ColumnKind::Category);
    else if (starts_with_word(line_, "date"))
      table_.kinds.push_back(ColumnKind::Unknown);
    else
      refuse(name, fmt::format("numeric, real, integer, string, date or {{levels}}, found `{}`",
                               line_.substr(0, 40)));
    return false;
  }

  void put(std::size_t column, std::string_view cell) {
    const std::set<std::string_view>& levels = levels_[column];
    if (!levels.empty() && (quoted_ || !is_missing(cell)) && levels.count(cell) == 0)
      refuse(table_.names[column], fmt::format("a declared level, found `{}`", cell));
    table_.cells[table_.rows * table_.columns + column] = cell;
  }

  void begin_row(std::string_view fill) {
    if (table_.cells.size() + table_.columns > kGreatestCells)
      refuse("cells", fmt::format("at most {} cells in a table", kGreatestCells));
    table_.cells.resize(table_.cells.size() + table_.columns, fill);
    table_.lines.push_back(number_);
  }

  void dense_row() {
    begin_row("?");
    std::size_t column = 0;
    while (true) {
      const std::string_view cell = word(",\t");
      if (column == table_.columns)
        refuse("row", fmt::format("{} cells, one an attribute, found more", table_.columns));
      put(column++, cell);
      blanks();
      if (line_.empty() || line_.front() == '{') break;  // an instance's weight may follow
      if (line_.front() != ',') {
        if (quoted_) refuse("row", "a comma after a closing quote");
        continue;
      }
      line_.remove_prefix(1);
      if (trimmed(line_).starts_with('{')) break;
    }
    if (column != table_.columns)
      refuse("row", fmt::format("{} cells, one an attribute, found {}", table_.columns, column));
    ++table_.rows;
  }

  /// What is not named is 0, or the first level.
  void sparse_row() {
    begin_row("0");
    for (std::size_t c = 0; c < table_.columns; ++c)
      if (!levels_[c].empty()) table_.cells[table_.rows * table_.columns + c] = first_levels_[c];
    line_.remove_prefix(1);
    blanks();
    while (!line_.empty() && line_.front() != '}') {
      const std::string_view index = word(" \t,}");
      std::size_t column = 0;
      const auto [end, error] = std::from_chars(index.data(), index.data() + index.size(), column);
      if (error != std::errc() || end != index.data() + index.size() || column >= table_.columns)
        refuse("row", fmt::format("an attribute's number from 0 to {}, found `{}`",
                                  table_.columns - 1, index));
      put(column, word(",}"));
      blanks();
      if (!line_.empty() && line_.front() == ',') line_.remove_prefix(1);
      blanks();
    }
    if (line_.empty()) refuse("row", "a closing } for a sparse row");
    ++table_.rows;
  }

  Table& table_;
  std::string_view text_;
  std::string_view line_;
  std::uint32_t number_ = 0;
  bool quoted_ = false;
  std::vector<std::set<std::string_view>> levels_;  ///< of each attribute; empty if not nominal
  std::vector<std::string_view> first_levels_;
};

}  // namespace

bool looks_like_arff(std::string_view text) noexcept {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of("\n\r"), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty() || line.front() == '%') continue;
    return starts_with_word(line, "@relation") || starts_with_word(line, "@attribute");
  }
  return false;
}

Table parse_arff(std::string text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Table table;
  table.file = file;
  table.has_header = true;
  table.unescaped = std::make_shared<std::vector<std::unique_ptr<std::string>>>();
  table.text = std::make_shared<const std::string>(std::move(text));
  Reader(table, *table.text).read();
  table.usual_label = table.columns - 1;
  return table;
}

}  // namespace carnot::learn
