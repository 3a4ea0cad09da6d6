// SPDX-License-Identifier: Apache-2.0
#include "learn/data/libsvm.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

#include "learn/data/numbers.hpp"

namespace carnot::learn {

namespace {

constexpr std::size_t kSniffedLines = 50;

std::string_view take_line(std::string_view& text) noexcept {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line.substr(0, std::min(line.find('#'), line.size()));
}

std::string_view take_word(std::string_view& line) noexcept {
  constexpr std::string_view kBlanks = " \t\r";
  line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
  const std::size_t end = std::min(line.find_first_of(kBlanks), line.size());
  const std::string_view word = line.substr(0, end);
  line.remove_prefix(end);
  return word;
}

bool is_number(std::string_view cell) noexcept {
  double ignored = 0.0;
  return read_cell(cell, ignored) == CellKind::Number;
}

struct Entry {
  std::uint32_t index;
  std::string_view value;
};

/// `index:value`; false if the word is none.
bool take_entry(std::string_view word, Entry& entry) noexcept {
  const std::size_t colon = word.find(':');
  if (colon == std::string_view::npos || colon == 0) return false;
  entry.value = word.substr(colon + 1);
  return read_whole(word.substr(0, colon), entry.index);
}

}  // namespace

bool looks_like_libsvm(std::string_view text) noexcept {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  std::size_t entries = 0;
  for (std::size_t seen = 0; !text.empty() && seen < kSniffedLines;) {
    std::string_view line = take_line(text);
    std::string_view word = take_word(line);
    if (word.empty()) continue;
    ++seen;
    const std::string_view label = word.substr(0, std::min(word.find(','), word.size()));
    if (!is_number(label)) return false;
    for (word = take_word(line); !word.empty(); word = take_word(line)) {
      Entry entry{};
      if (word.starts_with("qid:")) continue;
      if (!take_entry(word, entry)) return false;
      ++entries;
    }
  }
  return entries > 0;
}

Table parse_libsvm(std::string text, const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);
  Table table;
  table.file = file;
  table.has_header = true;
  table.separator = ' ';
  table.unescaped = std::make_shared<std::vector<std::unique_ptr<std::string>>>();
  table.text = std::make_shared<const std::string>(std::move(text));
  std::string_view rest = *table.text;
  std::uint32_t number = 0;
  const auto refuse = [&](std::string_view field, const std::string& allowed) {
    throw InputError(describe({file, number}, field, allowed));
  };
  std::vector<std::string_view> labels;
  std::vector<Entry> entries;
  std::vector<std::size_t> ends;
  std::uint32_t least = 1;
  std::uint32_t greatest = 0;
  while (!rest.empty()) {
    std::string_view line = take_line(rest);
    ++number;
    std::string_view word = take_word(line);
    if (word.empty()) continue;
    if (word.find(',') != std::string_view::npos)
      refuse("label", fmt::format("one label a row, found `{}`", word));
    if (!is_number(word)) refuse("label", fmt::format("a number, found `{}`", word));
    labels.push_back(word);
    table.lines.push_back(number);
    bool any = false;
    std::uint32_t last = 0;
    for (word = take_word(line); !word.empty(); word = take_word(line)) {
      if (word.starts_with("qid:")) continue;
      Entry entry{};
      if (!take_entry(word, entry)) refuse("feature", fmt::format("INDEX:VALUE, found `{}`", word));
      if (any && entry.index <= last)
        refuse("feature", fmt::format("rising indices, found {} after {}", entry.index, last));
      if (!is_number(entry.value) && !is_missing_word(entry.value))
        refuse("feature", fmt::format("a finite number, found `{}`", word));
      any = true;
      last = entry.index;
      least = std::min(least, entry.index);
      greatest = std::max(greatest, entry.index);
      entries.push_back(entry);
    }
    ends.push_back(entries.size());
  }
  table.rows = labels.size();
  if (table.rows == 0) refuse("rows", "at least one data row");
  if (entries.empty()) refuse("feature", "at least one INDEX:VALUE in the file");
  table.columns = 2 + static_cast<std::size_t>(greatest - least);
  if (table.columns > kGreatestCells / table.rows)
    refuse("cells", fmt::format("at most {} cells once the zeros are filled in; {} rows x {} "
                                "columns are more",
                                kGreatestCells, table.rows, table.columns));
  table.names.emplace_back("label");
  for (std::size_t c = 1; c < table.columns; ++c)
    table.names.push_back(fmt::format("feature {}", c - 1 + least));
  table.kinds.assign(table.columns, ColumnKind::Number);
  table.kinds[0] = ColumnKind::Unknown;
  table.usual_label = 0;
  table.cells.assign(table.rows * table.columns, std::string_view("0"));
  std::size_t at = 0;
  for (std::size_t r = 0; r < table.rows; ++r) {
    table.cells[r * table.columns] = labels[r];
    for (; at < ends[r]; ++at)
      table.cells[r * table.columns + 1 + entries[at].index - least] = entries[at].value;
  }
  return table;
}

}  // namespace carnot::learn
