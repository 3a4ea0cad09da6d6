// SPDX-License-Identifier: Apache-2.0
#include "learn/network/noise.hpp"

#include <algorithm>
#include <cmath>

#include "learn/network/schedule.hpp"

namespace carnot::learn {

namespace {

struct Sums {
  double spread = 0.0, added = 0.0, length = 0.0;
  double spread_felt = 0.0, added_felt = 0.0;  ///< as coefficients feel them
};

Sums sums_of(const LayerNoise& noise, const AdamSteps& adam) {
  Sums out;
  constexpr std::size_t kBlock = 256;  // summed in binary32, blocks in binary64
  for (std::size_t from = 0; from < noise.rounded.size(); from += kBlock) {
    const std::size_t to = std::min(from + kBlock, noise.rounded.size());
    float spread = 0.0f, added = 0.0f, length = 0.0f, spread_felt = 0.0f, added_felt = 0.0f;
    for (std::size_t i = from; i < to; ++i) {
      const float a = noise.half_a[i], b = noise.half_b[i];
      const float e = noise.rounded[i] - 0.5f * (a + b);
      spread += (a - b) * (a - b);
      added += e * e;
      length += 0.25f * (a + b) * (a + b);
      if (adam.active()) {
        const float felt = adam.weight(i, noise.rounded[i]);
        spread_felt += felt * felt * (a - b) * (a - b);
        added_felt += felt * felt * e * e;
      }
    }
    out.spread += 0.25 * static_cast<double>(spread);
    out.added += static_cast<double>(added);
    out.length += static_cast<double>(length);
    out.spread_felt += 0.25 * static_cast<double>(spread_felt);
    out.added_felt += static_cast<double>(added_felt);
  }
  if (!adam.active()) {
    out.spread_felt = out.spread;
    out.added_felt = out.added;
  }
  return out;
}

/// Variance of rounding the coefficients' change to their grids: a change of f grid steps (f its
/// fraction) adds f (1 - f) steps squared, whatever the sign.
double rounding_of(const LayerNoise& noise, const AdamSteps& adam) {
  const Layer& layer = noise.layer;
  if (layer.scale.empty()) return 0.0;
  double rounding = 0.0;
  for (std::size_t j = 0; j < layer.outputs; ++j) {
    const float grid = layer.scale[j], per_grid = static_cast<float>(noise.rate) / grid;
    const float* gradient = noise.rounded.data() + j * layer.inputs;
    const float* velocity =
        layer.velocity.empty() ? nullptr : layer.velocity.data() + j * layer.stride;
    float row = 0.0f;
    for (std::size_t k = 0; k < layer.inputs; ++k) {
      const float change = adam.active() ? adam.change(j * layer.inputs + k, gradient[k])
                           : velocity == nullptr
                               ? gradient[k]
                               : gradient[k] + noise.optimiser.momentum * velocity[k];
      const float steps = std::clamp(change * per_grid, -1e9f, 1e9f);
      const float f = std::abs(steps - static_cast<float>(static_cast<std::int32_t>(steps)));
      row += f * (1.0f - f);
    }
    rounding += static_cast<double>(grid) * static_cast<double>(grid) * static_cast<double>(row);
  }
  return rounding;
}

double over(double part, double whole) {
  return part <= 0.0 ? 0.0 : whole > 0.0 ? part / whole : 1e9;
}

}  // namespace

void worsen(NoiseShare& share, const LayerNoise& noise) {
  const AdamSteps adam(noise.optimiser, noise.layer, noise.precision, noise.step + 1);
  const Sums sums = sums_of(noise, adam);
  const double rounding = rounding_of(noise, adam);
  const double typical = kMeanSquareSchedule * noise.greatest_rate * noise.greatest_rate;
  if (sums.added > 0.0) share.signal = std::min(share.signal, std::sqrt(sums.length / sums.added));
  share.gradient = std::max(share.gradient, over(sums.added, sums.spread));
  // A gradient's noise comes in 1 / (1 - momentum) times over, the update's rounding once.
  const double once =
      1.0 - (noise.optimiser.adam ? kAdamFirst : static_cast<double>(noise.optimiser.momentum));
  const double felt = noise.rate * noise.rate * sums.added_felt + once * once * rounding;
  share.update = std::max(share.update, over(felt, typical * sums.spread_felt));
}

}  // namespace carnot::learn
