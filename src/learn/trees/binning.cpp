// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/binning.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/learn/data/encoding.hpp"

namespace carnot::learn {

namespace {

/// Floats in the order of their values as unsigned integers.
std::uint32_t ordered(float x) noexcept {
  const auto bits = std::bit_cast<std::uint32_t>(x + 0.0f);  // -0 is 0
  return bits ^ ((bits >> 31) != 0 ? 0xFFFFFFFFu : 0x80000000u);
}

float from_ordered(std::uint32_t key) noexcept {
  return std::bit_cast<float>(key ^ ((key >> 31) != 0 ? 0x80000000u : 0xFFFFFFFFu));
}

/// Least significant digit first, 11 bits at a time.
void radix_sort(std::vector<std::uint32_t>& keys, std::vector<std::uint32_t>& spare) {
  constexpr std::size_t kDigit = 2048;
  if (keys.size() < kDigit) {
    std::sort(keys.begin(), keys.end());
    return;
  }
  std::array<std::array<std::uint32_t, kDigit>, 3> counts{};
  for (const std::uint32_t k : keys) {
    ++counts[0][k & 2047u];
    ++counts[1][(k >> 11) & 2047u];
    ++counts[2][k >> 22];
  }
  spare.resize(keys.size());
  for (std::size_t pass = 0; pass < 3; ++pass) {
    std::uint32_t sum = 0;
    for (std::uint32_t& c : counts[pass]) sum += std::exchange(c, sum);
    const unsigned shift = static_cast<unsigned>(11 * pass);
    for (const std::uint32_t k : keys) spare[counts[pass][(k >> shift) & 2047u]++] = k;
    std::swap(keys, spare);
  }
}

struct ValueCount {
  float value;
  std::size_t count;
};

float midway(float a, float b) noexcept {
  const float m = a + 0.5f * (b - a);
  return m < b && m >= a ? m : a;
}

/// \param values  distinct, ascending
std::vector<float> edges_of(const std::vector<ValueCount>& values, std::size_t bins) {
  std::vector<float> edges;
  if (values.size() <= bins) {
    for (std::size_t i = 0; i + 1 < values.size(); ++i)
      edges.push_back(midway(values[i].value, values[i + 1].value));
    return edges;
  }
  std::size_t total = 0;
  for (const ValueCount& v : values) total += v.count;
  // What is more frequent than an even share has a bin of its own; the share shrinks as those go.
  std::size_t rest = total, rest_bins = bins;
  std::vector<bool> alone(values.size(), false);
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < values.size() && rest_bins > 1; ++i) {
      if (alone[i] || values[i].count * rest_bins < rest) continue;
      alone[i] = again = true;
      rest -= values[i].count;
      --rest_bins;
    }
  }
  double share = static_cast<double>(rest) / static_cast<double>(rest_bins);
  std::size_t in_bin = 0;
  for (std::size_t i = 0; i + 1 < values.size() && edges.size() + 1 < bins; ++i) {
    if (!alone[i]) rest -= values[i].count;
    in_bin += values[i].count;
    const bool full = static_cast<double>(in_bin) >= share;
    const bool half_before_alone = alone[i + 1] && 2.0 * static_cast<double>(in_bin) >= share;
    if (!alone[i] && !full && !half_before_alone) continue;
    edges.push_back(midway(values[i].value, values[i + 1].value));
    if (!alone[i] && rest_bins > 1) {
      --rest_bins;
      share = static_cast<double>(rest) / static_cast<double>(rest_bins);
    }
    in_bin = 0;
  }
  return edges;
}

bool is_missing_at(const std::vector<std::uint8_t>& flags, std::size_t at) noexcept {
  return !flags.empty() && flags[at] != 0;
}

void fit_numeric(TreeFeature& f, std::vector<std::uint32_t>& keys, std::size_t rows,
                 std::size_t bins) {
  f.met_missing = keys.size() < rows;
  std::vector<std::uint32_t> spare;
  radix_sort(keys, spare);
  std::vector<ValueCount> values;
  for (const std::uint32_t k : keys) {
    const float x = from_ordered(k);
    if (values.empty() || values.back().value < x) values.push_back({x, 0});
    ++values.back().count;
  }
  f.edges = edges_of(values, bins);
  f.bins = f.edges.size() + 1;
}

/// The level of a row, or `levels` where training met none such.
std::size_t level_of(const TreeFeature& f, const float* row) noexcept {
  if (f.one_hot) {
    for (std::size_t l = 0; l < f.levels; ++l)
      if (row[f.column + l] > 0.5f) return l;
    return f.levels;
  }
  const double rank = static_cast<double>(row[f.column]) * f.scale + f.mean;
  const double nearest = std::nearbyint(rank);
  if (!(nearest >= 0.0) || nearest >= static_cast<double>(f.levels)) return f.levels;
  return static_cast<std::size_t>(nearest);
}

void fit_categorical(TreeFeature& f, const Dataset& data, const std::vector<std::uint8_t>& missing,
                     std::size_t bins) {
  std::vector<std::size_t> counts(f.levels, 0);
  for (std::size_t r = 0; r < data.rows; ++r) {
    const bool none = is_missing_at(missing, r * data.columns + f.column);
    const std::size_t l = none ? f.levels : level_of(f, &data.features[r * data.columns]);
    if (l == f.levels)
      f.met_missing = true;
    else
      ++counts[l];
  }
  std::vector<std::size_t> order(f.levels);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return counts[a] > counts[b]; });
  f.level_bins.resize(f.levels);
  for (std::size_t i = 0; i < f.levels; ++i)
    f.level_bins[order[i]] = static_cast<std::uint8_t>(std::min(i, bins - 1));
  f.bins = std::clamp<std::size_t>(f.levels, 1, bins);
}

}  // namespace

std::vector<std::uint8_t> missing_flags(const Dataset& data) {
  std::vector<std::uint8_t> flags;
  if (data.missing.empty()) return flags;
  flags.assign(data.rows * data.columns, 0);
  for (const std::uint64_t at : data.missing) {
    CARNOT_CHECK(at < flags.size(), "missing entries are entries");
    flags[at] = 1;
  }
  return flags;
}

std::vector<TreeFeature> tree_features(const Dataset& data) {
  std::vector<TreeFeature> out;
  if (data.encoding == nullptr) {
    for (std::size_t c = 0; c < data.columns; ++c) {
      TreeFeature& f = out.emplace_back();
      f.column = c;
      f.name =
          c < data.feature_names.size() ? data.feature_names[c] : fmt::format("column {}", c + 1);
    }
    return out;
  }
  for (const ColumnEncoding& column : data.encoding->columns) {
    TreeFeature& f = out.emplace_back();
    f.name = column.name;
    f.column = column.first;
    f.one_hot = column.kind == ColumnEncoding::Kind::OneHot;
    if (column.kind == ColumnEncoding::Kind::Number) continue;
    f.levels = column.levels.size();
    f.mean = column.mean;
    f.scale = column.scale;
  }
  return out;
}

std::vector<TreeFeature> fit_bins(const Dataset& data, std::size_t bins, Workers& workers) {
  std::vector<TreeFeature> features = tree_features(data);
  const std::vector<std::uint8_t> missing = missing_flags(data);
  // A few features at a time: their columns are read out of the rows together.
  constexpr std::size_t kBatch = 16, kBlock = 2048;
  for (std::size_t first = 0; first < features.size(); first += kBatch) {
    const std::size_t count = std::min(kBatch, features.size() - first);
    std::vector<std::vector<std::uint32_t>> keys(count);
    const std::size_t parts = std::min<std::size_t>(count, 4);
    workers.run(parts, [&](std::size_t part, std::size_t) {
      const std::size_t from = part * count / parts, to = (part + 1) * count / parts;
      for (std::size_t i = from; i < to; ++i)
        if (!features[first + i].categorical()) keys[i].reserve(data.rows);
      for (std::size_t begin = 0; begin < data.rows; begin += kBlock)
        for (std::size_t i = from; i < to; ++i) {
          if (features[first + i].categorical()) continue;
          const std::size_t column = features[first + i].column;
          for (std::size_t r = begin; r < std::min(data.rows, begin + kBlock); ++r) {
            const std::size_t at = r * data.columns + column;
            if (!is_missing_at(missing, at)) keys[i].push_back(ordered(data.features[at]));
          }
        }
    });
    workers.run(count, [&](std::size_t i, std::size_t) {
      TreeFeature& f = features[first + i];
      if (f.categorical())
        fit_categorical(f, data, missing, bins);
      else
        fit_numeric(f, keys[i], data.rows, bins);
    });
  }
  return features;
}

void bin_feature(const TreeFeature& f, const Dataset& data,
                 const std::vector<std::uint8_t>& is_missing, std::size_t first, std::size_t count,
                 std::uint8_t* out, std::size_t stride) {
  const float* row = data.features.data() + first * data.columns;
  const std::size_t edges = f.edges.size();
  for (std::size_t i = 0; i < count; ++i, row += data.columns, out += stride) {
    if (is_missing_at(is_missing, (first + i) * data.columns + f.column)) {
      *out = f.missing_bin();
      continue;
    }
    if (f.categorical()) {
      const std::size_t level = level_of(f, row);
      *out = level < f.levels ? f.level_bins[level] : f.missing_bin();
      continue;
    }
    // The number of edges below x, without a branch that depends on x.
    const float x = row[f.column];
    const float* at = f.edges.data();
    std::size_t n = edges;
    for (; n > 1; n -= n / 2) at += at[n / 2 - 1] < x ? n / 2 : 0;
    const auto below = static_cast<std::size_t>(at - f.edges.data());
    *out = static_cast<std::uint8_t>(below + (n == 1 && *at < x ? 1u : 0u));
  }
}

BinnedRows bin_rows(const std::vector<TreeFeature>& features, const Dataset& data,
                    Workers& workers) {
  BinnedRows out;
  out.rows = data.rows;
  out.offset.push_back(0);
  for (std::size_t i = 0; i < features.size(); ++i) {
    const std::size_t slots = features[i].bins + (features[i].met_missing ? 1 : 0);
    if (slots < 2) continue;
    out.used.push_back(static_cast<std::uint32_t>(i));
    out.offset.push_back(out.offset.back() + slots);
  }
  const std::size_t n = out.used.size();
  const std::vector<std::uint8_t> missing = missing_flags(data);
  out.column.resize(n);
  for (std::vector<std::uint8_t>& column : out.column) column.resize(data.rows);
  constexpr std::size_t kRows = 2048;
  workers.run((data.rows + kRows - 1) / kRows, [&](std::size_t block, std::size_t) {
    const std::size_t begin = block * kRows, count = std::min(kRows, data.rows - begin);
    for (std::size_t i = 0; i < n; ++i)
      bin_feature(features[out.used[i]], data, missing, begin, count, out.column[i].data() + begin,
                  1);
  });
  // Two groups at least, so that two threads have work; none wider than kGroup.
  const std::size_t groups = std::max<std::size_t>(
      std::min<std::size_t>(n, 2), (n + BinnedRows::kGroup - 1) / BinnedRows::kGroup);
  for (std::size_t g = 0; g < groups; ++g) {
    const std::size_t first = g * n / groups, end = (g + 1) * n / groups;
    out.groups.push_back({first, end - first, {}});
  }
  workers.run(groups, [&](std::size_t g, std::size_t) {
    BinnedRows::Group& group = out.groups[g];
    group.bins.resize(data.rows * group.width);
    constexpr std::size_t kBlock = 4096;
    for (std::size_t begin = 0; begin < data.rows; begin += kBlock)
      for (std::size_t j = 0; j < group.width; ++j) {
        const std::uint8_t* from = out.column[group.first + j].data();
        for (std::size_t r = begin; r < std::min(data.rows, begin + kBlock); ++r)
          group.bins[r * group.width + j] = from[r];
      }
  });
  return out;
}

std::vector<std::uint8_t> binned(const TreeModel& model, const Dataset& data) {
  if (data.columns != model.columns)
    throw InputError(describe({}, "data",
                              fmt::format("{} columns as the model was trained on, found {}",
                                          model.columns, data.columns)));
  const std::vector<std::uint8_t> missing = missing_flags(data);
  std::vector<std::uint8_t> out(data.rows * model.features.size());
  constexpr std::size_t kBlock = 1024;
  for (std::size_t begin = 0; begin < data.rows; begin += kBlock)
    for (std::size_t i = 0; i < model.features.size(); ++i)
      bin_feature(model.features[i], data, missing, begin, std::min(kBlock, data.rows - begin),
                  out.data() + begin * model.features.size() + i, model.features.size());
  return out;
}

}  // namespace carnot::learn
