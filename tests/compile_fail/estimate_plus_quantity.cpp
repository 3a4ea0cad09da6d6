// SPDX-License-Identifier: Apache-2.0
// A quantity joins an estimate only with an origin and a boundary.
#include "carnot/base/estimate.hpp"

carnot::Estimate<carnot::Energy> with_idle(const carnot::Estimate<carnot::Energy>& energy,
                                           carnot::Energy idle) {
#ifdef BAD
  return energy + idle;
#else
  return energy + carnot::Estimate<carnot::Energy>::exact(idle, carnot::Origin::Assumed,
                                                          carnot::Boundary::Node);
#endif
}
