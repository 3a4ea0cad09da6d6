// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Averaging of replicas that train apart and meet seldom. From common coefficients w each replica
/// i takes steps of its own to w_i and sends its pseudo-gradient d_i = w - w_i, rounded to a few
/// bits, Q(d_i + e_i); the common coefficients become
///
///     g = S(Q_1, ..., Q_k),    mu = 0:  w = w - rate g
///                              mu > 0:  v = mu v + g,  w = w - rate (g + mu v)
///
/// over the k replicas that took part. e_i is what Q left over last time (error feedback), so no
/// part of a pseudo-gradient is lost, only late. S adds two at a time, tensor by tensor,
///
///     S(a, b) = (1 - a.b / (2 a.a)) a + (1 - a.b / (2 b.b)) b,
///
/// which is the sum of two that are at right angles and the mean of two that are alike: replicas
/// that all walked the same way down are not to overshoot together, and where rounding and rows are
/// the noise between them the steps of each count whole. Plain sums at common rates diverge.
///
/// A message is real bytes: for each tensor a scale (4 bytes) and, of the greatest `share` of its
/// elements by size, position (as gaps, 7 bits a byte) where share < 1, and value in `bits` bits
/// (1 sign and magnitude levels; 32: the float itself). Rounding is to the nearest level: the error
/// comes back by feedback.
///
/// Sources: Maleki et al., Adasum, arXiv 2006.02924 (S); Douillard et al., DiLoCo, arXiv 2311.08105
/// (outer steps); Seide et al., Interspeech 2014 (error feedback); Lin et al., arXiv 1712.01887
/// (greatest elements). Values, deterministic; one thread at a time.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace carnot::live {

using Tensors = std::vector<std::vector<float>>;

struct AveragingOptions {
  int bits = 4;           ///< of a value: 32, 8, 4 or 2
  double share = 1.0;     ///< of the elements that are sent, in (0, 1]
  double rate = 1.0;      ///< of the outer step, > 0
  double momentum = 0.0;  ///< mu of the outer step, in [0, 1)
};
/// \throws InputError naming the field and what is allowed
void check(const AveragingOptions& options);

/// One replica's end of the wire.
class PseudoGradientCoder {
 public:
  /// \throws InputError as check()
  explicit PseudoGradientCoder(const AveragingOptions& options);
  /// The message of `delta` and what was left over before; keeps what it leaves over now.
  /// \throws InputError if shapes change from call to call, or an element is not finite
  std::vector<std::uint8_t> encode(const Tensors& delta);
  const Tensors& left_over() const noexcept { return left_over_; }

 private:
  AveragingOptions options_;
  Tensors left_over_;
};

/// \param like  shapes of the tensors
/// \throws InputError if the bytes are no message of tensors of these shapes
Tensors decode_pseudo_gradient(std::span<const std::uint8_t> message, const Tensors& like,
                               const AveragingOptions& options);

/// The common coefficients.
class OuterStep {
 public:
  OuterStep(Tensors start, const AveragingOptions& options);
  /// Nothing happens without parts. \throws InputError if shapes do not fit
  void merge(std::vector<Tensors> parts);
  /// The message by which those who have the coefficients of the last message (or of the start)
  /// come to the present ones; these become what the message says, and what it leaves out comes
  /// with the next.
  std::vector<std::uint8_t> publish();
  const Tensors& coefficients() const noexcept { return coefficients_; }

 private:
  AveragingOptions options_;
  Tensors coefficients_, velocity_, published_;
  PseudoGradientCoder down_;
};

}  // namespace carnot::live
