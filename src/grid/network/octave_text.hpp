// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A place in a text of Octave's language, and what stands between its words: blanks, comments
/// (`%`, `#`, blocks of `%{` and `%}`) and continued lines (`...`).

#include <cctype>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>

namespace carnot::grid {

/// A statement that this reader cannot follow; it matters only if what it assigns is read.
class NotUnderstood : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class OctaveText {
 public:
  OctaveText(std::string_view text, const std::string& name);

  static bool is_word(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  }
  static bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

  bool at_end() const { return at_ >= text_.size(); }
  char peek(std::size_t ahead = 0) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  char before() const { return at_ > 0 ? text_[at_ - 1] : '\0'; }
  bool starts_with(std::string_view what) const { return text_.substr(at_).starts_with(what); }
  std::string_view rest() const { return text_.substr(at_); }
  std::size_t line() const { return line_; }
  void advance(std::size_t by = 1) { at_ += by; }
  bool take(std::string_view what);
  void next_line();

  /// Blanks, comments and continued lines; line ends too if asked.
  void skip_space(bool line_ends);
  void skip_line();
  /// To the `;`, `,` or line end that closes a statement, over brackets, strings and comments.
  void skip_statement();
  std::string_view word();
  /// Behind the quote that it begins with. \throws InputError where it is not closed on its line
  std::string string();

  struct Mark {
    std::size_t at = 0, line = 1;
  };
  Mark mark() const { return {at_, line_}; }
  void back_to(Mark mark) {
    at_ = mark.at;
    line_ = mark.line;
  }
  /// \throws InputError at a line of this text
  [[noreturn]] void refuse(std::size_t line, std::string_view field,
                           std::string_view allowed) const;

 private:
  bool block_mark(char brace) const;
  void skip_comment();

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
};

}  // namespace carnot::grid
