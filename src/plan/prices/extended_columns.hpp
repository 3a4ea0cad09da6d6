// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Dantzig-Wolfe (plan/prices/dantzig_wolfe.hpp) whose master is a linear programme of all sites
/// with their terms, of goals, and of some runs of each job, of which it may mix several. The bound
/// of row prices: what sites cost at least plus what each job costs at least.

#include <functional>
#include <vector>

#include "plan/prices/dantzig_wolfe.hpp"
#include "plan/supply/site_rows.hpp"

namespace carnot::plan {

struct ColumnOptions {
  double gap = 5e-4;  ///< between programme and bound, relative to the programme
  int rounds = 400;
  int threads = 1;                                    ///< the answer is the same for any number
  std::function<bool(const DantzigWolfe&)> progress;  ///< as DantzigWolfeOptions::progress
  StopToken stop;  ///< ends the rounds, too; asked inside CLP and between jobs
};

struct ColumnAnswer {
  double bound = 0;                ///< of every plan
  std::vector<double> row_prices;  ///< that prove it; if stopped before any did: `start`
  std::vector<SiteFlows> flows;    ///< of the programme; empty: not known
};

class ExtendedColumns {
 public:
  /// Every job can be dropped.
  ExtendedColumns(const SiteModel& model, const Weights& objective,
                  const std::vector<GoalRow>& goals, double penalty);

  /// \return false if it is there already
  bool add(std::size_t job, const JobRun& run);
  /// \param start  row prices to begin with; empty: the programme's
  ColumnAnswer solve(const std::vector<double>& start, const ColumnOptions& options);

  struct Whole {
    bool found = false, proven = false;  ///< proven: no other choice of known runs costs less
    std::vector<JobRun> runs;            ///< one a job
    std::vector<std::size_t> chosen;     ///< which of known() they are
    double objective = 0;                ///< of the programme
  };
  /// One known run for each job, by branch and cut; only what costs less than `cutoff`.
  /// \param nodes  at most so many
  Whole whole(double cutoff, int nodes, const StopToken& stop) const;
  struct RunTerm {
    std::size_t job, run;  ///< of known()
    double coefficient;
  };
  /// A row for whole() alone: the bounds of solve() do not know it. After it, solve() is of no use.
  void add_row(double low, double high, const std::vector<RunTerm>& terms);
  std::size_t known_runs() const noexcept;

  const SiteRows& rows() const noexcept { return rows_; }
  /// After solve(): of each job the run with the greatest share.
  std::vector<JobRun> greatest() const;
  /// All runs known, by job.
  const std::vector<std::vector<JobRun>>& known() const noexcept { return runs_; }

 private:
  struct Master;
  /// Cheapest runs at row prices, and what they cost there, summed.
  /// \throws Stopped
  double price(const std::vector<double>& row_prices, const ColumnOptions& options,
               std::vector<JobRun>& out) const;

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
