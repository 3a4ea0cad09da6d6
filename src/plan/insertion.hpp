// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whole plans: loads of all site-slots, jobs put in and taken out at marginal cost.

#include <cstdint>
#include <vector>

#include "carnot/plan/planner.hpp"

#include "plan/price_table.hpp"
#include "plan/supply.hpp"

namespace carnot::plan {

class Insertion {
 public:
  /// \param table  evaluated at `price`; both are kept by reference
  Insertion(const Problem& problem, const std::vector<Supply>& supply, const PriceTable& table,
            const std::vector<double>& price);

  /// Places every job, big ones and tight ones first, at the dearer of marginal cost and price.
  void insert_all();
  /// Each job in turn is taken out and put where it costs least given all others.
  /// \param trust  weight of `price` against true marginal cost, [0, 1]
  /// \return EUR saved
  double sweep(double trust);
  /// Objective of the plan in hand, EUR.
  double objective() const;
  const std::vector<Assignment>& assignments() const noexcept { return jobs_; }

 private:
  struct Best {
    double cost = 0;
    std::uint32_t site = kNone, mode = 0;
  };
  double slot_cost(std::size_t cell, double power, double trust) const noexcept;
  /// Cost of the k cheapest slots, left in slots_; infinite if fewer are free.
  double place(std::size_t job, std::uint32_t site, const PlanMode& mode, double trust, double above);
  void find(std::size_t job, double trust);
  void occupy(std::size_t job, double sign);

  const Problem& problem_;
  const std::vector<Supply>& supply_;
  const PriceTable& table_;
  const std::vector<double>& price_;
  std::vector<Assignment> jobs_;
  std::vector<double> load_;
  std::vector<std::uint32_t> near_;  // [class x kNear]: sites of least priced cost
  // Scratch.
  std::vector<std::pair<double, std::int32_t>> priced_;
  Assignment best_;
  double best_cost_ = 0;
};

}  // namespace carnot::plan
