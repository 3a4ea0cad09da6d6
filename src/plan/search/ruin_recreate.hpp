// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Large-neighbourhood search by ruin and recreate (Shaw 1998; Schrimpf et al. 2000): a few jobs
/// that run beside each other are taken out of a plan at once and put back one by one, each where
/// it then costs least; what costs less is kept, or, with falling odds, little more.
///
/// Two plans are searched so: contract jobs by the hundred thousand (`contract_search.hpp`) and
/// jobs with terms (`extended_search.hpp`). They choose neighbours and find places in their own
/// ways; the rounds are these.

#include <cstdint>

#include "carnot/base/random.hpp"
#include "carnot/base/stop.hpp"

namespace carnot::plan {

/// \param plan  with
///     double ruin(const RandomStream& draw);       takes jobs out; what they cost there
///     double recreate(const RandomStream& draw);   puts all of them back; what they cost now
///     double allowance(const RandomStream& draw, std::uint64_t n, std::uint64_t rounds);
///                                                  what a change may cost in round n
///     void restore();                              all of them to where they were
/// \param random  a child of it for each round
/// \param stop    asked before each round
template <class Plan>
void ruin_recreate(Plan& plan, std::uint64_t rounds, const RandomStream& random,
                   const StopToken& stop = {}) {
  for (std::uint64_t n = 0; n < rounds && !stop.requested(); ++n) {
    const RandomStream draw = random.child(n);
    const double was = plan.ruin(draw);
    const double is = plan.recreate(draw);
    if (!(is <= was + plan.allowance(draw, n, rounds))) plan.restore();
  }
}

}  // namespace carnot::plan
