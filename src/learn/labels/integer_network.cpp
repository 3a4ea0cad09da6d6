// SPDX-License-Identifier: Apache-2.0
#include "learn/labels/integer_network.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

std::size_t square_side(const Dataset& data) noexcept {
  if (!data.unsigned_features) return 0;
  const auto side =
      static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(data.columns))));
  return side * side == data.columns ? side : 0;
}

/// e^x for x <= 0 by operations that IEEE 754 rounds in one way only; this file is compiled without
/// contraction.
double exp_of(double x) noexcept {
  constexpr double kLog2E = 1.4426950408889634;
  constexpr double kLn2 = 0.6931471805599453;
  const double y = std::max(x, -700.0) * kLog2E;
  const double whole = std::floor(y);
  const double z = (y - whole) * kLn2;
  double sum = 1.0;
  for (int i = 14; i >= 1; --i) sum = 1.0 + sum * z / static_cast<double>(i);
  return std::ldexp(sum, static_cast<int>(whole));
}

/// sum_k w[k] x[k] + w[n] one.
template <class Input>
std::int64_t product(const std::int32_t* w, const Input* x, std::size_t n,
                     std::int64_t one) noexcept {
  std::int64_t sum = w[n] * one;
  for (std::size_t k = 0; k < n; ++k) sum += std::int64_t{w[k]} * std::int64_t{x[k]};
  return sum;
}

}  // namespace

int fitting_pool(const Dataset& data) noexcept {
  const std::size_t side = square_side(data);
  return side >= 16 && side % 2 == 0 ? 2 : 1;
}

IntegerInputs integer_inputs(const Dataset& data, int pool) {
  IntegerInputs out;
  out.rows = data.rows;
  const std::size_t side = square_side(data);
  const auto p = static_cast<std::size_t>(pool);
  if (pool < 1 || (pool > 1 && (side == 0 || side % p != 0)))
    throw InputError(describe({}, "pool", "1, or a divisor of the side of square pictures"));
  out.one = data.unsigned_features ? 255 : 16;
  const auto to_integer = [&](float x) {
    return std::clamp<std::int32_t>(
        static_cast<std::int32_t>(std::lrint(static_cast<double>(x) * out.one)),
        data.unsigned_features ? 0 : -127, data.unsigned_features ? 255 : 127);
  };
  out.side = side / p;
  out.columns = data.columns / (p * p);
  out.values.resize(out.rows * out.columns);
  for (std::size_t r = 0; r < data.rows; ++r) {
    const float* x = data.features.data() + r * data.columns;
    std::int16_t* to = out.values.data() + r * out.columns;
    for (std::size_t c = 0; c < out.columns; ++c) {
      if (p == 1) {
        to[c] = static_cast<std::int16_t>(to_integer(x[c]));
        continue;
      }
      std::int32_t sum = 0;
      for (std::size_t dy = 0; dy < p; ++dy)
        for (std::size_t dx = 0; dx < p; ++dx)
          sum += to_integer(x[(c / out.side * p + dy) * side + c % out.side * p + dx]);
      const auto n = static_cast<std::int32_t>(p * p);
      to[c] = static_cast<std::int16_t>((sum + n / 2) / n);
    }
  }
  return out;
}

double step_of(int code) noexcept {
  return std::ldexp(code % 2 == 0 ? 1.0 : 1.4142135623730951, -(code + 1) / 2);
}

int step_code(double step) noexcept {
  return std::clamp(static_cast<int>(std::lround(-2.0 * std::log2(step))), 0, 40);
}

std::vector<std::uint64_t> class_frequencies(const IntegerNetwork& n, const IntegerInputs& inputs,
                                             std::size_t row) {
  const std::int16_t* x = inputs.values.data() + row * inputs.columns;
  std::vector<double> odds(n.classes);
  if (n.hidden == 0) {
    const double unit = step_of(n.second_step) / inputs.one;
    for (std::size_t c = 0; c < n.classes; ++c)
      odds[c] = unit * static_cast<double>(
                           product(n.second.data() + c * (n.inputs + 1), x, n.inputs, inputs.one));
  } else {
    const double first = step_of(n.first_step) / inputs.one;
    std::vector<std::int64_t> hidden(n.hidden);
    for (std::size_t j = 0; j < n.hidden; ++j)
      hidden[j] = std::max<std::int64_t>(
          0, product(n.first.data() + j * (n.inputs + 1), x, n.inputs, inputs.one));
    const auto one = static_cast<std::int64_t>(1.0 / first + 0.5);
    const double unit = step_of(n.second_step) * first;
    for (std::size_t c = 0; c < n.classes; ++c)
      odds[c] = unit * static_cast<double>(product(n.second.data() + c * (n.hidden + 1),
                                                   hidden.data(), n.hidden, one));
  }
  const double most = *std::max_element(odds.begin(), odds.end());
  double sum = 0.0;
  for (double& z : odds) sum += z = exp_of(z - most);
  std::vector<std::uint64_t> out(n.classes);
  for (std::size_t c = 0; c < n.classes; ++c)
    out[c] = 1 + static_cast<std::uint64_t>(odds[c] / sum * 0x1p26);
  return out;
}

}  // namespace carnot::learn
