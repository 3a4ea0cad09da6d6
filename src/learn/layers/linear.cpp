// SPDX-License-Identifier: Apache-2.0
#include "learn/layers/linear.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"

namespace carnot::learn {

namespace {

constexpr float kHeadRoom = 1.1f;
constexpr float kMost = 32767.0f;
constexpr std::size_t kRowBlock = 64;  // whose sums stay in the second-level cache
constexpr int signed_limit(int bits) noexcept { return (1 << (bits - 1)) - 1; }

template <class T>
void grow(std::vector<T>& v, std::size_t n) {
  if (v.size() < n) v.resize(n);
}

}  // namespace

Precision layer_precision(Precision precision) noexcept {
  if (precision.is_integer()) precision.master = 16;
  return precision;
}

void round_operand(const float* x, std::size_t rows, std::size_t columns, bool nonnegative,
                   const Precision& precision, Operand& out, Counters* count) {
  out.rows = rows;
  out.columns = columns;
  out.stride = padded(columns, 64);
  out.is_signed = !nonnegative;
  out.floats = x;
  const std::size_t rows4 = padded(rows, 4), wide = padded(columns, 32);
  if (precision.data == 16) {
    reserve(out.values, rows4 * out.stride * 2);
    kernels().to_bf16(x, rows * out.stride, 1.0f, as<std::uint16_t>(out.values));
  } else if (precision.is_integer()) {
    reserve(out.values, rows4 * out.stride);
    grow(out.scale, rows4);
    if (nonnegative) {
      kernels().quantise_activations(x, out.stride, rows, wide, (1 << precision.data) - 1,
                                     out.values.data(), out.stride, out.scale.data());
    } else {
      layer_kernels().quantise_signed(x, out.stride, rows, wide, signed_limit(precision.data),
                                      as<std::int8_t>(out.values), out.stride, out.scale.data());
    }
    std::memset(out.values.data() + rows * out.stride, 0, (rows4 - rows) * out.stride);
  }
  if (count == nullptr) return;
  const std::uint64_t values = rows * columns;
  count->at(MemoryLevel::Cache) += 4 * values + 2 * packed_bytes(values, precision.data);
  if (precision.data < 32) count->at(OperationKind::Rounding) += values;
  if (precision.is_integer()) {
    count->at(OperationKind::F32Elementwise) += values;  // greatest of the row
    count->at(OperationKind::Special) += 2 * rows;
  }
}

Linear::Linear(std::size_t inputs, std::size_t outputs, double bound, const RandomStream& random,
               std::uint64_t id)
    : id_(id) {
  layer_.inputs = inputs;
  layer_.outputs = outputs;
  layer_.stride = padded(inputs, 64);
  layer_.rows = padded(outputs, 8);
  layer_.out_stride = padded(outputs, 64);
  const std::size_t n = layer_.rows * layer_.stride;
  layer_.master = AlignedBytes(n * sizeof(float));
  layer_.first = AlignedBytes(n * sizeof(float));
  layer_.second = AlignedBytes(n * sizeof(float));
  layer_.bias.assign(layer_.out_stride, 0.0f);
  layer_.bias_first.assign(layer_.out_stride, 0.0f);
  layer_.bias_second.assign(layer_.out_stride, 0.0f);
  float* w = as<float>(layer_.master);
  for (std::size_t j = 0; j < outputs; ++j)
    for (std::size_t k = 0; k < inputs; ++k)
      w[j * layer_.stride + k] =
          static_cast<float>(bound * (2.0 * random.uniform(j * inputs + k) - 1.0));
}

void Linear::append_parameters(std::vector<std::vector<float>>& out) const {
  std::vector<float> weights(layer_.weights());
  for (std::size_t j = 0; j < layer_.outputs; ++j) {
    for (std::size_t k = 0; k < layer_.inputs; ++k) {
      const std::size_t at = j * layer_.stride + k;
      weights[j * layer_.inputs + k] =
          precision_.is_integer()
              ? layer_.scale[j] * static_cast<float>(as<std::int16_t>(layer_.master)[at])
              : as<float>(layer_.master)[at];
    }
  }
  out.push_back(std::move(weights));
  out.emplace_back(layer_.bias.begin(),
                   layer_.bias.begin() + static_cast<std::ptrdiff_t>(layer_.outputs));
}

void Linear::take_parameters(const std::vector<std::vector<float>>& from, std::size_t& at) {
  for (std::size_t j = 0; j < layer_.outputs; ++j)
    std::copy_n(from[at].data() + j * layer_.inputs, layer_.inputs,
                as<float>(layer_.master) + j * layer_.stride);
  std::copy(from[at + 1].begin(), from[at + 1].end(), layer_.bias.begin());
  at += 2;
}

void Linear::rebuild_operand() {
  const std::size_t n = layer_.rows * layer_.stride;
  layer_.operand_scale.clear();
  if (precision_.data == 32) {
    layer_.operand = AlignedBytes();
  } else if (precision_.data == 16) {
    if (layer_.operand.size() != n * 2) layer_.operand = AlignedBytes(n * 2);
    kernels().to_bf16(as<float>(layer_.master), n, 1.0f, as<std::uint16_t>(layer_.operand));
  } else {
    if (layer_.operand.size() != n) layer_.operand = AlignedBytes(n);
    const int shift = 16 - precision_.weight;
    kernels().round16(as<std::int16_t>(layer_.master), n, shift, signed_limit(precision_.weight),
                      as<std::int8_t>(layer_.operand));
    layer_.operand_scale = layer_.scale;
    layer_.operand_scale.resize(layer_.out_stride, 0.0f);
    for (float& s : layer_.operand_scale) s *= static_cast<float>(1 << shift);
  }
}

void Linear::assume_precision(const Precision& precision) {
  precision_ = layer_precision(precision);
  rebuild_operand();
}

void Linear::set_precision(const Precision& asked, RoundingKey, Counters* count) {
  const Precision to = layer_precision(asked);
  if (to == precision_) return;
  const std::size_t n = layer_.rows * layer_.stride;
  const std::uint64_t weights = layer_.weights();
  if (moment_bytes(to) != moment_bytes(precision_)) {
    for (AlignedBytes* moments : {&layer_.first, &layer_.second}) {
      AlignedBytes next(n * moment_bytes(to));
      if (moment_bytes(to) == 2) {
        kernels().to_bf16(as<float>(*moments), n, 1.0f, as<std::uint16_t>(next));
      } else {
        for (std::size_t i = 0; i < n; ++i)
          as<float>(next)[i] = from_bf16(as<std::uint16_t>(*moments)[i]);
      }
      *moments = std::move(next);
    }
    if (count != nullptr) {
      count->at(OperationKind::Rounding) += 2 * weights;
      count->at(MemoryLevel::Cache) += 12 * weights;
    }
  }
  if (to.is_integer() != precision_.is_integer()) {
    AlignedBytes next(n * (to.is_integer() ? 2 : 4));
    if (to.is_integer()) layer_.scale.assign(layer_.rows, 0.0f);
    for (std::size_t j = 0; j < layer_.outputs; ++j) {
      const std::size_t from = j * layer_.stride;
      if (!to.is_integer()) {
        for (std::size_t k = from; k < from + layer_.inputs; ++k)
          as<float>(next)[k] =
              layer_.scale[j] * static_cast<float>(as<std::int16_t>(layer_.master)[k]);
        continue;
      }
      const float* w = as<float>(layer_.master) + from;
      float most = 1e-12f;
      for (std::size_t k = 0; k < layer_.inputs; ++k) most = std::max(most, std::abs(w[k]));
      layer_.scale[j] = kHeadRoom * most / kMost;
      const float inverse = kMost / (kHeadRoom * most);
      for (std::size_t k = 0; k < layer_.inputs; ++k)
        as<std::int16_t>(next)[from + k] =
            static_cast<std::int16_t>(round_to_nearest(std::clamp(w[k] * inverse, -kMost, kMost)));
    }
    if (!to.is_integer()) layer_.scale.clear();
    layer_.master = std::move(next);
    if (count != nullptr) {
      count->at(OperationKind::Rounding) += weights;
      count->at(MemoryLevel::Cache) +=
          packed_bytes(weights, precision_.master) + packed_bytes(weights, to.master);
    }
  }
  if (count != nullptr && to.data < 32) {
    count->at(OperationKind::Rounding) += weights;
    count->at(MemoryLevel::Cache) +=
        packed_bytes(weights, to.master) + packed_bytes(weights, to.weight);
  }
  precision_ = to;
  rebuild_operand();
}

void Linear::forward(const Operand& x, bool relu, float* y, LinearWork& work,
                     Counters* count) const {
  const std::size_t rows = x.rows;
  if (precision_.is_integer()) {
    reserve(work.sums, kRowBlock * layer_.out_stride * sizeof(std::int32_t));
    auto* sums = as<std::int32_t>(work.sums);
    for (std::size_t i = 0; i < rows; i += kRowBlock) {
      const std::size_t height = std::min(kRowBlock, rows - i);
      kernels().product_nt(x.values.data() + i * x.stride, x.stride, x.is_signed,
                           as<std::int8_t>(layer_.operand), layer_.stride, padded(height, 4),
                           layer_.rows, layer_.stride, sums, layer_.out_stride);
      kernels().finish_forward(sums, layer_.out_stride, height, layer_.outputs, x.scale.data() + i,
                               layer_.operand_scale.data(), layer_.bias.data(), relu,
                               y + i * layer_.out_stride, layer_.out_stride);
    }
  } else {
    const ProductShape shape{rows,     layer_.outputs, layer_.inputs,     false, true,
                             x.stride, layer_.stride,  layer_.out_stride, false};
    if (precision_.data == 16) {
      work.products.multiply(shape, as<std::uint16_t>(x.values), as<std::uint16_t>(layer_.operand),
                             y);
    } else {
      work.products.multiply(shape, x.floats, as<float>(layer_.master), y);
    }
    kernels().bias_relu(y, layer_.out_stride, rows, layer_.outputs, layer_.bias.data(), relu);
  }
  if (count == nullptr) return;
  const std::uint64_t values = rows * layer_.outputs;
  count->at(mac_kind(precision_.data, precision_.weight)) += rows * layer_.weights();
  count->at(OperationKind::F32Elementwise) +=
      ((precision_.is_integer() ? 3 : 1) + (relu ? 1 : 0)) * values;
  count->at(MemoryLevel::Cache) += packed_bytes(layer_.weights(), precision_.weight) + 4 * values;
}

void Linear::input_gradient(const float* dy, std::size_t rows, const StepRule& rule, bool add,
                            float* dx, std::size_t ld, LinearWork& work, Counters* count) const {
  if (precision_.is_integer()) {
    const std::size_t groups = padded(layer_.outputs, 4) / 4, stride = layer_.out_stride;
    const std::size_t rows4 = padded(rows, 4);
    reserve(work.gradient, rows4 * stride);
    reserve(work.weights, 4 * groups * layer_.stride);
    reserve(work.groups, groups * kRowBlock * 4);
    reserve(work.sums, kRowBlock * layer_.stride * sizeof(std::int32_t));
    grow(work.row_scale, rows4);
    auto* q = as<std::int8_t>(work.gradient);
    kernels().quantise_rows(dy, stride, rows, padded(layer_.outputs, 32),
                            layer_.operand_scale.data(), signed_limit(precision_.gradient),
                            rounding_key(rule.seed, 8 * id_ + 2, rule.step), q, stride,
                            work.row_scale.data());
    std::memset(q + rows * stride, 0, (rows4 - rows) * stride);
    kernels().interleave(layer_.operand.data(), layer_.stride, 4 * groups, layer_.stride, 0x80,
                         work.weights.data());
    auto* sums = as<std::int32_t>(work.sums);
    for (std::size_t i = 0; i < rows; i += kRowBlock) {
      const std::size_t height = std::min(kRowBlock, rows - i), high = padded(height, 4);
      for (std::size_t r = 0; r < high; ++r) {
        const std::int8_t* row = q + (i + r) * stride;
        for (std::size_t g = 0; g < groups; ++g)
          std::memcpy(work.groups.data() + (g * kRowBlock + r) * 4, row + 4 * g, 4);
      }
      kernels().product_nn(as<std::int8_t>(work.groups), kRowBlock, work.weights.data(),
                           layer_.stride, true, high, padded(layer_.inputs, 16), groups, sums,
                           layer_.stride);
      layer_kernels().finish_product(sums, layer_.stride, height, layer_.inputs,
                                     work.row_scale.data() + i, add, dx + i * ld, ld);
    }
  } else {
    const ProductShape shape{rows,  layer_.inputs,     layer_.outputs, false,
                             false, layer_.out_stride, layer_.stride,  ld,
                             add};
    if (precision_.data == 16) {
      reserve(work.half, rows * layer_.out_stride * 2);
      kernels().to_bf16(dy, rows * layer_.out_stride, 1.0f, as<std::uint16_t>(work.half));
      work.products.multiply(shape, as<std::uint16_t>(work.half), as<std::uint16_t>(layer_.operand),
                             dx);
    } else {
      work.products.multiply(shape, dy, as<float>(layer_.master), dx);
    }
  }
  if (count == nullptr) return;
  const std::uint64_t gradients = rows * layer_.outputs, values = rows * layer_.inputs;
  count->at(mac_kind(precision_.gradient, precision_.weight)) += rows * layer_.weights();
  count->at(MemoryLevel::Cache) += packed_bytes(layer_.weights(), precision_.weight) +
                                   2 * packed_bytes(gradients, precision_.gradient) +
                                   4 * gradients + 4 * values;
  if (precision_.data < 32) count->at(OperationKind::Rounding) += gradients;
  if (precision_.is_integer()) {
    count->at(OperationKind::F32Elementwise) += 2 * gradients + values;
    count->at(OperationKind::Special) += 2 * rows;
  }
}

void Linear::grow_if_outgrown(std::size_t row, const StepRule& rule, Counters* count) {
  const std::size_t from = row * layer_.stride;
  auto* m = as<std::int16_t>(layer_.master) + from;
  unsigned at_end = 0;
  for (std::size_t k = 0; k < layer_.inputs; ++k)
    at_end |= static_cast<unsigned>(m[k] == 32767) | static_cast<unsigned>(m[k] == -32767);
  if (at_end == 0) return;
  const auto index = static_cast<std::uint32_t>(from);
  kernels().rescale16(m, layer_.stride, 0.5f, rounding_key(rule.seed, 8 * id_ + 4, rule.step),
                      index);
  kernels().round16(m, layer_.stride, 16 - precision_.weight, signed_limit(precision_.weight),
                    as<std::int8_t>(layer_.operand) + from);
  layer_.scale[row] *= 2.0f;
  layer_.operand_scale[row] *= 2.0f;
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += layer_.inputs;
  count->at(OperationKind::Rounding) += 2 * layer_.inputs;
  count->at(MemoryLevel::Cache) +=
      4 * layer_.inputs + packed_bytes(layer_.inputs, precision_.weight);
}

void Linear::integer_weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                                     const AdamStep& step, std::size_t slot, LinearWork& work,
                                     Counters* count) {
  const std::size_t rows4 = padded(x.rows, 4), groups = rows4 / 4, stride = layer_.out_stride;
  reserve(work.gradient, rows4 * stride);
  reserve(work.whole, rows4 * stride);
  reserve(work.inputs, rows4 * layer_.stride);
  reserve(work.groups, groups * 32);
  reserve(work.block, 8 * layer_.stride * sizeof(std::int32_t));
  grow(work.column_scale, stride);
  grow(work.column_inverse, stride);
  auto* q = as<std::int8_t>(work.gradient);
  kernels().quantise_columns(dy, stride, x.rows, padded(layer_.outputs, 32), x.scale.data(),
                             signed_limit(precision_.gradient),
                             rounding_key(rule.seed, 8 * id_ + 1, rule.step), q, stride,
                             work.column_scale.data(), work.column_inverse.data());
  std::memset(q + x.rows * stride, 0, (rows4 - x.rows) * stride);
  kernels().interleave(work.gradient.data(), stride, rows4, stride, 0, work.whole.data());
  kernels().interleave(x.values.data(), layer_.stride, rows4, layer_.stride,
                       static_cast<std::uint8_t>(x.is_signed ? 0x80 : 0), work.inputs.data());
  const RoundingKey key = rounding_key(rule.seed, 8 * id_ + 5, rule.step);
  auto* block = as<std::int32_t>(work.block);
  for (std::size_t j = 0; j < layer_.outputs; j += 8) {
    // The eight columns side by side: their strides would share few sets of the cache.
    for (std::size_t g = 0; g < groups; ++g)
      std::memcpy(work.groups.data() + 32 * g, work.whole.data() + (g * stride + j) * 4, 32);
    kernels().product_nn(as<std::int8_t>(work.groups), 8, work.inputs.data(), layer_.stride,
                         x.is_signed, 8, padded(layer_.inputs, 16), groups, block, layer_.stride);
    for (std::size_t r = 0; r < 8 && j + r < layer_.outputs; ++r) {
      const std::size_t row = j + r, from = row * layer_.stride;
      const std::int32_t* g = block + r * layer_.stride;
      const float factor = work.column_scale[row];
      if (rule.capture != nullptr) {
        float* to = (*rule.capture)[slot].data() + row * layer_.inputs;
        for (std::size_t k = 0; k < layer_.inputs; ++k) to[k] = static_cast<float>(g[k]) * factor;
        continue;
      }
      layer_kernels().adam16(
          as<std::int16_t>(layer_.master) + from, g, layer_.inputs, factor, layer_.scale[row],
          as<std::uint16_t>(layer_.first) + from, as<std::uint16_t>(layer_.second) + from, step,
          key, static_cast<std::uint32_t>(from), 16 - precision_.weight,
          signed_limit(precision_.weight), as<std::int8_t>(layer_.operand) + from);
      grow_if_outgrown(row, rule, count);
    }
  }
}

void Linear::float_weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                                   const AdamStep& step, std::size_t slot, LinearWork& work) {
  const bool half = precision_.data == 16;
  float* to = nullptr;
  std::size_t ld = layer_.stride;
  if (rule.capture != nullptr) {
    to = (*rule.capture)[slot].data();
    ld = layer_.inputs;
  } else {
    reserve(work.whole, layer_.rows * layer_.stride * sizeof(float));
    to = as<float>(work.whole);
  }
  const ProductShape shape{layer_.outputs,    layer_.inputs, x.rows, true, false,
                           layer_.out_stride, x.stride,      ld,     false};
  if (half) {
    reserve(work.half, x.rows * layer_.out_stride * 2);
    kernels().to_bf16(dy, x.rows * layer_.out_stride, 1.0f, as<std::uint16_t>(work.half));
    work.products.multiply(shape, as<std::uint16_t>(work.half), as<std::uint16_t>(x.values), to);
  } else {
    work.products.multiply(shape, dy, x.floats, to);
  }
  if (rule.capture != nullptr) return;
  const RoundingKey key = rounding_key(rule.seed, 8 * id_ + 5, rule.step);
  for (std::size_t j = 0; j < layer_.outputs; ++j) {
    const std::size_t from = j * layer_.stride;
    float* w = as<float>(layer_.master) + from;
    if (half) {
      layer_kernels().adam_bf16(w, to + from, as<std::uint16_t>(layer_.first) + from,
                                as<std::uint16_t>(layer_.second) + from, layer_.inputs, step, key,
                                static_cast<std::uint32_t>(from));
    } else {
      layer_kernels().adam_f32(w, to + from, as<float>(layer_.first) + from,
                               as<float>(layer_.second) + from, layer_.inputs, step);
    }
  }
  if (half) rebuild_operand();
}

void Linear::weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                             const AdamStep& step, const AdamStep& bias_step, std::size_t slot,
                             LinearWork& work, Counters* count) {
  grow(bias_gradient_, layer_.out_stride);
  kernels().column_sums(dy, layer_.out_stride, x.rows, layer_.outputs, bias_gradient_.data());
  if (rule.capture == nullptr) {
    layer_kernels().adam_f32(layer_.bias.data(), bias_gradient_.data(), layer_.bias_first.data(),
                             layer_.bias_second.data(), layer_.outputs, bias_step);
  }
  if (precision_.is_integer()) {
    integer_weight_gradient(x, dy, rule, step, slot, work, count);
  } else {
    float_weight_gradient(x, dy, rule, step, slot, work);
  }
  if (count == nullptr) return;
  const std::uint64_t gradients = x.rows * layer_.outputs, n = layer_.weights();
  auto& elementwise = count->at(OperationKind::F32Elementwise);
  auto& cache = count->at(MemoryLevel::Cache);
  count->at(mac_kind(precision_.gradient, precision_.data)) += x.rows * n;
  cache += 2 * packed_bytes(gradients, precision_.gradient) + 4 * gradients +
           packed_bytes(x.rows * layer_.inputs, precision_.data);
  elementwise += gradients;  // biases
  if (precision_.data < 32) count->at(OperationKind::Rounding) += gradients;
  if (precision_.is_integer()) {
    elementwise += 2 * gradients;
    count->at(OperationKind::Special) += 2 * layer_.outputs;
  }
  if (rule.capture != nullptr) return;
  elementwise += kAdamElementwise * (n + layer_.outputs) + (step.decay > 0.0f ? kAdamDecay * n : 0);
  count->at(OperationKind::Special) += kAdamSpecial * (n + layer_.outputs);
  cache += 4 * moment_bytes(precision_) * n + 2 * packed_bytes(n, precision_.master);
  if (precision_.data < 32) {
    count->at(OperationKind::Rounding) += 3 * n;  // moments, and what products see
    cache += packed_bytes(n, precision_.weight);
  }
  if (!precision_.is_integer()) {
    cache += 8 * n;  // the gradient
    return;
  }
  const std::uint64_t share = (n + kRefreshPeriod - 1) / kRefreshPeriod;
  elementwise += 2 * n + share;
  count->at(OperationKind::Rounding) += n + share;  // of the change
  count->at(OperationKind::Special) += layer_.outputs;
  cache += 4 * share;
}

void Linear::refresh(std::uint64_t seed, std::uint64_t step) {
  if (!precision_.is_integer()) return;
  const RoundingKey key = rounding_key(seed, 8 * id_ + 3, step);
  for (std::size_t j = 0; j < layer_.outputs; ++j) {
    const std::size_t from = j * layer_.stride;
    auto* m = as<std::int16_t>(layer_.master) + from;
    int top = 0;
    for (std::size_t k = 0; k < layer_.inputs; ++k) top = std::max(top, std::abs(int{m[k]}));
    if (top == 0) continue;
    const float factor = kMost / (kHeadRoom * static_cast<float>(top));
    layer_.scale[j] /= factor;
    kernels().rescale16(m, layer_.stride, factor, key, static_cast<std::uint32_t>(from));
  }
  rebuild_operand();
}

}  // namespace carnot::learn
