// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The work of computing sites, window by window, as each signal places it, and the grid's answer.
/// Not thread-safe.

#include <cstddef>
#include <memory>
#include <vector>

#include "carnot/grid/study/shift.hpp"

#include "grid/study/redispatch.hpp"
#include "grid/study/shift_descent.hpp"
#include "grid/study/shift_joint.hpp"

namespace carnot::grid {

/// A window of hours and what must be done in it.
struct ShiftWindow {
  std::size_t first = 0, count = 0;
  WindowWork work;
  std::vector<double> rigid_mw;  ///< one a site
};

/// Places the work of one variant after another.
class ShiftWork {
 public:
  /// \param hours, options, progress  must outlive it
  ShiftWork(const GridHours& hours, const ShiftOptions& options, const ShiftProgress& progress);

  /// \param before  variants that this one rests on
  ShiftVariant run(ShiftSignal signal, const std::vector<ShiftVariant>& before);
  bool stopped() const { return stopped_; }

 private:
  ShiftWindow window_at(std::size_t first) const;
  SiteTable even(const ShiftWindow& window) const;
  SiteTable by_signal(const ShiftWindow& window, ShiftSignal signal,
                      const ShiftVariant& seen) const;
  JointAnswer jointly(const ShiftWindow& window, double carbon_price_per_t);
  PlacedWindow least_carbon(const ShiftWindow& window, const std::vector<ShiftVariant>& before);
  void add(const ShiftWindow& window, ShiftVariant& variant,
           const std::vector<ShiftVariant>& before);
  PlacedWindow place(const ShiftWindow& window, ShiftVariant& variant,
                     const std::vector<ShiftVariant>& before);
  double moved_mwh(const ShiftWindow& window, const SiteTable& placed_mw) const;

  const GridHours& hours_;
  const ShiftOptions& options_;
  const ShiftProgress& progress_;
  Redispatch grid_;
  std::vector<ShiftWindow> windows_;
  std::unique_ptr<JointDispatch> joint_;
  std::size_t joint_hours_ = 0;
  double joint_price_ = 0.0;
  bool stopped_ = false;
};

}  // namespace carnot::grid
