// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Logistic mixing of predictions on integers, and the maps that correct what comes out.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace carnot::learn {

/// sum of w[i] x[i] / 65536, and w[i] += x[i] error / 2^shift within +-8. Weights are 65536ths.
/// \param n  a multiple of 8
std::int32_t dot(const std::int32_t* w, const std::int32_t* x, std::size_t n) noexcept;
void descend(std::int32_t* w, const std::int32_t* x, std::size_t n, std::int32_t error) noexcept;
/// The same, then each weight rounded at random to a multiple of mask + 1.
void descend_rounded(std::int32_t* w, const std::int32_t* x, std::size_t n, std::int32_t error,
                     std::uint32_t mask, std::uint32_t key) noexcept;

/// One set of weights of several, chosen anew for each bit.
class Mixer {
 public:
  /// \param inputs  a multiple of 8  \param first  weight that each input has at first, 65536ths
  Mixer(std::size_t inputs, std::size_t sets, std::int32_t first, int bits);
  /// Odds of the mixture under that set.
  std::int32_t mix(const std::int32_t* x, std::size_t set) noexcept;
  /// \param chance  what the mixture said, 65536ths  \param rate  of learning, 65536ths
  void learn(const std::int32_t* x, bool bit, std::int32_t rate) noexcept;
  std::int32_t chance() const noexcept { return chance_; }

 private:
  std::size_t inputs_, set_ = 0;
  std::uint32_t mask_, step_ = 0;
  std::int32_t chance_ = 32768;
  std::vector<std::int32_t> weights_;
};

/// What came of predictions like this one before, in 33 steps of their odds per context, between
/// which it interpolates.
class AdaptiveMap {
 public:
  explicit AdaptiveMap(std::size_t contexts);
  std::int32_t refine(std::int32_t odds, std::size_t context) noexcept;
  void learn(bool bit) noexcept;

 private:
  std::vector<std::uint16_t> chances_;
  std::size_t at_ = 0;
};

}  // namespace carnot::learn
