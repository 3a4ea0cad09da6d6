// SPDX-License-Identifier: Apache-2.0
// The schedule around the network: minibatches of images, evaluation.
#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "carnot/base/error.hpp"

#include "learn/convolution/convolution.hpp"
#include "learn/layers/layered_learner.hpp"

namespace carnot::learn {

namespace {

constexpr LayeredKind kConvolutional = {0x314e4e43u, "of a convolutional network of this version",
                                        "rows", "shuffle", 1000.0};

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

struct ImageMinibatch {
  std::vector<float> images;
  std::vector<std::uint32_t> labels;
};

class ConvolutionLearner final : public LayeredLearner<ConvolutionNetwork, ImageMinibatch> {
 public:
  ConvolutionLearner(const LearnerOptions& options, const Dataset& train)
      : LayeredLearner(
            kConvolutional, options, train,
            {convolution_shape(options.convolution, train.columns, options.hidden, train.classes),
             options.weight_decay, options.seed},
            train.rows) {}

  Quality evaluate(const Dataset& held_out, const Precision& trained) override {
    if (held_out.columns != data_.columns || held_out.classes != data_.classes ||
        held_out.rows == 0 || !held_out.unsigned_features)
      throw InputError("held-out data: images of the training images' size and classes");
    return in_precision(trained.delivered(),
                        [&](ConvolutionNetwork& network) { return measure(network, held_out); });
  }

 private:
  std::size_t scoring_rows() const noexcept {
    return std::clamp<std::size_t>(kMostPixels / network_.shape().stages.front().pixels(), 1, 64);
  }

  Quality measure(ConvolutionNetwork& network, const Dataset& held_out) {
    double sum = 0.0;
    std::uint64_t right = 0;
    std::vector<double> nats;
    for (std::size_t from = 0; from < held_out.rows; from += scoring_rows()) {
      const std::size_t n = std::min(scoring_rows(), held_out.rows - from);
      network.forward(
          std::span(held_out.features).subspan(from * held_out.columns, n * held_out.columns), n,
          &counters_);
      right += network.differentiate(std::span(held_out.labels).subspan(from, n), nats, &counters_);
      for (const double nat : nats) sum += nat;
    }
    return accuracy(right, held_out.rows, sum / static_cast<double>(held_out.rows) / kLn2);
  }

  Counters pass(const Precision& p, std::size_t rows, bool update) const override {
    const ConvolutionShape& shape = network_.shape();
    Counters c = convolution_forward_counters(shape, p, rows);
    c += convolution_loss_counters(shape, rows);
    c += convolution_backward_counters(shape, p, rows, options_.weight_decay > 0.0, update);
    return c;
  }
  Counters conversion(const Precision& from, const Precision& to) const override {
    return convolution_conversion_counters(network_.shape(), from, to);
  }
  Counters scoring(const Precision& p, std::size_t rows) const override {
    Counters c;
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

  void gather(std::uint64_t step, std::size_t rows, std::size_t from,
              ImageMinibatch& out) override {
    out.images.resize(rows * data_.columns);
    out.labels.resize(rows);
    for (std::size_t i = 0; i < rows; ++i) {
      const std::size_t row = example(step * options_.batch + from + i);
      std::copy_n(data_.features.begin() + static_cast<std::ptrdiff_t>(row * data_.columns),
                  data_.columns,
                  out.images.begin() + static_cast<std::ptrdiff_t>(i * data_.columns));
      out.labels[i] = data_.labels[row];
    }
  }
  std::size_t answer(ConvolutionNetwork& network, const ImageMinibatch& minibatch,
                     std::vector<double>& nats) override {
    network.forward(minibatch.images, minibatch.labels.size(), &counters_);
    return network.differentiate(minibatch.labels, nats, &counters_);
  }
  std::size_t asked(const ImageMinibatch& minibatch) const override {
    return minibatch.labels.size();
  }
  bool is_prequential(std::size_t i) const override {
    return steps_done() * options_.batch + i < examples_;
  }

  std::vector<std::uint64_t> shape_identity() const override {
    std::vector<std::uint64_t> out;
    for (const ConvolutionShape::Stage& s : network_.shape().stages)
      out.insert(out.end(), {s.height, s.width, s.inputs, s.channels});
    out.insert(out.end(), {options_.hidden, options_.batch});
    return out;
  }
};

}  // namespace

std::unique_ptr<Learner> make_convolution(const LearnerOptions& options, const Dataset& train) {
  check(options, train);
  return std::make_unique<ConvolutionLearner>(options, train);
}

}  // namespace carnot::learn
