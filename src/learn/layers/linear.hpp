// SPDX-License-Identifier: Apache-2.0
#pragma once

// A matrix with biases, y = x W' + b, as a part of deeper learners: forward, both gradients and
// Adam's step in the format of a precision. Integers as in network/integer_step.cpp, with two
// differences: inputs may be signed (a scale a row, nearest), and masters have 16 bits in every
// integer precision, as Adam's last steps are far below an 8-bit grid.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/learn/kernels/kernels.hpp"
#include "carnot/learn/knobs/precision.hpp"

#include "learn/kernels/float_products.hpp"
#include "learn/kernels/layer_kernels.hpp"
#include "learn/network/network.hpp"

namespace carnot::learn {

/// The precision as layers use it: integer masters of 16 bits.
Precision layer_precision(Precision precision) noexcept;

/// Inputs of a product in the format of a precision.
struct Operand {
  std::size_t rows = 0, columns = 0;
  std::size_t stride = 0;         ///< elements a row, columns padded to 64
  bool is_signed = true;          ///< of bytes
  const float* floats = nullptr;  ///< binary32: where they were, not copied
  AlignedBytes values;            ///< bytes or bfloat16, [rows padded to 4][stride]
  std::vector<float> scale;       ///< of bytes, [rows]
};

/// \param x  [rows][columns padded to 64], 0 beyond columns; must outlive the operand in f32
/// \param nonnegative  then bytes are unsigned
void round_operand(const float* x, std::size_t rows, std::size_t columns, bool nonnegative,
                   const Precision& precision, Operand& out, Counters* count);

/// Work space shared by the matrices of a learner. Belongs to one thread.
struct LinearWork {
  LinearWork() = default;
  LinearWork(const LinearWork&) {}  // of a copy: its own, empty
  LinearWork& operator=(const LinearWork&) { return *this; }
  FloatProducts products{1};
  AlignedBytes sums, block, gradient, groups, inputs, weights, whole, half;
  std::vector<float> column_scale, column_inverse, row_scale;
};

class Linear {
 public:
  /// Uniform weights in +-bound, biases 0; f32. \param id  of its random roundings
  Linear(std::size_t inputs, std::size_t outputs, double bound, const RandomStream& random,
         std::uint64_t id);

  std::size_t inputs() const noexcept { return layer_.inputs; }
  std::size_t outputs() const noexcept { return layer_.outputs; }
  std::size_t out_stride() const noexcept { return layer_.out_stride; }
  Layer& layer() noexcept { return layer_; }
  const Layer& layer() const noexcept { return layer_; }

  void set_precision(const Precision& precision, RoundingKey key, Counters* count);
  /// Without converting (restore): masters and moments are already of that format.
  void assume_precision(const Precision& precision);
  void append_parameters(std::vector<std::vector<float>>& out) const;
  /// Takes weights and biases at `at` and moves on; f32 only.
  void take_parameters(const std::vector<std::vector<float>>& from, std::size_t& at);

  /// y [rows][out_stride]
  void forward(const Operand& x, bool relu, float* y, LinearWork& work, Counters* count) const;
  /// dx (+)= dy W. \param dy  [rows][out_stride]  \param dx  [rows][ld]
  void input_gradient(const float* dy, std::size_t rows, const StepRule& rule, bool add, float* dx,
                      std::size_t ld, LinearWork& work, Counters* count) const;
  /// dy' x, and Adam's step with it; with rule.capture the gradient goes to entry `slot` instead.
  void weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                       const AdamStep& step, const AdamStep& bias_step, std::size_t slot,
                       LinearWork& work, Counters* count);
  /// New scales of integer masters; charged by the share in weight_gradient.
  void refresh(std::uint64_t seed, std::uint64_t step);

  /// Of the last capture.
  const std::vector<float>& bias_gradient() const noexcept { return bias_gradient_; }

 private:
  void rebuild_operand();
  void float_weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                             const AdamStep& step, std::size_t slot, LinearWork& work);
  void integer_weight_gradient(const Operand& x, const float* dy, const StepRule& rule,
                               const AdamStep& step, std::size_t slot, LinearWork& work,
                               Counters* count);
  void grow_if_outgrown(std::size_t row, const StepRule& rule, Counters* count);

  Layer layer_;
  Precision precision_ = Precision::parse("f32");
  std::uint64_t id_ = 0;
  std::vector<float> bias_gradient_;
};

void save_linear(const Linear& linear, StateWriter& out);
/// \throws InputError
void restore_linear(Linear& linear, const Precision& precision, StateReader& in);
/// As many as there are, all finite. \throws InputError
void read_finite(StateReader& in, std::vector<float>& like);

/// Closed forms of the above, written apart.
Counters operand_counters(std::uint64_t rows, std::uint64_t columns, const Precision& p);
Counters linear_forward_counters(std::uint64_t inputs, std::uint64_t outputs, std::uint64_t rows,
                                 bool relu, const Precision& p);
Counters linear_input_gradient_counters(std::uint64_t inputs, std::uint64_t outputs,
                                        std::uint64_t rows, const Precision& p);
Counters linear_weight_gradient_counters(std::uint64_t inputs, std::uint64_t outputs,
                                         std::uint64_t rows, bool decays, bool update,
                                         const Precision& p);
Counters linear_conversion_counters(std::uint64_t inputs, std::uint64_t outputs,
                                    const Precision& from, const Precision& to);

}  // namespace carnot::learn
