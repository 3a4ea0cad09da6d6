// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a job could draw were it alone: where it wants more, no plan runs it.

#include <algorithm>
#include <cstddef>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// IT kW that jobs may draw at most at a site in a slot, by its capacity and by what can be bought,
/// generated and discharged; a hair more than that, so that rounding closes nothing.
inline double room_kw(const Problem& problem, std::size_t s, std::size_t t) {
  const PlanSite& site = problem.sites[s];
  double base = 0, import_kw = site.free_kw[t] + site.grid_limit_kw[t];
  if (!problem.site_terms.empty()) {
    const SiteTerms& terms = problem.site_terms[s];
    if (!terms.base_kw.empty()) base = terms.base_kw[t];
    import_kw += terms.battery.capacity_kwh > 0 ? terms.battery.discharge_kw : 0.0;
    import_kw -= terms.idle_kw;
  }
  const double most = std::min(site.capacity_kw[t], import_kw / site.pue[t]) - base;
  return most + 1e-7 * (1.0 + site.capacity_kw[t]);
}

}  // namespace carnot::plan
