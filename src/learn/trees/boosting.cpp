// SPDX-License-Identifier: Apache-2.0
#include "learn/trees/boosting.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/state_bytes.hpp"

#include "learn/network/data_copies.hpp"
#include "learn/trees/model_state.hpp"
#include "learn/trees/objective.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;
constexpr double kLn2 = 0.69314718055994530942;
constexpr std::uint32_t kStateMark = 0x54425331u;

int gradient_bits(const Precision& precision) {
  if (precision.gradient == 32) return 32;
  if (precision.gradient >= 2 && precision.gradient <= 8 && precision.data == 32)
    return precision.gradient;
  throw InputError(describe(
      {}, "bits", fmt::format("of trees' gradients 2 to 8, or 32, found `{}`", precision.name)));
}

}  // namespace

Boosting::Boosting(const TreeOptions& options, const LearnerOptions& learner, const Dataset& train)
    : options_(fitted(options, learner, train)),
      learner_(learner),
      data_(train),
      workers_(learner.threads) {
  model_.features = fit_bins(train, options_.bins, workers_);
  model_.columns = train.columns;
  model_.classes = train.classes;
  model_.outputs = train.classes > 2 ? train.classes : 1;
  bins_ = bin_rows(model_.features, train, workers_);
  used_of_.assign(model_.features.size(), 0);
  for (std::size_t i = 0; i < bins_.used.size(); ++i) used_of_[bins_.used[i]] = i;
  // Binning: eight comparisons to find a bin among 255, and sorting before.
  counters_.at(Kind::F32Elementwise) += 8 * train.rows * train.columns;
  counters_.at(MemoryLevel::Dram) += train.rows * (4 * train.columns + 2 * bins_.used.size());

  const RandomStream stream(learner.seed, "trees: held out");
  const bool holds_out = options_.hold_out > 0.0 && train.rows >= kEarlyStoppingRows;
  for (std::uint32_t r = 0; r < train.rows; ++r)
    (holds_out && stream.uniform(r) < options_.hold_out ? held_ : learned_).push_back(r);
  model_.base = base_scores(train, learned_);
  scores_.resize(train.rows * outputs());
  for (std::size_t i = 0; i < scores_.size(); ++i) scores_[i] = model_.base[i % outputs()];

  GrowthRule rule;
  rule.leaves = options_.leaves;
  rule.depth = options_.depth;
  rule.l2 = options_.l2;
  rule.least_hessian = options_.least_hessian;
  rule.least_rows = options_.least_rows;
  rule.rate = options_.learning_rate;
  rule.refit = options_.refit_leaves;
  grower_ = std::make_unique<TreeGrower>(model_.features, bins_, workers_, rule);
  total_ = options_.trees;
}

double Boosting::remaining_learning() const noexcept {
  return total_ == 0 ? 0.0 : static_cast<double>(total_ - steps_) / static_cast<double>(total_);
}

double Boosting::smoothed_loss() const noexcept {
  const double mean = loss_sum(data_, scores_, outputs(), learned_) /
                      static_cast<double>(std::max<std::size_t>(learned_.size(), 1));
  return data_.is_regression() ? 2.0 * mean : mean / kLn2;
}

std::vector<std::uint32_t> Boosting::sample(std::uint64_t round) const {
  if (options_.subsample >= 1.0) return learned_;
  std::vector<std::uint32_t> rows;
  const RandomStream stream = RandomStream(learner_.seed, "trees: subsample").child(round);
  for (const std::uint32_t r : learned_)
    if (stream.uniform(r) < options_.subsample) rows.push_back(r);
  if (rows.empty()) rows.push_back(learned_[stream.below(data_.rows, learned_.size())]);
  return rows;
}

void Boosting::walk(const Tree& tree, std::uint32_t row) {
  std::uint32_t at = 0;
  std::uint64_t steps = 0;
  while (!tree.nodes[at].is_leaf()) {
    const TreeNode& node = tree.nodes[at];
    const TreeFeature& feature = model_.features[node.feature];
    const std::uint8_t bin = bins_.column[used_of_[node.feature]][row];
    bool left = node.missing_left;
    if (bin != feature.missing_bin())
      left = feature.categorical() ? ((tree.sets[node.set][bin / 64] >> (bin % 64)) & 1u) != 0
                                   : bin <= node.bin;
    at = left ? node.left : node.right;
    ++steps;
  }
  scores_[row * outputs() + tree.output] += tree.values[tree.nodes[at].left];
  counters_.at(Kind::F32Elementwise) += steps + 1;
  counters_.at(MemoryLevel::Dram) += steps + 8;
}

void Boosting::add_to_scores(const Tree& tree, const std::vector<std::uint32_t>& rows,
                             const std::vector<LeafRange>& ranges, bool all_in_ranges) {
  workers_.run(ranges.size(), [&](std::size_t leaf, std::size_t) {
    const float value = tree.values[leaf];
    for (std::size_t i = ranges[leaf].begin; i < ranges[leaf].end; ++i)
      scores_[rows[i] * outputs() + tree.output] += value;
  });
  counters_.at(Kind::F32Elementwise) += rows.size();
  counters_.at(MemoryLevel::Dram) += 12 * rows.size();
  if (!all_in_ranges) {
    std::vector<std::uint8_t> inside(data_.rows, 0);
    for (const std::uint32_t r : rows) inside[r] = 1;
    for (const std::uint32_t r : learned_)
      if (inside[r] == 0) walk(tree, r);
  }
  for (const std::uint32_t r : held_) walk(tree, r);
}

void Boosting::derive(std::size_t output) {
  differentiate(data_, scores_, softmax_, outputs(), output, workers_, gradients_);
  const std::uint64_t n = data_.rows;
  counters_.at(Kind::F32Elementwise) += n * (data_.is_regression() ? 1 : 4);
  if (!data_.is_regression() && outputs() == 1) counters_.at(Kind::Special) += 2 * n;
  counters_.at(MemoryLevel::Dram) += 16 * n;
}

void Boosting::round(int bits) {
  if (outputs() > 1) {
    softmax_rows(scores_, outputs(), workers_, softmax_);
    counters_.at(Kind::Special) += data_.rows * (outputs() + 1);
    counters_.at(Kind::F32Elementwise) += 4 * data_.rows * outputs();
    counters_.at(MemoryLevel::Dram) += 8 * data_.rows * outputs();
  }
  const std::vector<std::uint32_t> drawn = sample(steps_);
  std::vector<std::uint32_t> rows;
  std::vector<LeafRange> ranges;
  for (std::size_t k = 0; k < outputs(); ++k) {
    derive(k);
    round_gradients(bits, options_.random_rounding, learner_.seed, steps_ * outputs() + k, workers_,
                    gradients_);
    if (bits < 32) {
      counters_.at(Kind::Rounding) += 2 * data_.rows;
      counters_.at(Kind::F32Elementwise) += 2 * data_.rows;
      counters_.at(MemoryLevel::Dram) += 18 * data_.rows;
    }
    rows = drawn;
    Tree tree = grower_->grow(rows, gradients_, ranges, counters_);
    tree.output = static_cast<std::uint32_t>(k);
    add_to_scores(tree, rows, ranges, drawn.size() == learned_.size());
    model_.trees.push_back(std::move(tree));
  }
}

void Boosting::judge() {
  if (held_.empty()) return;
  const double mean =
      loss_sum(data_, scores_, outputs(), held_) / static_cast<double>(held_.size());
  judged_ = data_.is_regression() ? 2.0 * mean : mean / kLn2;
  counters_.at(Kind::Special) += held_.size() * (data_.is_regression() ? 0 : outputs() + 1);
  counters_.at(Kind::F32Elementwise) += 3 * held_.size() * outputs();
  counters_.at(MemoryLevel::Dram) += 4 * held_.size() * outputs();
  if (judged_ < best_judged_) {
    best_judged_ = judged_;
    best_step_ = steps_;
  }
  settled_ = steps_ - best_step_ >= options_.patience;
  if (!settled_ && steps_ < total_) return;
  // What came after the best round is dropped; the scores of training are not needed any more.
  total_ = steps_;
  model_.trees.resize(best_step_ * outputs());
  judged_ = best_judged_;
}

std::uint64_t Boosting::train(std::uint64_t steps, const Precision& precision) {
  const int bits = gradient_bits(precision);
  std::uint64_t done = 0;
  while (done < steps && steps_ < total_) {
    round(bits);
    ++steps_;
    ++done;
    judge();
  }
  return done;
}

std::string Boosting::ended_early() const {
  if (held_.empty() || steps_ < total_ || best_step_ == steps_) return "";
  return fmt::format("the best of {} rounds on held-out rows was the {}th", steps_, best_step_);
}

std::vector<NoiseShare> Boosting::noise_shares(const std::vector<Precision>& candidates) {
  counters_ += noise_counters(candidates);
  if (outputs() > 1) softmax_rows(scores_, outputs(), workers_, softmax_);
  differentiate(data_, scores_, softmax_, outputs(), steps_ % outputs(), workers_, gradients_);
  double mean = 0.0, squares = 0.0;
  for (const std::uint32_t r : learned_) {
    mean += static_cast<double>(gradients_.exact[r].g);
    squares +=
        static_cast<double>(gradients_.exact[r].g) * static_cast<double>(gradients_.exact[r].g);
  }
  const auto n = static_cast<double>(learned_.size());
  const double variance = std::max(squares / n - mean / n * (mean / n), 1e-300);
  std::vector<NoiseShare> shares;
  for (const Precision& candidate : candidates) {
    NoiseShare share{candidate, 0.0, 0.0, 1e9};
    round_gradients(gradient_bits(candidate), options_.random_rounding, ~learner_.seed, steps_,
                    workers_, gradients_);
    if (gradients_.is_integer()) {
      double noise = 0.0;
      for (const std::uint32_t r : learned_) {
        const double e = gradients_.g_scale * static_cast<double>(gradients_.rounded[r] >> 8) -
                         static_cast<double>(gradients_.exact[r].g);
        noise += e * e;
      }
      share.gradient = share.update = noise / n / variance;
      if (noise > 0.0) share.signal = std::min(1e9, std::sqrt(squares / noise));
    }
    shares.push_back(share);
  }
  return shares;
}

Quality Boosting::evaluate(const Dataset& held_out, const Precision&) {
  return evaluate_trees(model_, held_out, counters_);
}

Counters Boosting::step_counters(const Precision& precision) const {
  const bool integer = gradient_bits(precision) < 32;
  const std::uint64_t all = data_.rows, n = learned_.size(), k = outputs();
  const std::uint64_t features = bins_.used.size(), slots = bins_.slots();
  const std::uint64_t leaves =
      std::min<std::uint64_t>(options_.leaves, std::max<std::uint64_t>(n, 2));
  const std::uint64_t splits = leaves - 1;
  Counters c;  // of one tree
  auto& elementwise = c.at(Kind::F32Elementwise);
  auto& dram = c.at(MemoryLevel::Dram);
  elementwise += all * (data_.is_regression() ? 1 : 4);
  if (!data_.is_regression() && k == 1) c.at(Kind::Special) += 2 * all;
  dram += 16 * all;
  if (integer) {
    c.at(Kind::Rounding) += 2 * all;
    elementwise += 2 * all + 2 * n;
    c.at(Kind::Int32Add) += 2 * n;
    dram += 18 * all + 14 * n;
  } else {
    elementwise += 2 * n;
    dram += 8 * n;
  }
  // Smaller children together: at most n log2(leaves) / 2, since min(p, 1 - p) <= H(p) / 2 and the
  // entropies of the splits sum to that of the leaves.
  const auto small = static_cast<std::uint64_t>(
      std::ceil(0.5 * static_cast<double>(n) * std::log2(static_cast<double>(leaves))));
  const std::uint64_t updates = (n + small) * features;
  if (integer)
    c.at(Kind::Int32Add) += updates;
  else
    elementwise += 2 * updates;
  auto& cache = c.at(MemoryLevel::Cache);
  cache += updates * (integer ? 8 : 16);
  dram += updates + (n + small) * (integer ? 6 : 12);
  c.at(integer ? Kind::Int32Add : Kind::F32Elementwise) += 2 * slots * splits;
  if (integer) c.at(Kind::Int32Add) += 2 * slots * (2 * splits + 1);
  elementwise += (integer ? 8 : 10) * slots * (2 * splits + 1);
  c.at(Kind::Special) += slots * (2 * splits + 1) + leaves;
  cache += slots * (5 * splits + 1) * (integer ? 8 : 16);
  const std::uint64_t deepest =
      options_.depth > 0 ? std::min<std::uint64_t>(options_.depth, splits) : splits;
  elementwise += n * deepest + 2 * leaves + n;
  dram += 9 * n * deepest + 12 * n;
  const std::uint64_t walked = options_.subsample < 1.0 ? all : held_.size();
  elementwise += walked * (deepest + 1);
  dram += walked * (deepest + 8);
  c = c * k;
  if (k > 1) {
    c.at(Kind::Special) += all * (k + 1);
    c.at(Kind::F32Elementwise) += 4 * all * k;
    c.at(MemoryLevel::Dram) += 8 * all * k;
  }
  c.at(Kind::Special) += held_.size() * (data_.is_regression() ? 0 : k + 1);
  c.at(Kind::F32Elementwise) += 3 * held_.size() * k;
  c.at(MemoryLevel::Dram) += 4 * held_.size() * k;
  return c;
}

Counters Boosting::evaluation_counters(std::size_t rows, const Precision&) const {
  const std::size_t deepest =
      options_.depth > 0 ? std::min(options_.depth, options_.leaves - 1) : options_.leaves - 1;
  return tree_evaluation_counters(model_, rows, total_ * outputs(), deepest);
}

Counters Boosting::noise_counters(const std::vector<Precision>& candidates) const {
  Counters c;
  c.at(Kind::F32Elementwise) = data_.rows * (4 + 3 * candidates.size()) + 3 * learned_.size();
  c.at(Kind::Special) = data_.is_regression() ? 0 : data_.rows * (outputs() + 1);
  c.at(Kind::Rounding) = 2 * data_.rows * candidates.size();
  c.at(MemoryLevel::Dram) = data_.rows * (16 + 18 * candidates.size());
  return c;
}

std::uint64_t Boosting::identity() const noexcept {
  return state_identity(
      fingerprint(data_) ^ learner_.seed,
      {std::uint64_t{options_.trees}, std::uint64_t{options_.leaves}, std::uint64_t{options_.depth},
       std::uint64_t{options_.bins}, std::uint64_t{options_.least_rows},
       std::bit_cast<std::uint64_t>(options_.learning_rate),
       std::bit_cast<std::uint64_t>(options_.subsample), std::bit_cast<std::uint64_t>(options_.l2),
       std::uint64_t{options_.patience}, std::bit_cast<std::uint64_t>(options_.hold_out)});
}

std::vector<std::uint8_t> Boosting::save() const {
  StateWriter out;
  out.value(kStateMark);
  out.value(identity());
  out.value(steps_);
  out.value(total_);
  out.value(best_step_);
  out.value(judged_);
  out.value(best_judged_);
  out.value<std::uint8_t>(settled_);
  out.value(counters_);
  write_trees(out, model_.trees);
  return out.take();
}

void Boosting::restore(const std::vector<std::uint8_t>& state) {
  StateReader in(state);
  if (in.value<std::uint32_t>() != kStateMark || in.value<std::uint64_t>() != identity())
    throw InputError("these bytes are no state of boosting with these options and this data");
  const auto steps = in.value<std::uint64_t>(), total = in.value<std::uint64_t>(),
             best = in.value<std::uint64_t>();
  const auto judged = in.value<double>(), best_judged = in.value<double>();
  const bool settled = in.value<std::uint8_t>() != 0;
  const auto counters = in.value<Counters>();
  TreeModel model = model_;
  model.trees = read_trees(in);
  check_model(model);
  for (const Tree& tree : model.trees)
    for (const TreeNode& node : tree.nodes)
      if (!node.is_leaf() && (used_of_[node.feature] == 0 && bins_.used[0] != node.feature))
        throw InputError("these bytes are no state of boosting: a split by a constant feature");
  model_ = std::move(model);
  for (std::size_t i = 0; i < scores_.size(); ++i) scores_[i] = model_.base[i % outputs()];
  for (const Tree& tree : model_.trees)
    for (std::uint32_t r = 0; r < data_.rows; ++r) walk(tree, r);
  steps_ = steps;
  total_ = total;
  best_step_ = best;
  judged_ = judged;
  best_judged_ = best_judged;
  settled_ = settled;
  counters_ = counters;
}

std::vector<std::vector<float>> Boosting::parameters() const {
  std::vector<std::vector<float>> out{model_.base};
  for (const Tree& tree : model_.trees) out.push_back(tree.values);
  return out;
}

}  // namespace carnot::learn
