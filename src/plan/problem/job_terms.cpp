// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/job_terms.hpp"

#include <algorithm>
#include <cmath>

namespace carnot::plan {

std::int32_t transfer_slots(const PlanNetwork& network, double data_gb, double slot_s,
                            std::int32_t most) {
  const double slots = std::ceil(data_gb / network.gb_per_s / slot_s - 1e-9);
  return static_cast<std::int32_t>(std::clamp(slots, 0.0, static_cast<double>(most)));
}

}  // namespace carnot::plan
