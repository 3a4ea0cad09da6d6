// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/trees/tree_learner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "learn/trees/boosting.hpp"
#include "learn/trees/forest.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

/// Least probability a coder gives (arithmetic_coder.hpp).
constexpr double kLeastProbability = 0x1p-26;

}  // namespace

TreeOptions fitted(const TreeOptions& options, const LearnerOptions& learner, const Dataset& data) {
  TreeOptions o = options;
  const bool forest = learner.model == "forest";
  // Without rows to spare for early stopping, fewer rounds.
  if (o.trees == 0) o.trees = forest ? 500 : data.rows < kEarlyStoppingRows ? 100 : 200;
  if (o.leaves == 0) o.leaves = forest ? std::numeric_limits<std::uint32_t>::max() : 31;
  if (o.learning_rate == 0.0) o.learning_rate = 0.1;
  if (o.least_rows == 0) o.least_rows = forest ? 1 : std::clamp<std::size_t>(data.rows / 8, 1, 20);
  return o;
}

Precision gradient_precision(int bits) {
  if (bits == 32) return Precision::parse("f32");
  if (bits < 2 || bits > 8)
    throw InputError(
        describe({}, "bits", fmt::format("of trees' gradients 2 to 8, or 32, found {}", bits)));
  return {fmt::format("g{}", bits), 32, 32, bits, 32};
}

void check_tree_learner(const TreeOptions& o, const LearnerOptions& learner, const Dataset& data) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(o.trees <= 100000, "trees", "1 to 100000");
  need(o.leaves == 0 || o.leaves >= 2, "leaves", "2 or more");
  need(o.depth <= 64, "depth", "1 to 64");
  need(o.bins >= 2 && o.bins <= 255, "bins", "2 to 255");
  need(std::isfinite(o.learning_rate) && o.learning_rate >= 0.0 && o.learning_rate <= 10.0,
       "learning_rate", "of trees in (0, 10]");
  need(std::isfinite(o.l2) && o.l2 >= 0.0, "l2", "0 or more");
  need(std::isfinite(o.least_hessian) && o.least_hessian >= 0.0, "least_hessian", "0 or more");
  need(o.subsample > 0.0 && o.subsample <= 1.0, "subsample", "in (0, 1]");
  need(o.feature_share >= 0.0 && o.feature_share <= 1.0, "feature_share", "in (0, 1]");
  need(o.hold_out >= 0.0 && o.hold_out <= 0.5, "hold_out", "in [0, 0.5]");
  need(o.patience >= 1, "patience", "1 round or more");
  need(o.settled >= 0.0 && o.settled < 1.0, "settled", "in [0, 1)");
  need(learner.threads >= 1 && learner.threads <= 1024, "threads", "1 to 1024");
  need(data.rows >= 2 && data.columns >= 1, "train", "at least two rows and one column");
  need(data.rows <= std::numeric_limits<std::int32_t>::max() / 256, "train",
       "at most 8388607 rows (sums of integer gradients stay in 32 bits)");
  need(data.features.size() == data.rows * data.columns, "train", "rows x columns features");
  if (data.is_regression()) {
    need(data.targets.size() == data.rows, "train", "one target a row");
  } else {
    need(data.labels.size() == data.rows, "train", "one label a row");
    need(data.classes >= 2 && data.classes <= 1000, "train", "2 to 1000 classes");
    need(std::all_of(data.labels.begin(), data.labels.end(),
                     [&](std::uint32_t label) { return label < data.classes; }),
         "train", "labels below the number of classes");
  }
  problems.throw_if_any();
}

Quality evaluate_trees(const TreeModel& model, const Dataset& data, Counters& count) {
  const std::vector<float> p =
      probabilities(model, scores(model, data, model.trees.size(), &count), model.trees.size());
  Quality quality;
  quality.trials = data.rows;
  if (data.is_regression()) {
    quality.metric = "r2";
    quality.bits_per_label = std::numeric_limits<double>::quiet_NaN();
    double mean = 0.0, squares = 0.0, errors = 0.0;
    for (const float t : data.targets) mean += static_cast<double>(t);
    mean /= static_cast<double>(data.rows);
    for (std::size_t r = 0; r < data.rows; ++r) {
      const double t = static_cast<double>(data.targets[r]);
      squares += (t - mean) * (t - mean);
      errors += (static_cast<double>(p[r]) - t) * (static_cast<double>(p[r]) - t);
    }
    quality.value = squares > 0.0 ? std::max(-1e9, 1.0 - errors / squares) : 0.0;
    count.at(Kind::F32Elementwise) += 4 * data.rows;
    return quality;
  }
  quality.metric = "accuracy";
  double bits = 0.0;
  for (std::size_t r = 0; r < data.rows; ++r) {
    const float* row = p.data() + r * data.classes;
    const auto likeliest =
        static_cast<std::uint32_t>(std::max_element(row, row + data.classes) - row);
    quality.successes += likeliest == data.labels[r] ? 1 : 0;
    bits -= std::log2(std::clamp(static_cast<double>(row[data.labels[r]]), kLeastProbability, 1.0));
  }
  quality.value = static_cast<double>(quality.successes) / static_cast<double>(data.rows);
  quality.bits_per_label = bits / static_cast<double>(data.rows);
  count.at(Kind::Special) += data.rows * (model.outputs + 2);
  count.at(Kind::F32Elementwise) += 3 * data.rows * model.outputs;
  return quality;
}

Counters tree_evaluation_counters(const TreeModel& model, std::size_t rows, std::size_t trees,
                                  std::size_t depth) {
  Counters c;
  const std::uint64_t n = rows, features = model.features.size();
  const std::uint64_t width = model.average ? model.outputs : 1;
  const std::uint64_t steps = n * trees * depth, values = n * trees * width;
  c.at(Kind::F32Elementwise) = 8 * n * features + steps + values + 3 * n * model.outputs + 4 * n;
  c.at(Kind::Special) = n * (2 * model.outputs + 2);
  c.at(MemoryLevel::Dram) = n * (4 * model.columns + 2 * features);
  c.at(MemoryLevel::Cache) = steps * (sizeof(TreeNode) + 1) + 12 * values;
  return c;
}

std::unique_ptr<TreeLearner> make_tree_learner(const TreeOptions& options,
                                               const LearnerOptions& learner,
                                               const Dataset& train) {
  if (learner.model != "gbdt" && learner.model != "forest")
    throw InputError(
        describe({}, "model", fmt::format("gbdt or forest, found `{}`", learner.model)));
  check_tree_learner(options, learner, train);
  if (learner.model == "forest") return std::make_unique<Forest>(options, learner, train);
  return std::make_unique<Boosting>(options, learner, train);
}

}  // namespace carnot::learn
