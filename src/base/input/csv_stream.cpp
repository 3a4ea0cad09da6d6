// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/input/csv_stream.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/input/cells.hpp"

namespace carnot::inline base {

namespace {

constexpr std::size_t kLongestRecord = std::size_t{1} << 20;
constexpr std::size_t kMostFields = 2000, kMostLines = 100;

bool ends_quoted(std::string_view text) {
  return std::count(text.begin(), text.end(), '"') % 2 == 1;
}

}  // namespace

std::string folded_name(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c >= 'A' && c <= 'Z')
      out += static_cast<char>(c - 'A' + 'a');
    else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
      out += c;
  }
  return out;
}

CsvStream::CsvStream(input::Lines lines) : lines_(std::move(lines)) {
  std::string_view line;
  for (;;) {
    if (!lines_.next(line)) throw InputError(describe({lines_.name(), 0}, "header", "names"));
    if (line.starts_with("\xEF\xBB\xBF")) line.remove_prefix(3);
    if (!line.empty() && line.front() != '#') break;
  }
  separator_ = separator_of(line);
  header_ = quoted_cells(line, separator_);
  // `sacct --parsable` ends each line with its separator.
  if (header_.size() > 1 && header_.back().empty()) header_.pop_back();
  for (std::size_t i = 0; i < header_.size(); ++i)
    columns_.try_emplace(folded_name(header_[i]), static_cast<int>(i));
}

int CsvStream::find(std::initializer_list<std::string_view> names) const {
  for (const std::string_view name : names)
    if (const auto at = columns_.find(name); at != columns_.end()) return at->second;
  return -1;
}

std::string_view CsvStream::field(int column) const {
  if (column < 0 || static_cast<std::size_t>(column) >= fields_.size()) return {};
  std::string_view text = fields_[static_cast<std::size_t>(column)];
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  if (text == "NULL" || text == "null" || text == "\\N") return {};
  return text;
}

bool CsvStream::cut(std::string_view text) {
  fields_.clear();
  unquoted_used_ = 0;
  const char* at = text.data();
  const char* const end = at + text.size();
  for (;;) {
    if (at != end && *at == '"') {
      const char* const begin = ++at;
      bool doubled = false;
      for (;;) {
        at = static_cast<const char*>(std::memchr(at, '"', static_cast<std::size_t>(end - at)));
        if (at == nullptr) return false;
        if (at + 1 == end || at[1] != '"') break;
        doubled = true;
        at += 2;
        if (at == end) return false;
      }
      std::string_view field(begin, static_cast<std::size_t>(at - begin));
      ++at;
      if (at != end && *at != separator_) return false;
      if (doubled) {
        if (unquoted_used_ == unquoted_.size()) unquoted_.emplace_back();
        std::string& plain = unquoted_[unquoted_used_++];
        plain.clear();
        for (std::size_t i = 0; i < field.size(); ++i) {
          plain += field[i];
          if (field[i] == '"') ++i;
        }
        // Earlier strings may have moved when the list grew: short ones live inside the object.
        fields_.emplace_back(nullptr, unquoted_used_);
      } else {
        fields_.push_back(field);
      }
    } else {
      const char* const begin = at;
      const auto* found = static_cast<const char*>(
          at == end ? nullptr : std::memchr(at, separator_, static_cast<std::size_t>(end - at)));
      at = found == nullptr ? end : found;
      fields_.emplace_back(begin, static_cast<std::size_t>(at - begin));
    }
    if (fields_.size() > kMostFields) return false;
    if (at == end) break;
    ++at;
  }
  for (std::string_view& field : fields_)
    if (field.data() == nullptr && !field.empty()) field = unquoted_[field.size() - 1];
  return true;
}

bool CsvStream::take(std::string_view& line) {
  if (pending_.empty()) {
    if (!lines_.next(line)) return false;
    line_ = lines_.number();
    return true;
  }
  taken_ = std::move(pending_.front());
  pending_.pop_front();
  line_ = lines_.number() - pending_.size();
  line = taken_;
  return true;
}

CsvStream::State CsvStream::next() {
  std::string_view line;
  do {
    if (!take(line)) return State::End;
  } while (line.empty());
  const std::size_t starts = line_;
  bool whole = cut(line);
  if (!whole && ends_quoted(line)) {
    joined_ = line;
    std::vector<std::string> more;
    bool open = true;
    while (open && more.size() < kMostLines && joined_.size() < kLongestRecord && take(line)) {
      more.emplace_back(line);
      joined_ += '\n';
      joined_ += line;
      open = ends_quoted(line) ? !open : open;
    }
    whole = !open && cut(joined_) && fits();
    // A quote that belongs to nothing costs its own line alone.
    if (!whole)
      pending_.insert(pending_.begin(), std::make_move_iterator(more.begin()),
                      std::make_move_iterator(more.end()));
  }
  line_ = starts;
  if (!whole) {
    fields_.clear();
    return State::Broken;
  }
  return fits() ? State::Row : State::Broken;
}

bool CsvStream::fits() {
  if (fields_.size() == header_.size() + 1 && fields_.back().empty()) fields_.pop_back();
  return fields_.size() == header_.size();
}

}  // namespace carnot::inline base
