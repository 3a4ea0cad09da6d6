// SPDX-License-Identifier: Apache-2.0
// Closed forms of what a transformer counts, from its shape alone.
#include "learn/transformer/transformer.hpp"

namespace carnot::learn {

namespace {

using Kind = OperationKind;

/// Pairs of a row and one that it sees, of a window: whole strips of 32 rows, and what is left.
std::uint64_t pairs_of(const TransformerShape& s, std::uint64_t length) {
  if (!s.causal) return length * length;
  const std::uint64_t whole = length / 32, rest = length % 32;
  return 32 * 32 * whole * (whole + 1) / 2 + rest * length;
}

std::uint64_t vectors_of(const TransformerShape& s) { return (4 * s.layers + 2) * s.width; }

/// Applies `add(inputs, outputs, times, of a perceptron's first matrix)` to the kinds of matrix.
template <class Add>
void each_matrix(const TransformerShape& s, Add add) {
  for (std::size_t l = 0; l < s.layers; ++l) {
    add(s.width, 3 * s.width, false);
    add(s.width, s.width, false);
    add(s.width, 4 * s.width, true);
    add(4 * s.width, s.width, false);
  }
  add(s.width, s.classes, false);
}

}  // namespace

std::uint64_t transformer_weights(const TransformerShape& s) noexcept {
  return s.layers * 12 * s.width * s.width + s.width * s.classes;
}

Counters transformer_forward_counters(const TransformerShape& s, const Precision& p,
                                      std::uint64_t windows, std::uint64_t length) {
  const std::uint64_t rows = windows * length, d = s.width, n = rows * d, layers = s.layers;
  const std::uint64_t pairs = windows * s.heads * pairs_of(s, length);
  Counters c;
  each_matrix(s, [&](std::uint64_t inputs, std::uint64_t outputs, bool relu) {
    c += operand_counters(rows, inputs, p);
    c += linear_forward_counters(inputs, outputs, rows, relu, p);
  });
  // Attention: two products of `pairs` rows of a head, softmax.
  c.at(Kind::F32Mac) += layers * 2 * pairs * (d / s.heads);
  c.at(Kind::F32Elementwise) += layers * 4 * pairs;
  c.at(Kind::Special) += layers * (pairs + rows * s.heads);
  c.at(MemoryLevel::Cache) += layers * (8 * pairs + 16 * n);
  // Embedding; two sums a block; normalisations.
  c.at(Kind::F32Elementwise) += n + layers * 2 * n + (2 * layers + 1) * 8 * n;
  c.at(Kind::Special) += (2 * layers + 1) * 2 * rows;
  c.at(MemoryLevel::Cache) += 12 * n + layers * 24 * n + (2 * layers + 1) * 12 * n;
  c.at(MemoryLevel::Dram) += rows;
  return c;
}

Counters transformer_loss_counters(const TransformerShape& s, std::uint64_t rows) {
  Counters c;
  c.at(Kind::F32Elementwise) = rows * (5 * s.classes + 1);
  c.at(Kind::Special) = rows * (s.classes + 2);
  return c;
}

Counters transformer_backward_counters(const TransformerShape& s, const Precision& p,
                                       std::uint64_t windows, std::uint64_t length, bool decays,
                                       bool update) {
  const std::uint64_t rows = windows * length, d = s.width, n = rows * d, layers = s.layers;
  const std::uint64_t pairs = windows * s.heads * pairs_of(s, length);
  Counters c;
  each_matrix(s, [&](std::uint64_t inputs, std::uint64_t outputs, bool) {
    c += linear_input_gradient_counters(inputs, outputs, rows, p);
    c += linear_weight_gradient_counters(inputs, outputs, rows, decays, update, p);
  });
  c.at(Kind::F32Mac) += layers * 4 * pairs * (d / s.heads);
  c.at(Kind::F32Elementwise) += layers * (4 * pairs + 4 * n);  // and the gates of 4 d units
  c.at(MemoryLevel::Cache) += layers * (20 * pairs + 28 * n);
  // Normalisations: the last one writes, the others add.
  c.at(Kind::F32Elementwise) += 12 * n + layers * 26 * n;
  c.at(MemoryLevel::Cache) += 12 * n + layers * 32 * n;
  // Embeddings.
  c.at(Kind::F32Elementwise) += 2 * n;
  c.at(MemoryLevel::Cache) += 20 * n;
  if (!update) return c;
  const std::uint64_t floats = (s.classes + kExtraSymbols + s.context) * d + vectors_of(s);
  c.at(Kind::F32Elementwise) += 12 * floats;
  c.at(Kind::Special) += 2 * floats;
  c.at(MemoryLevel::Cache) += 32 * floats;
  return c;
}

Counters transformer_conversion_counters(const TransformerShape& s, const Precision& from,
                                         const Precision& to) {
  Counters c;
  each_matrix(s, [&](std::uint64_t inputs, std::uint64_t outputs, bool) {
    c += linear_conversion_counters(inputs, outputs, from, to);
  });
  return c;
}

}  // namespace carnot::learn
