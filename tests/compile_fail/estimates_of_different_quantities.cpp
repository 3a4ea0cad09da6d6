// SPDX-License-Identifier: Apache-2.0
// Estimates keep the dimension rules of their quantities.
#include "carnot/base/estimate.hpp"

carnot::Estimate<carnot::Energy> total(const carnot::Estimate<carnot::Energy>& energy,
                                       const carnot::Estimate<carnot::Power>& power,
                                       const carnot::Estimate<carnot::Time>& time) {
#ifdef BAD
  static_cast<void>(time);
  return energy + power;
#else
  return energy + power * time;
#endif
}
