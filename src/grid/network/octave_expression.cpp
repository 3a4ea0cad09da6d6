// SPDX-License-Identifier: Apache-2.0
#include "grid/network/octave_expression.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <numbers>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::grid {

namespace {

constexpr int kDeepest = 60;
constexpr std::size_t kMostComputed = 20'000'000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// One level of brackets; what is inside may part its elements by blanks or not.
class Level {
 public:
  Level(int& depth, bool& in_matrix, bool blanks_part)
      : depth_(depth), in_matrix_(in_matrix), before_(in_matrix) {
    if (++depth_ > kDeepest) throw NotUnderstood("fewer brackets within each other");
    in_matrix_ = blanks_part;
  }
  ~Level() {
    --depth_;
    in_matrix_ = before_;
  }
  Level(const Level&) = delete;
  Level& operator=(const Level&) = delete;

 private:
  int& depth_;
  bool& in_matrix_;
  const bool before_;
};

}  // namespace

OctaveValue OctaveExpression::value() { return alternatives(); }

OctaveValue OctaveExpression::counted(OctaveValue value) {
  computed_ += value.rows.size() * std::max<std::size_t>(1, value.columns());
  if (computed_ > kMostComputed) throw NotUnderstood("less to compute");
  return value;
}

/// An operator between two values. In a matrix `a -b` are two elements, `a - b` and `a-b` one.
bool OctaveExpression::take_operator(std::string_view symbol) {
  const OctaveText::Mark before = text_.mark();
  text_.skip_space(false);
  const bool spaced = text_.mark().at != before.at;
  if (!text_.take(symbol)) {
    text_.back_to(before);
    return false;
  }
  const bool either = symbol == "+" || symbol == "-" || symbol == "~" || symbol == "'";
  if (in_matrix_ && spaced && either && !OctaveText::is_blank(text_.peek())) {
    text_.back_to(before);
    return false;
  }
  text_.skip_space(false);
  return true;
}

OctaveValue OctaveExpression::alternatives() {
  OctaveValue left = conditions();
  while (take_operator("||") || take_operator("|")) {
    left = counted(octave_each(left, conditions(), [](double a, double b) {
      return static_cast<double>(a != 0.0 || b != 0.0);
    }));
    left.is_truth = true;
  }
  return left;
}

OctaveValue OctaveExpression::conditions() {
  OctaveValue left = comparison();
  while (take_operator("&&") || take_operator("&")) {
    left = counted(octave_each(left, comparison(), [](double a, double b) {
      return static_cast<double>(a != 0.0 && b != 0.0);
    }));
    left.is_truth = true;
  }
  return left;
}

OctaveValue OctaveExpression::comparison() {
  using Of = double (*)(double, double);
  struct Comparison {
    std::string_view symbol;
    Of of;
  };
  static constexpr Comparison kComparisons[] = {
      {"==", [](double a, double b) { return static_cast<double>(a == b); }},
      {"~=", [](double a, double b) { return static_cast<double>(a != b); }},
      {"!=", [](double a, double b) { return static_cast<double>(a != b); }},
      {"<=", [](double a, double b) { return static_cast<double>(a <= b); }},
      {">=", [](double a, double b) { return static_cast<double>(a >= b); }},
      {"<", [](double a, double b) { return static_cast<double>(a < b); }},
      {">", [](double a, double b) { return static_cast<double>(a > b); }}};
  OctaveValue left = range();
  for (;;) {
    const auto* const found =
        std::find_if(std::begin(kComparisons), std::end(kComparisons),
                     [&](const Comparison& one) { return take_operator(one.symbol); });
    if (found == std::end(kComparisons)) return left;
    left = counted(octave_each(left, range(), found->of));
    left.is_truth = true;
  }
}

OctaveValue OctaveExpression::range() {
  OctaveValue first = sum();
  if (!take_operator(":")) return first;
  OctaveValue last = sum();
  double step = 1.0;
  const auto one = [](const OctaveValue& value) {
    need_matrix(value);
    if (!value.is_number()) throw NotUnderstood("numbers at the ends of a range");
    return value.rows.front().numbers.front();
  };
  if (take_operator(":")) {
    step = one(last);
    last = sum();
  }
  const double from = one(first), to = one(last), steps = std::floor((to - from) / step + 1e-10);
  if (!std::isfinite(steps) || steps > 1e7) throw NotUnderstood("a range with an end");
  OctaveValue out{.line = first.line, .rows = {{first.line, {}, {}}}};
  for (double k = 0.0; k <= steps; ++k) out.rows.front().numbers.push_back(from + k * step);
  if (out.rows.front().numbers.empty()) out.rows.clear();
  return counted(std::move(out));
}

OctaveValue OctaveExpression::sum() {
  OctaveValue left = product();
  for (;;) {
    if (take_operator("+"))
      left = counted(octave_each(left, product(), [](double a, double b) { return a + b; }));
    else if (take_operator("-"))
      left = counted(octave_each(left, product(), [](double a, double b) { return a - b; }));
    else
      return left;
  }
}

OctaveValue OctaveExpression::product() {
  const auto times = [](double a, double b) { return a * b; };
  const auto over = [](double a, double b) { return a / b; };
  OctaveValue left = sign();
  for (;;) {
    if (take_operator(".*")) {
      left = counted(octave_each(left, sign(), times));
    } else if (take_operator("./")) {
      left = counted(octave_each(left, sign(), over));
    } else if (take_operator("*")) {
      const OctaveValue right = sign();
      if (!left.is_number() && !right.is_number())
        throw NotUnderstood("a number on one side of `*`; `.*` works element by element");
      left = counted(octave_each(left, right, times));
    } else if (take_operator("/")) {
      const OctaveValue right = sign();
      if (!right.is_number())
        throw NotUnderstood("a number below `/`; `./` works element by element");
      left = counted(octave_each(left, right, over));
    } else {
      return left;
    }
  }
}

OctaveValue OctaveExpression::sign() {
  const Level level(depth_, in_matrix_, in_matrix_);
  if (text_.peek() == '-' && text_.peek(1) != '-') {
    text_.advance();
    text_.skip_space(false);
    return octave_each(sign(), [](double a) { return -a; });
  }
  if (text_.peek() == '+' && text_.peek(1) != '+') {
    text_.advance();
    text_.skip_space(false);
    return sign();
  }
  if ((text_.peek() == '~' || text_.peek() == '!') && text_.peek(1) != '=') {
    text_.advance();
    text_.skip_space(false);
    OctaveValue out = octave_each(sign(), [](double a) { return static_cast<double>(a == 0.0); });
    out.is_truth = true;
    return out;
  }
  return power();
}

OctaveValue OctaveExpression::power() {
  OctaveValue base = transposed();
  for (;;) {
    const bool each = take_operator(".^");
    if (!each && !take_operator("^")) return base;
    double turned = 1.0;
    for (; text_.peek() == '-' || text_.peek() == '+'; text_.advance())
      if (text_.peek() == '-') turned = -turned;
    const OctaveValue exponent = transposed();
    if (!each && !(base.is_number() && exponent.is_number()))
      throw NotUnderstood("numbers on both sides of `^`; `.^` works element by element");
    base = counted(octave_each(base, exponent,
                               [turned](double a, double b) { return std::pow(a, turned * b); }));
  }
}

OctaveValue OctaveExpression::transposed() {
  OctaveValue value = primary();
  for (;;) {
    if (text_.starts_with(".'"))
      text_.advance(2);
    else if (text_.peek() == '\'')
      text_.advance();
    else
      return value;
    value = counted(octave_transposed(value));
  }
}

OctaveValue OctaveExpression::primary() {
  const char c = text_.peek();
  if (is_digit(c) || (c == '.' && is_digit(text_.peek(1)))) return number();
  if (c == '(') {
    const Level level(depth_, in_matrix_, false);
    const std::size_t begun = text_.line();
    text_.advance();
    text_.skip_space(true);
    OctaveValue value = alternatives();
    text_.skip_space(true);
    if (text_.at_end()) text_.refuse(begun, "statement", "a closing )");
    if (!text_.take(")")) throw NotUnderstood("a closing )");
    return value;
  }
  if (c == '[') return matrix();
  if (c == '{') return cell();
  if (c == '\'' || c == '"') {
    OctaveValue value{.line = text_.line(), .is_string = true};
    value.text = text_.string();
    return value;
  }
  if (OctaveText::is_word(c)) return called_or_indexed();
  throw NotUnderstood("values and plain arithmetic");
}

OctaveValue OctaveExpression::number() {
  const std::string_view rest = text_.rest();
  double value = 0.0;
  const auto [end, fault] = std::from_chars(rest.data(), rest.data() + rest.size(), value);
  std::size_t length = static_cast<std::size_t>(end - rest.data());
  // `1./x` divides element by element; the point is not the number's.
  if (length > 0 && rest[length - 1] == '.' && length < rest.size() &&
      std::string_view("*/^'").find(rest[length]) != std::string_view::npos)
    --length;
  if (fault != std::errc() || OctaveText::is_word(length < rest.size() ? rest[length] : ' '))
    throw NotUnderstood(
        fmt::format("a number, found `{}`",
                    rest.substr(0, std::min<std::size_t>(rest.find_first_of(" ,;\n\r]"), 40))));
  OctaveValue out = octave_number(value, text_.line());
  text_.advance(length);
  return out;
}

std::string OctaveExpression::name() {
  std::string whole(text_.word());
  while (text_.peek() == '.' && OctaveText::is_word(text_.peek(1))) {
    text_.advance();
    whole += '.';
    whole += text_.word();
  }
  return whole;
}

OctaveValue OctaveExpression::called_or_indexed() {
  const std::size_t line = text_.line();
  const std::string called = name();
  if (indexed_ != nullptr && called == "end") {
    const std::size_t rows = indexed_->rows.size(), columns = indexed_->columns();
    const std::size_t last = positions_ == 1 ? rows * columns : position_ == 0 ? rows : columns;
    return octave_number(static_cast<double>(last), line);
  }
  const OctaveText::Mark behind = text_.mark();
  if (!in_matrix_) text_.skip_space(false);
  const bool opens = text_.peek() == '(';
  if (!opens) text_.back_to(behind);
  const auto variable = variables_.find(called);
  if (variable != variables_.end()) {
    if (!variable->second.fault.empty()) throw NotUnderstood(variable->second.fault);
    return opens ? counted(indexed(variable->second)) : variable->second;
  }
  if (opens) {
    std::vector<OctaveValue> arguments;
    for (Index& index : indices({})) {
      if (index.all) throw NotUnderstood("values between parentheses");
      arguments.push_back(std::move(index.places));
    }
    return counted(octave_call(called, arguments, line));
  }
  if (called == "pi") return octave_number(std::numbers::pi, line);
  if (called == "Inf" || called == "inf") return octave_number(kInfinity, line);
  if (called == "NaN" || called == "nan" || called == "NA") return octave_number(kNaN, line);
  if (called == "eps") return octave_number(0x1p-52, line);
  if (called == "true" || called == "false") {
    OctaveValue truth = octave_number(called == "true" ? 1.0 : 0.0, line);
    truth.is_truth = true;
    return truth;
  }
  throw NotUnderstood(
      fmt::format("values and plain arithmetic; nothing is known of `{}`", called.substr(0, 40)));
}

std::vector<OctaveExpression::Index> OctaveExpression::indices(const OctaveValue& of) {
  const Level level(depth_, in_matrix_, false);
  const std::size_t begun = text_.line();
  const OctaveValue* const outer = indexed_;
  const std::size_t outer_position = position_, outer_positions = positions_;
  // How many there are decides what `end` is: looked at first.
  const OctaveText::Mark opening = text_.mark();
  std::size_t commas = 0;
  text_.advance();
  for (int open = 1; open > 0 && !text_.at_end(); text_.advance()) {
    const char c = text_.peek();
    if (c == '(' || c == '[' || c == '{') ++open;
    if (c == ')' || c == ']' || c == '}') --open;
    if (c == ',' && open == 1) ++commas;
    if (c == '\n') break;
  }
  text_.back_to(opening);
  text_.advance();
  std::vector<Index> out;
  indexed_ = &of;
  positions_ = commas + 1;
  for (text_.skip_space(true); !text_.take(")"); text_.skip_space(true)) {
    if (text_.at_end()) text_.refuse(begun, "statement", "a closing )");
    position_ = out.size();
    const OctaveText::Mark before = text_.mark();
    if (text_.take(":")) {
      text_.skip_space(true);
      if (text_.peek() == ',' || text_.peek() == ')')
        out.push_back({.all = true});
      else
        text_.back_to(before);
    }
    if (out.size() == position_) out.push_back({.all = false, .places = alternatives()});
    text_.skip_space(true);
    if (text_.peek() != ')' && !text_.take(",")) throw NotUnderstood("a closing )");
  }
  indexed_ = outer;
  position_ = outer_position;
  positions_ = outer_positions;
  return out;
}

OctaveValue OctaveExpression::indexed(const OctaveValue& of) {
  const std::vector<Index> given = indices(of);
  need_matrix(of);
  const auto places = [](const Index& index, std::size_t size) {
    std::vector<std::size_t> all(index.all ? size : 0);
    for (std::size_t k = 0; k < all.size(); ++k) all[k] = k;
    if (!index.all) all = octave_places(index.places, size);
    if (!all.empty() && *std::max_element(all.begin(), all.end()) >= size)
      throw NotUnderstood("an index within the matrix");
    return all;
  };
  OctaveValue out{.line = of.line};
  if (given.size() == 2) {
    const std::vector<std::size_t> columns = places(given[1], of.columns());
    for (const std::size_t r : places(given[0], of.rows.size())) {
      OctaveValue::Row row{of.rows[r].line, {}, {}};
      for (const std::size_t c : columns) row.numbers.push_back(of.rows[r].numbers[c]);
      if (!columns.empty()) out.rows.push_back(std::move(row));
    }
    return out;
  }
  if (given.size() != 1) throw NotUnderstood("one index or two");
  const std::size_t rows = of.rows.size();
  for (const std::size_t k : places(given[0], rows * of.columns()))
    out.rows.push_back({of.line, {of.rows[k % rows].numbers[k / rows]}, {}});
  const bool lies = rows == 1 || (!given[0].all && given[0].places.rows.size() == 1);
  return lies && !given[0].all && out.rows.size() > 1 ? octave_transposed(out) : out;
}

/// The usual element: a number with nothing but a separator behind.
bool OctaveExpression::plain_number(double& value) {
  std::size_t sign = text_.peek() == '-' || text_.peek() == '+' ? 1 : 0;
  if (!is_digit(text_.peek(sign)) && !(text_.peek(sign) == '.' && is_digit(text_.peek(sign + 1))))
    return false;
  const std::string_view rest = text_.rest();
  const char* const last = rest.data() + rest.size();
  const auto [end, fault] = std::from_chars(rest.data() + sign, last, value);
  if (fault != std::errc() || end == last) return false;
  if (std::string_view(",;]\n\t\r% ").find(*end) == std::string_view::npos) return false;
  // What follows a blank may still belong to it: `2 * 3`.
  const char* next = end;
  while (next != last && OctaveText::is_blank(*next)) ++next;
  const auto at = [&](const char* p) { return p < last ? *p : '\0'; };
  if (next != end && std::string_view("*/^:&|<>=~!").find(at(next)) != std::string_view::npos)
    return false;
  if (next != end && at(next) == '.' && !is_digit(at(next + 1))) return false;
  if (next != end && (at(next) == '-' || at(next) == '+') && OctaveText::is_blank(at(next + 1)))
    return false;
  if (rest.front() == '-') value = -value;
  text_.advance(static_cast<std::size_t>(end - rest.data()));
  return true;
}

OctaveValue OctaveExpression::matrix() {
  const Level level(depth_, in_matrix_, true);
  const std::size_t begun = text_.line();
  OctaveValue value{.line = begun};
  text_.advance();
  OctaveValue::Row row{begun, {}, {}};
  std::vector<OctaveValue::Row> beside;  // of an element that is itself several rows
  const auto finish = [&] {
    if (!row.numbers.empty()) value.rows.push_back(std::move(row));
    for (OctaveValue::Row& each : beside) value.rows.push_back(std::move(each));
    beside.clear();
  };
  for (;;) {
    text_.skip_space(false);
    if (text_.at_end()) text_.refuse(begun, "statement", "a closing ]");
    const char c = text_.peek();
    if (c == ']') {
      finish();
      text_.advance();
      return counted(std::move(value));
    }
    if (c == ';' || c == '\n') {
      finish();
      c == '\n' ? text_.next_line() : text_.advance();
      row = {text_.line(), {}, {}};
      continue;
    }
    if (text_.take(",")) continue;
    if (double plain = 0.0; plain_number(plain)) {
      row.numbers.push_back(plain);
      continue;
    }
    const OctaveValue element = alternatives();
    need_matrix(element);
    if (element.rows.empty()) continue;
    if (element.rows.size() > 1) {
      if (row.numbers.empty() && beside.empty()) {
        beside = element.rows;
        continue;
      }
      if (beside.size() != element.rows.size())
        throw NotUnderstood("as many rows in what stands side by side");
      for (std::size_t r = 0; r < beside.size(); ++r)
        beside[r].numbers.insert(beside[r].numbers.end(), element.rows[r].numbers.begin(),
                                 element.rows[r].numbers.end());
      continue;
    }
    if (!beside.empty()) throw NotUnderstood("as many rows in what stands side by side");
    const std::vector<double>& numbers = element.rows.front().numbers;
    row.numbers.insert(row.numbers.end(), numbers.begin(), numbers.end());
  }
}

/// Strings, and words and numbers as they are written.
OctaveValue OctaveExpression::cell() {
  const std::size_t begun = text_.line();
  OctaveValue value{.line = begun, .is_cell = true};
  text_.advance();
  OctaveValue::Row row{begun, {}, {}};
  const auto finish = [&] {
    if (!row.strings.empty()) value.rows.push_back(std::move(row));
    row = {text_.line(), {}, {}};
  };
  for (;;) {
    text_.skip_space(false);
    if (text_.at_end()) text_.refuse(begun, "statement", "a closing }");
    const char c = text_.peek();
    if (c == '}') {
      finish();
      text_.advance();
      return value;
    }
    if (c == ';' || c == '\n') {
      c == '\n' ? text_.next_line() : text_.advance();
      finish();
    } else if (c == ',') {
      text_.advance();
    } else if (c == '\'' || c == '"') {
      row.strings.push_back(text_.string());
    } else {
      const std::string_view rest = text_.rest();
      const std::string_view written = rest.substr(0, rest.find_first_of(" \t\r\n,;[]{}()'\"%#"));
      if (written.empty()) throw NotUnderstood("strings and numbers in a cell array");
      row.strings.emplace_back(written);
      text_.advance(written.size());
    }
  }
}

}  // namespace carnot::grid
