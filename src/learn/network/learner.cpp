// SPDX-License-Identifier: Apache-2.0
// The schedule around the network: order of the data, learning rate, losses, noise shares,
// evaluation. State on disk is in learner_state.cpp.
#include "carnot/learn/network/learner.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"

#include "learn/kernels/elementwise.hpp"
#include "learn/network/accounting.hpp"
#include "learn/network/noise.hpp"
#include "learn/network/rotation.hpp"
#include "learn/network/schedule.hpp"
#include "learn/network/sgd_learner.hpp"

namespace carnot::learn {

namespace {
/// What stands for a quality that is no number.
constexpr double kLeastQuality = -1e9;

constexpr double kQualityRows = 1000.0;  // that training_quality looks back on

constexpr double kLn2 = 0.69314718055994530942;
constexpr std::size_t kEvaluationRows = 256;

NetworkShape shape_of(const LearnerOptions& options, const Dataset& data) {
  NetworkShape shape;
  shape.unsigned_inputs = data.unsigned_features;
  shape.widths.push_back(data.columns);
  if (options.model == "mlp") shape.widths.push_back(options.hidden);
  if (data.is_regression()) {
    shape.loss = Loss::Squared;
    shape.widths.push_back(1);
  } else if (options.model == "logistic") {
    shape.loss = Loss::Logistic;
    shape.widths.push_back(1);
  } else {
    shape.loss = Loss::Softmax;
    shape.widths.push_back(data.classes);
  }
  return shape;
}

Optimiser optimiser_of(const LearnerOptions& options) {
  return {static_cast<float>(options.momentum), options.optimiser == "adam", options.weight_decay};
}

/// Bits per label, or squared error, of knowing the labels' frequencies, or their mean, alone.
double idle_loss(const Dataset& data) {
  const auto n = static_cast<double>(data.rows);
  double loss = 0.0;
  if (data.is_regression()) {
    double mean = 0.0;
    for (const float y : data.targets) mean += static_cast<double>(y) / n;
    for (const float y : data.targets)
      loss += (static_cast<double>(y) - mean) * (static_cast<double>(y) - mean) / n;
    return loss;
  }
  std::vector<std::uint64_t> counts(data.classes);
  for (const std::uint32_t label : data.labels) ++counts[label];
  for (const std::uint64_t count : counts) {
    const double share = static_cast<double>(count) / n;
    if (count > 0) loss -= share * std::log2(share);
  }
  return loss;
}

void check(const LearnerOptions& o, const Dataset& data) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(o.model == "linear" || o.model == "logistic" || o.model == "softmax" || o.model == "mlp",
       "model", "linear, logistic, softmax or mlp");
  need(o.hidden >= 1 && o.hidden <= 16384, "hidden", "1 to 16384 units");
  need(o.batch >= 1 && o.batch <= 65536, "batch", "1 to 65536 rows");
  need(std::isfinite(o.epochs) && o.epochs > 0.0 && o.epochs <= 1e6, "epochs", "in (0, 1e6]");
  need(std::isfinite(o.learning_rate) && o.learning_rate > 0.0 && o.learning_rate <= 1e3,
       "learning_rate", "in (0, 1000]");
  need(o.momentum >= 0.0 && o.momentum < 1.0, "momentum", "in [0, 1)");
  need(o.optimiser == "sgd" || o.optimiser == "adam", "optimiser", "sgd or adam");
  need(o.optimiser != "adam" || o.momentum == 0.0, "momentum", "0 with adam, which has its own");
  need(o.weight_decay >= 0.0 && o.weight_decay <= 1.0, "weight_decay", "in [0, 1]");
  need(o.optimiser == "adam" || o.weight_decay == 0.0, "weight_decay", "0 unless with adam");
  need(o.threads >= 1 && o.threads <= 1024, "threads", "1 to 1024");
  need(data.rows >= 1 && data.columns >= 1, "train", "at least one row and one column");
  need(data.columns <= 65536, "train", "at most 65536 columns (sums of products stay in int32)");
  need(data.rows <= std::numeric_limits<std::uint32_t>::max(), "train", "fewer than 2^32 rows");
  need(data.features.size() == data.rows * data.columns, "train", "rows x columns features");
  if (o.batch > data.rows)
    problems.add(
        Place{}, "batch",
        fmt::format("at most {}, the rows of the training data, found {}", data.rows, o.batch));
  if (data.is_regression()) {
    need(data.targets.size() == data.rows, "train", "one target a row");
    need(o.model != "logistic" && o.model != "softmax", "model",
         "linear or mlp: the data has real targets");
  } else {
    need(data.labels.size() == data.rows, "train", "one label a row");
    need(data.classes >= 2, "train", "two classes or more");
    need(data.classes <= 16384, "train", "at most 16384 classes");
    need(o.model != "linear", "model", "logistic, softmax or mlp: the data has classes");
    need(o.model != "logistic" || data.classes == 2, "model",
         "softmax or mlp: logistic needs two classes");
    need(std::all_of(data.labels.begin(), data.labels.end(),
                     [&](std::uint32_t label) { return label < data.classes; }),
         "train", "labels below the number of classes");
    need(data.labels.empty() ||
             !std::all_of(data.labels.begin(), data.labels.end(),
                          [&](std::uint32_t label) { return label == data.labels.front(); }),
         "train", "rows of at least two classes");
  }
  problems.throw_if_any();
}

}  // namespace

SgdLearner::SgdLearner(const LearnerOptions& options, const Dataset& train)
    : options_(options),
      data_(train),
      fingerprint_(fingerprint(train)),
      network_(shape_of(options, train), optimiser_of(options), options.seed, 1) {
  const double steps =
      options.epochs * static_cast<double>(train.rows) / static_cast<double>(options.batch);
  schedule_.steps = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(steps + 0.5));
  idle_loss_ = idle_loss(train);
}

bool SgdLearner::diverged() const noexcept {
  constexpr double kRise = 10.0;
  if (steps_ == 0) return false;
  if (!std::isfinite(smoothed_loss_)) return true;
  return steps_ == schedule_.steps && greatest_loss_ > kRise * std::max(first_loss_, idle_loss_) &&
         smoothed_loss_ > 0.98 * idle_loss_;
}

std::vector<std::vector<float>> SgdLearner::parameters() const {
  std::vector<std::vector<float>> all = network_.parameters();
  for (std::vector<float>& layer : all)
    for (float& x : layer) x = std::isfinite(x) ? x : 0.0f;
  return all;
}

void SgdLearner::order_epoch(std::uint64_t epoch) {
  if (order_epoch_ == epoch && !order_.empty()) return;
  order_.resize(data_.data().rows);
  std::iota(order_.begin(), order_.end(), 0u);
  // Fisher-Yates; each epoch has its own stream, so any epoch can be made again alone.
  const RandomStream stream = RandomStream(options_.seed, "shuffle").child(epoch);
  shuffle(order_, stream);
  order_epoch_ = epoch;
}

void SgdLearner::next_rows(std::uint64_t step) {
  if (rows_step_ == step && !rows_.empty()) return;
  rows_step_ = step;
  const std::uint64_t rows = data_.data().rows;
  rows_.resize(options_.batch);
  std::uint64_t at = step * options_.batch;
  for (auto& row : rows_) {
    order_epoch(at / rows);
    row = order_[at % rows];
    ++at;
  }
}

double SgdLearner::rate(std::uint64_t step) const noexcept {
  return scheduled_rate(options_.learning_rate, step, schedule_);
}

void SgdLearner::use(const Precision& precision) {
  if (precision.data != 32 && charged_copies_.insert(precision.data).second) {
    counters_ += learn::copy_counters(network_.shape(), precision, data_.data().rows);
  }
  data_.make(precision.data);
  network_.set_precision(precision, rounding_key(options_.seed, kSwitchStream, steps_), &counters_);
}

std::uint64_t SgdLearner::train(std::uint64_t steps, const Precision& precision) {
  const std::uint64_t last = steps_ + std::min(steps, schedule_.steps - steps_);
  const std::uint64_t first = steps_;
  if (last == first) return 0;
  use(precision);
  const std::uint64_t rows = data_.data().rows;
  for (; steps_ < last; ++steps_) {
    if (steps_ > 0 && steps_ % kRefreshPeriod == 0) network_.refresh(options_.seed, steps_);
    next_rows(steps_);
    data_.gather(rows_, precision.data, batch_);
    if (steps_ + 1 < schedule_.steps) {
      next_rows(steps_ + 1);
      data_.prefetch(rows_, precision.data);
    }
    network_.forward(batch_, &counters_);
    network_.differentiate(batch_, nats_, &counters_);
    double sum = 0.0;
    for (std::size_t i = 0; i < nats_.size(); ++i) {
      sum += nats_[i];
      if (!data_.data().is_regression() && steps_ * options_.batch + i < rows) {
        prequential_nats_ += nats_[i];
        ++prequential_labels_;
      }
    }
    double loss = sum / static_cast<double>(nats_.size());
    if (!data_.data().is_regression()) loss /= kLn2;
    const double quality = data_.data().is_regression() ? 1.0 - loss / std::max(idle_loss_, 1e-30)
                                                        : static_cast<double>(network_.right()) /
                                                              static_cast<double>(nats_.size());
    // A mean of all so far, then an exponential one over some thousand rows.
    const double fresh =
        std::max(std::clamp(static_cast<double>(options_.batch) / kQualityRows, 0.01, 0.2),
                 1.0 / static_cast<double>(steps_ + 1));
    // A replica that joins a training under way has seen nothing yet, whatever the step.
    const bool unseen = std::isnan(training_quality_);
    training_quality_ =
        unseen ? quality : training_quality_ + fresh * (quality - training_quality_);
    if (unseen) first_loss_ = loss;
    greatest_loss_ = std::max(greatest_loss_, loss);
    smoothed_loss_ = unseen ? loss : 0.98 * smoothed_loss_ + 0.02 * loss;
    network_.backward(batch_, {static_cast<float>(rate(steps_)), options_.seed, steps_, nullptr},
                      &counters_);
  }
  return steps_ - first;
}

double SgdLearner::prequential_bits() const noexcept { return prequential_nats_ / kLn2; }

void SgdLearner::capture(Network& network, const Batch& batch, std::uint64_t key,
                         std::vector<std::vector<float>>& gradient) {
  gradient.clear();
  for (const Layer& layer : network.layers()) gradient.emplace_back(layer.weights(), 0.0f);
  std::vector<double> nats;
  network.forward(batch, &counters_);
  network.differentiate(batch, nats, &counters_);
  network.backward(batch, {0.0f, key, steps_, &gradient}, &counters_);
}

double SgdLearner::remaining_learning() const noexcept {
  return remaining_schedule(steps_, schedule_);
}

std::vector<NoiseShare> SgdLearner::noise_shares(const std::vector<Precision>& candidates) {
  if (options_.batch < 2) throw InputError("batch: at least 2 rows, to measure noise shares");
  if (candidates.empty()) return {};
  const std::size_t half = options_.batch / 2;
  next_rows(steps_);
  const std::span<const std::uint32_t> rows(rows_);

  Network exact(network_);
  exact.use_own_kernels();
  exact.set_precision(Precision::parse("f32"), {}, &counters_);
  std::vector<std::vector<float>> first, second, rounded;
  Batch batch;
  data_.gather(rows.first(half), 32, batch);
  capture(exact, batch, options_.seed, first);
  data_.gather(rows.subspan(half, half), 32, batch);
  capture(exact, batch, options_.seed, second);
  // Integer gradients of the first layer come in the basis of the rotated data; lengths of vectors
  // are the same in either.
  std::vector<float> turned_first, turned_second;
  if (!data_.data().unsigned_features) {
    const Layer& layer = exact.layers().front();
    turned_first = first.front();
    turned_second = second.front();
    for (std::size_t j = 0; j < layer.outputs; ++j) {
      rotate(turned_first.data() + j * layer.inputs, layer.inputs);
      rotate(turned_second.data() + j * layer.inputs, layer.inputs);
    }
  }

  // The mini-batch as a data set of its own: candidates need no copy of all the data.
  const Dataset& all = data_.data();
  Dataset few;
  few.rows = 2 * half;
  few.columns = all.columns;
  few.unsigned_features = all.unsigned_features;
  few.classes = all.classes;
  std::vector<std::uint32_t> every(few.rows);
  std::iota(every.begin(), every.end(), 0u);
  for (const std::uint32_t r : rows.first(few.rows)) {
    const auto from = all.features.begin() + static_cast<std::ptrdiff_t>(r * all.columns);
    few.features.insert(few.features.end(), from, from + static_cast<std::ptrdiff_t>(all.columns));
    if (all.is_regression()) {
      few.targets.push_back(all.targets[r]);
    } else {
      few.labels.push_back(all.labels[r]);
    }
  }
  DataCopies copies(few);

  std::vector<NoiseShare> shares;
  for (const Precision& candidate : candidates) {
    counters_ += learn::copy_counters(network_.shape(), candidate, few.rows);
    copies.make(candidate.data);
    copies.gather(every, candidate.data, batch);
    Network trial(exact);
    trial.set_precision(candidate, {}, &counters_);
    capture(trial, batch, options_.seed ^ 0x6e6f697365u, rounded);
    NoiseShare share{candidate, 0.0, 0.0, 1e9};
    for (std::size_t l = 0; l < rounded.size(); ++l) {
      const bool turned = l == 0 && candidate.is_integer() && !turned_first.empty();
      worsen(share, {turned ? turned_first : first[l], turned ? turned_second : second[l],
                     rounded[l], trial.layers()[l], trial.precision(), network_.optimiser(), steps_,
                     rate(steps_), options_.learning_rate});
    }
    shares.push_back(share);
  }
  return shares;
}

Quality SgdLearner::evaluate(const Dataset& held_out, const Precision& trained) {
  const Precision precision = trained.delivered();
  if (held_out.columns != data_.data().columns || held_out.classes != data_.data().classes ||
      held_out.unsigned_features != data_.data().unsigned_features || held_out.rows == 0) {
    throw InputError(
        "held-out data: columns, classes and format must be those of the training "
        "data, with at least one row");
  }
  const bool regression = held_out.is_regression();
  for (const std::uint32_t label : held_out.labels) {
    if (label >= held_out.classes) throw InputError("held-out data: label out of range");
  }
  const std::uint64_t print = fingerprint(held_out);
  if (precision.data != 32 && charged_held_out_.insert({print, precision.data}).second) {
    counters_ += learn::copy_counters(network_.shape(), precision, held_out.rows);
  }
  if (held_out_ == nullptr || &held_out_->data() != &held_out || held_out_print_ != print) {
    held_out_ = std::make_unique<DataCopies>(held_out);
    held_out_print_ = print;
  }
  held_out_->make(precision.data);

  std::unique_ptr<Network> converted;
  Network* network = &network_;
  if (!(precision == network_.precision())) {
    converted = std::make_unique<Network>(network_);
    converted->set_precision(precision, rounding_key(options_.seed, kSwitchStream, ~steps_),
                             &counters_);
    network = converted.get();
  }
  std::vector<double> nats;
  std::vector<std::uint32_t> rows;
  double sum = 0.0, mean = 0.0, spread = 0.0;
  std::uint64_t right = 0;
  Batch batch;
  for (std::size_t from = 0; from < held_out.rows; from += kEvaluationRows) {
    rows.resize(std::min(kEvaluationRows, held_out.rows - from));
    std::iota(rows.begin(), rows.end(), static_cast<std::uint32_t>(from));
    held_out_->gather(rows, precision.data, batch);
    const float* z = network->forward(batch, &counters_);
    const std::size_t width = network->layers().back().outputs;
    const std::size_t ld = network->layers().back().out_stride;
    for (std::size_t i = 0; i < rows.size() && !regression; ++i) {
      const float* row = z + i * ld;
      const auto guess = network->shape().loss == Loss::Logistic
                             ? (row[0] > 0.0f ? 1 : 0)
                             : std::max_element(row, row + width) - row;
      right += static_cast<std::uint32_t>(guess) == batch.labels[i] ? 1 : 0;
    }
    network->differentiate(batch, nats, &counters_);
    for (const double nat : nats) sum += nat;
  }
  Quality quality;
  const auto n = static_cast<double>(held_out.rows);
  quality.trials = held_out.rows;
  if (regression) {
    for (const float y : held_out.targets) mean += static_cast<double>(y) / n;
    for (const float y : held_out.targets) {
      spread += (static_cast<double>(y) - mean) * (static_cast<double>(y) - mean);
    }
    quality.metric = "r2";
    quality.value = spread > 0.0 ? 1.0 - sum / spread : 0.0;
    if (!(quality.value > kLeastQuality)) quality.value = kLeastQuality;  // nor if it is no number
    quality.bits_per_label = kNaN;
  } else {
    quality.metric = "accuracy";
    quality.successes = right;
    quality.value = static_cast<double>(right) / n;
    quality.bits_per_label = sum / n / kLn2;
    if (!(quality.bits_per_label < -kLeastQuality)) quality.bits_per_label = -kLeastQuality;
  }
  return quality;
}

Counters SgdLearner::step_counters(const Precision& p) const {
  Counters c = forward_counters(network_.shape(), p, options_.batch);
  c += loss_counters(network_.shape(), options_.batch);
  c += backward_counters(network_.shape(), p, options_.batch, network_.optimiser(), true);
  return c;
}

Counters SgdLearner::switch_counters(const Precision& from, const Precision& to) const {
  Counters c = conversion_counters(network_.shape(), from, to, network_.optimiser());
  if (!charged_copies_.contains(to.data)) c += copy_counters(data_.data().rows, to);
  return c;
}

Counters SgdLearner::copy_counters(std::size_t rows, const Precision& p) const {
  return learn::copy_counters(network_.shape(), p, rows);
}

Counters SgdLearner::evaluation_counters(std::size_t rows, const Precision& trained) const {
  const Precision p = trained.delivered();
  Counters c = conversion_counters(network_.shape(), network_.precision(), p, network_.optimiser());
  c += forward_counters(network_.shape(), p, kEvaluationRows) * (rows / kEvaluationRows);
  if (const std::size_t rest = rows % kEvaluationRows; rest != 0) {
    c += forward_counters(network_.shape(), p, rest);
  }
  c += loss_counters(network_.shape(), rows);
  return c;
}

Counters SgdLearner::noise_counters(const std::vector<Precision>& candidates) const {
  Counters c;
  if (candidates.empty()) return c;
  const NetworkShape& shape = network_.shape();
  const Optimiser& optimiser = network_.optimiser();
  const std::uint64_t half = options_.batch / 2;
  const auto pass = [&](const Precision& p, std::uint64_t rows) {
    Counters one = forward_counters(shape, p, rows);
    one += loss_counters(shape, rows);
    one += backward_counters(shape, p, rows, optimiser, false);
    return one;
  };
  const Precision f32 = Precision::parse("f32");
  c += conversion_counters(shape, network_.precision(), f32, optimiser);
  c += pass(f32, half) * 2;
  for (const Precision& p : candidates) {
    c += copy_counters(2 * half, p);
    c += conversion_counters(shape, f32, p, optimiser);
    c += pass(p, 2 * half);
  }
  return c;
}

std::unique_ptr<Learner> make_learner(const LearnerOptions& options, const Dataset& train) {
  check(options, train);
  return std::make_unique<SgdLearner>(options, train);
}

}  // namespace carnot::learn
