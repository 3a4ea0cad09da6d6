// SPDX-License-Identifier: Apache-2.0
#include "report/draw/csv_records.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::report {

CsvRecords::CsvRecords(std::string_view text) : text_(text) {
  constexpr std::string_view kMark = "\xEF\xBB\xBF";
  if (text_.starts_with(kMark)) text_.remove_prefix(kMark.size());
}

std::string CsvRecords::field() {
  std::string out;
  if (at_ >= text_.size() || text_[at_] != '"') {
    const std::size_t end = std::min(text_.find_first_of(",\n", at_), text_.size());
    out = text_.substr(at_, end - at_);
    at_ = end;
    if (!out.empty() && out.back() == '\r') out.pop_back();
    return out;
  }
  for (++at_; at_ < text_.size(); ++at_) {
    const char c = text_[at_];
    if (c == '\n') ++next_line_;
    if (c != '"') {
      out += c;
      continue;
    }
    if (at_ + 1 < text_.size() && text_[at_ + 1] == '"') {
      out += '"';
      ++at_;
      continue;
    }
    ++at_;
    if (at_ < text_.size() && text_[at_] == '\r') ++at_;
    if (at_ < text_.size() && text_[at_] != ',' && text_[at_] != '\n') {
      throw InputError(fmt::format("line {}: a comma or the line's end after a quote", next_line_));
    }
    return out;
  }
  throw InputError(fmt::format("line {}: a closing quote", line_));
}

bool CsvRecords::next(std::vector<std::string>& fields) {
  while (at_ < text_.size()) {
    fields.clear();
    line_ = next_line_;
    const std::size_t begin = at_;
    for (;;) {
      fields.push_back(field());
      if (at_ >= text_.size() || text_[at_] == '\n') break;
      ++at_;  // the comma
    }
    const bool quoted = text_[begin] == '"';
    if (at_ < text_.size()) ++at_;
    ++next_line_;
    if (fields.size() > 1 || !fields.front().empty() || quoted) return true;
  }
  return false;
}

}  // namespace carnot::report
