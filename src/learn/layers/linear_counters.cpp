// SPDX-License-Identifier: Apache-2.0
// Closed forms of what a Linear counts, from the formulas and not from its code.
#include "learn/layers/linear.hpp"

namespace carnot::learn {

using Kind = OperationKind;

Counters operand_counters(std::uint64_t rows, std::uint64_t columns, const Precision& p) {
  Counters c;
  const std::uint64_t n = rows * columns;
  c.at(MemoryLevel::Cache) = 4 * n + 2 * ((n * static_cast<std::uint64_t>(p.data) + 7) / 8);
  if (p.data < 32) c.at(Kind::Rounding) = n;
  if (p.data <= 8) {
    c.at(Kind::F32Elementwise) = n;
    c.at(Kind::Special) = 2 * rows;
  }
  return c;
}

Counters linear_forward_counters(std::uint64_t inputs, std::uint64_t outputs, std::uint64_t rows,
                                 bool relu, const Precision& p) {
  Counters c;
  c.at(mac_kind(p.data, p.weight)) = rows * inputs * outputs;
  c.at(Kind::F32Elementwise) = rows * outputs * ((p.data <= 8 ? 3u : 1u) + (relu ? 1u : 0u));
  c.at(MemoryLevel::Cache) = packed_bytes(inputs * outputs, p.weight) + 4 * rows * outputs;
  return c;
}

Counters linear_input_gradient_counters(std::uint64_t inputs, std::uint64_t outputs,
                                        std::uint64_t rows, const Precision& p) {
  Counters c;
  c.at(mac_kind(p.gradient, p.weight)) = rows * inputs * outputs;
  c.at(MemoryLevel::Cache) = packed_bytes(inputs * outputs, p.weight) +
                             2 * packed_bytes(rows * outputs, p.gradient) +
                             4 * rows * (outputs + inputs);
  if (p.data < 32) c.at(Kind::Rounding) = rows * outputs;
  if (p.data <= 8) {
    c.at(Kind::F32Elementwise) = rows * (2 * outputs + inputs);
    c.at(Kind::Special) = 2 * rows;
  }
  return c;
}

Counters linear_weight_gradient_counters(std::uint64_t inputs, std::uint64_t outputs,
                                         std::uint64_t rows, bool decays, bool update,
                                         const Precision& p) {
  const std::uint64_t n = inputs * outputs;
  const bool integer = p.data <= 8, rounds = p.data < 32;
  Counters c;
  c.at(mac_kind(p.gradient, p.data)) = rows * n;
  c.at(MemoryLevel::Cache) = 2 * packed_bytes(rows * outputs, p.gradient) + 4 * rows * outputs +
                             packed_bytes(rows * inputs, p.data);
  c.at(Kind::F32Elementwise) = rows * outputs * (integer ? 3 : 1);
  c.at(Kind::Rounding) = rounds ? rows * outputs : 0;
  c.at(Kind::Special) = integer ? 2 * outputs : 0;
  if (!update) return c;
  // Adam: weights and biases; weights' moments are binary32 in f32 alone, each read and written.
  c.at(Kind::F32Elementwise) += 12 * (n + outputs) + (decays ? 2 * n : 0);
  c.at(Kind::Special) += 2 * (n + outputs);
  c.at(MemoryLevel::Cache) += (rounds ? 8 : 16) * n;
  if (!integer) c.at(MemoryLevel::Cache) += 8 * n + 8 * n;  // gradient, and binary32 masters
  if (rounds) {
    c.at(Kind::Rounding) += 3 * n;
    c.at(MemoryLevel::Cache) += packed_bytes(n, p.weight);
  }
  if (integer) {
    const std::uint64_t share = (n + 63) / 64;  // of renewing scales every 64 steps
    c.at(Kind::F32Elementwise) += 2 * n + share;
    c.at(Kind::Rounding) += n + share;
    c.at(Kind::Special) += outputs;
    c.at(MemoryLevel::Cache) += 4 * n + 4 * share;  // masters of 16 bits
  }
  return c;
}

Counters linear_conversion_counters(std::uint64_t inputs, std::uint64_t outputs,
                                    const Precision& from, const Precision& to) {
  Counters c;
  const Precision a = layer_precision(from), b = layer_precision(to);
  if (a == b) return c;
  const std::uint64_t n = inputs * outputs;
  if ((a.data == 32) != (b.data == 32)) {
    c.at(Kind::Rounding) += 2 * n;
    c.at(MemoryLevel::Cache) += 12 * n;
  }
  if (a.is_integer() != b.is_integer()) {
    c.at(Kind::Rounding) += n;
    c.at(MemoryLevel::Cache) += 6 * n;
  }
  if (b.data < 32) {
    c.at(Kind::Rounding) += n;
    c.at(MemoryLevel::Cache) += (b.is_integer() ? 2 : 4) * n + packed_bytes(n, b.weight);
  }
  return c;
}

}  // namespace carnot::learn
