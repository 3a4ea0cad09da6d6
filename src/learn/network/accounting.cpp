// SPDX-License-Identifier: Apache-2.0
#include "learn/network/accounting.hpp"

#include "learn/network/rotation.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

struct Sums {
  std::uint64_t weights = 0;        // sum of inputs x outputs
  std::uint64_t inner_weights = 0;  // of all layers but the first
  std::uint64_t outputs = 0;        // units of all layers
  std::uint64_t hidden = 0;         // units of hidden layers
  std::uint64_t hidden_layers = 0;
  std::uint64_t last = 0;
};

Sums sums_of(const NetworkShape& shape) {
  Sums s;
  for (std::size_t l = 0; l + 1 < shape.widths.size(); ++l) {
    const std::uint64_t n = shape.widths[l] * shape.widths[l + 1];
    s.weights += n;
    if (l > 0) {
      s.inner_weights += n;
      s.hidden += shape.widths[l];
      ++s.hidden_layers;
    }
    s.outputs += shape.widths[l + 1];
  }
  s.last = shape.widths.back();
  return s;
}

bool is_half(const Precision& p) noexcept { return p.data == 16; }

/// Bytes of a matrix per layer, each rounded up to whole bytes.
std::uint64_t weight_bytes(const NetworkShape& shape, int bits) {
  std::uint64_t bytes = 0;
  for (std::size_t l = 0; l + 1 < shape.widths.size(); ++l) {
    bytes += packed_bytes(shape.widths[l] * shape.widths[l + 1], bits);
  }
  return bytes;
}

std::uint64_t row_bytes(const NetworkShape& shape, const Precision& p) {
  return packed_bytes(shape.widths[0], p.data) + (p.is_integer() && !shape.unsigned_inputs ? 4 : 0);
}

}  // namespace

Counters forward_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows) {
  const Sums s = sums_of(shape);
  Counters c;
  c.at(mac_kind(p.data, p.weight)) = rows * s.weights;
  const std::uint64_t outputs = rows * s.outputs;
  const std::uint64_t hidden = rows * s.hidden;
  c.at(Kind::F32Elementwise) = p.is_integer() ? 3 * outputs + 2 * hidden : outputs + hidden;
  if (p.data < 32) c.at(Kind::Rounding) = hidden;
  if (p.is_integer()) c.at(Kind::Special) = 2 * rows * s.hidden_layers;
  c.at(MemoryLevel::Dram) = rows * (row_bytes(shape, p) + 4);
  c.at(MemoryLevel::Cache) = weight_bytes(shape, p.weight);
  for (std::size_t l = 1; l + 1 < shape.widths.size(); ++l) {
    c.at(MemoryLevel::Cache) += 2 * packed_bytes(rows * shape.widths[l], p.data);
  }
  return c;
}

Counters loss_counters(const NetworkShape& shape, std::uint64_t rows) {
  Counters c;
  const std::uint64_t last = shape.widths.back();
  switch (shape.loss) {
    case Loss::Softmax:
      c.at(Kind::F32Elementwise) = rows * (5 * last + 1);
      c.at(Kind::Special) = rows * (last + 2);
      break;
    case Loss::Logistic:
      c.at(Kind::F32Elementwise) = 5 * rows;
      c.at(Kind::Special) = 3 * rows;
      break;
    case Loss::Squared:
      c.at(Kind::F32Elementwise) = 4 * rows;
      break;
  }
  return c;
}

Counters backward_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows,
                           const Optimiser& optimiser, bool update) {
  const bool momentum = optimiser.has_momentum();
  const Sums s = sums_of(shape);
  const bool integer = p.is_integer();
  Counters c;
  c.at(mac_kind(p.gradient, p.data)) += rows * s.weights;
  c.at(mac_kind(p.gradient, p.weight)) += rows * s.inner_weights;
  const std::uint64_t gradients = rows * s.outputs;                  // read by weight gradients
  const std::uint64_t inner = rows * (s.outputs - shape.widths[1]);  // and by input gradients
  auto& elementwise = c.at(Kind::F32Elementwise);
  if (integer) {
    elementwise = 2 * gradients + 2 * inner + 2 * rows * s.hidden;
    c.at(Kind::Special) = 2 * s.outputs + 2 * rows * s.hidden_layers;
  } else {
    elementwise = gradients + rows * s.hidden;
  }
  if (p.data < 32) c.at(Kind::Rounding) = gradients + inner;
  elementwise += gradients;  // bias gradients
  auto& cache = c.at(MemoryLevel::Cache);
  for (std::size_t l = 1; l < shape.widths.size(); ++l) {
    const std::uint64_t times = l > 1 ? 4 : 2;
    cache += times * packed_bytes(rows * shape.widths[l], p.gradient);
    if (l > 1) cache += packed_bytes(shape.widths[l - 1] * shape.widths[l], p.weight);
  }
  if (!update) return c;
  if (optimiser.adam) {
    const std::uint64_t all = s.weights + s.outputs;
    elementwise += kAdamElementwise * all + (optimiser.weight_decay > 0.0 ? 2 * s.weights : 0);
    c.at(Kind::Special) += kAdamSpecial * all;
    if (p.data < 32) c.at(Kind::Rounding) += 2 * s.weights;
    cache += (p.data == 32 ? 16 : 8) * s.weights;  // two moments, read and written
    if (!integer) cache += 8 * s.weights;          // the gradient
  } else {
    elementwise += (momentum ? 4 : 2) * s.outputs;  // biases
  }
  cache += 2 * weight_bytes(shape, p.master);
  if (momentum) cache += 8 * s.weights;
  if (p.data < 32) cache += weight_bytes(shape, p.weight);
  if (integer) {
    elementwise += (momentum ? 5 : 2) * s.weights;
    c.at(Kind::Rounding) += 2 * s.weights;
    c.at(Kind::Special) += s.outputs;
    elementwise += (s.weights + kRefreshPeriod - 1) / kRefreshPeriod;
    c.at(Kind::Rounding) += (s.weights + kRefreshPeriod - 1) / kRefreshPeriod;
    cache += (2 * packed_bytes(s.weights, p.master) + kRefreshPeriod - 1) / kRefreshPeriod;
  } else {
    if (momentum) elementwise += 3 * s.weights;
    if (is_half(p)) c.at(Kind::Rounding) += s.weights;
  }
  return c;
}

Counters conversion_counters(const NetworkShape& shape, const Precision& from, const Precision& to,
                             const Optimiser& optimiser) {
  Counters c;
  if (from == to) return c;
  const std::uint64_t n = sums_of(shape).weights;
  if (optimiser.adam && (from.data == 32) != (to.data == 32)) {
    c.at(Kind::Rounding) += 2 * n;
    c.at(MemoryLevel::Cache) += 12 * n;
  }
  if (from.master != to.master) {
    if (!shape.unsigned_inputs && from.is_integer() != to.is_integer())
      c.at(Kind::F32Elementwise) += shape.widths[1] * rotation_operations(shape.widths[0]);
    c.at(Kind::Rounding) += n;
    c.at(MemoryLevel::Cache) += weight_bytes(shape, from.master) + weight_bytes(shape, to.master);
  }
  if (to.data < 32) {
    c.at(Kind::Rounding) += n;
    c.at(MemoryLevel::Cache) += weight_bytes(shape, to.master) + weight_bytes(shape, to.weight);
  }
  return c;
}

Counters copy_counters(const NetworkShape& shape, const Precision& p, std::uint64_t rows) {
  Counters c;
  if (p.data == 32) return c;
  if (shape.unsigned_inputs && (p.data == 8 || p.data == 4))
    return c;  // planes of the data as read
  const std::uint64_t columns = shape.widths[0];
  c.at(Kind::Rounding) = rows * columns;
  c.at(MemoryLevel::Dram) = rows * (4 * columns + row_bytes(shape, p));
  if (p.is_integer() && !shape.unsigned_inputs) {
    // Rotation; greatest of the row.
    c.at(Kind::F32Elementwise) = rows * (rotation_operations(columns) + columns);
    c.at(Kind::Special) = 2 * rows;
  }
  return c;
}

}  // namespace carnot::learn
