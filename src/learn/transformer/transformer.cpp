// SPDX-License-Identifier: Apache-2.0
#include "learn/transformer/transformer.hpp"

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

/// Of the weights of a matrix: standard deviation 0.55 / sqrt(inputs), about that of GPT-2; those
/// that add to the stream less, the deeper it is.
double bound_of(std::size_t inputs, std::size_t adds) {
  const double deviation = 0.55 / std::sqrt(static_cast<double>(inputs));
  return std::sqrt(3.0) * deviation /
         std::sqrt(static_cast<double>(std::max<std::size_t>(adds, 1)));
}
constexpr float kEmbedding = 0.1f;

FloatCoefficients embedding(std::size_t n, const RandomStream& random) {
  FloatCoefficients out(n);
  for (std::size_t i = 0; i < n; ++i)
    out.values[i] = kEmbedding * static_cast<float>(random.normal(i));
  return out;
}

}  // namespace

Transformer::Transformer(const TransformerShape& shape, double weight_decay, std::uint64_t seed)
    : shape_(shape),
      optimiser_{0.0f, true, weight_decay},
      symbols_(
          embedding((shape.classes + kExtraSymbols) * shape.width, RandomStream(seed, "symbols"))),
      places_(embedding(shape.context * shape.width, RandomStream(seed, "places"))),
      gain_(padded(shape.width, 64), 1.0f),
      bias_(padded(shape.width, 64)),
      out_(shape.width, shape.classes, bound_of(shape.width, 1), RandomStream(seed, "out"),
           4 * shape.layers),
      stride_(padded(shape.width, 64)) {
  const RandomStream random(seed, "blocks");
  const std::size_t d = shape.width, inner = shape.inner(), adds = 2 * shape.layers;
  for (std::size_t l = 0; l < shape.layers; ++l) {
    const auto stream = [&](std::size_t which) { return random.child(4 * l + which); };
    blocks_.push_back({FloatCoefficients(stride_, 1.0f),
                       FloatCoefficients(stride_),
                       FloatCoefficients(stride_, 1.0f),
                       FloatCoefficients(stride_),
                       Linear(d, 3 * d, bound_of(d, 1), stream(0), 4 * l),
                       Linear(d, d, bound_of(d, adds), stream(1), 4 * l + 1),
                       Linear(d, inner, bound_of(d, 1), stream(2), 4 * l + 2),
                       Linear(inner, d, bound_of(inner, adds), stream(3), 4 * l + 3),
                       {},
                       {},
                       {},
                       {},
                       {},
                       {},
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

std::vector<Linear*> Transformer::mutable_matrices() {
  std::vector<Linear*> all;
  for (Block& b : blocks_)
    for (Linear* m : {&b.qkv, &b.proj, &b.up, &b.down}) all.push_back(m);
  all.push_back(&out_);
  return all;
}

std::vector<const Linear*> Transformer::matrices() const {
  std::vector<const Linear*> all;
  for (const Block& b : blocks_)
    for (const Linear* m : {&b.qkv, &b.proj, &b.up, &b.down}) all.push_back(m);
  all.push_back(&out_);
  return all;
}

std::vector<FloatCoefficients*> Transformer::float_coefficients() {
  std::vector<FloatCoefficients*> all{&symbols_, &places_};
  for (Block& b : blocks_)
    for (FloatCoefficients* f : {&b.gain1, &b.bias1, &b.gain2, &b.bias2}) all.push_back(f);
  all.push_back(&gain_);
  all.push_back(&bias_);
  return all;
}

std::vector<std::vector<float>> Transformer::parameters() const {
  std::vector<std::vector<float>> all{symbols_.values, places_.values};
  const auto vector = [&](const FloatCoefficients& f) {
    all.emplace_back(f.values.begin(),
                     f.values.begin() + static_cast<std::ptrdiff_t>(shape_.width));
  };
  for (const Block& b : blocks_) {
    vector(b.gain1);
    vector(b.bias1);
    b.qkv.append_parameters(all);
    b.proj.append_parameters(all);
    vector(b.gain2);
    vector(b.bias2);
    b.up.append_parameters(all);
    b.down.append_parameters(all);
  }
  vector(gain_);
  vector(bias_);
  out_.append_parameters(all);
  return all;
}

std::vector<std::size_t> Transformer::parameter_rows(const TransformerShape& s) {
  std::vector<std::size_t> rows{s.classes + kExtraSymbols, s.context};
  for (std::size_t l = 0; l < s.layers; ++l)
    for (const std::size_t r :
         {std::size_t{1}, std::size_t{1}, 3 * s.width, std::size_t{1}, s.width, std::size_t{1},
          std::size_t{1}, std::size_t{1}, s.inner(), std::size_t{1}, s.width, std::size_t{1}})
      rows.push_back(r);
  for (const std::size_t r : {std::size_t{1}, std::size_t{1}, s.classes, std::size_t{1}})
    rows.push_back(r);
  return rows;
}

std::vector<std::size_t> Transformer::parameter_sizes(const TransformerShape& s) {
  const std::size_t d = s.width, inner = s.inner();
  std::vector<std::size_t> sizes{(s.classes + kExtraSymbols) * d, s.context * d};
  for (std::size_t l = 0; l < s.layers; ++l)
    for (const std::size_t n :
         {d, d, 3 * d * d, 3 * d, d * d, d, d, d, inner * d, inner, inner * d, d})
      sizes.push_back(n);
  for (const std::size_t n : {d, d, s.classes * d, s.classes}) sizes.push_back(n);
  return sizes;
}

void Transformer::take_parameters(const std::vector<std::vector<float>>& from) {
  const std::vector<std::size_t> sizes = parameter_sizes(shape_);
  bool fits = from.size() == sizes.size() && precision_.data == 32;
  for (std::size_t i = 0; fits && i < sizes.size(); ++i)
    fits = from[i].size() == sizes[i] &&
           std::all_of(from[i].begin(), from[i].end(), [](float v) { return std::isfinite(v); });
  if (!fits) throw InputError("transformer: coefficients of its shape, all finite");
  symbols_.values = from[0];
  places_.values = from[1];
  std::size_t at = 2;
  const auto vector = [&](FloatCoefficients& f) {
    std::copy(from[at].begin(), from[at].end(), f.values.begin());
    ++at;
  };
  for (Block& b : blocks_) {
    vector(b.gain1);
    vector(b.bias1);
    b.qkv.take_parameters(from, at);
    b.proj.take_parameters(from, at);
    vector(b.gain2);
    vector(b.bias2);
    b.up.take_parameters(from, at);
    b.down.take_parameters(from, at);
  }
  vector(gain_);
  vector(bias_);
  out_.take_parameters(from, at);
}

void Transformer::set_precision(const Precision& precision, RoundingKey key, Counters* count) {
  if (precision == precision_) return;
  for (Linear* m : mutable_matrices()) m->set_precision(precision, key, count);
  precision_ = precision;
}

void Transformer::refresh(std::uint64_t seed, std::uint64_t step) {
  for (Linear* m : mutable_matrices()) m->refresh(seed, step);
}

void Transformer::prepare(std::size_t rows, std::size_t windows, std::size_t length) {
  rows_ = rows;
  windows_ = windows;
  length_ = length;
  const std::size_t rows4 = padded(rows, 4), vectors = rows4 * stride_ * sizeof(float);
  for (AlignedBytes* bytes : {&x_, &y_, &normal_, &change_, &dx_, &dy_, &dheads_})
    reserve(*bytes, vectors);
  reserve(inverse_, rows4 * sizeof(float));
  reserve(logits_, rows4 * out_.out_stride() * sizeof(float));
  const std::size_t scores = windows * shape_.heads * length * length * sizeof(float);
  for (Block& b : blocks_) {
    for (AlignedBytes* bytes : {&b.normal1, &b.y1, &b.heads, &b.normal2, &b.y2})
      reserve(*bytes, vectors);
    reserve(b.inverse1, rows4 * sizeof(float));
    reserve(b.inverse2, rows4 * sizeof(float));
    reserve(b.mixed, rows4 * b.qkv.out_stride() * sizeof(float));
    reserve(b.inner, rows4 * b.up.out_stride() * sizeof(float));
    reserve(b.shares, scores);
    reserve(dmixed_, rows4 * b.qkv.out_stride() * sizeof(float));
    reserve(dinner_, rows4 * b.up.out_stride() * sizeof(float));
  }
}

void Transformer::normalise(const AlignedBytes& x, const FloatCoefficients& gain,
                            const FloatCoefficients& bias, AlignedBytes& normal,
                            AlignedBytes& inverse, AlignedBytes& y, Counters* count) const {
  layer_kernels().normalise(as<float>(x), stride_, rows_, shape_.width, gain.values.data(),
                            bias.values.data(), as<float>(normal), as<float>(inverse),
                            as<float>(y));
  if (count == nullptr) return;
  const std::uint64_t n = rows_ * shape_.width;
  count->at(OperationKind::F32Elementwise) += 8 * n;
  count->at(OperationKind::Special) += 2 * rows_;
  count->at(MemoryLevel::Cache) += 12 * n;
}

void Transformer::normalise_back(const AlignedBytes& dy, FloatCoefficients& gain,
                                 FloatCoefficients& bias, const AlignedBytes& normal,
                                 const AlignedBytes& inverse, bool add, AlignedBytes& dx,
                                 Counters* count) const {
  layer_kernels().normalise_back(as<float>(dy), stride_, rows_, shape_.width, gain.values.data(),
                                 as<float>(normal), as<float>(inverse), add, as<float>(dx),
                                 gain.gradient.data(), bias.gradient.data());
  if (count == nullptr) return;
  const std::uint64_t n = rows_ * shape_.width;
  count->at(OperationKind::F32Elementwise) += (add ? 13 : 12) * n;
  count->at(MemoryLevel::Cache) += (add ? 16 : 12) * n;
}

void Transformer::add(AlignedBytes& x, const AlignedBytes& y, Counters* count) const {
  float* to = as<float>(x);
  const float* from = as<float>(y);
  for (std::size_t i = 0; i < rows_ * stride_; ++i) to[i] += from[i];
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += rows_ * shape_.width;
  count->at(MemoryLevel::Cache) += 12 * rows_ * shape_.width;
}

float* Transformer::forward(std::span<const std::uint32_t> inputs, std::size_t length,
                            Counters* count) {
  CARNOT_CHECK(length >= 1 && length <= shape_.context && inputs.size() % length == 0,
               "whole windows of at most the context");
  prepare(inputs.size(), inputs.size() / length, length);
  inputs_.assign(inputs.begin(), inputs.end());
  const std::size_t d = shape_.width;
  for (std::size_t i = 0; i < rows_; ++i) {
    const float* symbol = symbols_.values.data() + inputs_[i] * d;
    const float* place = places_.values.data() + i % length * d;
    float* to = as<float>(x_) + i * stride_;
    for (std::size_t k = 0; k < d; ++k) to[k] = symbol[k] + place[k];
  }
  if (count != nullptr) {
    count->at(OperationKind::F32Elementwise) += rows_ * d;
    count->at(MemoryLevel::Cache) += 12 * rows_ * d;
    count->at(MemoryLevel::Dram) += rows_;  // a byte of the text each
  }
  for (Block& b : blocks_) {
    normalise(x_, b.gain1, b.bias1, b.normal1, b.inverse1, b.y1, count);
    round_operand(as<float>(b.y1), rows_, d, false, precision_, b.y1_operand, count);
    b.qkv.forward(b.y1_operand, false, as<float>(b.mixed), work_, count);
    attend(b, count);
    round_operand(as<float>(b.heads), rows_, d, false, precision_, b.heads_operand, count);
    b.proj.forward(b.heads_operand, false, as<float>(change_), work_, count);
    add(x_, change_, count);
    normalise(x_, b.gain2, b.bias2, b.normal2, b.inverse2, b.y2, count);
    round_operand(as<float>(b.y2), rows_, d, false, precision_, b.y2_operand, count);
    b.up.forward(b.y2_operand, true, as<float>(b.inner), work_, count);
    round_operand(as<float>(b.inner), rows_, shape_.inner(), true, precision_, b.inner_operand,
                  count);
    b.down.forward(b.inner_operand, false, as<float>(change_), work_, count);
    add(x_, change_, count);
  }
  normalise(x_, gain_, bias_, normal_, inverse_, y_, count);
  round_operand(as<float>(y_), rows_, d, false, precision_, y_operand_, count);
  out_.forward(y_operand_, false, as<float>(logits_), work_, count);
  return as<float>(logits_);
}

std::size_t Transformer::differentiate(std::span<const std::int32_t> targets,
                                       std::vector<double>& nats, Counters* count) {
  CARNOT_CHECK(targets.size() == rows_, "a target a row");
  targets_ = static_cast<std::size_t>(
      std::count_if(targets.begin(), targets.end(), [](std::int32_t t) { return t >= 0; }));
  const float share = 1.0f / static_cast<float>(std::max<std::size_t>(targets_, 1));
  const std::size_t n = shape_.classes, ld = out_.out_stride();
  nats.assign(rows_, 0.0);
  std::size_t right = 0;
  for (std::size_t i = 0; i < rows_; ++i) {
    float* z = as<float>(logits_) + i * ld;
    if (targets[i] < 0) {
      std::memset(z, 0, n * sizeof(float));
      continue;
    }
    const auto target = static_cast<std::size_t>(targets[i]);
    float most = z[0];
    for (std::size_t j = 1; j < n; ++j) most = z[j] > most ? z[j] : most;
    const float own = z[target];
    right += own >= most ? 1 : 0;
    kernels().exponentials(z, n, most);
    float part[16] = {};
    std::size_t j = 0;
    for (; j + 16 <= n; j += 16)
      for (std::size_t t = 0; t < 16; ++t) part[t] += z[j + t];
    for (; j < n; ++j) part[0] += z[j];
    float sum = 0.0f;
    for (const float p : part) sum += p;
    nats[i] = natural_log(static_cast<double>(sum)) -
              (static_cast<double>(own) - static_cast<double>(most));
    const float inverse = share / sum;
    for (std::size_t k = 0; k < n; ++k) z[k] *= inverse;
    z[target] -= share;
  }
  if (count != nullptr) {
    count->at(OperationKind::F32Elementwise) += rows_ * (5 * n + 1);
    count->at(OperationKind::Special) += rows_ * (n + 2);
  }
  return right;
}

void Transformer::backward(const StepRule& rule, Counters* count) {
  const AdamStep step =
      adam_step(static_cast<double>(rule.rate), optimiser_.weight_decay, rule.step + 1);
  const AdamStep plain = adam_step(static_cast<double>(rule.rate), 0.0, rule.step + 1);
  const auto learn = [&](Linear& m, const Operand& x, const AlignedBytes& dy, std::size_t slot) {
    m.weight_gradient(x, as<float>(dy), rule, step, plain, slot, work_, count);
  };
  const std::size_t n_inner = shape_.inner();
  out_.input_gradient(as<float>(logits_), rows_, rule, false, as<float>(dy_), stride_, work_,
                      count);
  learn(out_, y_operand_, logits_, 4 * blocks_.size());
  normalise_back(dy_, gain_, bias_, normal_, inverse_, false, dx_, count);
  for (std::size_t l = blocks_.size(); l-- > 0;) {
    Block& b = blocks_[l];
    b.down.input_gradient(as<float>(dx_), rows_, rule, false, as<float>(dinner_), b.up.out_stride(),
                          work_, count);
    kernels().gate(as<float>(dinner_), b.up.out_stride(), rows_, n_inner, as<float>(b.inner));
    if (count != nullptr) count->at(OperationKind::F32Elementwise) += rows_ * n_inner;
    learn(b.down, b.inner_operand, dx_, 4 * l + 3);
    b.up.input_gradient(as<float>(dinner_), rows_, rule, false, as<float>(dy_), stride_, work_,
                        count);
    learn(b.up, b.y2_operand, dinner_, 4 * l + 2);
    normalise_back(dy_, b.gain2, b.bias2, b.normal2, b.inverse2, true, dx_, count);

    b.proj.input_gradient(as<float>(dx_), rows_, rule, false, as<float>(dheads_), stride_, work_,
                          count);
    learn(b.proj, b.heads_operand, dx_, 4 * l + 1);
    attend_back(b, count);
    b.qkv.input_gradient(as<float>(dmixed_), rows_, rule, false, as<float>(dy_), stride_, work_,
                         count);
    learn(b.qkv, b.y1_operand, dmixed_, 4 * l);
    normalise_back(dy_, b.gain1, b.bias1, b.normal1, b.inverse1, true, dx_, count);
  }
  const std::size_t d = shape_.width;
  std::fill(symbols_.gradient.begin(), symbols_.gradient.end(), 0.0f);
  std::fill(places_.gradient.begin(), places_.gradient.end(), 0.0f);
  for (std::size_t i = 0; i < rows_; ++i) {
    const float* from = as<float>(dx_) + i * stride_;
    float* symbol = symbols_.gradient.data() + inputs_[i] * d;
    float* place = places_.gradient.data() + i % length_ * d;
    for (std::size_t k = 0; k < d; ++k) {
      symbol[k] += from[k];
      place[k] += from[k];
    }
  }
  if (count != nullptr) {
    count->at(OperationKind::F32Elementwise) += 2 * rows_ * d;
    count->at(MemoryLevel::Cache) += 20 * rows_ * d;
  }
  if (rule.capture == nullptr) step_floats(rule, count);
}

void Transformer::step_floats(const StepRule& rule, Counters* count) {
  const AdamStep step = adam_step(static_cast<double>(rule.rate), 0.0, rule.step + 1);
  std::uint64_t n =
      symbols_.values.size() + places_.values.size() + (4 * blocks_.size() + 2) * shape_.width;
  for (FloatCoefficients* f : float_coefficients()) {
    layer_kernels().adam_f32(f->values.data(), f->gradient.data(), f->first.data(),
                             f->second.data(), f->values.size(), step);
  }
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += kAdamElementwise * n;
  count->at(OperationKind::Special) += kAdamSpecial * n;
  count->at(MemoryLevel::Cache) += 32 * n;  // value, gradient, two moments, read and written
}

void Transformer::save(StateWriter& out) const {
  out.text(precision_.name);
  for (FloatCoefficients* f : const_cast<Transformer*>(this)->float_coefficients()) {
    out.sequence(f->values);
    out.sequence(f->first);
    out.sequence(f->second);
  }
  for (const Linear* m : matrices()) save_linear(*m, out);
}

void Transformer::restore(StateReader& in) {
  const Precision precision = Precision::parse(in.text());
  for (FloatCoefficients* f : float_coefficients()) {
    read_finite(in, f->values);
    read_finite(in, f->first);
    read_finite(in, f->second);
  }
  for (Linear* m : mutable_matrices()) restore_linear(*m, precision, in);
  precision_ = precision;
}

}  // namespace carnot::learn
