// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/network/defaults.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::learn {

TrainingDefaults training_defaults(const Dataset& train, std::string_view optimiser) noexcept {
  constexpr std::size_t kStepsOfAPass = 16;
  constexpr std::size_t kRowsSeen = 8192;
  TrainingDefaults out;
  while (out.batch > 8 && out.batch * kStepsOfAPass > train.rows) out.batch /= 2;
  out.batch = std::min(out.batch, std::max<std::size_t>(train.rows, 1));
  if (train.rows > 0)
    out.epochs = std::max(
        out.epochs, std::ceil(static_cast<double>(kRowsSeen) / static_cast<double>(train.rows)));
  if (train.is_regression()) out.learning_rate = 0.05;
  if (optimiser == "adam") {
    out.learning_rate = train.is_regression() ? 0.02 : 0.01;
    out.epochs *= 2.0;
  }
  return out;
}

}  // namespace carnot::learn
