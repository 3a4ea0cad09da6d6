// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The part of the certificate that is about what plan/problem/site_terms.hpp and
/// plan/problem/goals.hpp say: whether the decisions of a plan are allowed, what they cost, and
/// what its multipliers prove. Written from those words alone, shares no code with what plans.
///
/// The bound, for any multipliers: take each row's difference times its multiplier into the
/// objective. What is left has no rows, so every decision is cheapest at an end of its own range,
/// and each job at its cheapest schedule (certificate_jobs.hpp). Whatever plan there is costs no
/// less.

#include "carnot/plan/certificate/certificate.hpp"

namespace carnot::plan {

/// \param plan  with flows; as `certify`
Certificate certify_sites(const Problem& problem, const Plan& plan, const StopToken& stop = {});

}  // namespace carnot::plan
