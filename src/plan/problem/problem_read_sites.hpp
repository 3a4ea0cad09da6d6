// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Reads what sites have beyond the contract, reserve and goals (docs/formats/plan.md).

#include "plan/problem/problem_json.hpp"

namespace carnot::plan {

/// \param capacity_kw  of the site, known already
/// \return whether there is anything beyond the contract
bool read_site_terms(const Fields& site, std::int32_t slots, const std::vector<double>& capacity_kw,
                     SiteTerms& terms);

void read_reserve(const Fields& root, PlanReserve& reserve);
void read_goals(const Fields& root, PlanGoals& goals);

}  // namespace carnot::plan
