// SPDX-License-Identifier: Apache-2.0
// Trees as ai.onnx.ml TreeEnsembleRegressor. A node there compares a number with a threshold, so a
// category is told to it as one number a set of levels that some node asks for: 1 inside, 0
// outside, not a number where the level is missing or was never met.
#include <array>
#include <limits>
#include <map>

#include <fmt/format.h>

#include "learn/saved/onnx_parts.hpp"

namespace carnot::learn {

namespace {

using Set = std::array<std::uint64_t, 4>;
constexpr float kNone = std::numeric_limits<float>::quiet_NaN();

/// Where the graph's features stand: numbers by column, sets of a category by their bits.
struct Places {
  std::vector<std::size_t> number;               ///< [features]
  std::vector<std::map<Set, std::size_t>> sets;  ///< [features]
};

bool holds(const Set& set, std::size_t bin) { return ((set[bin / 64] >> (bin % 64)) & 1u) != 0; }

/// [rows x sets] of one category.
std::string memberships(OnnxWriter& out, const TreeFeature& feature,
                        const std::vector<std::string>& levels, const std::string& texts,
                        std::size_t which, const std::vector<Set>& sets) {
  std::vector<std::int64_t> bins;
  for (const std::uint8_t bin : feature.level_bins) bins.push_back(bin);
  const auto missing = static_cast<std::int64_t>(feature.bins);
  const std::string bin = out.node("LabelEncoder", {texts}, fmt::format("bin_{}", which),
                                   OnnxAttributes()
                                       .texts("keys_strings", levels)
                                       .integers("values_int64s", bins)
                                       .integer("default_int64", missing),
                                   kOnnxMl);
  std::vector<float> inside;
  for (std::size_t b = 0; b <= feature.bins; ++b)
    for (const Set& set : sets)
      inside.push_back(b == feature.bins ? kNone : holds(set, b) ? 1.0f : 0.0f);
  const std::string table = out.constant(
      fmt::format("inside_{}", which), inside,
      {static_cast<std::int64_t>(feature.bins + 1), static_cast<std::int64_t>(sets.size())});
  return out.node("Gather", {table, bin}, fmt::format("sets_{}", which),
                  OnnxAttributes().integer("axis", 0));
}

struct Ensemble {
  std::vector<std::int64_t> tree, node, feature, yes, no, missing_yes;
  std::vector<std::string> mode;
  std::vector<float> threshold;
  std::vector<std::int64_t> leaf_tree, leaf_node, target;
  std::vector<float> value;

  void add(const TreeModel& model, std::size_t t, const Places& places) {
    const Tree& from = model.trees[t];
    const auto id = static_cast<std::int64_t>(t);
    for (std::size_t i = 0; i < from.nodes.size(); ++i) {
      const TreeNode& n = from.nodes[i];
      const auto at = static_cast<std::int64_t>(i);
      tree.push_back(id);
      node.push_back(at);
      mode.emplace_back(n.is_leaf() ? "LEAF" : "BRANCH_LEQ");
      if (n.is_leaf()) {
        feature.push_back(0);
        threshold.push_back(0.0f);
        yes.push_back(0);
        no.push_back(0);
        missing_yes.push_back(0);
        for (std::uint32_t k = 0; k < from.width; ++k) {
          leaf_tree.push_back(id);
          leaf_node.push_back(at);
          target.push_back(from.output + k);
          value.push_back(from.values[n.left * from.width + k]);
        }
        continue;
      }
      const TreeFeature& f = model.features[n.feature];
      if (f.categorical()) {
        // "Not inside" is at most 1/2.
        feature.push_back(static_cast<std::int64_t>(places.sets[n.feature].at(from.sets[n.set])));
        threshold.push_back(0.5f);
        yes.push_back(n.right);
        no.push_back(n.left);
        missing_yes.push_back(n.missing_left ? 0 : 1);
      } else {
        feature.push_back(static_cast<std::int64_t>(places.number[n.feature]));
        threshold.push_back(n.bin < f.edges.size() ? f.edges[n.bin]
                                                   : std::numeric_limits<float>::max());
        yes.push_back(n.left);
        no.push_back(n.right);
        missing_yes.push_back(n.missing_left ? 1 : 0);
      }
    }
  }
};

}  // namespace

std::string onnx_tree_scores(OnnxWriter& out, const SavedModel& model, const OnnxColumns& columns) {
  const TreeModel& trees = model.trees;
  Places places{std::vector<std::size_t>(trees.features.size()), {}};
  places.sets.resize(trees.features.size());
  std::string features = "pixels";
  if (!model.encoding) {
    for (std::size_t f = 0; f < trees.features.size(); ++f)
      places.number[f] = trees.features[f].column;
  } else {
    for (const Tree& tree : trees.trees)
      for (const TreeNode& n : tree.nodes)
        if (!n.is_leaf() && trees.features[n.feature].categorical())
          places.sets[n.feature].emplace(tree.sets[n.set], 0);
    std::size_t next = 0;
    OnnxWriter::Names parts;
    for (const std::size_t c : columns.numbers) places.number[c] = next++;
    if (!columns.numbers.empty()) parts.push_back(onnx_numbers(out, model, columns, false));
    for (std::size_t i = 0; i < columns.categories.size(); ++i) {
      const std::size_t c = columns.categories[i];
      std::vector<Set> sets;
      if (i == 0 && columns.numbers.empty()) places.sets[c].emplace(Set{}, 0);  // never none at all
      for (auto& [set, place] : places.sets[c]) {
        place = next++;
        sets.push_back(set);
      }
      if (!sets.empty())
        parts.push_back(memberships(out, trees.features[c], model.encoding->columns[c].levels,
                                    onnx_category(out, i), i, sets));
    }
    features = parts.size() == 1
                   ? parts.front()
                   : out.node("Concat", parts, "features", OnnxAttributes().integer("axis", 1));
  }
  Ensemble all;
  for (std::size_t t = 0; t < trees.trees.size(); ++t) all.add(trees, t, places);
  return out.node("TreeEnsembleRegressor", {features}, "scores",
                  OnnxAttributes()
                      .integer("n_targets", static_cast<std::int64_t>(trees.outputs))
                      .text("aggregate_function", trees.average ? "AVERAGE" : "SUM")
                      .text("post_transform", "NONE")
                      .reals("base_values",
                             trees.average ? std::vector<float>(trees.outputs, 0.0f) : trees.base)
                      .integers("nodes_treeids", all.tree)
                      .integers("nodes_nodeids", all.node)
                      .integers("nodes_featureids", all.feature)
                      .reals("nodes_values", all.threshold)
                      .texts("nodes_modes", all.mode)
                      .integers("nodes_truenodeids", all.yes)
                      .integers("nodes_falsenodeids", all.no)
                      .integers("nodes_missing_value_tracks_true", all.missing_yes)
                      .integers("target_treeids", all.leaf_tree)
                      .integers("target_nodeids", all.leaf_node)
                      .integers("target_ids", all.target)
                      .reals("target_weights", all.value),
                  kOnnxMl);
}

}  // namespace carnot::learn
