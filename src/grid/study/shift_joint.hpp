// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Loads decided with the dispatch: the optimal power flows of several hours in one linear
/// programme, coupled by the work that computing sites must do over all of them. Angles are
/// eliminated by transfer factors, and a branch's limit enters where a solution breaks it, which
/// few do. Each solve starts from the one before. Not thread-safe.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/grid/dispatch/emissions.hpp"
#include "carnot/grid/study/shift.hpp"
#include "carnot/solve/linear_program.hpp"

#include "grid/dispatch/flow_limits.hpp"

namespace carnot::grid {

struct JointAnswer {
  std::string why;         ///< in words, if there is no optimum
  double objective = 0.0;  ///< cost, carbon price and shedding of all hours
  SiteTable placed_mw;
};

class JointDispatch {
 public:
  /// \param hours  in a window
  /// \param carbon_price_per_t  of the objective, in place of what the options say
  /// \throws InputError for a grid of more than one island or square costs
  JointDispatch(const Grid& grid, const ShiftOptions& options, double carbon_price_per_t,
                std::size_t hours);

  /// \param states  one an hour, rigid work included in the demand
  /// \throws Stopped
  JointAnswer solve(const std::vector<GridState>& states, const WindowWork& work);

 private:
  struct Unit {  ///< units at one bus with the same steps
    std::vector<std::size_t> generators;
    std::vector<SupplyCurves::Step> steps;
    std::size_t bus = 0;
  };
  struct Hour {
    int balance = 0;
    std::vector<std::vector<int>> output;  ///< [unit][step]
    std::vector<int> shed;                 ///< one a bus
    std::vector<int> load, unserved;       ///< columns, one a site; rows: shed <= demand + load
    std::vector<int> limit;                ///< one a branch; -1: not broken yet
  };
  void apply(const std::vector<GridState>& states, const WindowWork& work);
  std::vector<double> fixed_flow(const GridState& state) const;
  /// Adds the limits that the solution breaks. \returns false if it breaks none
  bool refine(const std::vector<GridState>& states);
  void add_limit(Hour& hour, std::size_t branch);
  void set_limit(const Hour& hour, std::size_t branch, double fixed_mw);

  const Grid grid_;
  const ShiftOptions options_;
  std::vector<std::vector<double>> factors_;  ///< [branch][bus]
  std::vector<FlowLimits> limits_;
  std::vector<Unit> units_;
  double idle_per_h_ = 0.0;  ///< cost of all units at no output
  solve::LinearProgram program_;
  std::vector<Hour> hours_;
  std::vector<int> own_;  ///< rows, one a site
  int total_ = 0;
};

}  // namespace carnot::grid
