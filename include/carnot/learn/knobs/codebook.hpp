// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Two ways to keep a column in b bits. Values; safe to read from many threads.
///
/// *Uniform grid*: 2^b - 1 levels, symmetric about zero, the outermost at the column's greatest
/// magnitude. It knows nothing of the column but its range: seven levels that lie between the
/// grid's cost accuracy though three bits would hold them.
///
/// *Codebook*: up to 2^b levels of the column's own. Exact where the column has no more different
/// values than that; of up to 256 different values the levels of least mean squared error, by a
/// dynamic programme over where cells begin; else those that Lloyd's iteration finds from equally
/// filled cells (S. Lloyd, IEEE Trans. Inf. Theory 28 (1982), written 1957). It costs a table of
/// 2^b numbers a column, and its indices can be multiplied only after a look-up.

#include <cstddef>
#include <span>
#include <vector>

namespace carnot::learn {

/// Levels in ascending order; a value goes to the nearest, of two as near to the lower.
class Codebook {
 public:
  /// \throws InputError unless bits is 1 to 16 and every value is finite
  static Codebook uniform(std::span<const float> column, int bits);
  static Codebook fitted(std::span<const float> column, int bits);

  float nearest(float value) const noexcept;
  const std::vector<float>& levels() const noexcept { return levels_; }
  /// Mean squared difference between a column and its rounded values.
  double squared_error(std::span<const float> column) const noexcept;

 private:
  std::vector<float> levels_;
};

}  // namespace carnot::learn
