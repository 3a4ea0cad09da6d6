// SPDX-License-Identifier: Apache-2.0
#include "experiment/search_trial.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/learn/convolution/convolution.hpp"
#include "carnot/learn/learners/learners.hpp"
#include "carnot/learn/learners/reduced_inputs.hpp"
#include "carnot/learn/network/train_in_pieces.hpp"
#include "carnot/learn/trees/tree_code.hpp"

namespace carnot::experiment {

namespace {

constexpr int kCodeWidth = 8;           // bits of a coefficient in K
constexpr int kTreeCodeWidth = 6;       // bits of a leaf in K
constexpr double kVarianceBits = 32.0;  // of numbers, as code_length.hpp
constexpr std::uint64_t kPieces = 64;   // looks at the budget, of a training

std::vector<std::uint32_t> random_order(std::size_t rows, std::uint64_t seed) {
  std::vector<std::uint32_t> order(rows);
  std::iota(order.begin(), order.end(), 0u);
  const RandomStream random(seed, "search validation");
  shuffle(order, random);
  return order;
}

}  // namespace

TrialRunner::TrialRunner(const SearchOptions& options, const learn::SearchSpace& space,
                         const learn::Split& split, const learn::EnergyTable& table)
    : options_(options), space_(space), split_(split), table_(table) {
  if (!(options.validation > 0.0 && options.validation <= 0.5))
    throw InputError(describe({}, "validation", "a share in (0, 0.5]"));
  if (split.train.columns == 0)
    throw InputError(describe({}, "search", "of tables and images, not of texts"));
  if (split.train.rows < 10)
    throw InputError(describe({}, "train", "10 rows or more to search on"));
  const std::size_t rows = split.train.rows;
  const auto back = std::clamp<std::size_t>(
      static_cast<std::size_t>(options.validation * static_cast<double>(rows)), 2, kMostValidation);
  const std::vector<std::uint32_t> order = random_order(rows, options.experiment.learner.seed);
  const std::span<const std::uint32_t> all(order);
  validation_ = learn::these_rows(split.train, all.first(back));
  train_ = learn::these_rows(split.train, all.subspan(back));
}

const learn::Dataset& TrialRunner::rows_of(double share) {
  if (share >= 1.0) return train_;
  const auto [at, fresh] = shares_.try_emplace(share);
  if (fresh) {  // the rows are in random order: the first ones are a sample, and samples are nested
    std::vector<std::uint32_t> first(std::max<std::size_t>(
        2, static_cast<std::size_t>(share * static_cast<double>(train_.rows) + 0.5)));
    std::iota(first.begin(), first.end(), 0u);
    at->second = learn::these_rows(train_, first);
  }
  return at->second;
}

TrialRunner::Setting TrialRunner::setting(const std::vector<double>& values,
                                          std::size_t rows) const {
  Setting s{options_.experiment.learner, options_.experiment.tree, learn::Precision::parse("f32")};
  const bool trees = learns_trees(s.learner);
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::string& knob = space_.knobs[i].name;
    const double x = values[i];
    const auto n = static_cast<std::size_t>(x);
    if (knob == "hidden") s.learner.hidden = n;
    if (knob == "epochs") s.learner.epochs = x;
    if (knob == "batch") s.learner.batch = n;
    if (knob == "channels") s.learner.convolution.channels = {n, 2 * n};
    if (knob == "trees") s.tree.trees = n;
    if (knob == "leaves") s.tree.leaves = n;
    if (knob == "l2") s.tree.l2 = x;
    if (knob == "bins") s.tree.bins = n;
    if (knob == "feature_share") s.tree.feature_share = x;
    if (knob == "learning_rate") (trees ? s.tree.learning_rate : s.learner.learning_rate) = x;
    if (knob == "bits" && trees)
      s.precision = learn::gradient_precision(static_cast<int>(x));
    else if (knob == "bits")
      s.precision = precision_of(fmt::format("{}", n));
  }
  s.learner.batch = std::min(s.learner.batch, rows);
  return s;
}

SearchTrial TrialRunner::run(const std::vector<double>& values, double share, Energy left,
                             std::optional<learn::SavedModel>& model) {
  SearchTrial trial;
  trial.values = values;
  trial.share = share;
  const learn::Dataset& train = rows_of(share);
  const Setting s = setting(values, train.rows);
  try {
    attempt(s, train, share >= 1.0, left, trial, model);
  } catch (const InputError& error) {
    if (share >= 1.0) throw;  // a few rows may lack what all have: a second class
    trial.stopped = error.what();
  }
  trial.energy = table_.energy(trial.counters);
  return trial;
}

void TrialRunner::attempt(const Setting& s, const learn::Dataset& train, bool whole, Energy left,
                          SearchTrial& trial, std::optional<learn::SavedModel>& model) const {
  std::unique_ptr<learn::Learner> learner;
  if (learns_trees(s.learner))
    learner = learn::make_tree_learner(s.tree, s.learner, train);
  else
    learner = learn::make_any_learner(s.learner, train);
  const auto spent = [&] { return table_.energy(learner->counters()).value(); };
  const Energy step = table_.energy(learner->step_counters(s.precision)).value();
  const Energy look = table_.energy(learner->look_counters(validation_.rows, s.precision)).value();
  const std::uint64_t piece = std::max<std::uint64_t>(1, learner->total_steps() / kPieces);
  while (learner->steps_done() < learner->total_steps()) {
    const std::uint64_t count = std::min(piece, learner->total_steps() - learner->steps_done());
    if (spent() + static_cast<double>(count) * step + look > left) {
      trial.stopped = "budget";
      break;
    }
    const std::uint64_t did =
        learn::train_in_pieces(*learner, count, s.precision, options_.experiment.stop);
    if (did == 0 || learner->diverged()) break;
  }
  trial.examples = learns_trees(s.learner) ? learner->steps_done() * train.rows
                                           : learner->steps_done() * s.learner.batch;
  if (learner->diverged()) trial.stopped = "diverged";
  if (trial.stopped.empty()) {
    trial.validation = learner->evaluate(validation_, s.precision);
    trial.loss =
        train.is_regression() ? 1.0 - trial.validation.value : trial.validation.bits_per_label;
  }
  trial.counters = learner->counters();
  if (!whole || !std::isfinite(trial.loss)) return;
  code(*learner, s, trial);
  model = learn::saved_model(*learner, s.learner, train, 32);
  model->precision = s.precision.name;
  if (split_.test.rows == 0) return;
  model->quality = learner->evaluate(split_.test, s.precision);  // after the count was taken
  trial.held_out = model->quality.value;
}

void TrialRunner::code(const learn::Learner& learner, const Setting& s, SearchTrial& trial) const {
  if (learns_trees(s.learner)) {
    const learn::TreeModel& trees = dynamic_cast<const learn::TreeLearner&>(learner).model();
    if (trees.trees.empty()) return;
    const std::size_t all[] = {trees.trees.size()};
    trial.model_bits = learn::tree_code_lengths(trees, kTreeCodeWidth, all)[0];
  } else {
    const std::vector<std::vector<float>> p = learner.parameters();
    const std::size_t outputs = p.empty() ? 0 : p.back().size();
    trial.model_bits = learn::model_length(p,
                                           s.learner.model == "cnn"
                                               ? learn::convolution_rows(p)
                                               : learn::parameter_rows(p, train_.columns, outputs),
                                           kCodeWidth);
  }
  if (train_.is_regression()) trial.model_bits += kVarianceBits;
  trial.data_bits = learn::data_length(train_, trial.validation);
}

}  // namespace carnot::experiment
