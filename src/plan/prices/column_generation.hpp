// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Column generation: a linear programme of all sites and of some runs of each job, of which it
/// may mix several; its row prices ask each job for its cheapest run, which becomes a column.
///
/// Any row prices bound every plan from below: what sites cost at least plus what each job costs
/// at least (Lagrange). Prices asked are a mean of the programme's and of those of the best bound
/// so far (Wentges 1997), for the programme's alone jump about. Ends where programme and bound
/// meet.

#include <functional>
#include <vector>

#include "plan/search/site_rows.hpp"

namespace carnot::plan {

struct ColumnOptions {
  double gap = 5e-4;  ///< between programme and bound, relative to the programme
  int rounds = 400;
  int threads = 1;  ///< the answer is the same for any number
  /// Called after each round with bound and programme; false: stop.
  std::function<bool(double bound, double programme)> progress;
};

struct ColumnAnswer {
  double programme = 0;            ///< least cost of mixtures of the runs known
  double bound = 0;                ///< of every plan
  std::vector<double> row_prices;  ///< that prove it
  std::vector<SiteFlows> flows;    ///< of the programme
  int rounds = 0;
};

class ColumnGeneration {
 public:
  /// Every job can be dropped.
  ColumnGeneration(const SiteModel& model, const Weights& objective,
                   const std::vector<GoalRow>& goals, double penalty);

  /// \return false if it is there already
  bool add(std::size_t job, const JobRun& run);
  /// \param start  row prices to begin with; empty: the programme's
  ColumnAnswer solve(std::vector<double> start, const ColumnOptions& options);

  const SiteRows& rows() const noexcept { return rows_; }
  /// After solve(): of each job the run with the greatest share.
  std::vector<JobRun> greatest() const;
  /// All runs known, by job.
  const std::vector<std::vector<JobRun>>& known() const noexcept { return runs_; }

 private:
  /// Cheapest runs at row prices, and what they cost there, summed.
  double price(const std::vector<double>& row_prices, int threads, std::vector<JobRun>& out) const;

  const SiteModel& model_;
  Weights objective_;
  std::vector<GoalRow> goals_;
  solve::LinearProgram program_;
  SiteRows rows_;
  std::vector<int> one_;  // [job] row: shares of its runs sum to one
  std::vector<std::vector<JobRun>> runs_;
  std::vector<std::vector<int>> columns_;
};

}  // namespace carnot::plan
