// SPDX-License-Identifier: Apache-2.0
#include "learn/convolution/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/kernels/elementwise.hpp"
#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"

namespace carnot::learn {

namespace {

double he_bound(std::size_t inputs) { return std::sqrt(6.0 / static_cast<double>(inputs)); }

}  // namespace

ConvolutionNetwork::ConvolutionNetwork(const ConvolutionShape& shape, double weight_decay,
                                       std::uint64_t seed)
    : shape_(shape),
      optimiser_{0.0f, true, weight_decay},
      hidden_layer_(shape.flat(), shape.hidden, he_bound(shape.flat()),
                    RandomStream(seed, "hidden layer"), shape.stages.size()),
      scores_layer_(shape.hidden, shape.classes, he_bound(shape.hidden),
                    RandomStream(seed, "scores"), shape.stages.size() + 1) {
  const RandomStream random(seed, "convolutions");
  for (std::size_t s = 0; s < shape.stages.size(); ++s) {
    const ConvolutionShape::Stage& of = shape.stages[s];
    stages_.push_back({Linear(of.patch(), of.channels, he_bound(of.patch()), random.child(s), s),
                       {},
                       {},
                       {},
                       {},
                       {},
                       {},
                       {},
                       {}});
  }
}

std::vector<Linear*> ConvolutionNetwork::mutable_matrices() {
  std::vector<Linear*> all;
  for (Stage& s : stages_) all.push_back(&s.layer);
  all.push_back(&hidden_layer_);
  all.push_back(&scores_layer_);
  return all;
}

std::vector<const Linear*> ConvolutionNetwork::matrices() const {
  std::vector<const Linear*> all;
  for (const Stage& s : stages_) all.push_back(&s.layer);
  all.push_back(&hidden_layer_);
  all.push_back(&scores_layer_);
  return all;
}

std::vector<std::vector<float>> ConvolutionNetwork::parameters() const {
  std::vector<std::vector<float>> all;
  for (const Linear* m : matrices()) m->append_parameters(all);
  return all;
}

void ConvolutionNetwork::take_parameters(const std::vector<std::vector<float>>& from) {
  const std::vector<Linear*> all = mutable_matrices();
  bool fits = from.size() == 2 * all.size() && precision_.data == 32;
  for (std::size_t i = 0; fits && i < from.size(); ++i)
    fits = from[i].size() == (i % 2 == 0 ? all[i / 2]->layer().weights() : all[i / 2]->outputs()) &&
           std::all_of(from[i].begin(), from[i].end(), [](float v) { return std::isfinite(v); });
  if (!fits) throw InputError("convolutional network: coefficients of its shape, all finite");
  std::size_t at = 0;
  for (Linear* m : all) m->take_parameters(from, at);
}

void ConvolutionNetwork::set_precision(const Precision& precision, RoundingKey key,
                                       Counters* count) {
  if (precision == precision_) return;
  for (Linear* m : mutable_matrices()) m->set_precision(precision, key, count);
  precision_ = precision;
}

void ConvolutionNetwork::refresh(std::uint64_t seed, std::uint64_t step) {
  for (Linear* m : mutable_matrices()) m->refresh(seed, step);
}

/// What follows the last stage is a product, whose rows are padded.
std::size_t ConvolutionNetwork::image_stride(std::size_t stage) const noexcept {
  const std::size_t n = shape_.stages[stage].pooled();
  return stage + 1 == shape_.stages.size() ? padded(n, 64) : n;
}

/// Neighbourhoods: row, column, number of each pixel; zeros beyond the border.
void ConvolutionNetwork::gather(std::size_t stage, const float* in, std::size_t in_stride,
                                Counters* count) {
  const ConvolutionShape::Stage& s = shape_.stages[stage];
  const std::size_t stride = padded(s.patch(), 64), c = s.inputs, row = s.width * c;
  for (std::size_t r = 0; r < rows_; ++r) {
    const float* image = in + r * in_stride;
    float* to = as<float>(stages_[stage].patches) + r * s.pixels() * stride;
    for (std::size_t y = 0; y < s.height; ++y)
      for (std::size_t x = 0; x < s.width; ++x, to += stride) {
        const std::size_t left = x == 0 ? 1 : 0, right = x + 1 == s.width ? 1 : 0;
        for (std::size_t dy = 0; dy < 3; ++dy) {
          float* part = to + 3 * dy * c;
          if (y + dy < 1 || y + dy > s.height) {
            std::fill_n(part, 3 * c, 0.0f);
            continue;
          }
          // Up to three pixels side by side.
          const float* from = image + (y + dy - 1) * row + (x + left) * c - c;
          if (left != 0) std::fill_n(part, c, 0.0f);
          std::copy_n(from, (3 - left - right) * c, part + left * c);
          if (right != 0) std::fill_n(part + 2 * c, c, 0.0f);
        }
      }
  }
  if (count != nullptr) count->at(MemoryLevel::Cache) += 8 * rows_ * s.pixels() * s.patch();
}

void ConvolutionNetwork::pool(std::size_t stage, Counters* count) {
  const ConvolutionShape::Stage& s = shape_.stages[stage];
  Stage& at = stages_[stage];
  const std::size_t ld = at.layer.out_stride(), n = s.channels, across = s.width / 2;
  for (std::size_t r = 0; r < rows_; ++r) {
    const float* image = as<float>(at.out) + r * s.pixels() * ld;
    float* to = as<float>(at.pooled) + r * image_stride(stage);
    std::uint8_t* which = at.which.data() + r * s.pooled();
    for (std::size_t y = 0; y < s.height / 2; ++y)
      for (std::size_t x = 0; x < across; ++x, to += n, which += n) {
        const float* a = image + (2 * y * s.width + 2 * x) * ld;
        const float* b = a + ld;
        const float* c = a + s.width * ld;
        const float* d = c + ld;
        for (std::size_t k = 0; k < n; ++k) {
          const float top = b[k] > a[k] ? b[k] : a[k], low = d[k] > c[k] ? d[k] : c[k];
          const int of_top = b[k] > a[k] ? 1 : 0, of_low = d[k] > c[k] ? 3 : 2;
          to[k] = low > top ? low : top;
          which[k] = static_cast<std::uint8_t>(low > top ? of_low : of_top);
        }
      }
  }
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += 3 * rows_ * s.pooled();
  count->at(MemoryLevel::Cache) += rows_ * (4 * s.pixels() * n + 5 * s.pooled());
}

/// The gradient of each pooled number goes where it came from, unless ReLU made it zero.
void ConvolutionNetwork::pool_back(std::size_t stage, Counters* count) {
  const ConvolutionShape::Stage& s = shape_.stages[stage];
  Stage& at = stages_[stage];
  const std::size_t ld = at.layer.out_stride(), n = s.channels, across = s.width / 2;
  const std::size_t place[4] = {0, ld, s.width * ld, (s.width + 1) * ld};
  std::memset(at.change.data(), 0, rows_ * s.pixels() * ld * sizeof(float));
  for (std::size_t r = 0; r < rows_; ++r) {
    float* image = as<float>(at.change) + r * s.pixels() * ld;
    const float* value = as<float>(at.pooled) + r * image_stride(stage);
    const float* change = as<float>(at.pooled_change) + r * image_stride(stage);
    const std::uint8_t* which = at.which.data() + r * s.pooled();
    for (std::size_t y = 0; y < s.height / 2; ++y)
      for (std::size_t x = 0; x < across; ++x) {
        float* to = image + (2 * y * s.width + 2 * x) * ld;
        for (std::size_t k = 0; k < n; ++k, ++value, ++change, ++which)
          to[place[*which] + k] = *value > 0.0f ? *change : 0.0f;
      }
  }
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += rows_ * s.pooled();
  count->at(MemoryLevel::Cache) += rows_ * (4 * s.pixels() * n + 13 * s.pooled());
}

/// Gradients of neighbourhoods are added up at their pixels, the pooled ones of the stage before.
void ConvolutionNetwork::gather_back(std::size_t stage, Counters* count) {
  const ConvolutionShape::Stage& s = shape_.stages[stage];
  const std::size_t stride = padded(s.patch(), 64), c = s.inputs, row = s.width * c;
  Stage& before = stages_[stage - 1];
  const std::size_t image_numbers = s.pixels() * c;
  std::memset(before.pooled_change.data(), 0, rows_ * image_numbers * sizeof(float));
  for (std::size_t r = 0; r < rows_; ++r) {
    float* image = as<float>(before.pooled_change) + r * image_numbers;
    const float* from = as<float>(stages_[stage].patch_change) + r * s.pixels() * stride;
    for (std::size_t y = 0; y < s.height; ++y)
      for (std::size_t x = 0; x < s.width; ++x, from += stride) {
        const std::size_t left = x == 0 ? 1 : 0, right = x + 1 == s.width ? 1 : 0;
        for (std::size_t dy = 0; dy < 3; ++dy) {
          if (y + dy < 1 || y + dy > s.height) continue;
          float* to = image + (y + dy - 1) * row + (x + left) * c - c;
          const float* part = from + (3 * dy + left) * c;
          for (std::size_t k = 0; k < (3 - left - right) * c; ++k) to[k] += part[k];
        }
      }
  }
  if (count == nullptr) return;
  const std::uint64_t n = rows_ * s.pixels() * s.patch();
  count->at(OperationKind::F32Elementwise) += n;
  count->at(MemoryLevel::Cache) += 12 * n;
}

float* ConvolutionNetwork::forward(std::span<const float> images, std::size_t rows,
                                   Counters* count) {
  CARNOT_CHECK(images.size() == rows * shape_.pixels(), "whole images");
  rows_ = rows;
  if (count != nullptr) count->at(MemoryLevel::Dram) += 4 * rows * shape_.pixels();
  const float* in = images.data();
  std::size_t in_stride = shape_.pixels();
  for (std::size_t s = 0; s < stages_.size(); ++s) {
    Stage& at = stages_[s];
    const ConvolutionShape::Stage& of = shape_.stages[s];
    const std::size_t places = rows * of.pixels(), places4 = padded(places, 4);
    reserve(at.patches, places4 * padded(of.patch(), 64) * sizeof(float));
    reserve(at.out, places4 * at.layer.out_stride() * sizeof(float));
    reserve(at.pooled, padded(rows, 4) * image_stride(s) * sizeof(float));
    if (at.which.size() < rows * of.pooled()) at.which.resize(rows * of.pooled());
    gather(s, in, in_stride, count);
    round_operand(as<float>(at.patches), places, of.patch(), true, precision_, at.operand, count);
    at.layer.forward(at.operand, true, as<float>(at.out), work_, count);
    pool(s, count);
    in = as<float>(at.pooled);
    in_stride = image_stride(s);
  }
  reserve(units_, padded(rows, 4) * hidden_layer_.out_stride() * sizeof(float));
  reserve(scores_, padded(rows, 4) * scores_layer_.out_stride() * sizeof(float));
  round_operand(in, rows, shape_.flat(), true, precision_, flat_operand_, count);
  hidden_layer_.forward(flat_operand_, true, as<float>(units_), work_, count);
  round_operand(as<float>(units_), rows, shape_.hidden, true, precision_, unit_operand_, count);
  scores_layer_.forward(unit_operand_, false, as<float>(scores_), work_, count);
  return as<float>(scores_);
}

std::size_t ConvolutionNetwork::differentiate(std::span<const std::uint32_t> labels,
                                              std::vector<double>& nats, Counters* count) {
  CARNOT_CHECK(labels.size() == rows_, "a label a row");
  const std::size_t n = shape_.classes, ld = score_stride();
  const float share = 1.0f / static_cast<float>(rows_);
  nats.assign(rows_, 0.0);
  std::size_t right = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    float* z = as<float>(scores_) + i * ld;
    const std::size_t likeliest = static_cast<std::size_t>(std::max_element(z, z + n) - z);
    const float most = z[likeliest], own = z[labels[i]];
    right += likeliest == labels[i] ? 1 : 0;
    kernels().exponentials(z, n, most);
    float sum = 0.0f;
    for (std::size_t k = 0; k < n; ++k) sum += z[k];
    nats[i] = natural_log(static_cast<double>(sum)) -
              (static_cast<double>(own) - static_cast<double>(most));
    const float inverse = share / sum;
    for (std::size_t k = 0; k < n; ++k) z[k] *= inverse;
    z[labels[i]] -= share;
  }
  if (count != nullptr) {
    count->at(OperationKind::F32Elementwise) += rows_ * (5 * n + 1);
    count->at(OperationKind::Special) += rows_ * (n + 2);
  }
  return right;
}

void ConvolutionNetwork::backward(const StepRule& rule, Counters* count) {
  const AdamStep step =
      adam_step(static_cast<double>(rule.rate), optimiser_.weight_decay, rule.step + 1);
  const AdamStep plain = adam_step(static_cast<double>(rule.rate), 0.0, rule.step + 1);
  const std::size_t last = stages_.size() - 1, units = hidden_layer_.out_stride();
  reserve(unit_change_, padded(rows_, 4) * units * sizeof(float));
  for (std::size_t s = 0; s <= last; ++s) {
    const ConvolutionShape::Stage& of = shape_.stages[s];
    const std::size_t places4 = padded(rows_ * of.pixels(), 4);
    reserve(stages_[s].change, places4 * stages_[s].layer.out_stride() * sizeof(float));
    reserve(stages_[s].pooled_change, padded(rows_, 4) * image_stride(s) * sizeof(float));
    if (s > 0) reserve(stages_[s].patch_change, places4 * padded(of.patch(), 64) * sizeof(float));
  }
  scores_layer_.input_gradient(as<float>(scores_), rows_, rule, false, as<float>(unit_change_),
                               units, work_, count);
  scores_layer_.weight_gradient(unit_operand_, as<float>(scores_), rule, step, plain, last + 2,
                                work_, count);
  kernels().gate(as<float>(unit_change_), units, rows_, shape_.hidden, as<float>(units_));
  if (count != nullptr) count->at(OperationKind::F32Elementwise) += rows_ * shape_.hidden;
  hidden_layer_.input_gradient(as<float>(unit_change_), rows_, rule, false,
                               as<float>(stages_[last].pooled_change), image_stride(last), work_,
                               count);
  hidden_layer_.weight_gradient(flat_operand_, as<float>(unit_change_), rule, step, plain, last + 1,
                                work_, count);
  for (std::size_t s = last + 1; s-- > 0;) {
    Stage& at = stages_[s];
    const ConvolutionShape::Stage& of = shape_.stages[s];
    pool_back(s, count);
    if (s > 0) {
      at.layer.input_gradient(as<float>(at.change), rows_ * of.pixels(), rule, false,
                              as<float>(at.patch_change), padded(of.patch(), 64), work_, count);
      gather_back(s, count);
    }
    at.layer.weight_gradient(at.operand, as<float>(at.change), rule, step, plain, s, work_, count);
  }
}

void ConvolutionNetwork::save(StateWriter& out) const {
  out.text(precision_.name);
  for (const Linear* m : matrices()) save_linear(*m, out);
}

void ConvolutionNetwork::restore(StateReader& in) {
  const Precision precision = Precision::parse(in.text());
  for (Linear* m : mutable_matrices()) restore_linear(*m, precision, in);
  precision_ = precision;
}

}  // namespace carnot::learn
