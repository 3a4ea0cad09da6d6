// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Tree ensembles as workloads. A prediction walks each tree from the root: one comparison and one
/// node read for each inner node it meets, one node read for the leaf, one addition a tree.
///
///     expected comparisons of a tree = sum over inner nodes of cover(node) / cover(root)
///
/// with the cover that the file has (rows or hessians of training; the walk of the training rows
/// themselves gives the same number where it is rows). Without cover each split is taken evenly:
/// cover(child) = cover / 2, said in a note. The worst case is the depth.
///
/// Formats: XGBoost's JSON model (`save_model("x.json")`, gbtree and dart), LightGBM's text model
/// (`save_model`), and `carnot.trees/1`, a small JSON for anything else, such as scikit-learn:
///
///     {"format": "carnot.trees/1", "features": 4, "outputs": 1, "trees": [
///       {"left": [1, -1, -1], "right": [2, -1, -1], "feature": [3, -2, -2],
///        "threshold": [0.8, 0, 0], "samples": [150, 50, 100]}]}
///
/// with the arrays of scikit-learn's `tree_`: children_left, children_right (-1 at leaves),
/// feature, threshold (left if value <= threshold) and n_node_samples ("samples", optional).
/// Values and pure functions, thread-safe.

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

/// One binary tree; node 0 is the root, -1 marks a leaf.
struct DecisionTree {
  std::vector<std::int32_t> left, right, feature;
  std::vector<double> threshold;
  std::vector<double> cover;       ///< empty: not known
  std::vector<bool> missing_left;  ///< empty: no rule
};

struct TreeEnsemble {
  std::string name, format;
  std::vector<DecisionTree> trees;
  std::uint64_t features = 0, outputs = 1;
  bool strict = false;       ///< left if value < threshold (XGBoost), else if <=
  bool single = false;       ///< values are rounded to 32 bits first (XGBoost)
  bool categorical = false;  ///< has splits by sets: counted, but rows cannot be walked
  std::vector<std::string> notes;
};

/// Checked: children inside the tree, one parent each, no circles, covers not negative.
/// \throws InputFileError, InputError `file: key: what is allowed`, `file:line: ...` for text
TreeEnsemble read_trees(const std::filesystem::path& path);
TreeEnsemble parse_trees(std::string_view text, const std::string& file);

struct TreeCounts {
  std::uint64_t trees = 0, nodes = 0, leaves = 0, deepest = 0;
  double comparisons = 0;              ///< expected in one prediction
  std::uint64_t most_comparisons = 0;  ///< sum of depths
  bool by_cover = false;
};
TreeCounts count_trees(const TreeEnsemble& ensemble);

/// Comparisons that this row meets. NaN takes the way the file gives for missing values, else
/// right. \throws InputError if the row is shorter than `features` or the ensemble has sets
std::uint64_t walk_trees(const TreeEnsemble& ensemble, std::span<const double> row);

/// \param rows        predictions
/// \param node_bytes  of a node in memory: 16 in common layouts (feature, threshold, two children)
Workload trees_workload(const TreeEnsemble& ensemble, std::uint64_t rows,
                        std::uint64_t node_bytes = 16);

}  // namespace carnot::model
