// SPDX-License-Identifier: Apache-2.0
// The schedule around the network: minibatches, losses, noise shares, evaluation, state.
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"
#include "carnot/base/state_bytes.hpp"

#include "learn/convolution/convolution.hpp"
#include "learn/network/data_copies.hpp"
#include "learn/network/noise.hpp"
#include "learn/network/schedule.hpp"

namespace carnot::learn {

namespace {

constexpr double kLn2 = 0.69314718055994530942;
constexpr double kQualityRows = 1000.0;  // that training_quality looks back on
constexpr std::uint64_t kSwitchStream = 0x73776974u;
constexpr std::uint32_t kVersion = 0x314e4e43u;

constexpr std::size_t kMostPixels = std::size_t{1} << 16;  // of a minibatch

void check(const LearnerOptions& o, const Dataset& data) {
  Problems problems;
  const auto need = [&problems](bool good, const char* field, const char* allowed) {
    if (!good) problems.add(Place{}, field, allowed);
  };
  need(data.unsigned_features && data.columns > 0, "train",
       "images: a convolution looks at neighbouring pixels, which columns of a table are not");
  need(data.classes >= 2 && data.classes <= 16384, "train", "2 to 16384 classes");
  need(data.features.size() == data.rows * data.columns, "train", "rows x columns features");
  need(data.labels.size() == data.rows &&
           std::all_of(data.labels.begin(), data.labels.end(),
                       [&](std::uint32_t label) { return label < data.classes; }),
       "train", "a label below the number of classes for each row");
  need(data.rows >= 1 && data.rows <= std::numeric_limits<std::uint32_t>::max(), "train",
       "1 to 2^32 - 1 rows");
  need(o.hidden >= 1 && o.hidden <= 16384, "hidden", "1 to 16384 units");
  need(o.batch >= 1 && o.batch <= 4096 && o.batch <= data.rows, "batch",
       "1 to 4096 rows, no more than there are");
  need(std::isfinite(o.epochs) && o.epochs > 0.0 && o.epochs <= 1e6, "epochs", "in (0, 1e6]");
  need(std::isfinite(o.learning_rate) && o.learning_rate > 0.0 && o.learning_rate <= 1.0,
       "learning_rate", "in (0, 1]");
  need(o.weight_decay >= 0.0 && o.weight_decay <= 1.0, "weight_decay", "in [0, 1]");
  problems.throw_if_any();
  const ConvolutionShape shape =
      convolution_shape(o.convolution, data.columns, o.hidden, data.classes);
  need(o.batch * shape.stages.front().pixels() <= kMostPixels, "batch",
       "at most 2^16 pixels in all");
  need(shape.flat() <= 65536, "channels", "at most 65536 numbers after the last convolution");
  problems.throw_if_any();
}

class ConvolutionLearner final : public Learner {
 public:
  ConvolutionLearner(const LearnerOptions& options, const Dataset& train)
      : options_(options),
        data_(train),
        fingerprint_(fingerprint(train)),
        network_(
            convolution_shape(options.convolution, train.columns, options.hidden, train.classes),
            options.weight_decay, options.seed) {
    const double steps =
        options.epochs * static_cast<double>(train.rows) / static_cast<double>(options.batch);
    schedule_.steps = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(steps + 0.5));
    std::vector<std::uint64_t> counts(train.classes);
    for (const std::uint32_t label : train.labels) ++counts[label];
    for (const std::uint64_t count : counts) {
      const double share = static_cast<double>(count) / static_cast<double>(train.rows);
      if (count > 0) idle_loss_ -= share * std::log2(share);
    }
  }

  std::uint64_t total_steps() const noexcept override { return schedule_.steps; }
  Schedule schedule() const override { return schedule_; }
  void set_schedule(const Schedule& schedule) override {
    check_schedule(schedule, steps_);
    schedule_ = schedule;
  }
  std::uint64_t steps_done() const noexcept override { return steps_; }
  double remaining_learning() const noexcept override {
    return remaining_schedule(steps_, schedule_);
  }
  double smoothed_loss() const noexcept override { return smoothed_loss_; }
  double training_quality() const noexcept override { return training_quality_; }
  bool diverged() const noexcept override {
    if (steps_ == 0) return false;
    if (!std::isfinite(smoothed_loss_)) return true;
    return steps_ == schedule_.steps && greatest_loss_ > 10.0 * std::max(first_loss_, idle_loss_) &&
           smoothed_loss_ > 0.98 * idle_loss_;
  }
  double prequential_bits() const noexcept override { return prequential_nats_ / kLn2; }
  std::uint64_t prequential_labels() const noexcept override { return prequential_labels_; }
  const Counters& counters() const noexcept override { return counters_; }
  std::vector<std::vector<float>> parameters() const override {
    std::vector<std::vector<float>> all = network_.parameters();
    for (std::vector<float>& layer : all)
      for (float& x : layer) x = std::isfinite(x) ? x : 0.0f;
    return all;
  }

  std::uint64_t train(std::uint64_t steps, const Precision& precision) override {
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

  std::vector<NoiseShare> noise_shares(const std::vector<Precision>& candidates) override {
    if (options_.batch < 2) throw InputError("batch: at least 2 rows, to measure noise shares");
    if (candidates.empty()) return {};
    const std::size_t half = options_.batch / 2;
    ConvolutionNetwork exact(network_);
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
      ConvolutionNetwork trial(exact);
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

  Quality evaluate(const Dataset& held_out, const Precision& trained) override {
    if (held_out.columns != data_.columns || held_out.classes != data_.classes ||
        held_out.rows == 0 || !held_out.unsigned_features)
      throw InputError("held-out data: images of the training images' size and classes");
    const Precision precision = trained.delivered();
    if (precision == network_.precision()) return measure(network_, held_out);
    ConvolutionNetwork converted(network_);
    converted.set_precision(precision, rounding_key(options_.seed, kSwitchStream, ~steps_),
                            &counters_);
    return measure(converted, held_out);
  }

  Counters step_counters(const Precision& p) const override {
    return pass(p, options_.batch, true);
  }
  Counters switch_counters(const Precision& from, const Precision& to) const override {
    return convolution_conversion_counters(network_.shape(), from, to);
  }
  Counters evaluation_counters(std::size_t rows, const Precision& trained) const override {
    const Precision p = trained.delivered();
    Counters c = convolution_conversion_counters(network_.shape(), network_.precision(), p);
    const std::size_t most = scoring_rows();
    for (const std::size_t n : {most, rows % most}) {
      const std::size_t times = n == most ? rows / most : 1;
      if (n == 0 || times == 0) continue;
      Counters one = convolution_forward_counters(network_.shape(), p, n);
      one += convolution_loss_counters(network_.shape(), n);
      c += one * times;
    }
    return c;
  }
  Counters noise_counters(const std::vector<Precision>& candidates) const override {
    Counters c;
    if (candidates.empty()) return c;
    const Precision f32 = Precision::parse("f32");
    const std::size_t half = options_.batch / 2;
    c += convolution_conversion_counters(network_.shape(), network_.precision(), f32);
    c += pass(f32, half, false) * 2;
    for (const Precision& p : candidates) {
      c += convolution_conversion_counters(network_.shape(), f32, p);
      c += pass(p, 2 * half, false);
    }
    return c;
  }

  std::vector<std::uint8_t> save() const override {
    StateWriter out;
    out.value(kVersion);
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

  void restore(const std::vector<std::uint8_t>& state) override {
    const auto require = [](bool good, const char* what) {
      if (!good) throw InputError(std::string("learner state: ") + what);
    };
    StateReader in(state);
    require(in.value<std::uint32_t>() == kVersion, "of a convolutional network of this version");
    require(in.value<std::uint64_t>() == identity(), "belongs to other options or other data");
    const auto steps = in.value<std::uint64_t>();
    require(steps <= schedule_.steps, "step beyond the schedule");
    double values[5];
    for (double& v : values) v = in.value<double>();
    const auto labels = in.value<std::uint64_t>();
    const auto counters = in.value<Counters>();
    ConvolutionNetwork network(network_);
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

 private:
  struct Minibatch {
    std::vector<float> images;
    std::vector<std::uint32_t> labels;
  };

  std::size_t scoring_rows() const noexcept {
    return std::clamp<std::size_t>(kMostPixels / network_.shape().stages.front().pixels(), 1, 64);
  }

  Quality measure(ConvolutionNetwork& network, const Dataset& held_out) {
    Quality quality;
    quality.metric = "accuracy";
    quality.trials = held_out.rows;
    double sum = 0.0;
    std::vector<double> nats;
    for (std::size_t from = 0; from < held_out.rows; from += scoring_rows()) {
      const std::size_t n = std::min(scoring_rows(), held_out.rows - from);
      network.forward(
          std::span(held_out.features).subspan(from * held_out.columns, n * held_out.columns), n,
          &counters_);
      quality.successes +=
          network.differentiate(std::span(held_out.labels).subspan(from, n), nats, &counters_);
      for (const double nat : nats) sum += nat;
    }
    const auto n = static_cast<double>(held_out.rows);
    quality.value = static_cast<double>(quality.successes) / n;
    quality.bits_per_label = sum / n / kLn2;
    if (!(quality.bits_per_label < 1e9)) quality.bits_per_label = 1e9;
    return quality;
  }

  double rate() const noexcept { return scheduled_rate(options_.learning_rate, steps_, schedule_); }

  Counters pass(const Precision& p, std::size_t rows, bool update) const {
    const ConvolutionShape& shape = network_.shape();
    Counters c = convolution_forward_counters(shape, p, rows);
    c += convolution_loss_counters(shape, rows);
    c += convolution_backward_counters(shape, p, rows, options_.weight_decay > 0.0, update);
    return c;
  }

  void order_epoch(std::uint64_t epoch) {
    if (order_epoch_ == epoch && !order_.empty()) return;
    order_.resize(data_.rows);
    std::iota(order_.begin(), order_.end(), 0u);
    const RandomStream stream = RandomStream(options_.seed, "shuffle").child(epoch);
    for (std::size_t i = order_.size(); i > 1; --i)
      std::swap(order_[i - 1], order_[stream.below(i, i)]);
    order_epoch_ = epoch;
  }

  /// Rows [from, from + rows) of a step's minibatch.
  void gather(std::uint64_t step, std::size_t rows, std::size_t from, Minibatch& out) {
    out.images.resize(rows * data_.columns);
    out.labels.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::uint64_t at = step * options_.batch + from + i;
      order_epoch(at / data_.rows);
      const std::size_t row = order_[at % data_.rows];
      std::copy_n(data_.features.begin() + static_cast<std::ptrdiff_t>(row * data_.columns),
                  data_.columns,
                  out.images.begin() + static_cast<std::ptrdiff_t>(i * data_.columns));
      out.labels[i] = data_.labels[row];
    }
  }

  void step() {
    network_.forward(minibatch_.images, options_.batch, &counters_);
    const std::size_t right = network_.differentiate(minibatch_.labels, nats_, &counters_);
    double sum = 0.0;
    for (std::size_t i = 0; i < nats_.size(); ++i) {
      sum += nats_[i];
      if (steps_ * options_.batch + i < data_.rows) {
        prequential_nats_ += nats_[i];
        ++prequential_labels_;
      }
    }
    const auto rows = static_cast<double>(options_.batch);
    const double loss = sum / rows / kLn2, quality = static_cast<double>(right) / rows;
    const double fresh =
        std::max(std::clamp(rows / kQualityRows, 0.01, 0.2), 1.0 / static_cast<double>(steps_ + 1));
    const bool unseen = std::isnan(training_quality_);
    training_quality_ =
        unseen ? quality : training_quality_ + fresh * (quality - training_quality_);
    if (unseen) first_loss_ = loss;
    greatest_loss_ = std::max(greatest_loss_, loss);
    smoothed_loss_ = unseen ? loss : 0.98 * smoothed_loss_ + 0.02 * loss;
    network_.backward({static_cast<float>(rate()), options_.seed, steps_, nullptr}, &counters_);
  }

  void capture(ConvolutionNetwork& network, const Minibatch& minibatch, std::uint64_t seed,
               std::vector<std::vector<float>>& gradient) {
    gradient.clear();
    for (const Linear* m : network.matrices()) gradient.emplace_back(m->layer().weights(), 0.0f);
    std::vector<double> nats;
    network.forward(minibatch.images, minibatch.labels.size(), &counters_);
    network.differentiate(minibatch.labels, nats, &counters_);
    network.backward({0.0f, seed, steps_, &gradient}, &counters_);
  }

  std::uint64_t identity() const noexcept {
    std::uint64_t hash = fingerprint_;
    const auto mix = [&hash](std::uint64_t v) {
      hash = (hash ^ v) * 0x9E3779B97F4A7C15u;
      hash ^= hash >> 31;
    };
    for (const ConvolutionShape::Stage& s : network_.shape().stages)
      for (const std::size_t n : {s.height, s.width, s.inputs, s.channels}) mix(n);
    mix(options_.hidden);
    mix(options_.batch);
    for (const double v : {options_.epochs, options_.learning_rate, options_.weight_decay})
      mix(std::bit_cast<std::uint64_t>(v));
    mix(options_.seed);
    return hash;
  }

  LearnerOptions options_;
  const Dataset& data_;
  std::uint64_t fingerprint_;
  ConvolutionNetwork network_;
  Schedule schedule_;
  std::uint64_t steps_ = 0;
  double smoothed_loss_ = 0.0, prequential_nats_ = 0.0, idle_loss_ = 0.0;
  double training_quality_ = std::numeric_limits<double>::quiet_NaN();
  double first_loss_ = 0.0, greatest_loss_ = 0.0;
  std::uint64_t prequential_labels_ = 0;
  Counters counters_;
  std::vector<std::uint32_t> order_;
  std::uint64_t order_epoch_ = 0;
  Minibatch minibatch_;
  std::vector<double> nats_;
};

}  // namespace

std::unique_ptr<Learner> make_convolution(const LearnerOptions& options, const Dataset& train) {
  check(options, train);
  return std::make_unique<ConvolutionLearner>(options, train);
}

}  // namespace carnot::learn
