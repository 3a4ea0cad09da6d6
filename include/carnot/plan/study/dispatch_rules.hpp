// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans by simple rules, to hold a plan against on the same problem. Each takes the jobs as they
/// are released (ties: the nearer deadline), sees the loads of those before it and never changes
/// its mind:
///
/// | rule | where | when | mode |
/// |---|---|---|---|
/// | `at-once` | origin | first slots with room | first |
/// | `move-only` | where it costs least | first slots with room | first |
/// | `wait-only` | origin | cheapest slots with room | first |
/// | `price-greedy` | where it costs least | cheapest slots with room | the cheapest |
///
/// Costs are true marginal ones: own power that is left is free, the rest is grid energy with its
/// carbon. `move-only`, `wait-only` and `price-greedy` drop a job that costs more than its value;
/// `at-once` runs it. A job without room at its origin, or with none, takes the allowed site of
/// least moving cost that has room, the first of equals; with room nowhere it is dropped.
/// Thread-safe.

#include <string>
#include <vector>

#include "carnot/plan/problem/plan.hpp"

namespace carnot::plan {

enum class DispatchRule { AtOnce, MoveOnly, WaitOnly, PriceGreedy };

/// All of them, in the order above.
const std::vector<DispatchRule>& all_rules();
/// "at-once" and so on.
std::string name(DispatchRule rule);
/// Steps that `rule_plan` will take, about: slots looked at, summed over jobs, sites and modes.
double rule_steps(const Problem& problem, DispatchRule rule);

/// The rule's plan. Its prices are empty: whoever asks for a bound brings prices.
/// Time O(rule_steps), memory linear in jobs.
Plan rule_plan(const Problem& problem, DispatchRule rule);

}  // namespace carnot::plan
