// SPDX-License-Identifier: Apache-2.0
#include "learn/labels/sparse_training.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

#include "carnot/base/random.hpp"
#include "carnot/base/shuffle.hpp"

#include "learn/kernels/float_products.hpp"
#include "learn/labels/integer_code.hpp"

namespace carnot::learn {

namespace {

constexpr float kFirstMoment = 0.9f, kSecondMoment = 0.999f;
constexpr auto kMostInteger = static_cast<float>(kMostCoefficient);

/// A matrix of coefficients under Adam with the proximal step of price * log2(1 + |w| / D).
class Layer {
 public:
  Layer(std::size_t rows, std::size_t columns, int code, double spread, const RandomStream& random)
      : code_(code),
        step_(static_cast<float>(step_of(code))),
        w_(rows * columns),
        rounded_(w_.size()),
        gradient(w_.size()),
        mean_(w_.size(), 0.0f),
        square_(w_.size(), 0.0f) {
    for (std::size_t i = 0; i < w_.size(); ++i)
      w_[i] = i % columns == columns - 1 ? 0.0f : static_cast<float>(spread * random.normal(i));
  }

  const float* used(bool as_rounded) {
    if (!as_rounded) return w_.data();
    for (std::size_t i = 0; i < w_.size(); ++i) rounded_[i] = step_ * whole(w_[i]);
    return rounded_.data();
  }

  /// \param price  nats of the mean loss that log(1 + |w| / D) costs
  void descend(float rate, float price, float first_left, float second_left) {
    for (std::size_t i = 0; i < w_.size(); ++i) {
      const float g = gradient[i];
      mean_[i] = kFirstMoment * mean_[i] + (1.0f - kFirstMoment) * g;
      square_[i] = kSecondMoment * square_[i] + (1.0f - kSecondMoment) * g * g;
      const float scale = rate / (std::sqrt(square_[i] / second_left) + 1e-6f);
      const float moved = w_[i] - scale * mean_[i] / first_left;
      const float least = scale * price / (std::abs(moved) + step_);
      const float size = std::abs(moved) - least;
      w_[i] = size > 0.0f ? std::copysign(size, moved) : 0.0f;
    }
  }

  std::vector<std::int32_t> integers() const {
    std::vector<std::int32_t> out;
    out.reserve(w_.size());
    for (const float w : w_) out.push_back(static_cast<std::int32_t>(whole(w)));
    return out;
  }
  std::size_t size() const noexcept { return w_.size(); }
  int code() const noexcept { return code_; }

 private:
  /// To the nearest multiple, with a wider zero: what is near it rarely pays.
  float whole(float w) const noexcept {
    const float size = std::abs(w) / step_;
    if (size < 0.6f) return 0.0f;
    return std::copysign(std::min(std::floor(size + 0.5f), kMostInteger), w);
  }

  int code_;
  float step_;
  std::vector<float> w_, rounded_;

 public:
  std::vector<float> gradient;

 private:
  std::vector<float> mean_, square_;
};

/// z becomes (softmax(z) - label) / rows.
void error_of(float* z, const std::uint32_t* labels, std::size_t rows, std::size_t classes) {
  for (std::size_t r = 0; r < rows; ++r) {
    float* row = z + r * classes;
    const float most = *std::max_element(row, row + classes);
    float sum = 0.0f;
    for (std::size_t c = 0; c < classes; ++c) sum += row[c] = std::exp(row[c] - most);
    for (std::size_t c = 0; c < classes; ++c)
      row[c] = (row[c] / sum - (c == labels[r] ? 1.0f : 0.0f)) / static_cast<float>(rows);
  }
}

std::uint64_t steps_of(std::size_t rows, const TwoPartOptions& o) {
  const auto n = static_cast<double>(rows);
  return static_cast<std::uint64_t>(
      std::max(1.0, o.epochs * n / static_cast<double>(std::min(o.batch, rows))));
}

class Training {
 public:
  Training(const IntegerInputs& inputs, std::span<const std::uint32_t> labels, std::size_t classes,
           const TwoPartOptions& o)
      : inputs_(inputs),
        labels_(labels),
        classes_(classes),
        options_(o),
        width_(inputs.columns + 1),
        hidden_width_(o.hidden > 0 ? o.hidden + 1 : width_),
        products_(o.threads),
        first_(o.hidden, width_, step_code(o.step), std::sqrt(2.0 / static_cast<double>(width_)),
               RandomStream(o.seed, "two-part first")),
        second_(classes, hidden_width_, step_code(o.step),
                std::sqrt(1.0 / static_cast<double>(hidden_width_)),
                RandomStream(o.seed, "two-part second")) {}

  IntegerNetwork run() {
    const std::size_t n = inputs_.rows;
    const std::size_t batch = std::min(options_.batch, n);
    const std::uint64_t total = steps_of(n, options_);
    std::vector<std::uint32_t> order(n);
    std::iota(order.begin(), order.end(), 0u);
    std::size_t at = n;
    std::uint64_t epoch = 0;
    std::vector<std::uint32_t> rows(batch);
    for (std::uint64_t s = 0; s < total; ++s) {
      if (s % 16 == 0) options_.stop.throw_if_requested();
      for (std::uint32_t& row : rows) {
        if (at == n) {
          const RandomStream random = RandomStream(options_.seed, "two-part order").child(epoch++);
          shuffle(order, random);
          at = 0;
        }
        row = order[at++];
      }
      step(rows, s, total);
      if (options_.progress && s % 64 == 0)
        options_.progress(static_cast<double>(s) / static_cast<double>(total));
    }
    IntegerNetwork out;
    out.inputs = inputs_.columns;
    out.hidden = options_.hidden;
    out.classes = classes_;
    out.first_step = first_.code();
    out.second_step = second_.code();
    out.first = first_.integers();
    out.second = second_.integers();
    return out;
  }

 private:
  void step(const std::vector<std::uint32_t>& rows, std::uint64_t s, std::uint64_t total) {
    const std::size_t b = rows.size();
    const double share = static_cast<double>(s) / static_cast<double>(total);
    const bool rounded = share >= 0.5;
    x_.resize(b * width_);
    y_.resize(b);
    const float unit = 1.0f / static_cast<float>(inputs_.one);
    for (std::size_t r = 0; r < b; ++r) {
      const std::int16_t* from = inputs_.values.data() + rows[r] * inputs_.columns;
      float* to = x_.data() + r * width_;
      for (std::size_t c = 0; c < inputs_.columns; ++c) to[c] = unit * static_cast<float>(from[c]);
      to[inputs_.columns] = 1.0f;
      y_[r] = labels_[rows[r]];
    }
    const float* in = x_.data();
    if (options_.hidden > 0) {
      z_.resize(b * options_.hidden);
      products_.multiply(
          {b, options_.hidden, width_, false, true, width_, width_, options_.hidden, false},
          x_.data(), first_.used(rounded), z_.data());
      h_.assign(b * hidden_width_, 1.0f);
      for (std::size_t r = 0; r < b; ++r)
        for (std::size_t j = 0; j < options_.hidden; ++j)
          h_[r * hidden_width_ + j] = std::max(0.0f, z_[r * options_.hidden + j]);
      in = h_.data();
    }
    out_.resize(b * classes_);
    const float* second = second_.used(rounded);
    products_.multiply(
        {b, classes_, hidden_width_, false, true, hidden_width_, hidden_width_, classes_, false},
        in, second, out_.data());
    error_of(out_.data(), y_.data(), b, classes_);
    products_.multiply(
        {classes_, hidden_width_, b, true, false, classes_, hidden_width_, hidden_width_, false},
        out_.data(), in, second_.gradient.data());
    if (options_.hidden > 0) {
      back_.resize(b * hidden_width_);
      products_.multiply(
          {b, hidden_width_, classes_, false, false, classes_, hidden_width_, hidden_width_, false},
          out_.data(), second, back_.data());
      for (std::size_t r = 0; r < b; ++r)
        for (std::size_t j = 0; j < options_.hidden; ++j) {
          float& z = z_[r * options_.hidden + j];
          z = z > 0.0f ? back_[r * hidden_width_ + j] : 0.0f;
        }
      products_.multiply(
          {options_.hidden, width_, b, true, false, options_.hidden, width_, width_, false},
          z_.data(), x_.data(), first_.gradient.data());
    }
    const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * share));
    const auto rate = static_cast<float>(options_.learning_rate * std::max(0.01, cosine));
    const double ramp = std::min(1.0, share / 0.3);
    const auto price =
        static_cast<float>(ramp * options_.price / static_cast<double>(inputs_.rows));
    const auto count = static_cast<double>(s + 1);
    const auto first_left =
        static_cast<float>(1.0 - std::pow(static_cast<double>(kFirstMoment), count));
    const auto second_left =
        static_cast<float>(1.0 - std::pow(static_cast<double>(kSecondMoment), count));
    if (options_.hidden > 0) first_.descend(rate, price, first_left, second_left);
    second_.descend(rate, price, first_left, second_left);
  }

  const IntegerInputs& inputs_;
  std::span<const std::uint32_t> labels_;
  std::size_t classes_;
  const TwoPartOptions& options_;
  std::size_t width_, hidden_width_;
  FloatProducts products_;
  Layer first_, second_;
  std::vector<float> x_, z_, h_, out_, back_;
  std::vector<std::uint32_t> y_;
};

}  // namespace

Counters sparse_training_counters(std::size_t rows, std::size_t inputs, std::size_t classes,
                                  const TwoPartOptions& o) {
  const std::uint64_t b = std::min(o.batch, rows);
  const std::uint64_t width = inputs + 1, hidden = o.hidden;
  const std::uint64_t hidden_width = hidden > 0 ? hidden + 1 : width;
  const std::uint64_t first = hidden * width, second = classes * hidden_width;
  Counters step;
  step.at(OperationKind::F32Mac) = b * (2 * first + (hidden > 0 ? 3 : 2) * second);
  // Adam and the proximal step: some 14 operations and three roots or divisions a coefficient.
  step.at(OperationKind::F32Elementwise) =
      14 * (first + second) + b * (inputs + 4 * hidden + 3 * classes);
  step.at(OperationKind::Special) = 3 * (first + second) + b * 2 * classes;
  step.at(OperationKind::Rounding) = (first + second) / 2;  // in the second half
  step.at(MemoryLevel::Cache) = 4 * (8 * (first + second) + 4 * b * (width + 2 * hidden_width));
  step.at(MemoryLevel::Dram) = 2 * b * inputs;
  return step * steps_of(rows, o);
}

IntegerNetwork train_sparse(const IntegerInputs& inputs, std::span<const std::uint32_t> labels,
                            std::size_t classes, const TwoPartOptions& options) {
  return Training(inputs, labels, classes, options).run();
}

}  // namespace carnot::learn
