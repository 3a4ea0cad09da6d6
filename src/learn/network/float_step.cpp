// SPDX-License-Identifier: Apache-2.0
// Forward and backward in binary32 and bfloat16, the loss, and what both share with the integers.
#include <algorithm>
#include <utility>

#include "learn/kernels/elementwise.hpp"
#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {

void Network::prepare(std::size_t rows) {
  if (rows <= work_.rows) return;
  work_.rows = rows;
  const std::size_t rows4 = padded(rows, 4);
  std::size_t widest = 0, longest = 0;
  work_.outputs.clear();
  work_.deltas.clear();
  work_.rounded.clear();
  work_.rounded_scale.clear();
  for (const Layer& layer : layers_) {
    work_.outputs.emplace_back(rows4 * layer.out_stride * sizeof(float));
    work_.deltas.emplace_back(rows4 * layer.out_stride * sizeof(float));
    work_.rounded.emplace_back(rows4 * layer.out_stride * 2);
    work_.rounded_scale.emplace_back(rows4);
    widest = std::max(widest, layer.out_stride);
    longest = std::max(longest, layer.stride);
  }
  work_.sums = AlignedBytes(rows4 * widest * sizeof(std::int32_t));
  work_.block = AlignedBytes(8 * longest * sizeof(std::int32_t));
  work_.gradient = AlignedBytes(rows4 * widest * sizeof(float));
  work_.gradient_groups = AlignedBytes(rows4 * widest);
  work_.column_scale.assign(widest, 0.0f);
  work_.column_inverse.assign(widest, 0.0f);
  work_.row_scale.assign(rows4, 0.0f);
}

float* Network::forward(const Batch& batch, Counters* count) {
  prepare(batch.rows);
  if (count != nullptr) {
    count->at(MemoryLevel::Dram) +=
        batch.rows * (packed_bytes(shape_.widths[0], precision_.data) + 4 +
                      (precision_.is_integer() && !shape_.unsigned_inputs ? 4 : 0));
  }
  if (precision_.is_integer()) {
    integer_forward(batch, count);
  } else {
    float_forward(batch, count);
  }
  return as<float>(work_.outputs.back());
}

void Network::float_forward(const Batch& batch, Counters* count) {
  const bool half = precision_.data == 16;
  const std::uint8_t* x = batch.values.data();
  std::size_t ldx = batch.stride;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const Layer& layer = layers_[l];
    const bool hidden = l + 1 < layers_.size();
    auto* out = as<float>(work_.outputs[l]);
    const ProductShape shape{batch.rows, layer.outputs, layer.inputs,     false, true,
                             ldx,        layer.stride,  layer.out_stride, false};
    if (half) {
      products_.multiply(shape, reinterpret_cast<const std::uint16_t*>(x),
                         as<std::uint16_t>(layer.operand), out);
    } else {
      products_.multiply(shape, reinterpret_cast<const float*>(x), as<float>(layer.master), out);
    }
    kernels().bias_relu(out, layer.out_stride, batch.rows, layer.outputs, layer.bias.data(),
                        hidden);
    x = work_.outputs[l].data();
    ldx = layer.out_stride;
    if (half && hidden) {
      kernels().to_bf16(out, batch.rows * layer.out_stride, 1.0f,
                        as<std::uint16_t>(work_.rounded[l]));
      x = work_.rounded[l].data();
    }
    if (count == nullptr) continue;
    const std::uint64_t values = batch.rows * layer.outputs;
    count->at(mac_kind(precision_.data, precision_.weight)) += batch.rows * layer.weights();
    count->at(OperationKind::F32Elementwise) += (hidden ? 2 : 1) * values;  // bias, ReLU
    count->at(MemoryLevel::Cache) += packed_bytes(layer.weights(), precision_.weight);
    if (hidden) {
      if (half) count->at(OperationKind::Rounding) += values;
      count->at(MemoryLevel::Cache) += 2 * packed_bytes(values, precision_.data);
    }
  }
}

void Network::differentiate(const Batch& batch, std::vector<double>& nats, Counters* count) {
  const Layer& last = layers_.back();
  const float share = 1.0f / static_cast<float>(batch.rows);
  nats.resize(batch.rows);
  right_ = 0;
  for (std::size_t i = 0; i < batch.rows; ++i) {
    const float* z = as<float>(work_.outputs.back()) + i * last.out_stride;
    float* d = as<float>(work_.deltas.back()) + i * last.out_stride;
    if (shape_.loss == Loss::Softmax) {
      const std::size_t label = batch.labels[i];
      float most = z[0];
      for (std::size_t j = 1; j < last.outputs; ++j) most = std::max(most, z[j]);
      right_ += z[label] >= most ? 1 : 0;
      std::copy_n(z, last.outputs, d);
      kernels().exponentials(d, last.outputs, most);
      float sum = 0.0f;
      for (std::size_t j = 0; j < last.outputs; ++j) sum += d[j];
      nats[i] = natural_log(sum) - (static_cast<double>(z[label]) - static_cast<double>(most));
      const float inverse = 1.0f / sum;
      for (std::size_t j = 0; j < last.outputs; ++j) d[j] = d[j] * inverse * share;
      d[label] -= share;
    } else if (shape_.loss == Loss::Logistic) {
      const bool positive = batch.labels[i] != 0;
      right_ += (z[0] > 0.0f) == positive ? 1 : 0;
      const float away = z[0] < 0.0f ? z[0] : -z[0];
      const float e = exp_nonpositive(away);
      const float p = (z[0] < 0.0f ? e : 1.0f) / (1.0f + e);
      // -ln p(label) = ln(1 + e^-|z|) + |z| where the sign is wrong.
      nats[i] = natural_log(1.0 + static_cast<double>(e)) -
                ((z[0] < 0.0f) == positive ? static_cast<double>(away) : 0.0);
      d[0] = (p - (positive ? 1.0f : 0.0f)) * share;
    } else {
      const float error = z[0] - batch.targets[i];
      nats[i] = static_cast<double>(error) * static_cast<double>(error);
      d[0] = 2.0f * error * share;
    }
  }
  if (count == nullptr) return;
  const std::uint64_t values = batch.rows * last.outputs;
  if (shape_.loss == Loss::Softmax) {
    count->at(OperationKind::F32Elementwise) += 5 * values + batch.rows;
    count->at(OperationKind::Special) += values + 2 * batch.rows;
  } else if (shape_.loss == Loss::Logistic) {
    count->at(OperationKind::F32Elementwise) += 5 * batch.rows;
    count->at(OperationKind::Special) += 3 * batch.rows;
  } else {
    count->at(OperationKind::F32Elementwise) += 4 * batch.rows;
  }
}

void Network::bias_update(std::size_t l, std::size_t rows, const StepRule& rule, Counters* count) {
  Layer& layer = layers_[l];
  float* sums = work_.column_scale.data();  // free at this point
  kernels().column_sums(as<float>(work_.deltas[l]), layer.out_stride, rows, layer.outputs, sums);
  if (rule.capture == nullptr) {
    if (optimiser_.adam) {
      layer_kernels().adam_f32(layer.bias.data(), sums, layer.bias_first.data(),
                               layer.bias_second.data(), layer.outputs, adam_step_of(rule, false));
    }
    for (std::size_t j = 0; !optimiser_.adam && j < layer.outputs; ++j) {
      float g = sums[j];
      if (optimiser_.has_momentum()) {
        g += optimiser_.momentum * layer.bias_velocity[j];
        layer.bias_velocity[j] = g;
      }
      layer.bias[j] -= rule.rate * g;
    }
  }
  if (count == nullptr) return;
  count->at(OperationKind::F32Elementwise) += rows * layer.outputs;
  if (rule.capture != nullptr) return;
  count->at(OperationKind::F32Elementwise) += (optimiser_.adam             ? kAdamElementwise
                                               : optimiser_.has_momentum() ? 4
                                                                           : 2) *
                                              layer.outputs;
  if (optimiser_.adam) count->at(OperationKind::Special) += kAdamSpecial * layer.outputs;
}

void Network::float_backward(const Batch& batch, const StepRule& rule, Counters* count) {
  const bool half = precision_.data == 16;
  const std::size_t rows = batch.rows;
  for (std::size_t l = layers_.size(); l-- > 0;) {
    Layer& layer = layers_[l];
    auto* d = as<float>(work_.deltas[l]);
    auto* scaled = as<float>(work_.gradient);
    auto* half_d = as<std::uint16_t>(work_.gradient);
    const std::size_t count_d = rows * layer.out_stride;
    const std::uint64_t gradients = rows * layer.outputs;
    if (l > 0) {
      const Layer& before = layers_[l - 1];
      auto* to = as<float>(work_.deltas[l - 1]);
      const ProductShape shape{rows,  layer.inputs,     layer.outputs, false,
                               false, layer.out_stride, layer.stride,  before.out_stride,
                               false};
      if (half) {
        kernels().to_bf16(d, count_d, 1.0f, half_d);
        products_.multiply(shape, half_d, as<std::uint16_t>(layer.operand), to);
      } else {
        products_.multiply(shape, d, as<float>(layer.master), to);
      }
      kernels().gate(to, before.out_stride, rows, layer.inputs, as<float>(work_.outputs[l - 1]));
      if (count != nullptr) {
        count->at(mac_kind(precision_.gradient, precision_.weight)) += rows * layer.weights();
        if (half) count->at(OperationKind::Rounding) += gradients;
        count->at(OperationKind::F32Elementwise) += rows * layer.inputs;
        count->at(MemoryLevel::Cache) += packed_bytes(layer.weights(), precision_.weight) +
                                         2 * packed_bytes(gradients, precision_.gradient);
      }
    }
    bias_update(l, rows, rule, count);

    // Without momentum the rate goes into the gradient and the product adds to the weights.
    const bool adam = rule.capture == nullptr && optimiser_.adam;
    const bool momentum = rule.capture == nullptr && optimiser_.has_momentum();
    const bool direct = rule.capture == nullptr && !adam && !momentum;
    const float factor = direct ? -rule.rate : 1.0f;
    float* to = nullptr;
    std::size_t ld = layer.stride;
    if (direct) {
      to = as<float>(layer.master);
    } else if (rule.capture != nullptr) {
      to = (*rule.capture)[l].data();
      ld = layer.inputs;
    } else if (adam) {
      reserve(work_.weight_gradient, layer.rows * layer.stride * sizeof(float));
      to = as<float>(work_.weight_gradient);
    } else {
      to = layer.velocity.data();
      for (float& v : layer.velocity) v *= optimiser_.momentum;
    }
    const std::size_t ldx = l == 0 ? batch.stride : layers_[l - 1].out_stride;
    const ProductShape shape{layer.outputs, layer.inputs, rows,
                             true,          false,        layer.out_stride,
                             ldx,           ld,           direct || momentum};
    if (half) {
      kernels().to_bf16(d, count_d, factor, half_d);
      const auto* x = l == 0 ? as<std::uint16_t>(batch.values)
                             : as<std::uint16_t>(std::as_const(work_.rounded[l - 1]));
      products_.multiply(shape, half_d, x, to);
    } else {
      for (std::size_t i = 0; i < count_d; ++i) scaled[i] = d[i] * factor;
      const auto* x =
          l == 0 ? as<float>(batch.values) : as<float>(std::as_const(work_.outputs[l - 1]));
      products_.multiply(shape, scaled, x, to);
    }
    if (adam) {
      const AdamStep step = adam_step_of(rule, true);
      const RoundingKey key = rounding_key(rule.seed, 8 * l + 5, rule.step);
      for (std::size_t j = 0; j < layer.outputs; ++j) {
        const std::size_t from = j * layer.stride;
        float* w = as<float>(layer.master) + from;
        const float* g = to + from;
        if (half) {
          layer_kernels().adam_bf16(w, g, as<std::uint16_t>(layer.first) + from,
                                    as<std::uint16_t>(layer.second) + from, layer.inputs, step, key,
                                    static_cast<std::uint32_t>(from));
        } else {
          layer_kernels().adam_f32(w, g, as<float>(layer.first) + from,
                                   as<float>(layer.second) + from, layer.inputs, step);
        }
      }
    }
    if (momentum) {
      auto* w = as<float>(layer.master);
      for (std::size_t i = 0; i < layer.velocity.size(); ++i) w[i] -= rule.rate * layer.velocity[i];
    }
    if (rule.capture == nullptr && half) rebuild_operand(layer);
    if (count == nullptr) continue;
    const std::uint64_t n = layer.weights();
    count->at(mac_kind(precision_.gradient, precision_.data)) += rows * n;
    count->at(OperationKind::F32Elementwise) += gradients;  // the rate
    count->at(MemoryLevel::Cache) += 2 * packed_bytes(gradients, precision_.gradient);
    if (half) count->at(OperationKind::Rounding) += gradients;
    if (rule.capture != nullptr) continue;
    if (momentum) count->at(OperationKind::F32Elementwise) += 3 * n;
    count->at(MemoryLevel::Cache) +=
        2 * packed_bytes(n, precision_.master) + (momentum ? 8 * n : 0);
    if (adam) {
      count->at(OperationKind::F32Elementwise) +=
          (kAdamElementwise + (optimiser_.weight_decay > 0.0 ? kAdamDecay : 0)) * n;
      count->at(OperationKind::Special) += kAdamSpecial * n;
      if (half) count->at(OperationKind::Rounding) += 2 * n;
      // The gradient is written and read once.
      count->at(MemoryLevel::Cache) += 4 * moment_bytes(precision_) * n + 8 * n;
    }
    if (half) {
      count->at(OperationKind::Rounding) += n;
      count->at(MemoryLevel::Cache) += packed_bytes(n, precision_.weight);
    }
  }
}

void Network::backward(const Batch& batch, const StepRule& rule, Counters* count) {
  if (precision_.is_integer()) {
    integer_backward(batch, rule, count);
    if (count != nullptr && rule.capture == nullptr) {
      std::uint64_t n = 0;
      for (const Layer& layer : layers_) n += layer.weights();
      const auto share = [](std::uint64_t whole) {
        return (whole + kRefreshPeriod - 1) / kRefreshPeriod;
      };
      count->at(OperationKind::F32Elementwise) += share(n);
      count->at(OperationKind::Rounding) += share(n);
      count->at(MemoryLevel::Cache) += share(2 * packed_bytes(n, precision_.master));
    }
  } else {
    float_backward(batch, rule, count);
  }
}

}  // namespace carnot::learn
