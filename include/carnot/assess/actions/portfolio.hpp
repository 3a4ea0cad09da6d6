// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What sets of actions save together. Actions interact: two that each halve a thing leave a
/// quarter, not nothing. With base grams b_a, factors f and grams g that an action itself costs,
///
///     saved(S)  = sum_a b_a (1 - prod_{i in S} f_ia) - sum_{i in S} g_i
///     share_i   = sum over S without i of |S|! (n - |S| - 1)! / n! (saved(S + i) - saved(S))
///
/// the second being Shapley's value (1953): shares sum to the joint saving. The front holds the
/// sets that no other set beats in cost and saving at once; the best set for a budget is the one
/// that saves most within it. All 2^n sets are looked at, exactly, n at most 16. Nothing is ranked
/// by euro a tonne: where the cost is negative that order is unsound (Taylor, Energy Policy 48,
/// 2012).
///
/// Pure, thread-safe.

#include <cstdint>
#include <vector>

namespace carnot::assess {

struct ActionSets {
  std::vector<double> base;                  ///< shape [activities], grams, >= 0
  std::vector<std::vector<double>> factors;  ///< shape [actions][activities], >= 0
  std::vector<double> added;                 ///< shape [actions], grams
  std::vector<double> cost;                  ///< shape [actions], euro; may be negative
};

inline constexpr std::size_t kMostActions = 16;

/// Grams saved by every set; bit i of the index stands for action i. Shape [2^n].
/// \throws InputError for shapes that do not fit, above 16 actions, or a factor below 0
std::vector<double> savings_of_all(const ActionSets& sets);

/// \param saved  shape [2^n]. Shares sum to saved.back()
std::vector<double> shapley_shares(const std::vector<double>& saved);

struct Portfolio {
  std::uint32_t set = 0;
  double cost = 0, saved = 0;
};
/// Cheapest first, each saves more than the one before.
std::vector<Portfolio> pareto_front(const std::vector<double>& saved,
                                    const std::vector<double>& cost);
/// Most saved at a cost of at most `budget`; among equals the cheaper, then the smaller set.
Portfolio best_within(const std::vector<double>& saved, const std::vector<double>& cost,
                      double budget);

}  // namespace carnot::assess
