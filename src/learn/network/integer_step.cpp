// SPDX-License-Identifier: Apache-2.0
// Forward and backward in integers. With x = X s_i (row i of the batch), w = W t_j (row j of the
// weights), and d the gradient of the outputs:
//
//   forward        y_ij = (X W^T)_ij s_i t_j + b_j
//   weight gradient dw_jk = sum_i (d_ij s_i) X_ik: the row scales s_i go into d before it is
//   rounded,
//                  one scale a column j
//   input gradient dx_ik = sum_j (d_ij t_j) W_jk: the t_j go into d, one scale a row i
//
// Every product is exact in int32; gradients are rounded stochastically, so both are unbiased.
#include <algorithm>
#include <cstring>

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {

namespace {
constexpr int signed_limit(int bits) noexcept { return (1 << (bits - 1)) - 1; }
}  // namespace

void Network::integer_forward(const Batch& batch, Counters* count) {
  const std::uint8_t* x = batch.values.data();
  std::size_t ldx = batch.stride;
  bool x_signed = batch.is_signed;
  const float* scale = batch.row_scale.data();
  const std::size_t rows4 = padded(batch.rows, 4);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const bool hidden = l + 1 < layers_.size();
    auto* sums = as<std::int32_t>(work_.sums);
    auto* out = as<float>(work_.outputs[l]);
    kernels().product_nt(x, ldx, x_signed, as<std::int8_t>(layer.operand), layer.stride, rows4,
                         layer.rows, layer.stride, sums, layer.out_stride);
    kernels().finish_forward(sums, layer.out_stride, batch.rows, layer.outputs, scale,
                             layer.operand_scale.data(), layer.bias.data(), hidden, out,
                             layer.out_stride);
    if (hidden) {
      x = work_.rounded[l].data();
      ldx = layer.out_stride;
      x_signed = false;
      scale = work_.rounded_scale[l].data();
      kernels().quantise_activations(out, layer.out_stride, batch.rows, padded(layer.outputs, 32),
                                     (1 << precision_.data) - 1, work_.rounded[l].data(), ldx,
                                     work_.rounded_scale[l].data());
    }
    if (count == nullptr) continue;
    const std::uint64_t values = batch.rows * layer.outputs;
    count->at(mac_kind(precision_.data, precision_.weight)) += batch.rows * layer.weights();
    count->at(OperationKind::F32Elementwise) += 3 * values;  // two scales, bias
    count->at(MemoryLevel::Cache) += packed_bytes(layer.weights(), precision_.weight);
    if (hidden) {
      count->at(OperationKind::F32Elementwise) += 2 * values;  // ReLU, greatest of the row
      count->at(OperationKind::Rounding) += values;
      count->at(OperationKind::Special) += 2 * batch.rows;  // scale and its inverse
      count->at(MemoryLevel::Cache) += 2 * packed_bytes(values, precision_.data);
    }
  }
}

void Network::input_gradient(std::size_t l, std::size_t rows, const StepRule& rule,
                             Counters* count) {
  const Layer& layer = layers_[l];
  const Layer& before = layers_[l - 1];
  const std::size_t rows4 = padded(rows, 4);
  const std::size_t groups = padded(layer.outputs, 4) / 4;
  auto* q = as<std::int8_t>(work_.gradient);
  kernels().quantise_rows(
      as<float>(work_.deltas[l]), layer.out_stride, rows, padded(layer.outputs, 32),
      layer.operand_scale.data(), signed_limit(precision_.gradient),
      rounding_key(rule.seed, 8 * l + 2, rule.step), q, layer.out_stride, work_.row_scale.data());
  for (std::size_t i = 0; i < rows4; ++i) {
    std::int8_t* row = q + i * layer.out_stride;
    if (i >= rows) std::memset(row, 0, layer.out_stride);
    for (std::size_t j = layer.outputs; j < 4 * groups; ++j) row[j] = 0;
    for (std::size_t g = 0; g < groups; ++g) {
      std::memcpy(work_.gradient_groups.data() + (g * rows4 + i) * 4, row + 4 * g, 4);
    }
  }
  reserve(work_.weight_groups, 4 * groups * layer.stride);
  kernels().interleave(layer.operand.data(), layer.stride, 4 * groups, layer.stride, 0x80,
                       work_.weight_groups.data());
  auto* sums = as<std::int32_t>(work_.sums);
  kernels().product_nn(as<std::int8_t>(work_.gradient_groups), rows4, work_.weight_groups.data(),
                       layer.stride, true, rows4, padded(layer.inputs, 16), groups, sums,
                       before.out_stride);
  kernels().finish_backward(sums, before.out_stride, rows, layer.inputs, work_.row_scale.data(),
                            as<float>(work_.outputs[l - 1]), as<float>(work_.deltas[l - 1]),
                            before.out_stride);
  if (count == nullptr) return;
  const std::uint64_t gradients = rows * layer.outputs;
  count->at(mac_kind(precision_.gradient, precision_.weight)) += rows * layer.weights();
  count->at(OperationKind::Rounding) += gradients;
  count->at(OperationKind::F32Elementwise) += 2 * gradients + 2 * rows * layer.inputs;
  count->at(OperationKind::Special) += 2 * rows;
  count->at(MemoryLevel::Cache) += packed_bytes(layer.weights(), precision_.weight) +
                                   2 * packed_bytes(gradients, precision_.gradient);
}

void Network::momentum_update(Layer& layer, std::size_t row, const std::int32_t* g, float factor,
                              const StepRule& rule, RoundingKey key) {
  const int shift = precision_.master - precision_.weight;
  const int limit = signed_limit(precision_.weight);
  const int most = precision_.master == 16 ? 32767 : 127;
  const float rate = rule.rate / layer.scale[row];
  const std::size_t from = row * layer.stride;
  for (std::size_t k = 0; k < layer.inputs; ++k) {
    const std::size_t at = from + k;
    float& v = layer.velocity[at];
    v = optimiser_.momentum * v + static_cast<float>(g[k]) * factor;
    const float delta = std::clamp(v * rate, -32767.0f, 32767.0f);
    const int d = round_stochastically(delta, rounding_draw(key, at));
    int m;
    if (precision_.master == 16) {
      auto& cell = as<std::int16_t>(layer.master)[at];
      m = std::clamp(cell - d, -most, most);
      cell = static_cast<std::int16_t>(m);
    } else {
      auto& cell = as<std::int8_t>(layer.master)[at];
      m = std::clamp(cell - d, -most, most);
      cell = static_cast<std::int8_t>(m);
    }
    as<std::int8_t>(layer.operand)[at] =
        static_cast<std::int8_t>(std::clamp((m + (1 << (shift - 1))) >> shift, -limit, limit));
  }
}

void Network::adam_update(std::size_t l, std::size_t row, const std::int32_t* g,
                          const StepRule& rule) {
  Layer& layer = layers_[l];
  const int shift = precision_.master - precision_.weight;
  const int limit = signed_limit(precision_.weight);
  const AdamStep step = adam_step_of(rule, true);
  const RoundingKey key = rounding_key(rule.seed, 8 * l + 5, rule.step);
  const std::size_t from = row * layer.stride;
  const auto index = static_cast<std::uint32_t>(from);
  const float factor = work_.column_scale[row], scale = layer.scale[row];
  auto* m = as<std::uint16_t>(layer.first) + from;
  auto* v = as<std::uint16_t>(layer.second) + from;
  auto* w = as<std::int8_t>(layer.operand) + from;
  if (precision_.master == 16) {
    layer_kernels().adam16(as<std::int16_t>(layer.master) + from, g, layer.inputs, factor, scale, m,
                           v, step, key, index, shift, limit, w);
  } else {
    layer_kernels().adam8(as<std::int8_t>(layer.master) + from, g, layer.inputs, factor, scale, m,
                          v, step, key, index, shift, limit, w);
  }
}

void Network::grow_if_outgrown(std::size_t l, std::size_t row, const StepRule& rule,
                               Counters* count) {
  Layer& layer = layers_[l];
  const std::size_t from = row * layer.stride;
  const bool wide = precision_.master == 16;
  // The upper bytes of wide masters are the operand: they tell as well, in half the bytes.
  const std::int8_t* m =
      wide ? as<std::int8_t>(layer.operand) + from : as<std::int8_t>(layer.master) + from;
  unsigned at_end = 0;
  for (std::size_t k = 0; k < layer.stride; ++k) {
    at_end |= static_cast<unsigned>(m[k] == 127) | static_cast<unsigned>(m[k] == -127);
  }
  if (at_end == 0) return;
  const int shift = precision_.master - precision_.weight;
  const int limit = signed_limit(precision_.weight);
  const RoundingKey key = rounding_key(rule.seed, 8 * l + 4, rule.step);
  const auto index = static_cast<std::uint32_t>(from);
  auto* w = as<std::int8_t>(layer.operand) + from;
  if (wide) {
    auto* master = as<std::int16_t>(layer.master) + from;
    kernels().rescale16(master, layer.stride, 0.5f, key, index);
    kernels().round16(master, layer.stride, shift, limit, w);
  } else {
    auto* master = as<std::int8_t>(layer.master) + from;
    kernels().rescale8(master, layer.stride, 0.5f, key, index);
    kernels().round8(master, layer.stride, shift, limit, w);
  }
  layer.scale[row] *= 2.0f;
  layer.operand_scale[row] *= 2.0f;
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += layer.inputs;
  count->at(OperationKind::Rounding) += 2 * layer.inputs;
  count->at(MemoryLevel::Cache) += 2 * packed_bytes(layer.inputs, precision_.master) +
                                   packed_bytes(layer.inputs, precision_.weight);
}

void Network::weight_gradient(std::size_t l, const Batch& batch, const StepRule& rule,
                              Counters* count) {
  Layer& layer = layers_[l];
  const std::size_t rows4 = padded(batch.rows, 4);
  const std::size_t groups = rows4 / 4;
  const bool first = l == 0;
  const std::uint8_t* x = first ? batch.values.data() : work_.rounded[l - 1].data();
  const float* scale = first ? batch.row_scale.data() : work_.rounded_scale[l - 1].data();
  const bool x_signed = first && batch.is_signed;
  auto* q = as<std::int8_t>(work_.gradient);
  kernels().quantise_columns(as<float>(work_.deltas[l]), layer.out_stride, batch.rows,
                             padded(layer.outputs, 32), scale, signed_limit(precision_.gradient),
                             rounding_key(rule.seed, 8 * l + 1, rule.step), q, layer.out_stride,
                             work_.column_scale.data(), work_.column_inverse.data());
  for (std::size_t i = batch.rows; i < rows4; ++i) {
    std::memset(q + i * layer.out_stride, 0, layer.out_stride);
  }
  kernels().interleave(work_.gradient.data(), layer.out_stride, rows4, layer.out_stride, 0,
                       work_.gradient_groups.data());
  reserve(work_.input_groups, rows4 * layer.stride);
  kernels().interleave(x, layer.stride, rows4, layer.stride,
                       static_cast<std::uint8_t>(x_signed ? 0x80 : 0), work_.input_groups.data());

  const int shift = precision_.master - precision_.weight;
  const int limit = signed_limit(precision_.weight);
  const RoundingKey key = rounding_key(rule.seed, 8 * l, rule.step);
  auto* block = as<std::int32_t>(work_.block);
  const std::size_t columns = padded(layer.inputs, 16);
  const std::size_t updated = padded(layer.inputs, 32);
  if (updated != columns) {
    for (std::size_t r = 0; r < 8; ++r) {
      std::memset(block + r * layer.stride + columns, 0, (updated - columns) * 4);
    }
  }
  // Eight rows of the gradient stay in the first-level cache until they are applied.
  for (std::size_t j = 0; j < layer.outputs; j += 8) {
    kernels().product_nn(as<std::int8_t>(work_.gradient_groups) + 4 * j, layer.out_stride,
                         work_.input_groups.data(), layer.stride, x_signed, 8, columns, groups,
                         block, layer.stride);
    for (std::size_t r = 0; r < 8 && j + r < layer.outputs; ++r) {
      const std::size_t row = j + r;
      const std::int32_t* g = block + r * layer.stride;
      const std::size_t from = row * layer.stride;
      if (rule.capture != nullptr) {
        float* to = (*rule.capture)[l].data() + row * layer.inputs;
        for (std::size_t k = 0; k < layer.inputs; ++k) {
          to[k] = static_cast<float>(g[k]) * work_.column_scale[row];
        }
      } else if (optimiser_.adam) {
        adam_update(l, row, g, rule);
      } else if (optimiser_.has_momentum()) {
        momentum_update(layer, row, g, work_.column_scale[row], rule, key);
      } else {
        const float factor = rule.rate * work_.column_scale[row] / layer.scale[row];
        auto* w = as<std::int8_t>(layer.operand) + from;
        const auto index = static_cast<std::uint32_t>(from);
        if (precision_.master == 16) {
          kernels().update16(as<std::int16_t>(layer.master) + from, g, updated, factor, key, index,
                             shift, limit, w);
        } else {
          kernels().update8(as<std::int8_t>(layer.master) + from, g, updated, factor, key, index,
                            shift, limit, w);
        }
      }
      if (rule.capture == nullptr &&
          (rule.step < kGrowthWatch || (row + rule.step) % kGrowthPeriod == 0)) {
        grow_if_outgrown(l, row, rule, count);
      }
    }
  }
  if (count == nullptr) return;
  const std::uint64_t gradients = batch.rows * layer.outputs;
  count->at(mac_kind(precision_.gradient, precision_.data)) += batch.rows * layer.weights();
  count->at(OperationKind::Rounding) += gradients;
  count->at(OperationKind::F32Elementwise) += 2 * gradients;  // row scale, greatest of the column
  count->at(OperationKind::Special) += 2 * layer.outputs;
  count->at(MemoryLevel::Cache) += 2 * packed_bytes(gradients, precision_.gradient);
  if (rule.capture != nullptr) return;
  const std::uint64_t n = layer.weights();
  const bool adam = optimiser_.adam, momentum = optimiser_.has_momentum();
  count->at(OperationKind::F32Elementwise) +=
      (adam       ? kAdamElementwise + 2 + (optimiser_.weight_decay > 0.0 ? kAdamDecay : 0)
       : momentum ? 5
                  : 2) *
      n;
  if (adam) {
    count->at(OperationKind::Rounding) += 2 * n;  // of the moments
    count->at(OperationKind::Special) += kAdamSpecial * n;
    count->at(MemoryLevel::Cache) += 4 * moment_bytes(precision_) * n;
  }
  count->at(OperationKind::Rounding) +=
      2 * n;  // of the change, and of the master to its upper bits
  count->at(OperationKind::Special) += layer.outputs;
  count->at(MemoryLevel::Cache) += 2 * packed_bytes(n, precision_.master) +
                                   packed_bytes(n, precision_.weight) + (momentum ? 8 * n : 0);
}

void Network::integer_backward(const Batch& batch, const StepRule& rule, Counters* count) {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    if (l > 0) input_gradient(l, batch.rows, rule, count);
    bias_update(l, batch.rows, rule, count);
    weight_gradient(l, batch, rule, count);
  }
}

}  // namespace carnot::learn
