// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What one job costs by itself, and what it is charged when the rows that couple jobs are priced.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>

#include "carnot/base/limits.hpp"

namespace carnot::plan {

/// A job's own cost, EUR, unweighted.
struct OwnCost {
  double quality = 0, move = 0, restart = 0, late = 0, drop = 0;
  double total() const noexcept { return quality + move + restart + late + drop; }
};

/// By how much each part of a job's own cost counts, any sign: 1 for the cost in EUR, 0 where
/// another goal is followed, else with the multiplier of a goal's row.
struct OwnWeights {
  double quality = 1;
  double move = 1;  ///< first site, later moves, egress
  double restart = 1;
  double late = 1;
  double drop = 1;  ///< value of a dropped job
};

/// What power costs where the next kW costs other than the last: a price for each amount.
class PowerCost {
 public:
  virtual ~PowerCost() = default;
  /// EUR of drawing `kw` more for one slot, less what holding it as stoppable power is worth; huge
  /// where it does not fit. \param cell  site x slots + slot
  virtual double eur(std::size_t cell, double kw, bool stoppable) const = 0;
};

/// Slots that others leave no room in, other than by power.
class SlotGate {
 public:
  virtual ~SlotGate() = default;
  /// \param cell  site x slots + slot
  virtual bool open(std::size_t cell, std::uint32_t mode) const = 0;
};

struct JobPrices {
  /// [site x slots + slot], EUR per kWh of IT energy, any sign.
  std::span<const double> energy;
  /// [site x slots + slot], EUR per kW of stoppable power running there, any sign; empty: none.
  std::span<const double> reserve{};
  /// Power is stoppable where its job is preemptible, can stop within `within_s` and ends at least
  /// `hold_slots` + its restart slots before its deadline: one stop can then be made up for.
  std::int32_t hold_slots = 0;
  double within_s = kInfinity;
  OwnWeights weights{};
  /// If given, what running and restarting cost, in place of `energy` and `reserve` (which still
  /// says whether stoppable power is paid for); carrying data costs `energy`.
  const PowerCost* at_power = nullptr;
  /// Slots in which a site could not feed the power even to this job alone (`room_kw`) are closed
  /// to it: what no plan does is no answer.
  bool within_sites = false;
  /// Narrower than its window, for a job between its predecessors and its successors: runs in
  /// [from, to), its first slot not after `start_by`.
  std::int32_t from = 0, to = std::numeric_limits<std::int32_t>::max();
  std::int32_t start_by = std::numeric_limits<std::int32_t>::max();
  bool must_run = false;           ///< being dropped is no answer, but where there is no other
  const SlotGate* gate = nullptr;  ///< asked where there is `at_power`; null: all are open
};

}  // namespace carnot::plan
