// SPDX-License-Identifier: Apache-2.0
#pragma once

// The coefficients of a linear model or a perceptron, in the format of the present precision, and
// one step of stochastic gradient descent on them.
//
// Between steps a coefficient is a *master*: binary32 in the float precisions; in the integer ones
// an int16 (8-bit weights) or int8 (4- and 2-bit weights) in units of its row's scale. There is no
// binary32 copy of a weight then. Products see the master rounded to its upper bits. Biases stay
// binary32: they are O(width). Scales are renewed every kRefreshPeriod steps so that the greatest
// coefficient of a row has 10 % of head-room; a row whose coefficient meets the end of its grid in
// between doubles its scale there and then, so that coefficients grow as fast as in binary32.
// Against standardised (signed) data the first layer's masters are in the rotated basis of
// rotation.hpp.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/learn/kernels/kernels.hpp"
#include "carnot/learn/knobs/precision.hpp"

#include "learn/kernels/float_products.hpp"
#include "learn/kernels/layer_kernels.hpp"

namespace carnot::learn {

enum class Loss : std::uint8_t { Softmax, Logistic, Squared };

inline constexpr std::uint64_t kRefreshPeriod = 64;
/// Every row is watched for outgrowing its grid in the first steps, then a quarter of them a step.
inline constexpr std::uint64_t kGrowthWatch = 256, kGrowthPeriod = 4;

constexpr std::size_t padded(std::size_t n, std::size_t to) noexcept {
  return (n + to - 1) / to * to;
}
/// Bytes of n elements of `bits` bits, packed.
constexpr std::uint64_t packed_bytes(std::uint64_t n, int bits) noexcept {
  return (n * static_cast<std::uint64_t>(bits) + 7) / 8;
}
/// The kind of a product is that of its wider operand.
OperationKind mac_kind(int bits_a, int bits_b) noexcept;

struct NetworkShape {
  std::vector<std::size_t> widths;  ///< inputs, (hidden,) outputs
  Loss loss = Loss::Softmax;
  bool unsigned_inputs = false;
  bool operator==(const NetworkShape&) const = default;
};

/// Rows of data in the format of a precision.
struct Batch {
  std::size_t rows = 0;
  std::size_t stride = 0;        ///< elements a row, inputs padded to 64
  bool is_signed = false;        ///< of `values` as bytes
  AlignedBytes values;           ///< uint8/int8, bfloat16 or float, [rows padded to 4][stride]
  std::vector<float> row_scale;  ///< integer precisions
  std::vector<std::uint32_t> labels;
  std::vector<float> targets;
};

struct Layer {
  std::size_t inputs = 0, outputs = 0;
  std::size_t stride = 0;                  ///< of weight rows: inputs padded to 64
  std::size_t rows = 0;                    ///< outputs padded to 8
  std::size_t out_stride = 0;              ///< of activations: outputs padded to 64
  std::vector<float> bias, bias_velocity;  ///< [out_stride]
  AlignedBytes master;                     ///< float, int16 or int8, [rows][stride]
  AlignedBytes operand;                    ///< int8 or bfloat16 as products see it; empty in f32
  std::vector<float> scale;                ///< [rows] of the integer master, else empty
  std::vector<float> operand_scale;        ///< [out_stride] scale times 2^(master - weight bits)
  std::vector<float> velocity;             ///< [rows][stride], only with momentum
  AlignedBytes first, second;              ///< moments, only with Adam: float in f32, else bfloat16
  std::vector<float> bias_first, bias_second;  ///< [out_stride], likewise, always float
  std::size_t weights() const noexcept { return inputs * outputs; }
};

/// How a gradient becomes a change.
struct Optimiser {
  float momentum = 0.0f;
  bool adam = false;
  double weight_decay = 0.0;  ///< of Adam
  bool has_momentum() const noexcept { return momentum > 0.0f; }
};
/// Bytes of one moment of Adam.
constexpr std::uint64_t moment_bytes(const Precision& p) noexcept { return p.data == 32 ? 4 : 2; }
/// Moment i of `bytes`.
inline float moment(const AlignedBytes& bytes, std::size_t i, const Precision& p) noexcept {
  return p.data == 32 ? reinterpret_cast<const float*>(bytes.data())[i]
                      : from_bf16(reinterpret_cast<const std::uint16_t*>(bytes.data())[i]);
}

/// What a step should do with the gradient.
struct StepRule {
  float rate = 0.0f;
  std::uint64_t seed = 0, step = 0;  ///< key of the random roundings
  std::vector<std::vector<float>>* capture =
      nullptr;  ///< if set: store [outputs x inputs], no update
};

class Network {
 public:
  /// Precision f32, He-uniform weights, biases 0.
  Network(NetworkShape shape, const Optimiser& optimiser, std::uint64_t seed, int threads);
  /// The same coefficients, own work space.
  Network(const Network& other);
  Network& operator=(const Network&) = delete;

  /// For work done once: see FloatProducts::use_own_kernels.
  void use_own_kernels() noexcept { products_.use_own_kernels(); }

  const NetworkShape& shape() const noexcept { return shape_; }
  const Precision& precision() const noexcept { return precision_; }
  const Optimiser& optimiser() const noexcept { return optimiser_; }
  std::vector<Layer>& layers() noexcept { return layers_; }
  const std::vector<Layer>& layers() const noexcept { return layers_; }
  std::vector<std::vector<float>> parameters() const;  ///< weights, bias, weights, bias

  /// Converts the coefficients. Widening the master is an exact shift; narrowing rounds at random;
  /// from floats to the nearest.
  void set_precision(const Precision& precision, RoundingKey key, Counters* count);
  /// Sets precision without converting (restore).
  void assume_precision(const Precision& precision);

  /// Outputs before the loss, [rows][out_stride of the last layer]. With `training`, operands
  /// are up to date from the last step; else they are rebuilt where they can be stale.
  float* forward(const Batch& batch, Counters* count);
  /// Rows of the last `differentiate` whose label was the likeliest (classes only).
  std::size_t right() const noexcept { return right_; }
  /// Replaces outputs by their gradient of the mean loss; `nats[i]` = loss of row i.
  void differentiate(const Batch& batch, std::vector<double>& nats, Counters* count);
  /// Propagates the gradient and updates. Call after forward and differentiate on the same batch.
  void backward(const Batch& batch, const StepRule& rule, Counters* count);
  /// New scales for the integer masters, every kRefreshPeriod steps; charged by the share.
  void refresh(std::uint64_t seed, std::uint64_t step);

 private:
  struct Work {
    std::vector<AlignedBytes> outputs;  ///< float, per layer [rows][out_stride]
    std::vector<AlignedBytes> deltas;   ///< float, per layer, gradients of outputs
    std::vector<AlignedBytes> rounded;  ///< per hidden layer: outputs as uint8 or bfloat16
    std::vector<std::vector<float>> rounded_scale;
    AlignedBytes sums;   ///< int32
    AlignedBytes block;  ///< int32, 8 rows of a weight gradient
    AlignedBytes gradient, gradient_groups, input_groups, weight_groups;
    AlignedBytes weight_gradient;  ///< float, of a whole layer, only with Adam in the floats
    std::vector<float> column_scale, column_inverse, row_scale;
    std::size_t rows = 0;
  };

  void prepare(std::size_t rows);
  void rebuild_operand(Layer& layer);
  void float_forward(const Batch& batch, Counters* count);
  void integer_forward(const Batch& batch, Counters* count);
  void float_backward(const Batch& batch, const StepRule& rule, Counters* count);
  void integer_backward(const Batch& batch, const StepRule& rule, Counters* count);
  void input_gradient(std::size_t l, std::size_t rows, const StepRule& rule, Counters* count);
  void weight_gradient(std::size_t l, const Batch& batch, const StepRule& rule, Counters* count);
  void momentum_update(Layer& layer, std::size_t row, const std::int32_t* g, float factor,
                       const StepRule& rule, RoundingKey key);
  void adam_update(std::size_t l, std::size_t row, const std::int32_t* g, const StepRule& rule);
  AdamStep adam_step_of(const StepRule& rule, bool decays) const noexcept;
  void convert_moments(std::size_t l, const Precision& to);
  /// Doubles the row's scale if one of its masters is at the end of the grid.
  void grow_if_outgrown(std::size_t l, std::size_t row, const StepRule& rule, Counters* count);
  bool rotates(std::size_t l) const noexcept { return l == 0 && !shape_.unsigned_inputs; }
  void bias_update(std::size_t l, std::size_t rows, const StepRule& rule, Counters* count);

  NetworkShape shape_;
  Precision precision_;
  Optimiser optimiser_;
  std::vector<Layer> layers_;
  Work work_;
  FloatProducts products_;
  std::size_t right_ = 0;
  int threads_ = 1;
};

}  // namespace carnot::learn
