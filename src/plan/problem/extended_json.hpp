// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What extended problems and their plans add to the documents (docs/formats/plan.md).

#include <string>

#include <nlohmann/json.hpp>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

/// Adds to a site's object what it has beyond the contract.
void add_site_terms(const SiteTerms& terms, nlohmann::ordered_json& site);
/// Objects `reserve` and `goals` of a problem; empty if they say nothing.
nlohmann::ordered_json reserve_json(const PlanReserve& reserve);
nlohmann::ordered_json goals_json(const PlanGoals& goals);

/// Adds decisions, multipliers and held goals to a plan's document, if it has any.
void add_extended(const Plan& plan, const PlanTotals& totals, nlohmann::ordered_json& document);
/// The same back; nothing where they are not there.
/// \throws InputError where they are no lists of numbers
void read_extended(const nlohmann::json& document, const std::string& path, Plan& plan);

}  // namespace carnot::plan
