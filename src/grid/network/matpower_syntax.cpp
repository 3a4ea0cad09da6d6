// SPDX-License-Identifier: Apache-2.0
#include "grid/network/matpower_syntax.hpp"

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/text.hpp"

namespace carnot::grid {

namespace {

bool is_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\r'; }

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text), name_(name) {}

  std::map<std::string, OctaveValue> parse() {
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    for (;;) {
      skip_space(true);
      if (at_end()) return std::move(fields_);
      if (peek() == ';' || peek() == ',')
        ++at_;
      else
        statement();
    }
  }

 private:
  bool at_end() const { return at_ >= text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }

  [[noreturn]] void refuse(std::string_view field, std::string_view allowed) const {
    throw InputError(describe({name_, line_}, field, allowed));
  }

  void skip_line() {
    while (!at_end() && peek() != '\n') ++at_;
  }

  /// True if `%{` or `%}` stands alone on the line that begins here.
  bool block_mark(char brace) const {
    std::size_t begin = at_;
    while (begin > 0 && is_blank(text_[begin - 1])) --begin;
    if (begin > 0 && text_[begin - 1] != '\n') return false;
    if (at_ + 1 >= text_.size() || text_[at_ + 1] != brace) return false;
    std::size_t end = at_ + 2;
    while (end < text_.size() && is_blank(text_[end])) ++end;
    return end == text_.size() || text_[end] == '\n';
  }

  void skip_comment() {
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
      if (at_end() && depth > 0) {
        line_ = begun;
        refuse("comment", "a block begun with %{ that ends with %}");
      }
      if (depth > 0) {
        ++at_;
        ++line_;
      }
    } while (depth > 0);
  }

  /// Blanks, comments and continued lines; line ends too if asked.
  void skip_space(bool line_ends) {
    while (!at_end()) {
      const char c = peek();
      if (c == '%' || c == '#') {
        skip_comment();
      } else if (text_.substr(at_).starts_with("...")) {
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

  void next_line() {
    if (at_end()) return;
    ++at_;
    ++line_;
  }

  std::string_view word() {
    const std::size_t begin = at_;
    while (is_word(peek())) ++at_;
    return text_.substr(begin, at_ - begin);
  }

  void statement() {
    std::string_view name = word();
    if (name == "function") return skip_line();
    static constexpr std::array<std::string_view, 4> kEnds = {"return", "end", "endfunction",
                                                              "define_constants"};
    if (std::find(kEnds.begin(), kEnds.end(), name) != kEnds.end()) return;
    if (name.empty()) refuse("statement", "an assignment, such as mpc.baseMVA = 100;");
    while (peek() == '.') {
      ++at_;
      name = word();
    }
    skip_space(false);
    if (peek() != '=')
      refuse(name, "assignments of numbers and matrices only; nothing is computed");
    ++at_;
    skip_space(false);
    OctaveValue value;
    value.line = line_;
    if (peek() == '\'' || peek() == '"') {
      value.is_string = true;
      value.text = string();
    } else if (peek() == '[' || peek() == '{') {
      value.is_cell = peek() == '{';
      rows(name, value);
    } else {
      value.rows.push_back({line_, {number(name, ";,")}, {}});
    }
    skip_space(false);
    if (!at_end() && peek() != ';' && peek() != ',' && peek() != '\n')
      refuse(name, "the end of the statement; nothing is computed");
    fields_[std::string(name)] = std::move(value);
  }

  std::string string() {
    const char quote = peek();
    std::string out;
    for (++at_; !at_end() && peek() != '\n'; ++at_) {
      if (peek() != quote) {
        out += peek();
      } else if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
        out += quote;
        ++at_;
      } else {
        ++at_;
        return out;
      }
    }
    refuse("string", fmt::format("a closing {} on the same line", quote));
  }

  std::string_view token(std::string_view enders) {
    const std::size_t begin = at_;
    while (!at_end() && !is_blank(peek()) && peek() != '\n' && peek() != '%' && peek() != '#' &&
           enders.find(peek()) == std::string_view::npos && !text_.substr(at_).starts_with("..."))
      ++at_;
    return text_.substr(begin, at_ - begin);
  }

  double number(std::string_view field, std::string_view enders) {
    const std::string_view written = token(enders);
    std::string_view bare = written;
    double sign = 1.0;
    if (bare.starts_with('-') || bare.starts_with('+')) {
      sign = bare.front() == '-' ? -1.0 : 1.0;
      bare.remove_prefix(1);
    }
    if (bare == "Inf" || bare == "inf") return sign * kInfinity;
    if (bare == "NaN" || bare == "nan" || bare == "NA") return kNaN;
    try {
      if (!bare.empty() &&
          (std::isdigit(static_cast<unsigned char>(bare.front())) != 0 || bare.front() == '.'))
        return sign * parse_number(bare);
    } catch (const InputError&) {  // said below, with the place
    }
    refuse(field, fmt::format("a number, found `{}`", written.substr(0, 40)));
  }

  void rows(std::string_view field, OctaveValue& value) {
    const std::size_t begun = line_;
    const char close = value.is_cell ? '}' : ']';
    const std::string enders = std::string(",;") + close;
    ++at_;
    OctaveValue::Row row{line_, {}, {}};
    const auto finish = [&] {
      if (!row.numbers.empty() || !row.strings.empty()) value.rows.push_back(std::move(row));
      row = {line_, {}, {}};
    };
    for (;;) {
      skip_space(false);
      if (at_end()) {
        line_ = begun;
        refuse(field, fmt::format("a closing {}", close));
      }
      const char c = peek();
      if (c == close) {
        finish();
        ++at_;
        return;
      }
      if (c == ';' || c == '\n') {
        finish();
        c == '\n' ? next_line() : void(++at_);
        row.line = line_;
      } else if (c == ',') {
        ++at_;
      } else if (!value.is_cell) {
        row.numbers.push_back(number(field, enders));
      } else if (c == '\'' || c == '"') {
        row.strings.push_back(string());
      } else {
        const std::string_view written = token(enders);
        if (written.empty() || written.find_first_of("[]{}()'\"") != std::string_view::npos)
          refuse(field, "strings and numbers in a cell array");
        row.strings.emplace_back(written);
      }
    }
  }

  std::string_view text_;
  const std::string& name_;
  std::size_t at_ = 0, line_ = 1;
  std::map<std::string, OctaveValue> fields_;
};

}  // namespace

std::map<std::string, OctaveValue> parse_octave(std::string_view text, const std::string& name) {
  return Parser(text, name).parse();
}

}  // namespace carnot::grid
