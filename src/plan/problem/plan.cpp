// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/plan.hpp"

#include <algorithm>

namespace carnot::plan {

double Plan::gap() const noexcept {
  return (objective_eur - bound_eur) / std::max(objective_eur, 1e-9);
}

}  // namespace carnot::plan
