// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The grid's answer to loads of computing sites: an optimal power flow of one hour, and what of it
/// a study keeps. Each solve starts from the one before. Not thread-safe.

#include <vector>

#include "carnot/grid/dispatch/emissions.hpp"
#include "carnot/grid/study/shift.hpp"

namespace carnot::grid {

class Redispatch {
 public:
  /// \param hours, options  must outlive it
  Redispatch(const GridHours& hours, const ShiftOptions& options);

  /// \throws Stopped
  /// \param load_mw  one a site; empty: no computing; NaN: undecided, so the hour stays unsolved
  ShiftHour hour(std::size_t at, const std::vector<double>& load_mw);

 private:
  void add_wires(ShiftHour& hour, const GridState& state, const OpfResult& result) const;
  void add_sites(ShiftHour& hour, std::size_t at, const std::vector<double>& load_mw,
                 const OpfResult& result) const;

  const GridHours& hours_;
  const ShiftOptions& options_;
  const SupplyCurves curves_;
  OptimalPowerFlow flow_;
  const std::vector<std::vector<double>> factors_;  ///< [branch][bus]
};

}  // namespace carnot::grid
