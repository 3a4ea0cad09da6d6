// SPDX-License-Identifier: Apache-2.0
#pragma once

// A layer's part in a NoiseShare (learner.hpp), for all learners made of layers.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>

#include "carnot/learn/network/learner.hpp"

#include "learn/network/network.hpp"

namespace carnot::learn {

/// What Adam's next step makes of a layer's gradient.
class AdamSteps {
 public:
  AdamSteps(const Optimiser& optimiser, const Layer& layer, const Precision& precision,
            std::uint64_t t)
      : active_(optimiser.adam),
        layer_(layer),
        precision_(precision),
        step_(adam_step(1.0, 0.0, t)) {}
  bool active() const noexcept { return active_; }
  /// By how much a change of gradient i changes the coefficient, rate 1.
  float weight(std::size_t i, float gradient) const noexcept {
    const float v = moment(layer_.second, place(i), precision_);
    const float now = v + step_.second_share * (gradient * gradient - v);
    return 1.0f / (step_.second_correction * std::sqrt(now) + kAdamEpsilon);
  }
  float change(std::size_t i, float gradient) const noexcept {
    const float m = moment(layer_.first, place(i), precision_);
    return step_.rate * (m + step_.first_share * (gradient - m)) * weight(i, gradient);
  }

 private:
  std::size_t place(std::size_t i) const noexcept {
    return i / layer_.inputs * layer_.stride + i % layer_.inputs;
  }
  bool active_;
  const Layer& layer_;
  const Precision& precision_;
  AdamStep step_;
};

struct LayerNoise {
  std::span<const float> half_a, half_b;  ///< gradients of the two halves of a minibatch
  std::span<const float> rounded;         ///< of the whole in the precision
  const Layer& layer;                     ///< in the precision
  const Precision& precision;
  const Optimiser& optimiser;
  std::uint64_t step = 0;
  double rate = 0.0, greatest_rate = 0.0;
};

/// The share becomes that of its worst layer.
void worsen(NoiseShare& share, const LayerNoise& noise);

}  // namespace carnot::learn
