// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "carnot/learn/trees/tree_learner.hpp"

#include "learn/trees/binning.hpp"
#include "learn/trees/workers.hpp"

namespace carnot::learn {

/// Bagged trees.
class Forest final : public TreeLearner {
 public:
  Forest(const TreeOptions& options, const LearnerOptions& learner, const Dataset& train);

  std::uint64_t total_steps() const noexcept override { return total_; }
  std::uint64_t steps_done() const noexcept override { return steps_; }
  std::uint64_t train(std::uint64_t steps, const Precision& precision) override;
  double remaining_learning() const noexcept override;
  double smoothed_loss() const noexcept override { return judged_; }
  double prequential_bits() const noexcept override { return 0.0; }
  std::uint64_t prequential_labels() const noexcept override { return 0; }
  std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) override;
  Quality evaluate(const Dataset& held_out, const Precision& precision) override;
  const Counters& counters() const noexcept override { return counters_; }
  Counters step_counters(const Precision& precision) const override;
  Counters switch_counters(const Precision&, const Precision&) const override { return {}; }
  Counters evaluation_counters(std::size_t rows, const Precision& precision) const override;
  Counters noise_counters(const std::vector<Precision>&) const override { return {}; }
  std::vector<std::uint8_t> save() const override;
  void restore(const std::vector<std::uint8_t>& state) override;
  std::vector<std::vector<float>> parameters() const override;

  const TreeModel& model() const noexcept override { return model_; }
  const TreeOptions& options() const noexcept override { return options_; }
  std::string ended_early() const override;
  double judged_loss() const noexcept override { return judged_; }

 private:
  std::vector<std::uint16_t> bootstrap(std::uint64_t tree) const;
  const float* out_of_bag_value(const Tree& tree, std::uint32_t row) const noexcept;
  void add_votes(const Tree& tree, const std::vector<std::uint16_t>& draws);
  double loss_of(std::uint32_t row, const float* votes, float count) const noexcept;
  /// Loss out of bag and its standard error by leaving out a tree at a time.
  void judge();
  std::size_t width() const noexcept { return model_.outputs; }
  std::uint64_t identity() const noexcept;

  TreeOptions options_;
  LearnerOptions learner_;
  const Dataset& data_;
  mutable Workers workers_;
  TreeModel model_;
  BinnedRows bins_;
  std::vector<std::size_t> used_of_;
  std::size_t tried_ = 1;             ///< features at a node
  std::vector<float> votes_;          ///< [rows x width] sums out of bag
  std::vector<std::uint32_t> voted_;  ///< [rows] trees that saw the row out of bag
  std::uint64_t total_ = 0, steps_ = 0, next_look_ = 10;
  double judged_ = std::numeric_limits<double>::quiet_NaN();
  double error_ = std::numeric_limits<double>::quiet_NaN();
  bool settled_ = false;
  Counters counters_;
};

/// What growing one tree of a forest needs.
struct ForestTask {
  const std::vector<TreeFeature>& features;
  const BinnedRows& bins;
  const Dataset& data;
  const TreeOptions& options;
  std::size_t tried = 1;
  std::uint64_t seed = 0, tree = 0;
};

/// \param draws  [rows] how often a row is in the bootstrap sample
Tree grow_forest_tree(const ForestTask& task, const std::vector<std::uint16_t>& draws,
                      Counters& count);

}  // namespace carnot::learn
