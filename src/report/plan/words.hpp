// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A plan in plain words, shared by the terminal and the page, so that both say the same. Pure
/// functions.

#include <string>
#include <vector>

#include "carnot/report/plan/report.hpp"

namespace carnot::report {

/// "300 jobs over 6 sites, 168 slots of 1 h"
std::string plan_size(const PlanReport& report);
/// What was planned, what the bound proves, what the rules would have cost; one sentence or two
/// each, the answer first.
std::vector<std::string> plan_answer(const PlanReport& report);
/// What is left to gain at most: over the proven bound, or over a solver's word where that is
/// higher and the plan holds; NaN where nothing is known.
double left_eur(const PlanReport& report);
/// Whether the files hold what they claim, and who says so.
std::string plan_check_words(const PlanReport& report);
/// "every job at once where it comes from", of a rule's name.
std::string rule_words(const std::string& rule);
/// What the figures rest on, a sentence each.
std::vector<std::string> plan_sources(const PlanReport& report);

/// "2026-11-21 04:55 UTC" of ISO 8601.
std::string day_text(const std::string& time);
std::string percent(double share);  ///< "57.1 %", two digits below ten
/// "57.1 %" of a part of a whole; "n/a" where there is none.
std::string share_text(double part, double whole);
/// "+7.7 %" of a cost above the bound; "-" where the bound is not positive.
std::string above_text(double cost, double bound);
/// EUR a MWh and g a kWh, as text; with " (low … high)" where they differ.
std::string price_text(const Estimate<EnergyPrice>& price);
std::string intensity_text(const Estimate<CarbonIntensity>& intensity);
std::string carbon_range_text(const Estimate<double>& grams);
/// Of a unit of work.
std::string per_work_text(const Estimate<double>& figure, const std::string& unit);

}  // namespace carnot::report
