// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A linear programme that grows: minimise cost . x with rows and columns between bounds. Solved by
/// CLP from where the last solve ended, and every answer checked against the rows kept here. Bounds
/// of +-kInfinity are none. Not thread-safe. With whole numbers: integer_program.hpp.

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"

namespace carnot::solve {

struct Term {
  int column = 0;
  double coefficient = 0.0;
};

/// What a new column adds to a row that is there already.
struct Share {
  int row = 0;
  double coefficient = 0.0;
};

enum class ProgramStatus { Optimal, Infeasible, Failed, Stopped };

struct ProgramAnswer {
  ProgramStatus status = ProgramStatus::Failed;
  double objective = 0.0;
  double bound = 0.0;       ///< objective of the duals; if infeasible, of the proof, above zero
  double violation = 0.0;   ///< greatest by which a row or a column leaves its bounds
  double free_slope = 0.0;  ///< greatest reduced cost of a column in a direction it has no bound in
};

/// What is wrong with an answer that is no proven optimum, in words; empty if nothing.
/// \param magnitude  of the right-hand sides, at least 1: violations up to 1e-6 of it pass
std::string fault_of(const ProgramAnswer& answer, double magnitude);

/// Whether this build has CLP.
bool has_linear_solver() noexcept;

class LinearProgram {
 public:
  struct Bounds {
    double lower = 0.0, upper = 0.0;
  };
  struct Entry {
    int row = 0, column = 0;
    double coefficient = 0.0;
  };

  /// \throws DeviceError if CLP is not built in
  LinearProgram();
  ~LinearProgram();

  /// Rows are distinct.
  int add_column(double lower, double upper, double cost, std::span<const Share> shares = {});
  /// Terms of one column are summed.
  int add_row(double lower, double upper, std::span<const Term> terms);
  void set_column(int column, double lower, double upper);
  void set_row(int row, double lower, double upper);

  /// Removes the rows from `first` on that the last solution does not touch, and keeps its basis.
  /// Rows behind one that goes are renumbered.
  void drop_slack_rows(std::size_t first);

  std::size_t rows() const { return rows_.size(); }
  std::size_t columns() const { return columns_.size(); }

  /// Stopped: values and prices are those of no optimum; a later solve goes on from there.
  ProgramAnswer solve(const StopToken& stop = {});
  /// Greatest by which `values`, one a column, leave the bounds of a row or a column.
  double violation(std::span<const double> values) const;
  double value(int column) const { return values_[static_cast<std::size_t>(column)]; }
  /// What the objective gains per unit by which the row's active bound is raised.
  double price(int row) const { return prices_[static_cast<std::size_t>(row)]; }
  /// One a row: what `weights . x` gains per unit by which the row's active bound is raised, as
  /// long as the last solve's basis stays the best. With costs for weights these are the prices.
  /// \param weights  one a column \pre the last solve was Optimal and nothing has been added since
  std::vector<double> sensitivity(std::span<const double> weights) const;

  const std::vector<Bounds>& column_bounds() const { return columns_; }
  const std::vector<Bounds>& row_bounds() const { return rows_; }
  const std::vector<double>& costs() const { return costs_; }
  /// Those of a row or a column need not stand together.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  struct Solver;
  ProgramAnswer check(const std::vector<double>& costs, const std::vector<double>& prices) const;
  void hand_over();
  ProgramAnswer attempt(const StopToken& stop);
  bool proven_infeasible(ProgramAnswer& answer);
  std::vector<double> elastic_prices() const;

  std::vector<Bounds> columns_, rows_;
  std::vector<double> costs_;
  std::vector<Entry> entries_;
  std::vector<double> values_, prices_;
  std::unique_ptr<Solver> solver_;
};

}  // namespace carnot::solve
