// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/trees/binning.hpp"
#include "learn/trees/grower.hpp"
#include "learn/trees/histogram.hpp"
#include "learn/trees/workers.hpp"

namespace carnot::learn {

/// Gradient boosting.
class Boosting final : public TreeLearner {
 public:
  Boosting(const TreeOptions& options, const LearnerOptions& learner, const Dataset& train);

  std::uint64_t total_steps() const noexcept override { return total_; }
  std::uint64_t steps_done() const noexcept override { return steps_; }
  std::uint64_t train(std::uint64_t steps, const Precision& precision) override;
  double remaining_learning() const noexcept override;
  double smoothed_loss() const noexcept override;
  double prequential_bits() const noexcept override { return 0.0; }
  std::uint64_t prequential_labels() const noexcept override { return 0; }
  std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) override;
  Quality evaluate(const Dataset& held_out, const Precision& precision) override;
  const Counters& counters() const noexcept override { return counters_; }
  Counters step_counters(const Precision& precision) const override;
  Counters switch_counters(const Precision&, const Precision&) const override { return {}; }
  Counters evaluation_counters(std::size_t rows, const Precision& precision) const override;
  Counters noise_counters(const std::vector<Precision>& candidates) const override;
  std::vector<std::uint8_t> save() const override;
  void restore(const std::vector<std::uint8_t>& state) override;
  std::vector<std::vector<float>> parameters() const override;

  const TreeModel& model() const noexcept override { return model_; }
  const TreeOptions& options() const noexcept override { return options_; }
  std::string ended_early() const override;
  double judged_loss() const noexcept override { return judged_; }

 private:
  void round(int bits);
  void derive(std::size_t output);
  void add_to_scores(const Tree& tree, const std::vector<std::uint32_t>& rows,
                     const std::vector<LeafRange>& ranges, bool all_in_ranges);
  void walk(const Tree& tree, std::uint32_t row);
  void judge();
  std::vector<std::uint32_t> sample(std::uint64_t round) const;
  std::size_t outputs() const noexcept { return model_.outputs; }
  std::uint64_t identity() const noexcept;

  TreeOptions options_;
  LearnerOptions learner_;
  const Dataset& data_;
  Workers workers_;
  TreeModel model_;
  BinnedRows bins_;
  std::vector<std::size_t> used_of_;           ///< feature to its number among the used ones
  std::vector<std::uint32_t> learned_, held_;  ///< rows
  std::unique_ptr<TreeGrower> grower_;
  std::vector<float> scores_, softmax_;
  Gradients gradients_;
  std::uint64_t total_ = 0, steps_ = 0, best_step_ = 0;
  double judged_ = std::numeric_limits<double>::quiet_NaN();
  double best_judged_ = std::numeric_limits<double>::infinity();
  bool settled_ = false;  ///< ended by patience
  Counters counters_;
};

/// What every learner of trees asks of data and options. \throws InputError
void check_tree_learner(const TreeOptions& options, const LearnerOptions& learner,
                        const Dataset& data);

/// Shared by the learners: held-out quality of a model.
Quality evaluate_trees(const TreeModel& model, const Dataset& held_out, Counters& count);
/// At most what `evaluate_trees` counts with `trees` trees of at most `depth`.
Counters tree_evaluation_counters(const TreeModel& model, std::size_t rows, std::size_t trees,
                                  std::size_t depth);

}  // namespace carnot::learn
