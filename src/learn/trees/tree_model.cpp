// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/trees/tree_model.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "learn/kernels/elementwise.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

bool goes_left(const Tree& tree, const TreeNode& node, const TreeFeature& feature,
               std::uint8_t bin) noexcept {
  if (bin == feature.missing_bin()) return node.missing_left;
  if (feature.categorical()) return ((tree.sets[node.set][bin / 64] >> (bin % 64)) & 1u) != 0;
  return bin <= node.bin;
}

void require(bool good, const char* what) {
  if (!good) throw InputError(fmt::format("model of trees: {}", what));
}

void check_tree(const Tree& tree, const TreeModel& model) {
  require(!tree.nodes.empty(), "a tree has a root");
  require(tree.width == 1 || tree.width == model.outputs, "a leaf has one value or all");
  require(tree.output < model.outputs && tree.output + tree.width <= model.outputs,
          "a tree adds to scores that exist");
  require(tree.values.size() % tree.width == 0, "all leaves have as many values");
  for (const float v : tree.values) require(std::isfinite(v), "leaves are finite numbers");
  for (std::size_t i = 0; i < tree.nodes.size(); ++i) {
    const TreeNode& node = tree.nodes[i];
    if (node.is_leaf()) {
      require(node.left < tree.leaves(), "a leaf has a value");
      continue;
    }
    require(node.feature < model.features.size(), "a node tests a feature that exists");
    // Children come later, so that every walk ends.
    require(node.left > i && node.left < tree.nodes.size() && node.right > i &&
                node.right < tree.nodes.size(),
            "children come after their parent");
    require(!model.features[node.feature].categorical() || node.set < tree.sets.size(),
            "a node of a category has a set");
  }
}

}  // namespace

void check_model(const TreeModel& model) {
  require(model.outputs >= 1 && model.base.size() == model.outputs, "a base score an output");
  require(model.classes == 0   ? model.outputs == 1
          : model.average      ? model.outputs == model.classes
          : model.classes == 2 ? model.outputs == 1
                               : model.classes > 2 && model.outputs == model.classes,
          "as many scores as the classes need");
  for (const float b : model.base) require(std::isfinite(b), "base scores are finite numbers");
  for (const TreeFeature& f : model.features) {
    require(f.bins >= 1 && f.bins <= 255, "a feature has 1 to 255 bins");
    if (f.categorical()) {
      require(f.level_bins.size() == f.levels, "a level has a bin");
      require(std::all_of(f.level_bins.begin(), f.level_bins.end(),
                          [&](std::uint8_t b) { return b < f.bins; }),
              "a level has a bin of its feature");
      require(std::isfinite(f.mean) && std::isfinite(f.scale) && f.scale != 0.0,
              "ranks have a mean and a scale");
    } else {
      require(f.edges.size() + 1 == f.bins, "a feature has an edge less than bins");
      require(
          std::all_of(f.edges.begin(), f.edges.end(), [](float e) { return std::isfinite(e); }) &&
              std::is_sorted(f.edges.begin(), f.edges.end()),
          "edges are finite and ascend");
    }
    const std::size_t width = f.one_hot ? f.levels : 1;
    require(f.column < model.columns && width <= model.columns - f.column,
            "a feature is a column of the data");
  }
  for (const Tree& tree : model.trees) check_tree(tree, model);
}

std::size_t leaf_of(const Tree& tree, const TreeModel& model, const std::uint8_t* bins) noexcept {
  std::uint32_t at = 0;
  while (!tree.nodes[at].is_leaf()) {
    const TreeNode& node = tree.nodes[at];
    at = goes_left(tree, node, model.features[node.feature], bins[node.feature]) ? node.left
                                                                                 : node.right;
  }
  return tree.nodes[at].left;
}

std::vector<float> scores(const TreeModel& model, const Dataset& data, std::size_t trees,
                          Counters* count) {
  const std::size_t n = std::min(trees, model.trees.size());
  const std::size_t features = model.features.size();
  const std::vector<std::uint8_t> bins = binned(model, data);
  std::vector<float> out(data.rows * model.outputs, 0.0f);
  if (!model.average)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = model.base[i % model.outputs];
  std::uint64_t steps = 0, values = 0;
  constexpr std::size_t kBlock = 512;  // rows that stay in cache while all trees pass
  for (std::size_t begin = 0; begin < data.rows; begin += kBlock)
    for (std::size_t t = 0; t < n; ++t) {
      const Tree& tree = model.trees[t];
      for (std::size_t r = begin; r < std::min(data.rows, begin + kBlock); ++r) {
        const std::uint8_t* row = bins.data() + r * features;
        std::uint32_t at = 0;
        while (!tree.nodes[at].is_leaf()) {
          const TreeNode& node = tree.nodes[at];
          const bool left = goes_left(tree, node, model.features[node.feature], row[node.feature]);
          at = left ? node.left : node.right;
          ++steps;
        }
        const float* value = tree.values.data() + tree.nodes[at].left * tree.width;
        float* to = out.data() + r * model.outputs + tree.output;
        for (std::size_t k = 0; k < tree.width; ++k) to[k] += value[k];
        values += tree.width;
      }
    }
  if (model.average && n > 0)
    for (float& s : out) s /= static_cast<float>(n);
  if (count != nullptr) {
    // Finding a bin among 255 takes eight comparisons; a step reads a node and a bin.
    count->at(Kind::F32Elementwise) += 8 * data.rows * features + steps + values;
    count->at(Kind::Special) += model.average ? out.size() : 0;
    count->at(MemoryLevel::Dram) += data.rows * (4 * data.columns + 2 * features);
    count->at(MemoryLevel::Cache) += steps * (sizeof(TreeNode) + 1) + 12 * values;
  }
  return out;
}

std::vector<float> probabilities(const TreeModel& model, std::vector<float> s, std::size_t trees) {
  if (model.classes == 0) return s;
  if (model.average) {
    // The tree that knows nothing.
    const auto n = static_cast<float>(std::min(trees, model.trees.size()));
    const float even = 1.0f / static_cast<float>(model.classes);
    for (float& p : s) p = (n * p + even) / (n + 1.0f);
    return s;
  }
  if (model.outputs == 1) {
    std::vector<float> out;
    out.reserve(2 * s.size());
    for (const float score : s) {
      const float e = exp_nonpositive(-std::abs(score));
      const float more = 1.0f / (1.0f + e), less = e / (1.0f + e);
      out.push_back(score > 0.0f ? less : more);
      out.push_back(score > 0.0f ? more : less);
    }
    return out;
  }
  for (std::size_t r = 0; r < s.size(); r += model.outputs) {
    float* p = s.data() + r;
    const float most = *std::max_element(p, p + model.outputs);
    float sum = 0.0f;
    for (std::size_t k = 0; k < model.outputs; ++k) sum += p[k] = exp_nonpositive(p[k] - most);
    for (std::size_t k = 0; k < model.outputs; ++k) p[k] /= sum;
  }
  return s;
}

}  // namespace carnot::learn
