// SPDX-License-Identifier: Apache-2.0
#include "carnot/model/footprint/positive.hpp"

#include <cmath>

namespace carnot::model {

EstimateCore positive_core(const EstimateCore& core) {
  if (!(core.value() > 0) || core.causes().size() < 2) return core;
  double squares = 0;
  for (const auto& cause : core.causes()) {
    const double ratio = 1 + cause.down / core.value();
    if (!(ratio > 0)) return core;
    squares += std::log(ratio) * std::log(ratio);
  }
  const double wanted = core.value() * -std::expm1(-std::sqrt(squares));
  const double linear = core.value() - core.low();
  if (!(linear > wanted)) return core;
  EstimateCore result = core;
  for (const auto& cause : core.causes()) {
    const double less = (1 - wanted / linear) * -cause.down;
    if (!(less > 0)) continue;
    const EstimateCore part(0, -less, 0, core.origin(), core.boundary(), cause.name, {});
    result = EstimateCore::sum(result, EstimateCore::scaled(part, -1));
  }
  return result;
}

}  // namespace carnot::model
