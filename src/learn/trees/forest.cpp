// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/forest.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/state_bytes.hpp"

#include "learn/network/data_copies.hpp"
#include "learn/trees/boosting.hpp"
#include "learn/trees/grower.hpp"
#include "learn/trees/model_state.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;
constexpr std::uint32_t kStateMark = 0x54465331u;
constexpr double kLookGrowth = 1.25;

void check_bits(const Precision& precision) {
  if (precision.gradient != 32 || precision.data != 32)
    throw InputError(describe(
        {}, "bits", "32: a forest has no gradients; its sums of classes are integers already"));
}

}  // namespace

Forest::Forest(const TreeOptions& options, const LearnerOptions& learner, const Dataset& train)
    : options_(fitted(options, learner, train)),
      learner_(learner),
      data_(train),
      workers_(learner.threads) {
  model_.features = fit_bins(train, options_.bins, workers_);
  model_.columns = train.columns;
  model_.classes = train.classes;
  model_.outputs = std::max<std::size_t>(train.classes, 1);
  model_.average = true;
  model_.base.assign(model_.outputs, 0.0f);
  bins_ = bin_rows(model_.features, train, workers_);
  bins_.groups.clear();  // forests read columns
  used_of_.assign(model_.features.size(), 0);
  for (std::size_t i = 0; i < bins_.used.size(); ++i) used_of_[bins_.used[i]] = i;
  counters_.at(Kind::F32Elementwise) += 8 * train.rows * train.columns;
  counters_.at(MemoryLevel::Dram) += train.rows * (4 * train.columns + bins_.used.size());
  const auto used = static_cast<double>(bins_.used.size());
  double tried = options_.feature_share * used;
  if (options_.feature_share == 0.0) tried = train.is_regression() ? used / 3.0 : std::sqrt(used);
  tried_ = static_cast<std::size_t>(std::clamp(std::round(tried), 1.0, std::max(used, 1.0)));
  votes_.assign(train.rows * width(), 0.0f);
  voted_.assign(train.rows, 0);
  total_ = options_.trees;
}

double Forest::remaining_learning() const noexcept {
  return total_ == 0 ? 0.0 : static_cast<double>(total_ - steps_) / static_cast<double>(total_);
}

std::vector<std::uint16_t> Forest::bootstrap(std::uint64_t tree) const {
  const RandomStream stream = RandomStream(learner_.seed, "trees: bootstrap").child(tree);
  std::vector<std::uint16_t> draws(data_.rows, 0);
  for (std::size_t i = 0; i < data_.rows; ++i) ++draws[stream.below(i, data_.rows)];
  return draws;
}

const float* Forest::out_of_bag_value(const Tree& tree, std::uint32_t row) const noexcept {
  std::uint32_t at = 0;
  while (!tree.nodes[at].is_leaf()) {
    const TreeNode& node = tree.nodes[at];
    const TreeFeature& feature = model_.features[node.feature];
    const std::uint8_t bin = bins_.column[used_of_[node.feature]][row];
    bool left = node.missing_left;
    if (bin != feature.missing_bin())
      left = feature.categorical() ? ((tree.sets[node.set][bin / 64] >> (bin % 64)) & 1u) != 0
                                   : bin <= node.bin;
    at = left ? node.left : node.right;
  }
  return tree.values.data() + tree.nodes[at].left * tree.width;
}

void Forest::add_votes(const Tree& tree, const std::vector<std::uint16_t>& draws) {
  in_blocks(workers_, data_.rows, 4096, [&](std::size_t begin, std::size_t end) {
    for (auto r = static_cast<std::uint32_t>(begin); r < end; ++r) {
      if (draws[r] > 0) continue;
      const float* value = out_of_bag_value(tree, r);
      for (std::size_t k = 0; k < width(); ++k) votes_[r * width() + k] += value[k];
      ++voted_[r];
    }
  });
}

double Forest::loss_of(std::uint32_t row, const float* votes, float count) const noexcept {
  double loss = 0.0;
  for (std::size_t k = 0; k < width(); ++k) {
    const float truth = data_.is_regression()    ? data_.targets[row]
                        : data_.labels[row] == k ? 1.0f
                                                 : 0.0f;
    const double e = static_cast<double>(votes[k] / count - truth);
    loss += e * e;
  }
  return loss;
}

void Forest::judge() {
  std::vector<double> losses(data_.rows, 0.0);
  double sum = 0.0;
  std::size_t seen = 0;
  for (std::uint32_t r = 0; r < data_.rows; ++r) {
    if (voted_[r] == 0) continue;
    losses[r] = loss_of(r, votes_.data() + r * width(), static_cast<float>(voted_[r]));
    sum += losses[r];
    ++seen;
  }
  if (seen == 0) return;
  judged_ = sum / static_cast<double>(seen);
  const std::size_t n = model_.trees.size();
  std::vector<double> without(n, 0.0);
  workers_.run(n, [&](std::size_t t, std::size_t) {
    const std::vector<std::uint16_t> draws = bootstrap(t);
    std::vector<float> votes(width());
    double change = 0.0;
    for (std::uint32_t r = 0; r < data_.rows; ++r) {
      if (draws[r] > 0 || voted_[r] < 2) continue;
      const float* value = out_of_bag_value(model_.trees[t], r);
      for (std::size_t k = 0; k < width(); ++k) votes[k] = votes_[r * width() + k] - value[k];
      change += loss_of(r, votes.data(), static_cast<float>(voted_[r] - 1)) - losses[r];
    }
    without[t] = change / static_cast<double>(seen);
  });
  double mean = 0.0, squares = 0.0;
  for (const double w : without) mean += w / static_cast<double>(n);
  for (const double w : without) squares += (w - mean) * (w - mean);
  error_ = std::sqrt(squares * static_cast<double>(n - 1) / static_cast<double>(n));
  // A third of the rows a tree; a walk is some 2 log2 n comparisons.
  const std::uint64_t visits = n * data_.rows;
  counters_.at(Kind::F32Elementwise) +=
      visits * (3 * width() + 2 * static_cast<std::uint64_t>(std::bit_width(data_.rows)));
  counters_.at(MemoryLevel::Dram) += visits * 8 * width();
}

std::uint64_t Forest::train(std::uint64_t steps, const Precision& precision) {
  check_bits(precision);
  std::uint64_t done = 0;
  while (done < steps && steps_ < total_) {
    // No batch passes a look: what is grown does not depend on the number of threads.
    const std::uint64_t batch =
        std::min({static_cast<std::uint64_t>(workers_.threads()), steps - done, total_ - steps_,
                  next_look_ > steps_ ? next_look_ - steps_ : 1});
    std::vector<Tree> trees(batch);
    std::vector<std::vector<std::uint16_t>> draws(batch);
    std::vector<Counters> counts(batch);
    workers_.run(batch, [&](std::size_t i, std::size_t) {
      draws[i] = bootstrap(steps_ + i);
      const ForestTask task{model_.features, bins_,         data_,     options_,
                            tried_,          learner_.seed, steps_ + i};
      trees[i] = grow_forest_tree(task, draws[i], counts[i]);
    });
    for (std::size_t i = 0; i < batch; ++i) {
      counters_ += counts[i];
      counters_.at(Kind::Special) += data_.rows;  // a random number
      counters_.at(MemoryLevel::Dram) += 4 * data_.rows;
      counters_.at(Kind::F32Elementwise) +=
          data_.rows * (width() + static_cast<std::uint64_t>(std::bit_width(data_.rows))) / 3;
      add_votes(trees[i], draws[i]);
      model_.trees.push_back(std::move(trees[i]));
    }
    steps_ += batch;
    done += batch;
    if (steps_ < next_look_ && steps_ < total_) continue;
    next_look_ = static_cast<std::uint64_t>(std::ceil(static_cast<double>(steps_) * kLookGrowth));
    judge();
    if (options_.settled > 0.0 && steps_ >= 10 && error_ < options_.settled * judged_) {
      settled_ = steps_ < total_;
      total_ = steps_;
    }
  }
  return done;
}

std::string Forest::ended_early() const {
  if (!settled_) return "";
  return fmt::format("settled at {} bootstraps: standard error of the out-of-bag loss {:.2f} %",
                     steps_, 100.0 * error_ / judged_);
}

std::vector<NoiseShare> Forest::noise_shares(const std::vector<Precision>& candidates) {
  std::vector<NoiseShare> shares;
  for (const Precision& p : candidates) {
    check_bits(p);
    shares.push_back({p, 0.0, 0.0, 1e9});
  }
  return shares;
}

Quality Forest::evaluate(const Dataset& held_out, const Precision&) {
  return evaluate_trees(model_, held_out, counters_);
}

Counters Forest::step_counters(const Precision& precision) const {
  check_bits(precision);
  // Twice the depth of a balanced tree: generous, no bound.
  const std::uint64_t n = data_.rows;
  const std::uint64_t depth =
      options_.depth > 0 ? options_.depth : 2 * static_cast<std::uint64_t>(std::bit_width(n));
  const std::uint64_t visits = n * tried_ * depth;
  Counters c;
  c.at(Kind::F32Elementwise) = 14 * visits + n * (width() + depth);
  c.at(Kind::Int32Add) = 4 * visits;
  c.at(Kind::Special) = 2 * visits / 4 + n;
  c.at(MemoryLevel::Cache) = 32 * visits;
  c.at(MemoryLevel::Dram) = 4 * visits + 19 * n * depth;
  return c;
}

Counters Forest::evaluation_counters(std::size_t rows, const Precision&) const {
  const std::size_t deepest = options_.depth > 0
                                  ? options_.depth
                                  : 4 * static_cast<std::size_t>(std::bit_width(data_.rows));
  return tree_evaluation_counters(model_, rows, total_, deepest);
}

std::uint64_t Forest::identity() const noexcept {
  return state_identity(
      fingerprint(data_) ^ learner_.seed,
      {std::uint64_t{options_.leaves}, std::uint64_t{options_.depth}, std::uint64_t{options_.bins},
       std::uint64_t{options_.least_rows}, std::uint64_t{tried_}, std::uint64_t{options_.trees},
       std::bit_cast<std::uint64_t>(options_.settled)});
}

std::vector<std::uint8_t> Forest::save() const {
  StateWriter out;
  out.value(kStateMark);
  out.value(identity());
  out.value(total_);
  out.value(next_look_);
  out.value(judged_);
  out.value(error_);
  out.value<std::uint8_t>(settled_);
  out.value(counters_);
  write_trees(out, model_.trees);
  return out.take();
}

void Forest::restore(const std::vector<std::uint8_t>& state) {
  StateReader in(state);
  if (in.value<std::uint32_t>() != kStateMark || in.value<std::uint64_t>() != identity())
    throw InputError("these bytes are no state of a forest with these options and this data");
  const auto total = in.value<std::uint64_t>(), next_look = in.value<std::uint64_t>();
  const auto judged = in.value<double>(), error = in.value<double>();
  const bool settled = in.value<std::uint8_t>() != 0;
  const auto counters = in.value<Counters>();
  TreeModel model = model_;
  model.trees = read_trees(in);
  check_model(model);
  model_ = std::move(model);
  total_ = total;
  next_look_ = next_look;
  judged_ = judged;
  error_ = error;
  settled_ = settled;
  steps_ = model_.trees.size();
  std::fill(votes_.begin(), votes_.end(), 0.0f);
  std::fill(voted_.begin(), voted_.end(), 0u);
  for (std::size_t t = 0; t < model_.trees.size(); ++t) add_votes(model_.trees[t], bootstrap(t));
  counters_ = counters;
}

std::vector<std::vector<float>> Forest::parameters() const {
  std::vector<std::vector<float>> out;
  for (const Tree& tree : model_.trees) out.push_back(tree.values);
  return out;
}

}  // namespace carnot::learn
