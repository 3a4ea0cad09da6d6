// SPDX-License-Identifier: Apache-2.0
// Coefficients and their conversions; the steps are in integer_step.cpp and float_step.cpp.
#include "learn/network/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/random.hpp"

#include "learn/kernels/kernel_table.hpp"
#include "learn/kernels/memory.hpp"
#include "learn/network/rotation.hpp"

namespace carnot::learn {

OperationKind mac_kind(int bits_a, int bits_b) noexcept {
  switch (std::max(bits_a, bits_b)) {
    case 2:
      return OperationKind::Int2Mac;
    case 4:
      return OperationKind::Int4Mac;
    case 8:
      return OperationKind::Int8Mac;
    case 16:
      return OperationKind::Bf16Mac;
    default:
      return OperationKind::F32Mac;
  }
}

Network::Network(NetworkShape shape, const Optimiser& optimiser, std::uint64_t seed, int threads)
    : shape_(std::move(shape)),
      precision_(Precision::parse("f32")),
      optimiser_(optimiser),
      products_(threads),
      threads_(threads) {
  for (std::size_t l = 0; l + 1 < shape_.widths.size(); ++l) {
    Layer layer;
    layer.inputs = shape_.widths[l];
    layer.outputs = shape_.widths[l + 1];
    layer.stride = padded(layer.inputs, 64);
    layer.rows = padded(layer.outputs, 8);
    layer.out_stride = padded(layer.outputs, 64);
    layer.bias.assign(layer.out_stride, 0.0f);
    layer.master = AlignedBytes(layer.rows * layer.stride * sizeof(float));
    if (optimiser_.has_momentum()) {
      layer.velocity.assign(layer.rows * layer.stride, 0.0f);
      layer.bias_velocity.assign(layer.out_stride, 0.0f);
    }
    if (optimiser_.adam) {
      layer.first = layer.second = AlignedBytes(layer.rows * layer.stride * sizeof(float));
      layer.bias_first.assign(layer.out_stride, 0.0f);
      layer.bias_second = layer.bias_first;
    }
    // He et al. 2015, uniform: variance 2 / inputs.
    const double bound = std::sqrt(6.0 / static_cast<double>(layer.inputs));
    const RandomStream stream = RandomStream(seed, "init").child(l);
    float* w = as<float>(layer.master);
    for (std::size_t j = 0; j < layer.outputs; ++j) {
      for (std::size_t k = 0; k < layer.inputs; ++k) {
        const double u = stream.uniform(j * layer.inputs + k);
        w[j * layer.stride + k] = static_cast<float>(bound * (2.0 * u - 1.0));
      }
    }
    layers_.push_back(std::move(layer));
  }
}

Network::Network(const Network& other)
    : shape_(other.shape_),
      precision_(other.precision_),
      optimiser_(other.optimiser_),
      layers_(other.layers_),
      products_(other.threads_),
      threads_(other.threads_) {}

std::vector<std::vector<float>> Network::parameters() const {
  std::vector<std::vector<float>> all;
  for (const Layer& layer : layers_) {
    std::vector<float> weights(layer.weights());
    for (std::size_t j = 0; j < layer.outputs; ++j) {
      for (std::size_t k = 0; k < layer.inputs; ++k) {
        const std::size_t at = j * layer.stride + k;
        float value;
        if (!precision_.is_integer()) {
          value = as<float>(layer.master)[at];
        } else if (precision_.master == 16) {
          value = layer.scale[j] * static_cast<float>(as<std::int16_t>(layer.master)[at]);
        } else {
          value = layer.scale[j] * static_cast<float>(as<std::int8_t>(layer.master)[at]);
        }
        weights[j * layer.inputs + k] = value;
      }
      if (precision_.is_integer() && rotates(all.size() / 2)) {
        rotate_back(weights.data() + j * layer.inputs, layer.inputs);
      }
    }
    all.push_back(std::move(weights));
    all.emplace_back(layer.bias.begin(),
                     layer.bias.begin() + static_cast<std::ptrdiff_t>(layer.outputs));
  }
  return all;
}

namespace {

constexpr float kHeadRoom = 1.1f;

template <class Master>
void from_floats(Layer& layer) {
  constexpr float kMost = sizeof(Master) == 2 ? 32767.0f : 127.0f;
  AlignedBytes next(layer.rows * layer.stride * sizeof(Master));
  layer.scale.assign(layer.rows, 0.0f);
  const float* w = as<float>(layer.master);
  for (std::size_t j = 0; j < layer.outputs; ++j) {
    const float* row = w + j * layer.stride;
    float most = 0.0f;
    for (std::size_t k = 0; k < layer.inputs; ++k) most = std::max(most, std::abs(row[k]));
    most = std::max(most, 1e-12f);  // an all-zero row still needs a grid to grow on
    layer.scale[j] = kHeadRoom * most / kMost;
    const float inverse = kMost / (kHeadRoom * most);
    Master* to = as<Master>(next) + j * layer.stride;
    for (std::size_t k = 0; k < layer.inputs; ++k) {
      to[k] = static_cast<Master>(round_to_nearest(std::clamp(row[k] * inverse, -kMost, kMost)));
    }
  }
  layer.master = std::move(next);
}

template <class Master>
void to_floats(Layer& layer) {
  AlignedBytes next(layer.rows * layer.stride * sizeof(float));
  const Master* m = as<Master>(layer.master);
  for (std::size_t j = 0; j < layer.outputs; ++j) {
    for (std::size_t k = 0; k < layer.inputs; ++k) {
      const std::size_t at = j * layer.stride + k;
      as<float>(next)[at] = layer.scale[j] * static_cast<float>(m[at]);
    }
  }
  layer.master = std::move(next);
  layer.scale.clear();
}

/// Rows of coefficients and velocities into the basis of rotated data, or back.
void change_basis(Layer& layer, void (*turn)(float*, std::size_t)) {
  for (std::size_t j = 0; j < layer.outputs; ++j) {
    turn(as<float>(layer.master) + j * layer.stride, layer.inputs);
    if (!layer.velocity.empty()) turn(layer.velocity.data() + j * layer.stride, layer.inputs);
  }
}

void widen(Layer& layer) {
  AlignedBytes next(layer.rows * layer.stride * sizeof(std::int16_t));
  for (std::size_t i = 0; i < layer.rows * layer.stride; ++i) {
    as<std::int16_t>(next)[i] = static_cast<std::int16_t>(as<std::int8_t>(layer.master)[i] * 256);
  }
  layer.master = std::move(next);
  for (float& s : layer.scale) s *= 0x1p-8f;
}

void narrow(Layer& layer, RoundingKey key) {
  AlignedBytes next(layer.rows * layer.stride);
  for (std::size_t i = 0; i < layer.rows * layer.stride; ++i) {
    const float x = static_cast<float>(as<std::int16_t>(layer.master)[i]) * 0x1p-8f;
    const int q = round_stochastically(x, rounding_draw(key, i));
    as<std::int8_t>(next)[i] = static_cast<std::int8_t>(std::clamp(q, -127, 127));
  }
  layer.master = std::move(next);
  for (float& s : layer.scale) s *= 0x1p8f;
}

}  // namespace

void Network::rebuild_operand(Layer& layer) {
  const std::size_t n = layer.rows * layer.stride;
  layer.operand_scale.clear();
  if (precision_.data == 32) {
    layer.operand = AlignedBytes();
    return;
  }
  if (precision_.data == 16) {
    if (layer.operand.size() != n * 2) layer.operand = AlignedBytes(n * 2);
    kernels().to_bf16(as<float>(layer.master), n, 1.0f, as<std::uint16_t>(layer.operand));
    return;
  }
  if (layer.operand.size() != n) layer.operand = AlignedBytes(n);
  const int shift = precision_.master - precision_.weight;
  const int limit = (1 << (precision_.weight - 1)) - 1;
  if (precision_.master == 16) {
    kernels().round16(as<std::int16_t>(layer.master), n, shift, limit,
                      as<std::int8_t>(layer.operand));
  } else {
    kernels().round8(as<std::int8_t>(layer.master), n, shift, limit,
                     as<std::int8_t>(layer.operand));
  }
  layer.operand_scale = layer.scale;
  layer.operand_scale.resize(layer.out_stride, 0.0f);
  for (float& s : layer.operand_scale) s *= static_cast<float>(1 << shift);
}

AdamStep Network::adam_step_of(const StepRule& rule, bool decays) const noexcept {
  return adam_step(static_cast<double>(rule.rate), decays ? optimiser_.weight_decay : 0.0,
                   rule.step + 1);
}

void Network::convert_moments(std::size_t l, const Precision& to) {
  Layer& layer = layers_[l];
  // In another basis each entry is a signed mean of old ones: first moments follow, of second ones
  // only the mean of the row is kept.
  const bool turns = rotates(l) && precision_.is_integer() != to.is_integer();
  const std::size_t n = layer.rows * layer.stride;
  if (!turns && moment_bytes(precision_) == moment_bytes(to)) return;
  std::vector<float> first(n), second(n);
  for (std::size_t i = 0; i < n; ++i) {
    first[i] = moment(layer.first, i, precision_);
    second[i] = moment(layer.second, i, precision_);
  }
  for (std::size_t j = 0; turns && j < layer.outputs; ++j) {
    float* row = first.data() + j * layer.stride;
    to.is_integer() ? rotate(row, layer.inputs) : rotate_back(row, layer.inputs);
    float sum = 0.0f;
    for (std::size_t k = 0; k < layer.inputs; ++k) sum += second[j * layer.stride + k];
    for (std::size_t k = 0; k < layer.inputs; ++k)
      second[j * layer.stride + k] = sum / static_cast<float>(layer.inputs);
  }
  const std::size_t bytes = n * moment_bytes(to);
  layer.first = AlignedBytes(bytes);
  layer.second = AlignedBytes(bytes);
  if (moment_bytes(to) == 4) {
    std::copy(first.begin(), first.end(), as<float>(layer.first));
    std::copy(second.begin(), second.end(), as<float>(layer.second));
  } else {
    kernels().to_bf16(first.data(), n, 1.0f, as<std::uint16_t>(layer.first));
    kernels().to_bf16(second.data(), n, 1.0f, as<std::uint16_t>(layer.second));
  }
}

void Network::assume_precision(const Precision& precision) {
  precision_ = precision;
  for (Layer& layer : layers_) rebuild_operand(layer);
}

void Network::set_precision(const Precision& precision, RoundingKey key, Counters* count) {
  if (precision == precision_) return;
  const bool was_integer = precision_.is_integer();
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const std::uint64_t n = layer.weights();
    if (optimiser_.adam) {
      convert_moments(l, precision);
      if (count != nullptr && moment_bytes(precision) != moment_bytes(precision_)) {
        count->at(OperationKind::Rounding) += 2 * n;
        count->at(MemoryLevel::Cache) += 2 * n * (2 + 4);
      }
    }
    if (precision.master != precision_.master) {
      if (!was_integer) {
        if (rotates(l) && precision.is_integer()) change_basis(layer, rotate);
        precision.master == 16 ? from_floats<std::int16_t>(layer) : from_floats<std::int8_t>(layer);
      } else if (!precision.is_integer()) {
        precision_.master == 16 ? to_floats<std::int16_t>(layer) : to_floats<std::int8_t>(layer);
        if (rotates(l)) change_basis(layer, rotate_back);
      } else if (precision.master > precision_.master) {
        widen(layer);
      } else {
        narrow(layer, {key.first + static_cast<std::uint32_t>(l), key.second});
      }
      if (count != nullptr) {
        if (rotates(l) && was_integer != precision.is_integer()) {
          count->at(OperationKind::F32Elementwise) +=
              layer.outputs * rotation_operations(layer.inputs);
        }
        count->at(OperationKind::Rounding) += n;
        count->at(MemoryLevel::Cache) +=
            packed_bytes(n, precision_.master) + packed_bytes(n, precision.master);
      }
    }
    if (count != nullptr && precision.data < 32) {
      count->at(OperationKind::Rounding) += n;
      count->at(MemoryLevel::Cache) +=
          packed_bytes(n, precision.master) + packed_bytes(n, precision.weight);
    }
  }
  assume_precision(precision);
}

void Network::refresh(std::uint64_t seed, std::uint64_t step) {
  if (!precision_.is_integer()) return;
  const bool wide = precision_.master == 16;
  const float most = wide ? 32767.0f : 127.0f;
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    Layer& layer = layers_[l];
    const RoundingKey key = rounding_key(seed, 8 * l + 3, step);
    for (std::size_t j = 0; j < layer.outputs; ++j) {
      const std::size_t from = j * layer.stride;
      int top = 0;
      for (std::size_t k = 0; k < layer.inputs; ++k) {
        const int m = wide ? as<std::int16_t>(layer.master)[from + k]
                           : as<std::int8_t>(layer.master)[from + k];
        top = std::max(top, std::abs(m));
      }
      if (top == 0) continue;
      const float factor = most / (kHeadRoom * static_cast<float>(top));
      layer.scale[j] /= factor;
      const auto index = static_cast<std::uint32_t>(from);
      if (wide) {
        kernels().rescale16(as<std::int16_t>(layer.master) + from, layer.stride, factor, key,
                            index);
      } else {
        kernels().rescale8(as<std::int8_t>(layer.master) + from, layer.stride, factor, key, index);
      }
    }
    rebuild_operand(layer);
  }
}

}  // namespace carnot::learn
