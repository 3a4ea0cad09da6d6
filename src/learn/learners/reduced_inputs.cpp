// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/learners/reduced_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;
constexpr std::size_t kCovarianceRows = 10000;
constexpr std::size_t kIterations = 24, kExtra = 8, kMostColumns = 4096;

/// Everything but the features.
Dataset without_features(const Dataset& from, std::size_t columns) {
  Dataset to = from;
  to.features.clear();
  to.missing.clear();
  to.feature_names.clear();
  to.encoding = nullptr;
  to.columns = columns;
  return to;
}

void check_components(const Split& split, std::size_t components) {
  if (split.train.columns == 0) throw InputError("components: of tables and images, not of texts");
  if (components < 1 || components > split.train.columns)
    throw InputError(
        describe({}, "components",
                 fmt::format("1 to {}, the columns, found {}", split.train.columns, components)));
}

/// Row by row times the directions [components x columns] less the mean.
std::vector<float> project(const Dataset& data, const std::vector<double>& directions,
                           std::size_t components, const std::vector<double>& mean) {
  std::vector<float> out;
  out.reserve(data.rows * components);
  // Turned, so that the inner loop runs over components.
  std::vector<float> turned(directions.size());
  for (std::size_t j = 0; j < components; ++j)
    for (std::size_t k = 0; k < data.columns; ++k)
      turned[k * components + j] = static_cast<float>(directions[j * data.columns + k]);
  std::vector<float> sum(components);
  for (std::size_t r = 0; r < data.rows; ++r) {
    std::fill(sum.begin(), sum.end(), 0.0f);
    const float* x = data.features.data() + r * data.columns;
    for (std::size_t k = 0; k < data.columns; ++k) {
      const float v = x[k] - static_cast<float>(mean[k]);
      const float* w = turned.data() + k * components;
      for (std::size_t j = 0; j < components; ++j) sum[j] += v * w[j];
    }
    out.insert(out.end(), sum.begin(), sum.end());
  }
  return out;
}

std::vector<double> means(const Dataset& data) {
  std::vector<double> mean(data.columns);
  for (std::size_t r = 0; r < data.rows; ++r)
    for (std::size_t k = 0; k < data.columns; ++k)
      mean[k] += static_cast<double>(data.features[r * data.columns + k]);
  for (double& m : mean) m /= static_cast<double>(data.rows);
  return mean;
}

ReducedInputs projected(const Split& split, const std::vector<double>& directions,
                        std::size_t components, const std::vector<double>& mean) {
  ReducedInputs out;
  for (const auto& [from, to] :
       {std::pair{&split.train, &out.split.train}, std::pair{&split.test, &out.split.test}}) {
    *to = without_features(*from, components);
    to->features = project(*from, directions, components, mean);
    to->unsigned_features = false;
  }
  double squares = 0.0;
  for (const float v : out.split.train.features)
    squares += static_cast<double>(v) * static_cast<double>(v);
  const double root = std::sqrt(squares / static_cast<double>(out.split.train.features.size()));
  const float inverse = root > 0.0 ? static_cast<float>(1.0 / root) : 1.0f;
  for (Dataset* data : {&out.split.train, &out.split.test})
    for (float& v : data->features) v *= inverse;
  const std::uint64_t columns = split.train.columns, n = columns * components;
  out.per_row.at(Kind::F32Mac) = n;
  out.per_row.at(Kind::F32Elementwise) = columns + components;
  out.per_row.at(MemoryLevel::Dram) = 4 * (columns + components);
  out.per_row.at(MemoryLevel::Cache) = 4 * n;
  out.fitting = out.per_row * split.train.rows;
  return out;
}

/// Rows made orthonormal in turn; one that depends on those before becomes 0.
void orthonormal(std::vector<double>& rows, std::size_t count, std::size_t n) {
  for (std::size_t i = 0; i < count; ++i) {
    double* v = rows.data() + i * n;
    const double before = std::sqrt(std::inner_product(v, v + n, v, 0.0));
    for (int twice = 0; twice < 2; ++twice)
      for (std::size_t j = 0; j < i; ++j) {
        const double* u = rows.data() + j * n;
        const double dot = std::inner_product(v, v + n, u, 0.0);
        for (std::size_t k = 0; k < n; ++k) v[k] -= dot * u[k];
      }
    const double length = std::sqrt(std::inner_product(v, v + n, v, 0.0));
    const double scale = length > 1e-12 * before && length > 0.0 ? 1.0 / length : 0.0;
    for (std::size_t k = 0; k < n; ++k) v[k] *= scale;
  }
}

std::vector<double> normal_rows(std::size_t count, std::size_t n, std::uint64_t seed) {
  const RandomStream random(seed, "directions");
  std::vector<double> out(count * n);
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = random.normal(i);
  return out;
}

std::vector<double> covariance(const Dataset& data, const std::vector<double>& mean) {
  const std::size_t d = data.columns, rows = std::min(data.rows, kCovarianceRows);
  std::vector<double> out(d * d), x(d);
  for (std::size_t i = 0; i < rows; ++i) {
    const float* row = data.features.data() + i * data.rows / rows * d;
    for (std::size_t k = 0; k < d; ++k) x[k] = static_cast<double>(row[k]) - mean[k];
    for (std::size_t a = 0; a < d; ++a) {
      if (x[a] == 0.0) continue;
      double* to = out.data() + a * d;
      for (std::size_t b = a; b < d; ++b) to[b] += x[a] * x[b];
    }
  }
  for (std::size_t a = 0; a < d; ++a)
    for (std::size_t b = 0; b < a; ++b) out[a * d + b] = out[b * d + a];
  return out;
}

}  // namespace

ReducedInputs pooled_inputs(const Split& split, std::size_t side) {
  const Dataset& train = split.train;
  const auto across =
      static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(train.columns))));
  if (!train.unsigned_features || across * across != train.columns || across == 0)
    throw InputError(describe({}, "pool", "square images of pixels: columns have no neighbours"));
  if (side < 1 || across % side != 0)
    throw InputError(
        describe({}, "pool", fmt::format("pixels a side that divide {}, found {}", across, side)));
  const std::size_t now = across / side;
  ReducedInputs out;
  for (const auto& [from, to] :
       {std::pair{&split.train, &out.split.train}, std::pair{&split.test, &out.split.test}}) {
    *to = without_features(*from, now * now);
    to->features.assign(from->rows * now * now, 0.0f);
    const float share = 1.0f / static_cast<float>(side * side);
    for (std::size_t r = 0; r < from->rows; ++r)
      for (std::size_t y = 0; y < across; ++y)
        for (std::size_t x = 0; x < across; ++x)
          to->features[r * now * now + y / side * now + x / side] +=
              share * from->features[r * train.columns + y * across + x];
    for (float& v : to->features) v = std::min(v, 1.0f);
  }
  out.per_row.at(Kind::F32Elementwise) = side > 1 ? train.columns + now * now : 0;
  out.per_row.at(MemoryLevel::Dram) = side > 1 ? 4 * (train.columns + now * now) : 0;
  out.fitting = out.per_row * train.rows;
  return out;
}

ReducedInputs random_inputs(const Split& split, std::size_t components, std::uint64_t seed) {
  check_components(split, components);
  const std::vector<double> mean(split.train.columns, 0.0);
  return projected(split, normal_rows(components, split.train.columns, seed), components, mean);
}

ReducedInputs principal_inputs(const Split& split, std::size_t components, std::uint64_t seed) {
  check_components(split, components);
  const std::size_t d = split.train.columns;
  if (d > kMostColumns)
    throw InputError(describe(
        {}, "components",
        fmt::format("principal ones of at most {} columns, found {}; projection takes any number",
                    kMostColumns, d)));
  const std::size_t count = std::min(components + kExtra, d);
  const std::vector<double> mean = means(split.train), c = covariance(split.train, mean);
  std::vector<double> basis = normal_rows(count, d, seed), next(basis.size());
  orthonormal(basis, count, d);
  for (std::size_t i = 0; i < kIterations; ++i) {
    std::fill(next.begin(), next.end(), 0.0);
    for (std::size_t j = 0; j < count; ++j)
      for (std::size_t a = 0; a < d; ++a) {
        const double v = basis[j * d + a];
        if (v == 0.0) continue;
        for (std::size_t b = 0; b < d; ++b) next[j * d + b] += v * c[a * d + b];
      }
    std::swap(basis, next);
    orthonormal(basis, count, d);
  }
  ReducedInputs out = projected(split, basis, components, mean);
  const std::uint64_t rows = std::min(split.train.rows, kCovarianceRows), dd = d, k = count;
  out.fitting.at(Kind::F32Mac) +=
      2 * (rows * dd * (dd + 1) / 2 + kIterations * k * dd * (dd + 2 * k));
  out.fitting.at(MemoryLevel::Dram) += 4 * split.train.rows * dd + 4 * rows * dd;
  return out;
}

Dataset these_rows(const Dataset& from, std::span<const std::uint32_t> rows) {
  Dataset to = without_features(from, from.columns);
  to.encoding = from.encoding;
  to.feature_names = from.feature_names;
  to.rows = rows.size();
  to.features.reserve(rows.size() * from.columns);
  to.labels.clear();
  to.targets.clear();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t r = rows[i], first = r * from.columns;
    const auto at = from.features.begin() + static_cast<std::ptrdiff_t>(first);
    to.features.insert(to.features.end(), at, at + static_cast<std::ptrdiff_t>(from.columns));
    if (!from.labels.empty()) to.labels.push_back(from.labels[r]);
    if (!from.targets.empty()) to.targets.push_back(from.targets[r]);
    for (auto m = std::lower_bound(from.missing.begin(), from.missing.end(), first);
         m != from.missing.end() && *m < first + from.columns; ++m)
      to.missing.push_back(*m - first + i * from.columns);
  }
  return to;
}

ReducedInputs fewer_rows(const Split& split, double share, std::uint64_t seed) {
  if (!(share > 0.0 && share <= 1.0)) throw InputError(describe({}, "rows", "a share in (0, 1]"));
  ReducedInputs out;
  out.split = split;
  const Dataset& from = split.train;
  const auto keep = std::min(
      from.rows, std::max<std::size_t>(
                     2, static_cast<std::size_t>(share * static_cast<double>(from.rows) + 0.5)));
  if (keep == from.rows) return out;
  if (from.columns == 0) throw InputError("rows: of tables and images, not of texts");
  std::vector<std::uint32_t> order(from.rows);
  std::iota(order.begin(), order.end(), 0u);
  const RandomStream random(seed, "fewer rows");
  shuffle(order, random);
  order.resize(keep);
  std::sort(order.begin(), order.end());
  out.split.train = these_rows(from, order);
  return out;
}

}  // namespace carnot::learn
