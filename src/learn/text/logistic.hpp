// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The logistic function and its inverse on integers. Probabilities are 65536ths, log odds 256ths
/// of a nat. Tables are made with integer arithmetic, so they are the same everywhere.

#include <algorithm>
#include <array>
#include <cstdint>

namespace carnot::learn {

inline constexpr int kMostOdds = 2815;  ///< 11 nats: the odds of a probability of 65536ths

class Logistic {
 public:
  static const Logistic& tables();

  /// 65536 / (1 + exp(-x / 256)), 1 to 65535.
  std::int32_t squash(std::int32_t odds) const noexcept {
    return squash_[static_cast<std::size_t>(std::clamp(odds, -kMostOdds, kMostOdds) + kMostOdds)];
  }
  /// 256 ln(p / (1 - p)) of p / 65536, on 4096 steps.
  std::int32_t stretch(std::uint32_t p) const noexcept { return stretch_[p >> 4]; }

 private:
  Logistic();
  std::array<std::int32_t, 2 * kMostOdds + 1> squash_{};
  std::array<std::int16_t, 4096> stretch_{};
};

}  // namespace carnot::learn
