// SPDX-License-Identifier: Apache-2.0
#pragma once

// The network: embeddings, blocks of attention and a perceptron with normalisation before each
// (Vaswani et al. 2017; "pre-norm", Xiong et al., ICML 2020), and an output matrix of its own.
//   x = E[symbol] + P[place];  x += proj(attention(qkv(norm(x))));  x += down(relu(up(norm(x))));
//   logits = out(norm(x))
// Matrices multiply in the precision; normalisation, softmax and the two products of attention,
// embeddings and sums are binary32 in every precision.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/knobs/precision.hpp"

#include "learn/layers/linear.hpp"

namespace carnot::learn {

struct TransformerShape {
  std::size_t layers = 2, heads = 4, width = 128, context = 128, classes = 0;
  bool causal = true;
  std::size_t inner() const noexcept { return 4 * width; }  ///< of the perceptron
  bool operator==(const TransformerShape&) const = default;
};

/// Inputs beside the classes: what stands before the first symbol, and a hidden one.
inline constexpr std::size_t kStartSymbol = 0, kHiddenSymbol = 1, kExtraSymbols = 2;

/// Rows of attention done at once; beyond their end nothing is computed where it is causal.
inline constexpr std::size_t kAttentionStrip = 32;

/// Coefficients in binary32 with Adam's moments: gains, biases, embeddings.
struct FloatCoefficients {
  std::vector<float> values, gradient, first, second;
  explicit FloatCoefficients(std::size_t n = 0, float value = 0.0f)
      : values(n, value), gradient(n), first(n), second(n) {}
};

class Transformer {
 public:
  /// f32, random.
  Transformer(const TransformerShape& shape, double weight_decay, std::uint64_t seed);

  const TransformerShape& shape() const noexcept { return shape_; }
  const Precision& precision() const noexcept { return precision_; }
  const Optimiser& optimiser() const noexcept { return optimiser_; }
  std::vector<const Linear*> matrices() const;
  /// Embeddings of symbols and places; a block: gain, bias, qkv, proj, gain, bias, up, down (each
  /// matrix followed by its biases); gain, bias, out.
  std::vector<std::vector<float>> parameters() const;
  /// How many rows each entry of parameters() has, that is scales of a coded model.
  static std::vector<std::size_t> parameter_rows(const TransformerShape& shape);
  /// Numbers in each entry of parameters().
  static std::vector<std::size_t> parameter_sizes(const TransformerShape& shape);
  /// f32 only. \throws InputError unless they are as parameter_sizes says, and finite
  void take_parameters(const std::vector<std::vector<float>>& parameters);

  void set_precision(const Precision& precision, RoundingKey key, Counters* count);

  /// \param inputs  [windows x length], symbols or classes + kStartSymbol, + kHiddenSymbol
  /// \return logits [windows * length][logit_stride()]
  float* forward(std::span<const std::uint32_t> inputs, std::size_t length, Counters* count);
  std::size_t logit_stride() const noexcept { return out_.out_stride(); }
  /// -ln p of the target of each row of the last forward; rows with target < 0 count nothing.
  /// Logits become their gradient of the mean. \return rows whose target was the likeliest
  std::size_t differentiate(std::span<const std::int32_t> targets, std::vector<double>& nats,
                            Counters* count);
  /// After forward and differentiate. With rule.capture the matrices' gradients go there, in the
  /// order of matrices(), the others stay in float_coefficients(), and nothing changes.
  void backward(const StepRule& rule, Counters* count);
  void refresh(std::uint64_t seed, std::uint64_t step);

  std::vector<FloatCoefficients*> float_coefficients();

  void save(StateWriter& out) const;
  /// \throws InputError
  void restore(StateReader& in);

 private:
  struct Block {
    FloatCoefficients gain1, bias1, gain2, bias2;
    Linear qkv, proj, up, down;
    // Of the last forward.
    AlignedBytes normal1, inverse1, y1, mixed, shares, heads, normal2, inverse2, y2, inner;
    Operand y1_operand, heads_operand, y2_operand, inner_operand;
  };

  std::vector<Linear*> mutable_matrices();
  void prepare(std::size_t rows, std::size_t windows, std::size_t length);
  void normalise(const AlignedBytes& x, const FloatCoefficients& gain,
                 const FloatCoefficients& bias, AlignedBytes& normal, AlignedBytes& inverse,
                 AlignedBytes& y, Counters* count) const;
  void normalise_back(const AlignedBytes& dy, FloatCoefficients& gain, FloatCoefficients& bias,
                      const AlignedBytes& normal, const AlignedBytes& inverse, bool add,
                      AlignedBytes& dx, Counters* count) const;
  void attend(Block& block, Counters* count);
  void attend_back(Block& block, Counters* count);
  void add(AlignedBytes& x, const AlignedBytes& y, Counters* count) const;
  void step_floats(const StepRule& rule, Counters* count);

  TransformerShape shape_;
  Optimiser optimiser_;
  Precision precision_ = Precision::parse("f32");
  FloatCoefficients symbols_, places_;
  std::vector<Block> blocks_;
  FloatCoefficients gain_, bias_;
  Linear out_;
  LinearWork work_;

  std::size_t rows_ = 0, windows_ = 0, length_ = 0;  // of the last forward
  std::size_t stride_ = 0;                           // of vectors: width padded to 64
  std::vector<std::uint32_t> inputs_;
  AlignedBytes x_, y_, normal_, inverse_, logits_, change_, dx_, dy_, dmixed_, dinner_, dheads_;
  AlignedBytes turned_, dshares_;
  Operand y_operand_;
  std::size_t targets_ = 0;
};

/// Closed forms, written apart from the code that counts.
Counters transformer_forward_counters(const TransformerShape& shape, const Precision& p,
                                      std::uint64_t windows, std::uint64_t length);
Counters transformer_loss_counters(const TransformerShape& shape, std::uint64_t rows);
Counters transformer_backward_counters(const TransformerShape& shape, const Precision& p,
                                       std::uint64_t windows, std::uint64_t length, bool decays,
                                       bool update);
Counters transformer_conversion_counters(const TransformerShape& shape, const Precision& from,
                                         const Precision& to);
/// Coefficients in matrices, and all.
std::uint64_t transformer_weights(const TransformerShape& shape) noexcept;

}  // namespace carnot::learn
