// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Jobs collapse to classes (release, deadline, slots): given prices, the k cheapest slots of a
/// window cost the same per kW for every job of the class. A million jobs over 168 slots have some
/// 30 thousand classes, priced once a site.

#include <cstdint>
#include <vector>

#include "carnot/plan/problem.hpp"

namespace carnot::plan {

class PriceTable {
 public:
  explicit PriceTable(const Problem& problem);

  std::size_t classes() const noexcept { return class_slots_.size(); }
  std::size_t sites() const noexcept { return sites_; }
  std::uint32_t class_of(std::size_t mode) const noexcept { return class_of_mode_[mode]; }

  /// Prices every class at every site: cost[class x sites + site] = sum of the k smallest prices of
  /// the window. \param price  [site x slots + slot]; ties are broken by slot order rotated by
  /// `turn`, so that repeated use spreads what costs the same
  void evaluate(const std::vector<double>& price, std::uint64_t turn, int threads);
  const double* cost(std::size_t klass) const noexcept { return &cost_[klass * sites_]; }
  /// The site of least cost of a class, and that cost.
  std::uint32_t best_site(std::size_t klass) const noexcept { return best_[klass]; }
  double best_cost(std::size_t klass) const noexcept {
    return cost_[klass * sites_ + best_[klass]];
  }

  /// Spreads power over the slots `evaluate` found cheapest: load[site x slots + slot] is
  /// overwritten. \param power  [class x sites + site], kW
  void spread(const std::vector<double>& price, std::uint64_t turn,
              const std::vector<double>& power, std::vector<double>& load, int threads) const;

 private:
  struct Window {
    std::int32_t release = 0, deadline = 0;
    std::uint32_t first = 0, last = 0;  // classes, ascending in slots
  };
  template <class Visit>
  void for_each_window(const double* price, std::uint64_t turn, Visit&& visit) const;

  std::size_t sites_, slots_;
  std::vector<Window> windows_;  // ascending in (release, deadline)
  std::vector<std::int32_t> class_slots_;
  std::vector<std::uint32_t> class_of_mode_, best_;
  std::vector<double> cost_;
};

/// Runs body(i) for i in [0, n), over `threads` threads in a fixed interleaving; body(i) must not
/// depend on the order.
template <class Body>
void for_all(std::size_t n, int threads, Body&& body);

}  // namespace carnot::plan

#include <atomic>
#include <thread>

namespace carnot::plan {

template <class Body>
void for_all(std::size_t n, int threads, Body&& body) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < n; i = next++) body(i);
  };
  std::vector<std::jthread> others;
  for (int i = 1; i < threads; ++i) others.emplace_back(work);
  work();
}

}  // namespace carnot::plan
