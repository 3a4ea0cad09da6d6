// SPDX-License-Identifier: Apache-2.0
#include "grid/network/octave_text.hpp"

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::grid {

OctaveText::OctaveText(std::string_view text, const std::string& name) : text_(text), name_(name) {
  if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
}

void OctaveText::refuse(std::size_t line, std::string_view field, std::string_view allowed) const {
  throw InputError(describe({name_, line}, field, allowed));
}

bool OctaveText::take(std::string_view what) {
  if (!starts_with(what)) return false;
  at_ += what.size();
  return true;
}

void OctaveText::next_line() {
  if (at_end()) return;
  ++at_;
  ++line_;
}

void OctaveText::skip_line() {
  while (!at_end() && peek() != '\n') ++at_;
}

/// True if `%{` or `%}` stands alone on the line that begins here.
bool OctaveText::block_mark(char brace) const {
  std::size_t begin = at_;
  while (begin > 0 && is_blank(text_[begin - 1])) --begin;
  if (begin > 0 && text_[begin - 1] != '\n') return false;
  if (peek(1) != brace) return false;
  std::size_t end = at_ + 2;
  while (end < text_.size() && is_blank(text_[end])) ++end;
  return end == text_.size() || text_[end] == '\n';
}

void OctaveText::skip_comment() {
  if (!block_mark('{')) return skip_line();
  const std::size_t begun = line_;
  std::size_t depth = 0;
  do {
    while (is_blank(peek())) ++at_;
    if (peek() == '%' || peek() == '#') {
      if (block_mark('{')) ++depth;
      if (block_mark('}')) --depth;
    }
    skip_line();
    if (at_end() && depth > 0) refuse(begun, "comment", "a block begun with %{ that ends with %}");
    if (depth > 0) next_line();
  } while (depth > 0);
}

void OctaveText::skip_space(bool line_ends) {
  while (!at_end()) {
    const char c = peek();
    if (c == '%' || c == '#') {
      skip_comment();
    } else if (starts_with("...")) {
      skip_line();
      next_line();
    } else if (c == '\n' && line_ends) {
      next_line();
    } else if (is_blank(c)) {
      ++at_;
    } else {
      return;
    }
  }
}

void OctaveText::skip_statement() {
  const std::size_t begun = line_;
  std::string open;
  for (;;) {
    const bool spaced = is_blank(peek()) || peek() == '%' || peek() == '#' || starts_with("...");
    skip_space(!open.empty());
    if (at_end()) {
      if (!open.empty()) refuse(begun, "statement", fmt::format("a closing {}", open.back()));
      return;
    }
    const char c = peek();
    if (open.empty() && (c == ';' || c == ',' || c == '\n')) return;
    // A quote right behind a value transposes it; elsewhere it begins a string.
    const char last = before();
    const bool behind_value = !spaced && (is_word(last) || last == ')' || last == ']' ||
                                          last == '}' || last == '\'' || last == '.');
    if (c == '"' || (c == '\'' && !behind_value)) {
      string();
      continue;
    }
    if (c == '(') open += ')';
    if (c == '[') open += ']';
    if (c == '{') open += '}';
    if (!open.empty() && c == open.back()) open.pop_back();
    ++at_;
  }
}

std::string_view OctaveText::word() {
  const std::size_t begin = at_;
  while (is_word(peek())) ++at_;
  return text_.substr(begin, at_ - begin);
}

std::string OctaveText::string() {
  const char quote = peek();
  std::string out;
  for (++at_; !at_end() && peek() != '\n'; ++at_) {
    if (peek() != quote) {
      out += peek();
    } else if (peek(1) == quote) {
      out += quote;
      ++at_;
    } else {
      ++at_;
      return out;
    }
  }
  refuse(line_, "string", fmt::format("a closing {} on the same line", quote));
}

}  // namespace carnot::grid
