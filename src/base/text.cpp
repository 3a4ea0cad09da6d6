// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "base/units.hpp"

namespace carnot::inline base {

namespace {

/// The longest number at the front of `text`, taken off it; nothing if there is none, or it is not
/// finite, or too great or small for a double. A leading `+` is allowed.
std::optional<double> take_number(std::string_view& text) {
  std::string_view digits = text;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  double value = 0.0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  text = digits.substr(static_cast<std::size_t>(end - digits.data()));
  return value;
}

std::string quoted(std::string_view text) {
  constexpr std::size_t kMost = 60;
  return text.size() <= kMost ? fmt::format("`{}`", text)
                              : fmt::format("`{}...`", text.substr(0, kMost));
}

/// `d.ddd` times ten to `exponent`, rounded to `digits` significant digits.
struct Decimal {
  bool negative;
  std::string digits;
  int exponent;
};

/// base / factor, which may lie beyond the range of a double. Precondition: base is finite, not 0.
Decimal rounded(double base, double factor, int digits) {
  constexpr int kHeadroom = 100;
  double value = base / factor;
  int shift = 0;
  if (!std::isfinite(value)) {
    value = base * 1e-100 / factor;
    shift = kHeadroom;
  }
  const std::string text = fmt::format("{:.{}e}", std::abs(value), digits - 1);
  const std::size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  std::erase(mantissa, '.');
  int exponent = 0;
  const char* first = text.data() + e + 1;
  if (*first == '+') ++first;
  std::from_chars(first, text.data() + text.size(), exponent);
  return {std::signbit(value), mantissa, exponent + shift};
}

/// Plain digits where they are readable, scientific otherwise; no trailing zeros after the point.
std::string written(Decimal d) {
  constexpr int kGreatestExponent = 8;
  constexpr int kLeastExponent = -3;
  const bool scientific = d.exponent > kGreatestExponent || d.exponent < kLeastExponent;
  const int point = scientific ? 0 : d.exponent;  // digits before the point, less one
  std::string text;
  if (point < 0) {
    text = "0." + std::string(static_cast<std::size_t>(-point - 1), '0') + d.digits;
  } else {
    const auto whole = static_cast<std::size_t>(point) + 1;
    if (d.digits.size() < whole) d.digits.append(whole - d.digits.size(), '0');
    text = d.digits.substr(0, whole) + "." + d.digits.substr(whole);
  }
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  const std::string_view sign = d.negative ? "-" : "";
  return scientific ? fmt::format("{}{}e{}", sign, text, d.exponent)
                    : fmt::format("{}{}", sign, text);
}

}  // namespace

namespace detail {

double parse_quantity(std::string_view text, const Dimension& dimension) {
  const auto refuse = [&](std::string_view why) {
    throw InputError(fmt::format("expected {} such as `{}`, found {}: {}", noun_of(dimension),
                                 example_of(dimension), quoted(text), why));
  };
  std::string_view rest = text;
  const std::optional<double> number = take_number(rest);
  if (!number) refuse("it must begin with a finite number, such as 5 or 2.5e3");
  const std::string_view number_text = text.substr(0, text.size() - rest.size());
  while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
  if (rest.empty()) {
    if (*number == 0.0 && number_text.size() == text.size()) return *number;
    refuse("the unit is missing");
  }

  const std::optional<Unit> unit = find_unit(rest);
  if (!unit) refuse(unit_advice(rest, dimension));
  if (unit->dimension != dimension)
    throw InputError(fmt::format("{} is {}; {} is needed, such as `{} {}`", quoted(text),
                                 noun_of(unit->dimension), noun_of(dimension), number_text,
                                 example_unit_of(dimension)));
  const double base = *number * unit->factor + unit->offset;
  if (!std::isfinite(base)) refuse("it is too great");
  return base;
}

std::string format_quantity(double base, const Dimension& dimension, int digits) {
  const std::vector<Unit> ladder = ladder_of(dimension);
  if (base == 0.0 || !std::isfinite(base)) {
    // The coherent unit, or the nearest there is to it.
    const auto plain =
        std::min_element(ladder.begin(), ladder.end(), [](const Unit& a, const Unit& b) {
          return std::abs(std::log(a.factor)) < std::abs(std::log(b.factor));
        });
    return fmt::format("{} {}", std::isfinite(base) ? 0.0 : base, plain->symbol);
  }
  digits = std::clamp(digits, 1, 17);
  std::size_t rung = 0;
  while (rung + 1 < ladder.size() && std::abs(base) >= ladder[rung + 1].least) ++rung;
  Decimal figure = rounded(base, ladder[rung].factor, digits);
  // Rounding may reach the next rung: 999.96 kW is 1 MW.
  if (rung + 1 < ladder.size()) {
    double shown = 0.0;
    const std::string text = written(figure);
    std::from_chars(text.data(), text.data() + text.size(), shown);
    if (std::abs(shown) * ladder[rung].factor >= ladder[rung + 1].least * (1.0 - 1e-12))
      figure = rounded(base, ladder[++rung].factor, digits);
  }
  return fmt::format("{} {}", written(figure), ladder[rung].symbol);
}

}  // namespace detail

double parse_number(std::string_view text) {
  std::string_view rest = text;
  const std::optional<double> number = take_number(rest);
  if (!number || !rest.empty())
    throw InputError(
        fmt::format("expected a finite number such as 5 or 2.5e3, found {}", quoted(text)));
  return *number;
}

long long parse_integer(std::string_view text) {
  std::string_view digits = text;
  if (digits.size() > 1 && digits[0] == '+' && digits[1] != '-') digits.remove_prefix(1);
  long long value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size())
    throw InputError(fmt::format("expected a whole number such as 12, found {}", quoted(text)));
  return value;
}

std::string shortest(double value) {
  std::array<char, 32> buffer{};
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  CARNOT_CHECK(error == std::errc(), "the shortest form of a double has at most 24 characters");
  return {buffer.data(), end};
}

}  // namespace carnot::inline base
