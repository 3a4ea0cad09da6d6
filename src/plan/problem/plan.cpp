// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/plan.hpp"

#include <cmath>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

double relative_gap(double objective_eur, double bound_eur) noexcept {
  const double over = objective_eur - bound_eur, of = std::abs(objective_eur);
  if (over == 0.0) return 0.0;
  return 100.0 * of >= std::abs(over) ? over / of : kNaN;
}

std::string gap_words(double objective_eur, double bound_eur) {
  const double share = relative_gap(objective_eur, bound_eur);
  const std::string words = fmt::format("gap {:.4g} EUR", objective_eur - bound_eur);
  return std::isfinite(share) ? words + fmt::format(", {:.3f} %", 100 * share) : words;
}

double Plan::gap() const noexcept { return relative_gap(objective_eur, bound_eur); }

}  // namespace carnot::plan
