// SPDX-License-Identifier: Apache-2.0
#pragma once

// Loops of layers and optimisers beside kernel_table.hpp's: one copy an instruction set, the same
// bits from each. `layer_kernels()` is the one that goes with `kernels()`.

#include <cstddef>
#include <cstdint>

#include "carnot/learn/kernels/kernels.hpp"

namespace carnot::learn {

/// One step of Adam (Kingma & Ba, ICLR 2015) with decoupled decay (Loshchilov & Hutter, ICLR 2019):
///   m += (1 - b1) (g - m),  v += (1 - b2) (g^2 - v),
///   w -= rate c1 m / (c2 sqrt(v) + epsilon) + decay w,  c1 = 1/(1 - b1^t), c2 = 1/sqrt(1 - b2^t).
struct AdamStep {
  float rate = 0.0f;  ///< times c1
  float first_share = 0.0f, second_share = 0.0f;
  float second_correction = 1.0f;
  float decay = 0.0f;
};
inline constexpr double kAdamFirst = 0.9, kAdamSecond = 0.99;
inline constexpr float kAdamEpsilon = 1e-8f;
/// \param t  steps done with this one, from 1
AdamStep adam_step(double rate, double weight_decay, std::uint64_t t) noexcept;

/// Operations an element of a step: adds, multiplies and compares; roots and divisions.
inline constexpr std::uint64_t kAdamElementwise = 12, kAdamSpecial = 2, kAdamDecay = 2;

struct LayerKernels {
  /// Moments in binary32.
  void (*adam_f32)(float* w, const float* g, float* m, float* v, std::size_t n,
                   const AdamStep& step);
  /// Moments in bfloat16, rounded at random with the two halves of word `index` + i of `key`.
  void (*adam_bf16)(float* w, const float* g, std::uint16_t* m, std::uint16_t* v, std::size_t n,
                    const AdamStep& step, RoundingKey key, std::uint32_t index);
  /// The gradient is g times factor, the coefficient master times scale; its change is rounded at
  /// random to the grid. operand = the master's upper bits.
  void (*adam16)(std::int16_t* master, const std::int32_t* g, std::size_t n, float factor,
                 float scale, std::uint16_t* m, std::uint16_t* v, const AdamStep& step,
                 RoundingKey key, std::uint32_t index, int shift, int limit, std::int8_t* operand);
  void (*adam8)(std::int8_t* master, const std::int32_t* g, std::size_t n, float factor,
                float scale, std::uint16_t* m, std::uint16_t* v, const AdamStep& step,
                RoundingKey key, std::uint32_t index, int shift, int limit, std::int8_t* operand);

  /// Per row: scale = greatest magnitude / limit, q = nearest. n multiple of 16.
  void (*quantise_signed)(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                          int limit, std::int8_t* q, std::size_t ldq, float* scale);
  /// out (+)= y[i][j] * row_scale[i].
  void (*finish_product)(const std::int32_t* y, std::size_t ldy, std::size_t rows, std::size_t n,
                         const float* row_scale, bool add, float* out, std::size_t ld);
  /// y = (x - mean) * inverse * gain + bias a row, inverse = 1 / sqrt(variance + 1e-5); keeps
  /// `normal` = (x - mean) * inverse and `inverse`. n multiple of 16.
  void (*normalise)(const float* x, std::size_t ld, std::size_t rows, std::size_t n,
                    const float* gain, const float* bias, float* normal, float* inverse, float* y);
  /// dx (+)= inverse (h - mean(h) - normal mean(h normal)), h = dy gain; sums of dy normal and of
  /// dy go to `gain_gradient` and `bias_gradient`, rows ascending.
  void (*normalise_back)(const float* dy, std::size_t ld, std::size_t rows, std::size_t n,
                         const float* gain, const float* normal, const float* inverse, bool add,
                         float* dx, float* gain_gradient, float* bias_gradient);
  /// Row i of x, n long: softmax of x * factor over its first `seen` + i * step numbers, 0 beyond.
  void (*softmax_rows)(float* x, std::size_t ld, std::size_t rows, std::size_t n, float factor,
                       std::size_t seen, std::size_t step);
  /// Back through it: d = factor p (d - sum_j d_j p_j) a row. n multiple of 16.
  void (*softmax_back)(const float* p, float* d, std::size_t ld, std::size_t rows, std::size_t n,
                       float factor);
  /// out[j][i] = in[i][j].
  void (*transpose)(const float* in, std::size_t ld, std::size_t rows, std::size_t n, float* out,
                    std::size_t ldo);
};

const LayerKernels& layer_kernels() noexcept;

inline float from_bf16(std::uint16_t x) noexcept {
  const std::uint32_t bits = static_cast<std::uint32_t>(x) << 16;
  float out;
  __builtin_memcpy(&out, &bits, sizeof out);
  return out;
}

}  // namespace carnot::learn
