// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/problem/plan.hpp"

#include <algorithm>
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
  const double apart = objective_eur - bound_eur;
  // Sums that differ by their rounding do not differ.
  const bool is_rounding = std::abs(apart) <= 1e-12 * std::max(1.0, std::abs(objective_eur));
  const std::string words = fmt::format("gap {:.4g} EUR", is_rounding ? 0.0 : apart);
  return std::isfinite(share) ? words + fmt::format(", {:.3f} %", 100 * share) : words;
}

double Plan::gap() const noexcept { return relative_gap(objective_eur, bound_eur); }

}  // namespace carnot::plan
