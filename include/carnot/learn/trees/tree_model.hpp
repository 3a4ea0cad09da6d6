// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Decision trees and sums of them: what boosting and bagging deliver, and how they predict.
///
/// Every feature is cut into bins once; trees see bin numbers alone. A numeric feature with edges
/// e_0 < e_1 < ... puts x into the first bin b with x <= e_b, the last bin has no upper edge; a
/// categorical one has a bin a level (rare levels share one). Where training met missing values
/// they are a bin of their own; values and levels that training never met are treated likewise. A
/// node sends bins up to its threshold (or in its set) to the left and the rest to the right, and
/// missing ones where it says.
///
/// Scores: boosting adds the leaves to a base score, bagging takes their mean. From scores to
/// probabilities: logistic of one score (two classes), softmax of C scores; a bagged classifier's
/// mean is a distribution already, in which one more tree that knows nothing is counted, so that no
/// class is ever impossible. Regression: the score, in units of the data's standardised target.
///
/// Values; safe to read from many threads.

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"

namespace carnot::learn {

/// A feature as trees see it: one column of a Dataset, or the one-hot columns of a category.
struct TreeFeature {
  std::string name;
  std::size_t column = 0;          ///< first column of the Dataset
  std::size_t levels = 0;          ///< 0: numeric; else of a category
  bool one_hot = false;            ///< levels are columns; else ranks in one column
  double mean = 0.0, scale = 1.0;  ///< of ranks: level = value * scale + mean
  std::vector<float> edges;        ///< numeric: upper ends of all bins but the last, ascending
  std::vector<std::uint8_t> level_bins;  ///< categorical: [levels]
  std::size_t bins = 1;                  ///< bin numbers 0 ... bins - 1
  bool met_missing = false;              ///< in training

  /// What stands for missing and for what training never met.
  std::uint8_t missing_bin() const noexcept { return static_cast<std::uint8_t>(bins); }
  bool categorical() const noexcept { return levels > 0; }
  bool operator==(const TreeFeature&) const = default;
};

struct TreeNode {
  static constexpr std::uint32_t kLeaf = std::numeric_limits<std::uint32_t>::max();
  std::uint32_t feature = kLeaf;
  std::uint32_t left = 0, right = 0;  ///< nodes; of a leaf, `left` counts it among the leaves
  std::uint8_t bin = 0;               ///< numeric: bins up to here go left
  bool missing_left = false;
  std::uint32_t set = 0;   ///< categorical: which of the tree's sets goes left
  std::uint32_t rows = 0;  ///< training rows that came here (with a bootstrap, draws)

  bool is_leaf() const noexcept { return feature == kLeaf; }
  bool operator==(const TreeNode&) const = default;
};

struct Tree {
  std::vector<TreeNode> nodes;                     ///< the root first, children after parents
  std::vector<std::array<std::uint64_t, 4>> sets;  ///< bins 0 ... 255 as bits
  std::vector<float> values;                       ///< [leaves x width]
  std::uint32_t output = 0;                        ///< first score it adds to
  std::uint32_t width = 1;                         ///< scores it adds to

  std::size_t leaves() const noexcept { return values.size() / width; }
  bool operator==(const Tree&) const = default;
};

struct TreeModel {
  std::vector<TreeFeature> features;
  std::size_t columns = 0;  ///< of the Dataset
  std::size_t classes = 0;  ///< 0: regression
  std::size_t outputs = 1;  ///< scores a row
  bool average = false;     ///< bagged: mean of the trees, not base + sum
  std::vector<float> base;  ///< [outputs]
  std::vector<Tree> trees;  ///< boosting with C > 2 classes: C in turn
  bool operator==(const TreeModel&) const = default;
};

/// Bin numbers of all features, row-major [rows x features].
/// \throws InputError unless the data has the model's columns
std::vector<std::uint8_t> binned(const TreeModel& model, const Dataset& data);

/// The leaf (counted among the leaves) where a row of bin numbers ends.
std::size_t leaf_of(const Tree& tree, const TreeModel& model, const std::uint8_t* bins) noexcept;

/// Scores under the first `trees` trees, [rows x outputs].
/// \param count  what it cost is added here; may be null
std::vector<float> scores(const TreeModel& model, const Dataset& data,
                          std::size_t trees = std::numeric_limits<std::size_t>::max(),
                          Counters* count = nullptr);

/// Scores in place to probabilities [rows x classes] (two classes from one score: a new vector of
/// two columns); regression unchanged. \param trees  that were added up
std::vector<float> probabilities(const TreeModel& model, std::vector<float> scores,
                                 std::size_t trees);

/// Whether every index is in range, so that `leaf_of` ends and reads nothing else: for models read
/// from files. \throws InputError saying what is wrong
void check_model(const TreeModel& model);

/// Features of a dataset, without bins: one-hot columns of a category together where the dataset
/// says so (Dataset::encoding).
std::vector<TreeFeature> tree_features(const Dataset& data);

}  // namespace carnot::learn
