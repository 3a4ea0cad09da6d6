// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/knobs/codebook.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

namespace carnot::learn {

namespace {

constexpr int kMostPasses = 500;
constexpr std::size_t kExactValues = 256;  // different values up to which the least error is found

void check(std::span<const float> column, int bits) {
  if (bits < 1 || bits > 16) throw InputError(describe({}, "bits", "1 to 16"));
  if (column.empty()) throw InputError(describe({}, "column", "at least one value"));
  for (const float value : column)
    if (!std::isfinite(value)) throw InputError(describe({}, "column", "finite values"));
}

struct Distinct {
  std::vector<float> values;
  std::vector<double> weight;  ///< how often
};

Distinct distinct(std::span<const float> column) {
  std::vector<float> sorted(column.begin(), column.end());
  std::sort(sorted.begin(), sorted.end());
  Distinct out;
  for (const float value : sorted) {
    if (out.values.empty() || value != out.values.back()) {
      out.values.push_back(value);
      out.weight.push_back(0.0);
    }
    out.weight.back() += 1.0;
  }
  return out;
}

/// Levels that begin in the middle of equally filled cells.
std::vector<double> quantiles(const Distinct& d, std::size_t levels) {
  double total = 0.0;
  for (const double w : d.weight) total += w;
  std::vector<double> out;
  double before = 0.0;
  std::size_t at = 0;
  for (std::size_t i = 0; i < levels; ++i) {
    const double wanted = total * (static_cast<double>(i) + 0.5) / static_cast<double>(levels);
    while (at + 1 < d.values.size() && before + d.weight[at] < wanted) before += d.weight[at++];
    if (out.empty() || static_cast<double>(d.values[at]) > out.back())
      out.push_back(static_cast<double>(d.values[at]));
  }
  return out;
}

/// The levels of least squared error: a dynamic programme over where cells begin. Cells of sorted
/// values are runs, so a best set of l levels for the first b values ends in a run from some a on.
std::vector<double> least_error_levels(const Distinct& d, std::size_t levels) {
  const std::size_t n = d.values.size();
  std::vector<double> weight(n + 1, 0.0), sum(n + 1, 0.0), square(n + 1, 0.0);
  for (std::size_t i = 0; i < n; ++i) {
    const auto v = static_cast<double>(d.values[i]);
    weight[i + 1] = weight[i] + d.weight[i];
    sum[i + 1] = sum[i] + d.weight[i] * v;
    square[i + 1] = square[i] + d.weight[i] * v * v;
  }
  const auto mean = [&](std::size_t a, std::size_t b) {
    return (sum[b] - sum[a]) / (weight[b] - weight[a]);
  };
  const auto cost = [&](std::size_t a, std::size_t b) {
    return std::max(0.0, square[b] - square[a] - (sum[b] - sum[a]) * mean(a, b));
  };
  std::vector<double> best(n + 1, kInfinity);
  best[0] = 0.0;
  std::vector<std::vector<std::size_t>> from(levels, std::vector<std::size_t>(n + 1, 0));
  for (std::size_t l = 0; l < levels; ++l) {
    std::vector<double> next(n + 1, kInfinity);
    for (std::size_t b = l + 1; b <= n; ++b)
      for (std::size_t a = l; a < b; ++a)
        if (const double value = best[a] + cost(a, b); value < next[b]) {
          next[b] = value;
          from[l][b] = a;
        }
    best = std::move(next);
  }
  std::vector<double> out(levels);
  for (std::size_t l = levels, b = n; l-- > 0; b = from[l][b]) out[l] = mean(from[l][b], b);
  return out;
}

/// As many equally filled cells as the dynamic programme takes, each at its mean.
Distinct coarser(const Distinct& d) {
  double total = 0.0;
  for (const double w : d.weight) total += w;
  Distinct out;
  double seen = 0.0;
  double sum = 0.0;
  double weight = 0.0;
  for (std::size_t i = 0; i < d.values.size(); ++i) {
    sum += d.weight[i] * static_cast<double>(d.values[i]);
    weight += d.weight[i];
    seen += d.weight[i];
    const double filled = total * static_cast<double>(out.values.size() + 1) / kExactValues;
    if (seen < filled && i + 1 < d.values.size()) continue;
    out.values.push_back(static_cast<float>(sum / weight));
    out.weight.push_back(weight);
    sum = weight = 0.0;
  }
  return out;
}

/// Lloyd's iteration: every level to the mean of what is nearest to it, until none moves.
std::vector<double> lloyd_levels(const Distinct& d, std::size_t most) {
  // It stops at the first valley that it meets: begin near the best levels of a coarser column.
  std::vector<double> levels =
      most < kExactValues ? least_error_levels(coarser(d), most) : quantiles(d, most);
  const double still =
      1e-7 * (static_cast<double>(d.values.back()) - static_cast<double>(d.values.front()));
  for (int pass = 0; pass < kMostPasses; ++pass) {
    std::vector<double> sum(levels.size(), 0.0), weight(levels.size(), 0.0);
    std::size_t cell = 0;
    for (std::size_t i = 0; i < d.values.size(); ++i) {
      const auto value = static_cast<double>(d.values[i]);
      while (cell + 1 < levels.size() && value > 0.5 * (levels[cell] + levels[cell + 1])) ++cell;
      sum[cell] += d.weight[i] * value;
      weight[cell] += d.weight[i];
    }
    double moved = 0.0;
    for (std::size_t c = 0; c < levels.size(); ++c) {
      if (weight[c] == 0.0) continue;
      moved = std::max(moved, std::abs(sum[c] / weight[c] - levels[c]));
      levels[c] = sum[c] / weight[c];
    }
    if (moved <= still) break;
  }
  return levels;
}

}  // namespace

Codebook Codebook::uniform(std::span<const float> column, int bits) {
  check(column, bits);
  float greatest = 0.0f;
  for (const float value : column) greatest = std::max(greatest, std::abs(value));
  Codebook book;
  const int half = std::max((1 << (bits - 1)) - 1, bits == 1 ? 0 : 1);
  for (int i = -half; i <= half; ++i)
    book.levels_.push_back(half == 0 ? 0.0f
                                     : greatest * static_cast<float>(i) / static_cast<float>(half));
  if (bits == 1) book.levels_ = {-greatest, greatest};
  return book;
}

Codebook Codebook::fitted(std::span<const float> column, int bits) {
  check(column, bits);
  const Distinct d = distinct(column);
  Codebook book;
  const std::size_t most = std::size_t{1} << bits;
  if (d.values.size() <= most) {
    book.levels_ = d.values;
    return book;
  }
  const std::vector<double> levels =
      d.values.size() <= kExactValues ? least_error_levels(d, most) : lloyd_levels(d, most);
  for (const double level : levels) book.levels_.push_back(static_cast<float>(level));
  return book;
}

float Codebook::nearest(float value) const noexcept {
  const auto above = std::lower_bound(levels_.begin(), levels_.end(), value);
  if (above == levels_.begin()) return levels_.front();
  if (above == levels_.end()) return levels_.back();
  const float below = *(above - 1);
  return value - below <= *above - value ? below : *above;
}

double Codebook::squared_error(std::span<const float> column) const noexcept {
  double sum = 0.0;
  for (const float value : column) {
    const double step = static_cast<double>(value) - static_cast<double>(nearest(value));
    sum += step * step;
  }
  return column.empty() ? 0.0 : sum / static_cast<double>(column.size());
}

}  // namespace carnot::learn
