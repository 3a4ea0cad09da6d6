// SPDX-License-Identifier: Apache-2.0
#include "grid/network/matpower_syntax.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "grid/network/octave_expression.hpp"
#include "grid/network/octave_text.hpp"

namespace carnot::grid {

namespace {

constexpr std::size_t kMostRows = 1'000'000;
constexpr const char* kNotExecuted =
    "assignments outside loops and conditions, which are not executed";

template <std::size_t N>
bool is_one_of(std::string_view word, const std::array<std::string_view, N>& of) {
  return std::find(of.begin(), of.end(), word) != of.end();
}

class Parser {
 public:
  Parser(std::string_view text, const std::string& name) : text_(text, name) {}

  std::map<std::string, OctaveValue> parse() {
    while (!over_) {
      text_.skip_space(true);
      if (text_.at_end()) break;
      if (!text_.take(";") && !text_.take(",")) statement();
    }
    std::map<std::string, OctaveValue> fields;
    for (auto& [name, value] : variables_)
      if (const std::size_t point = name.find('.'); point != std::string::npos)
        fields[name.substr(point + 1)] = std::move(value);
    for (auto& [name, value] : variables_)
      if (name.find('.') == std::string::npos) fields.try_emplace(name, std::move(value));
    return fields;
  }

 private:
  void statement() {
    if (text_.peek() == '[') return several();
    const OctaveText::Mark begin = text_.mark();
    const std::string_view first = text_.word();
    if (first.empty())
      text_.refuse(text_.line(), "statement", "an assignment, such as mpc.baseMVA = 100;");
    if (keyword(first)) return;
    text_.back_to(begin);
    OctaveExpression expression(text_, variables_);
    const std::string target = expression.name();
    try {
      assign(target, expression);
      text_.skip_space(false);
      const char end = text_.peek();
      if (!text_.at_end() && end != ';' && end != ',' && end != '\n')
        throw NotUnderstood("values and plain arithmetic up to the end of the statement");
    } catch (const NotUnderstood& error) {
      const std::size_t line = text_.line();
      text_.back_to(begin);
      unknown(target, line, error.what());
      text_.skip_statement();
    }
  }

  bool keyword(std::string_view word) {
    static constexpr std::array<std::string_view, 8> kBegin = {
        "if", "for", "while", "switch", "do", "try", "parfor", "unwind_protect"};
    static constexpr std::array<std::string_view, 8> kEnd = {
        "end",       "endif",         "endfor", "endwhile",
        "endswitch", "end_try_catch", "until",  "end_unwind_protect"};
    static constexpr std::array<std::string_view, 4> kWithin = {"else", "otherwise", "catch",
                                                                "unwind_protect_cleanup"};
    if (word == "function") {
      over_ = std::exchange(in_function_, true);  // a second one is another function
      text_.skip_line();
    } else if (word == "return" || word == "endfunction") {
      over_ = blocks_ == 0;
    } else if (word == "define_constants") {
      for (const char* const names : {"idx_bus", "idx_brch", "idx_gen", "idx_cost"})
        for (const OctaveConstant& one : octave_constants(names))
          variables_[std::string(one.name)] = octave_number(one.value, text_.line());
    } else if (is_one_of(word, kBegin)) {
      ++blocks_;
      if (word != "do" && word != "try" && word != "unwind_protect")
        condition(word == "for" || word == "parfor" ? 1 : 0);
    } else if (is_one_of(word, kEnd)) {
      if (blocks_ > 0) --blocks_;
      if (word == "until") condition(0);
    } else if (word == "elseif" || word == "case" || word == "global") {
      condition(0);
    } else {
      return is_one_of(word, kWithin);
    }
    return true;
  }

  /// The rest of a line such as `if x > 1`. One that holds more assignments than its kind has, as
  /// `if x, y = 1` without the comma, makes unknown all that it names.
  void condition(std::size_t assignments) {
    const OctaveText::Mark begin = text_.mark();
    text_.skip_statement();
    const OctaveText::Mark end = text_.mark();
    if (assignments_since(begin) <= assignments) return;
    text_.back_to(begin);
    OctaveExpression expression(text_, variables_);
    while (text_.mark().at < end.at) {
      const std::string name = expression.name();
      if (name.empty())
        text_.advance();
      else
        unknown(name, begin.line, kNotExecuted);
    }
    text_.back_to(end);
  }

  /// `name = ...`, `name(...) = ...`, `name += ...`; anything else changes no variable.
  void assign(const std::string& target, OctaveExpression& expression) {
    text_.skip_space(false);
    std::vector<OctaveExpression::Index> where;
    const bool some = text_.peek() == '(';
    const OctaveValue none;
    const auto before = variables_.find(target);
    const OctaveValue& old = before == variables_.end() ? none : before->second;
    if (some) {
      const OctaveText::Mark opening = text_.mark();
      text_.skip_statement();
      if (assignments_since(opening) == 0) return;
      text_.back_to(opening);
      where = expression.indices(old);
      text_.skip_space(false);
    }
    char combined = text_.peek();
    if (std::string_view("+-*/").find(combined) == std::string_view::npos || text_.peek(1) != '=')
      combined = '\0';
    else
      text_.advance();
    if (text_.peek() == '{' || text_.peek() == '.')
      throw NotUnderstood("fields that are assigned whole");
    if (text_.peek() != '=' || text_.peek(1) == '=') return text_.skip_statement();
    text_.advance();
    text_.skip_space(false);
    if (blocks_ > 0) throw NotUnderstood(kNotExecuted);
    const std::size_t line = text_.line();
    OctaveValue value = expression.value();
    if (combined != '\0' && some) throw NotUnderstood("an assignment with = alone");
    if (combined != '\0') value = combine(old, combined, value);
    if (!some) {
      value.line = line;
      variables_[target] = std::move(value);
    } else {
      put(variables_[target], where, value, line);
    }
  }

  /// How many single `=` stand outside brackets between there and here.
  std::size_t assignments_since(OctaveText::Mark from) {
    const OctaveText::Mark to = text_.mark();
    text_.back_to(from);
    int open = 0;
    std::size_t found = 0;
    for (; text_.mark().at < to.at; text_.advance()) {
      const char c = text_.peek(), last = text_.before();
      if (c == '(' || c == '[' || c == '{') ++open;
      if (c == ')' || c == ']' || c == '}') --open;
      if (open == 0 && c == '=' && text_.peek(1) != '=' &&
          std::string_view("=<>~!").find(last) == std::string_view::npos)
        ++found;
    }
    text_.back_to(to);
    return found;
  }

  static OctaveValue combine(const OctaveValue& a, char with, const OctaveValue& b) {
    if ((with == '*' && !a.is_number() && !b.is_number()) || (with == '/' && !b.is_number()))
      throw NotUnderstood("a number to multiply or divide by");
    return octave_each(a, b, [with](double x, double y) {
      return with == '+' ? x + y : with == '-' ? x - y : with == '*' ? x * y : x / y;
    });
  }

  /// `into(where) = value`: numbers for some places, more rows and columns where they lie outside,
  /// or whole rows removed by `[]`.
  static void put(OctaveValue& into, const std::vector<OctaveExpression::Index>& where,
                  const OctaveValue& value, std::size_t line) {
    need_matrix(into);
    need_matrix(value);
    if (where.size() != 2) throw NotUnderstood("two indices on the left, of rows and columns");
    const auto places = [](const OctaveExpression::Index& index, std::size_t size) {
      std::vector<std::size_t> all(size);
      for (std::size_t k = 0; k < size; ++k) all[k] = k;
      return index.all ? all : octave_places(index.places, size);
    };
    std::vector<std::size_t> rows = places(where[0], into.rows.size());
    if (value.rows.empty()) {
      if (!where[1].all) throw NotUnderstood("whole rows, where some are removed");
      std::sort(rows.begin(), rows.end());
      rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
      for (auto r = rows.rbegin(); r != rows.rend(); ++r) {
        if (*r >= into.rows.size()) throw NotUnderstood("an index within the matrix");
        into.rows.erase(into.rows.begin() + static_cast<std::ptrdiff_t>(*r));
      }
      return;
    }
    const bool grown = where[1].all && into.rows.empty();
    const std::vector<std::size_t> columns =
        places(where[1], grown ? value.columns() : into.columns());
    if (rows.empty() || columns.empty()) return;
    const std::size_t last_row = *std::max_element(rows.begin(), rows.end());
    const std::size_t last_column = *std::max_element(columns.begin(), columns.end());
    const std::size_t width = std::max(into.columns(), last_column + 1);
    if (last_row >= kMostRows || last_column >= 1000 ||
        std::max(into.rows.size(), last_row + 1) * width > 10 * kMostRows)
      throw NotUnderstood("an index within the matrix");
    const bool one = value.is_number();
    if (!one && (value.rows.size() != rows.size() || value.columns() != columns.size()))
      throw NotUnderstood("as many values as there are places for them");
    if (last_column >= into.columns())
      for (OctaveValue::Row& row : into.rows) row.numbers.resize(width);
    while (into.rows.size() <= last_row)
      into.rows.push_back({line, std::vector<double>(width), {}});
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t c = 0; c < columns.size(); ++c)
        into.rows[rows[r]].numbers[columns[c]] =
            one ? value.rows.front().numbers.front() : value.rows[r].numbers[c];
  }

  /// `[PQ, PV, ...] = idx_bus;` or a matrix that nobody keeps.
  void several() {
    const OctaveText::Mark begin = text_.mark();
    text_.advance();
    std::vector<std::string> targets;
    OctaveExpression expression(text_, variables_);
    for (;;) {
      text_.skip_space(true);
      if (text_.take(",") || text_.take("~")) continue;
      const std::string name = expression.name();
      if (name.empty()) break;
      targets.push_back(name);
      if (text_.peek() == '(' || text_.peek() == '{') text_.skip_statement();  // ends the list
    }
    const bool closes = text_.take("]");
    text_.skip_space(false);
    std::vector<OctaveConstant> constants;
    if (closes && text_.peek() == '=' && text_.peek(1) != '=') {
      text_.advance();
      text_.skip_space(false);
      constants = octave_constants(text_.word());
    }
    const bool known = !constants.empty() && targets.size() <= constants.size() && blocks_ == 0;
    for (std::size_t k = 0; k < targets.size(); ++k)
      if (known)
        variables_[targets[k]] = octave_number(constants[k].value, text_.line());
      else
        unknown(targets[k], text_.line(),
                "values and plain arithmetic; functions are not executed");
    text_.back_to(begin);
    text_.skip_statement();
  }

  void unknown(const std::string& target, std::size_t line, std::string_view why) {
    const auto mark = [&](OctaveValue& value) {
      value = {.line = line, .fault = std::string(why)};
    };
    mark(variables_[target]);
    for (auto& [name, value] : variables_)  // a whole structure, or a field of a field
      if (name.starts_with(target + ".")) mark(value);
  }

  OctaveText text_;
  OctaveVariables variables_;
  bool over_ = false, in_function_ = false;
  std::size_t blocks_ = 0;  ///< loops and conditions that are open
};

}  // namespace

std::map<std::string, OctaveValue> parse_octave(std::string_view text, const std::string& name) {
  return Parser(text, name).parse();
}

}  // namespace carnot::grid
