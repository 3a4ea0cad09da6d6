// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The power that a plan draws in each site-slot (cell), and what more of it costs: the true
/// marginal cost, or one that sees through the price of the cell how much the other jobs want it.

#include <cstddef>
#include <vector>

#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// How marginal costs are seen. A cell that is at its price lambda charges nobody less than lambda
/// (`trust` 1), and a little less or more as its load is below or near the power at which it gets
/// dearer or full: then jobs that can as well run elsewhere leave room for those that cannot, which
/// no job moving alone would do.
struct CostView {
  double trust = 0;  ///< weight of the price against true marginal cost, [0, 1]
  double lean = 0;   ///< by which share of itself a price gives way, [0, 1)
  double width = 1;  ///< over which share of a cell's power it does so, > 0
};

/// How sweeps see costs when a share `done` of them is over: ever less by the prices.
CostView sweep_view(double done);

class CellCosts {
 public:
  CellCosts(const std::vector<Supply>& supply, const std::vector<double>& price);

  void look(const CostView& view);
  /// Changes the view's trust alone.
  void trust(double trust) noexcept { view_.trust = trust; }
  /// EUR per hour of `power` more in a cell; infinite where it does not fit.
  double marginal(std::size_t cell, double power) const noexcept;
  /// The same for cells [from, from + count) into `out`.
  void marginals(std::size_t from, std::size_t count, double power, double* out) const;
  /// EUR per kWh of a little more in each cell; infinite where `little` kW do not fit.
  void prices(double little, std::vector<double>& out) const;
  void add(std::size_t cell, double power) noexcept {
    load_[cell] = load_[cell] + power > 0 ? load_[cell] + power : 0.0;
  }
  /// EUR per hour of all that is drawn, truly.
  double total() const;
  std::size_t size() const noexcept { return load_.size(); }

 private:
  double marginal_in_pieces(std::size_t cell, double power) const noexcept;

  std::vector<double> first_, most_, first_price_, second_price_, price_, load_;
  std::vector<double> middle_, slope_;  // of the leaning price: where it is lambda, and how steep
  // Where cells have more than two pieces: those of cell i are [start_[i], start_[i + 1]).
  std::vector<SupplyPiece> pieces_;
  std::vector<std::size_t> start_;
  CostView view_;
};

}  // namespace carnot::plan
