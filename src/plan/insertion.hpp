// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Whole plans: the loads of all site-slots, and jobs put in and taken out at marginal cost.

#include <cstdint>
#include <span>
#include <vector>

#include "carnot/base/random.hpp"
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
  /// Takes a few neighbouring jobs out at once and puts them back one by one, `rounds` times;
  /// keeps what costs less, or, with falling odds, little more.
  /// \param warmth  EUR that a change may cost at first
  void rebuild(std::uint64_t rounds, double warmth, std::uint64_t seed);
  /// Objective of the plan in hand, EUR.
  double objective() const;
  const std::vector<Assignment>& assignments() const noexcept { return jobs_; }

 private:
  void order_buckets();
  /// Sets costs_ to those of running at `power` in each slot of the job's window, EUR per hour.
  void price_window(std::size_t job, std::uint32_t site, double power, double trust);
  double marginal(std::size_t cell, double power, double trust) const noexcept;
  void find(std::size_t job, double trust);
  void choose_slots(std::size_t job, double trust);
  double cost_now(std::size_t job, double trust) const;
  void occupy(std::size_t job, double sign);
  void put(std::size_t job, const Assignment& to);
  void take(std::size_t job);
  void pick(const RandomStream& draw);
  std::vector<std::uint32_t> shuffled(const RandomStream& draw) const;
  void gather(std::size_t site, std::size_t slot, std::size_t most, std::uint64_t random);

  const Problem& problem_;
  const PriceTable& table_;
  std::size_t slots_;
  std::vector<double> first_, most_, first_price_, second_price_, price_, load_;  // [cell]
  std::vector<Assignment> jobs_;
  std::vector<std::uint32_t> near_;                 // [class x kNear]: sites of least priced cost
  std::vector<std::vector<std::uint32_t>> bucket_;  // [cell]: jobs whose first slot it is
  std::vector<std::uint32_t> place_;                // [job] in its bucket
  // Scratch.
  std::vector<double> costs_;
  std::vector<double> tilt_;  // factors that a round of `rebuild` sees costs through; empty: none
  std::size_t tilt_from_ = 0;
  std::vector<std::pair<double, std::int32_t>> ranked_;
  std::vector<std::uint32_t> out_;
  Assignment best_;
  double best_cost_ = 0;
};

}  // namespace carnot::plan
