// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What learners of layers (src/learn/layers) have in common: the schedule, the loop over
/// minibatches, smoothed losses, noise shares, operations counted beforehand, saved state. A
/// learner adds its network, how a minibatch is gathered and what of its loss counts.
///
/// `Network` is copyable and has set_precision, precision, refresh, matrices, optimiser,
/// parameters, backward, save and restore as ConvolutionNetwork and Transformer do. One thread at a
/// time.

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/network/learner.hpp"

#include "learn/layers/linear.hpp"
#include "learn/network/data_copies.hpp"
#include "learn/network/noise.hpp"
#include "learn/network/schedule.hpp"

namespace carnot::learn {

/// How a kind of learner names itself, and how far its training_quality looks back.
struct LayeredKind {
  std::uint32_t version;     ///< first in a saved state
  const char* of_version;    ///< "of a transformer of this version"
  const char* examples;      ///< of which a minibatch is made: "windows"
  const char* order_stream;  ///< of the random order of examples
  double quality_rows;       ///< labels that training_quality looks back on
};

template <class Network, class Minibatch>
class LayeredLearner : public Learner {
 public:
  std::uint64_t total_steps() const noexcept final { return schedule_.steps; }
  Schedule schedule() const final { return schedule_; }
  void set_schedule(const Schedule& schedule) final {
    check_schedule(schedule, steps_);
    schedule_ = schedule;
  }
  std::uint64_t steps_done() const noexcept final { return steps_; }
  double remaining_learning() const noexcept final { return remaining_schedule(steps_, schedule_); }
  double smoothed_loss() const noexcept final { return smoothed_loss_; }
  double training_quality() const noexcept final { return training_quality_; }
  bool diverged() const noexcept final {
    if (steps_ == 0) return false;
    if (!std::isfinite(smoothed_loss_)) return true;
    return steps_ == schedule_.steps && greatest_loss_ > 10.0 * std::max(first_loss_, idle_loss_) &&
           smoothed_loss_ > 0.98 * idle_loss_;
  }
  double prequential_bits() const noexcept final { return prequential_nats_ / kLn2; }
  std::uint64_t prequential_labels() const noexcept final { return prequential_labels_; }
  const Counters& counters() const noexcept final { return counters_; }
  std::vector<std::vector<float>> parameters() const final {
    std::vector<std::vector<float>> all = network_.parameters();
    for (std::vector<float>& layer : all)
      for (float& x : layer) x = std::isfinite(x) ? x : 0.0f;
    return all;
  }

  std::uint64_t train(std::uint64_t steps, const Precision& precision) final {
    const std::uint64_t first = steps_, last = first + std::min(steps, schedule_.steps - first);
    if (first == last) return 0;
    network_.set_precision(precision, rounding_key(options_.seed, kSwitchStream, steps_),
                           &counters_);
    for (; steps_ < last; ++steps_) {
      if (steps_ > 0 && steps_ % kRefreshPeriod == 0) network_.refresh(options_.seed, steps_);
      gather(steps_, options_.batch, 0, minibatch_);
      step();
    }
    return steps_ - first;
  }

  std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) final {
    if (options_.batch < 2)
      throw InputError(std::string("batch: at least 2 ") + kind_.examples +
                       ", to measure noise shares");
    if (candidates.empty()) return {};
    const std::size_t half = options_.batch / 2;
    Network exact(network_);
    exact.set_precision(Precision::parse("f32"), {}, &counters_);
    std::vector<std::vector<float>> first, second, rounded;
    Minibatch part;
    gather(steps_, half, 0, part);
    capture(exact, part, options_.seed, first);
    gather(steps_, half, half, part);
    capture(exact, part, options_.seed, second);
    gather(steps_, 2 * half, 0, part);
    std::vector<NoiseShare> shares;
    for (const Precision& candidate : candidates) {
      Network trial(exact);
      trial.set_precision(candidate, {}, &counters_);
      capture(trial, part, options_.seed ^ 0x6e6f697365u, rounded);
      NoiseShare share{candidate, 0.0, 0.0, 1e9};
      const std::vector<const Linear*> matrices = trial.matrices();
      for (std::size_t l = 0; l < matrices.size(); ++l)
        worsen(share, {first[l], second[l], rounded[l], matrices[l]->layer(), candidate,
                       network_.optimiser(), steps_, rate(), options_.learning_rate});
      shares.push_back(share);
    }
    return shares;
  }

  Counters step_counters(const Precision& p) const final { return pass(p, options_.batch, true); }
  Counters switch_counters(const Precision& from, const Precision& to) const final {
    return conversion(from, to);
  }
  Counters evaluation_counters(std::size_t rows, const Precision& trained) const final {
    const Precision p = trained.delivered();
    Counters c = conversion(network_.precision(), p);
    c += scoring(p, rows);
    return c;
  }
  Counters noise_counters(const std::vector<Precision>& candidates) const final {
    Counters c;
    if (candidates.empty()) return c;
    const Precision f32 = Precision::parse("f32");
    const std::size_t half = options_.batch / 2;
    c += conversion(network_.precision(), f32);
    c += pass(f32, half, false) * 2;
    for (const Precision& p : candidates) {
      c += conversion(f32, p);
      c += pass(p, 2 * half, false);
    }
    return c;
  }

  std::vector<std::uint8_t> save() const final {
    StateWriter out;
    out.value(kind_.version);
    out.value(identity());
    out.value(steps_);
    for (const double v :
         {smoothed_loss_, training_quality_, first_loss_, greatest_loss_, prequential_nats_})
      out.value(v);
    out.value(prequential_labels_);
    out.value(counters_);
    network_.save(out);
    return out.take();
  }

  void restore(const std::vector<std::uint8_t>& state) final {
    const auto require = [](bool good, const char* what) {
      if (!good) throw InputError(std::string("learner state: ") + what);
    };
    StateReader in(state);
    require(in.value<std::uint32_t>() == kind_.version, kind_.of_version);
    require(in.value<std::uint64_t>() == identity(), "belongs to other options or other data");
    const auto steps = in.value<std::uint64_t>();
    require(steps <= schedule_.steps, "step beyond the schedule");
    double values[5];
    for (double& v : values) v = in.value<double>();
    const auto labels = in.value<std::uint64_t>();
    const auto counters = in.value<Counters>();
    Network network(network_);
    network.restore(in);
    in.end();
    // All is well: only now does anything change.
    network_ = std::move(network);
    steps_ = steps;
    smoothed_loss_ = values[0];
    training_quality_ = values[1];
    first_loss_ = values[2];
    greatest_loss_ = values[3];
    prequential_nats_ = values[4];
    prequential_labels_ = labels;
    counters_ = counters;
  }

 protected:
  static constexpr double kLn2 = 0.69314718055994530942;

  /// \param examples  of a pass over the data
  LayeredLearner(const LayeredKind& kind, const LearnerOptions& options, const Dataset& train,
                 Network network, std::size_t examples)
      : options_(options),
        data_(train),
        network_(std::move(network)),
        examples_(examples),
        kind_(kind),
        fingerprint_(fingerprint(train)) {
    const double steps =
        options.epochs * static_cast<double>(examples) / static_cast<double>(options.batch);
    schedule_.steps = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(steps + 0.5));
    std::vector<std::uint64_t> counts(train.classes);
    for (const std::uint32_t label : train.labels) ++counts[label];
    for (const std::uint64_t count : counts) {
      const double share = static_cast<double>(count) / static_cast<double>(train.rows);
      if (count > 0) idle_loss_ -= share * std::log2(share);
    }
  }

  /// Examples [from, from + count) of a step's minibatch.
  virtual void gather(std::uint64_t step, std::size_t count, std::size_t from, Minibatch& out) = 0;
  /// Forward, and the loss differentiated. \return right answers; `nats` by label
  virtual std::size_t answer(Network& network, const Minibatch& minibatch,
                             std::vector<double>& nats) = 0;
  /// Labels of the minibatch that were asked for.
  virtual std::size_t asked(const Minibatch& minibatch) const = 0;
  /// Whether the i-th label of the present minibatch is met for the first time, foretold by all
  /// before it.
  virtual bool is_prequential(std::size_t i) const = 0;
  virtual Counters pass(const Precision& p, std::size_t count, bool update) const = 0;
  virtual Counters conversion(const Precision& from, const Precision& to) const = 0;
  virtual Counters scoring(const Precision& p, std::size_t rows) const = 0;
  /// What besides data, batch, passes, rates and seed tells states apart.
  virtual std::vector<std::uint64_t> shape_identity() const = 0;

  /// The network as it is in `precision`, handed to `use`; its own is left as it was.
  template <class Use>
  auto in_precision(const Precision& precision, Use use) {
    if (precision == network_.precision()) return use(network_);
    Network converted(network_);
    converted.set_precision(precision, rounding_key(options_.seed, kSwitchStream, ~steps_),
                            &counters_);
    return use(converted);
  }
  static Quality accuracy(std::uint64_t right, std::uint64_t trials, double bits_per_label) {
    Quality quality;
    quality.metric = "accuracy";
    quality.trials = trials;
    quality.successes = right;
    quality.value = static_cast<double>(right) / static_cast<double>(trials);
    quality.bits_per_label = bits_per_label < 1e9 ? bits_per_label : 1e9;
    return quality;
  }

  /// Which example stands `at` among those of all passes. Each pass has an order of its own.
  std::size_t example(std::uint64_t at) {
    const std::uint64_t epoch = at / examples_;
    if (order_epoch_ != epoch || order_.empty()) {
      order_.resize(examples_);
      std::iota(order_.begin(), order_.end(), 0u);
      const RandomStream stream = RandomStream(options_.seed, kind_.order_stream).child(epoch);
      shuffle(order_, stream);
      order_epoch_ = epoch;
    }
    return order_[at % examples_];
  }

  LearnerOptions options_;
  const Dataset& data_;
  Network network_;
  std::size_t examples_;
  Counters counters_;

 private:
  static constexpr std::uint64_t kSwitchStream = 0x73776974u;

  double rate() const noexcept { return scheduled_rate(options_.learning_rate, steps_, schedule_); }

  void step() {
    const std::size_t right = answer(network_, minibatch_, nats_);
    double sum = 0.0;
    for (std::size_t i = 0; i < nats_.size(); ++i) {
      sum += nats_[i];
      if (is_prequential(i)) {
        prequential_nats_ += nats_[i];
        ++prequential_labels_;
      }
    }
    const auto count = static_cast<double>(asked(minibatch_));
    const double loss = sum / count / kLn2, quality = static_cast<double>(right) / count;
    const double fresh = std::max(std::clamp(count / kind_.quality_rows, 0.01, 0.2),
                                  1.0 / static_cast<double>(steps_ + 1));
    // A replica that joins a training under way has seen nothing yet, whatever the step.
    const bool unseen = std::isnan(training_quality_);
    training_quality_ =
        unseen ? quality : training_quality_ + fresh * (quality - training_quality_);
    if (unseen) first_loss_ = loss;
    greatest_loss_ = std::max(greatest_loss_, loss);
    smoothed_loss_ = unseen ? loss : 0.98 * smoothed_loss_ + 0.02 * loss;
    network_.backward({static_cast<float>(rate()), options_.seed, steps_, nullptr}, &counters_);
  }

  void capture(Network& network, const Minibatch& minibatch, std::uint64_t seed,
               std::vector<std::vector<float>>& gradient) {
    gradient.clear();
    for (const Linear* m : network.matrices()) gradient.emplace_back(m->layer().weights(), 0.0f);
    std::vector<double> nats;
    answer(network, minibatch, nats);
    network.backward({0.0f, seed, steps_, &gradient}, &counters_);
  }

  std::uint64_t identity() const {
    std::uint64_t hash = fingerprint_;
    const auto mix = [&hash](std::uint64_t v) {
      hash = (hash ^ v) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 31;
    };
    for (const std::uint64_t v : shape_identity()) mix(v);
    for (const double v : {options_.epochs, options_.learning_rate, options_.weight_decay})
      mix(std::bit_cast<std::uint64_t>(v));
    mix(options_.seed);
    return hash;
  }

  LayeredKind kind_;
  std::uint64_t fingerprint_;
  Schedule schedule_;
  std::uint64_t steps_ = 0;
  double smoothed_loss_ = 0.0, prequential_nats_ = 0.0, idle_loss_ = 0.0;
  double training_quality_ = std::numeric_limits<double>::quiet_NaN();
  double first_loss_ = 0.0, greatest_loss_ = 0.0;
  std::uint64_t prequential_labels_ = 0;
  std::vector<std::uint32_t> order_;
  std::uint64_t order_epoch_ = 0;
  Minibatch minibatch_;
  std::vector<double> nats_;
};

}  // namespace carnot::learn
