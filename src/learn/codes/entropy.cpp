// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/codes/entropy.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "carnot/base/error.hpp"

namespace carnot::learn {

namespace {

/// psi(x) for x > 0: upward to 10, then its asymptotic series (Abramowitz & Stegun 6.3.18).
double digamma(double x) {
  double sum = 0.0;
  for (; x < 10.0; x += 1.0) sum -= 1.0 / x;
  const double inverse = 1.0 / (x * x);
  return sum + std::log(x) - 0.5 / x -
         inverse * (1.0 / 12 - inverse * (1.0 / 120 - inverse * (1.0 / 252 - inverse / 240)));
}

}  // namespace

EntropyEstimate discrete_entropy(std::span<const std::uint64_t> counts) {
  double total = 0.0;
  for (const std::uint64_t count : counts) total += static_cast<double>(count);
  if (!(total > 0)) throw InputError(describe({}, "counts", "at least one that is above 0"));
  const auto there = [](std::uint64_t count) { return count > 0; };
  if (std::count_if(counts.begin(), counts.end(), there) == 1) return {};
  double weighed = 0.0;
  double mean = 0.0;
  double square = 0.0;
  for (const std::uint64_t count : counts) {
    if (count == 0) continue;
    const auto n = static_cast<double>(count);
    const double odd = count % 2 == 0 ? 0.5 : -0.5;
    weighed += n * (digamma(n) + odd * (digamma(0.5 * (n + 1.0)) - digamma(0.5 * n)));
    const double bits = -std::log2(n / total);
    mean += n / total * bits;
    square += n / total * bits * bits;
  }
  return {std::max(0.0, (std::log(total) - weighed / total) / std::numbers::ln2),
          std::sqrt(std::max(0.0, square - mean * mean) / total)};
}

EntropyEstimate column_entropy(std::span<const float> values) {
  std::vector<float> sorted(values.begin(), values.end());
  std::sort(sorted.begin(), sorted.end());
  std::vector<std::uint64_t> counts;
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (i == 0 || sorted[i] != sorted[i - 1]) counts.push_back(0);
    ++counts.back();
  }
  return discrete_entropy(counts);
}

EntropyEstimate nearest_neighbour_entropy(std::span<const double> points, std::size_t dims,
                                          std::size_t k) {
  const std::size_t rows = dims > 0 ? points.size() / dims : 0;
  if (dims < 1 || rows * dims != points.size())
    throw InputError(describe({}, "points", "rows of `dims` numbers, 1 or more"));
  if (k < 1 || rows <= k) throw InputError(describe({}, "k", "1 or more, and fewer than the rows"));
  const auto n = static_cast<double>(rows);
  const auto d = static_cast<double>(dims);
  std::vector<double> nearest(k);
  double mean = 0.0;
  double square = 0.0;
  for (std::size_t i = 0; i < rows; ++i) {
    nearest.assign(k, std::numeric_limits<double>::infinity());
    for (std::size_t j = 0; j < rows; ++j) {
      if (i == j) continue;
      double distance = 0.0;
      for (std::size_t c = 0; c < dims; ++c) {
        const double step = points[i * dims + c] - points[j * dims + c];
        distance += step * step;
      }
      if (distance >= nearest.back()) continue;
      std::size_t at = k - 1;
      for (; at > 0 && nearest[at - 1] > distance; --at) nearest[at] = nearest[at - 1];
      nearest[at] = distance;
    }
    const double value = 0.5 * d * std::log(nearest.back());
    mean += value;
    square += value * value;
  }
  mean /= n;
  const double ball = 0.5 * d * std::log(std::numbers::pi) - std::lgamma(0.5 * d + 1.0);
  const double nats = digamma(n) - digamma(static_cast<double>(k)) + ball + mean;
  const double variance = std::max(0.0, square / n - mean * mean);
  return {nats / std::numbers::ln2, std::sqrt(variance / n) / std::numbers::ln2};
}

double coded_length(std::span<const std::uint32_t> symbols, std::uint32_t alphabet) {
  std::vector<double> counts(alphabet, 0.5);
  double total = 0.5 * alphabet;
  double bits = 0.0;
  for (const std::uint32_t symbol : symbols) {
    if (symbol >= alphabet) throw InputError(describe({}, "symbols", "below the alphabet's size"));
    bits -= std::log2(counts[symbol] / total);
    counts[symbol] += 1.0;
    total += 1.0;
  }
  return bits;
}

}  // namespace carnot::learn
