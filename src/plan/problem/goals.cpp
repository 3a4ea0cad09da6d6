// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/goals.hpp"

namespace carnot::plan {

std::string_view to_text(Measure measure) noexcept {
  switch (measure) {
    case Measure::Cost:
      return "cost";
    case Measure::Late:
      return "late";
    case Measure::Dropped:
      return "dropped";
    case Measure::Quality:
      return "quality";
    case Measure::Carbon:
      return "carbon";
    case Measure::Energy:
      return "energy";
  }
  return "";
}

}  // namespace carnot::plan
