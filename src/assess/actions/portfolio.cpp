// SPDX-License-Identifier: Apache-2.0
#include "carnot/assess/actions/portfolio.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "carnot/base/error.hpp"
#include "carnot/base/sum.hpp"

namespace carnot::assess {

namespace {

std::vector<double> costs_of_all(const std::vector<double>& cost) {
  std::vector<double> out(std::size_t{1} << cost.size(), 0.0);
  for (std::size_t set = 1; set < out.size(); ++set) {
    const auto low = static_cast<std::size_t>(std::countr_zero(set));
    out[set] = out[set & (set - 1)] + cost[low];
  }
  return out;
}

}  // namespace

std::vector<double> savings_of_all(const ActionSets& sets) {
  const std::size_t n = sets.factors.size();
  if (n > kMostActions) throw InputError("actions: at most 16");
  if (sets.added.size() != n || sets.cost.size() != n) throw InputError("actions: one cost each");
  const std::size_t count = std::size_t{1} << n;
  std::vector<Sum<>> sums(count);
  std::vector<double> left(count);
  for (std::size_t a = 0; a < sets.base.size(); ++a) {
    left[0] = 1;
    for (std::size_t set = 1; set < count; ++set) {
      const auto low = static_cast<std::size_t>(std::countr_zero(set));
      if (sets.factors[low].size() != sets.base.size())
        throw InputError("actions: a factor for each activity");
      const double factor = sets.factors[low][a];
      if (!(factor >= 0) || !std::isfinite(factor))
        throw InputError("actions: factors of 0 or more");
      left[set] = left[set & (set - 1)] * factor;
      sums[set] += sets.base[a] * (1 - left[set]);
    }
  }
  const std::vector<double> added = costs_of_all(sets.added);
  std::vector<double> out(count);
  for (std::size_t set = 0; set < count; ++set) {
    sums[set] -= added[set];
    out[set] = sums[set].value();
  }
  return out;
}

std::vector<double> shapley_shares(const std::vector<double>& saved) {
  const auto n = static_cast<std::size_t>(std::countr_zero(saved.size()));
  CARNOT_CHECK(std::has_single_bit(saved.size()), "a value for every set");
  std::vector<double> weight(n);
  for (std::size_t k = 0; k < n; ++k) {
    // k! (n - k - 1)! / n! = 1 / (n C(n - 1, k))
    double choose = 1;
    for (std::size_t i = 0; i < k; ++i)
      choose = choose * static_cast<double>(n - 1 - i) / static_cast<double>(i + 1);
    weight[k] = 1 / (static_cast<double>(n) * choose);
  }
  std::vector<Sum<>> sums(n);
  for (std::size_t set = 0; set < saved.size(); ++set) {
    const auto size = static_cast<std::size_t>(std::popcount(set));
    for (std::size_t i = 0; i < n; ++i)
      if ((set >> i & 1) == 0)
        sums[i] += weight[size] * (saved[set | std::size_t{1} << i] - saved[set]);
  }
  std::vector<double> out;
  for (const auto& sum : sums) out.push_back(sum.value());
  return out;
}

std::vector<Portfolio> pareto_front(const std::vector<double>& saved,
                                    const std::vector<double>& cost) {
  const std::vector<double> costs = costs_of_all(cost);
  std::vector<Portfolio> all;
  for (std::size_t set = 0; set < saved.size(); ++set)
    all.push_back({static_cast<std::uint32_t>(set), costs[set], saved[set]});
  std::sort(all.begin(), all.end(), [](const Portfolio& a, const Portfolio& b) {
    if (a.cost != b.cost) return a.cost < b.cost;
    if (a.saved != b.saved) return a.saved > b.saved;
    return a.set < b.set;
  });
  std::vector<Portfolio> front;
  for (const Portfolio& one : all)
    if (front.empty() || one.saved > front.back().saved) front.push_back(one);
  return front;
}

Portfolio best_within(const std::vector<double>& saved, const std::vector<double>& cost,
                      double budget) {
  const std::vector<double> costs = costs_of_all(cost);
  Portfolio best{0, costs[0], saved[0]};
  bool found = costs[0] <= budget;
  for (std::size_t set = 1; set < saved.size(); ++set) {
    if (costs[set] > budget) continue;
    const bool better =
        !found || saved[set] > best.saved || (saved[set] == best.saved && costs[set] < best.cost);
    if (better) best = {static_cast<std::uint32_t>(set), costs[set], saved[set]};
    found = true;
  }
  return best;
}

}  // namespace carnot::assess
