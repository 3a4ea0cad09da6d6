// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Sites as rows and columns of a linear programme (plan/problem/site_terms.hpp says what they
/// mean). Columns of jobs can be added to it; or the jobs are fixed, and it gives the best that
/// sites can do. Limits that no plan may be able to keep are elastic: breaking them costs a
/// penalty.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/site_model.hpp"
#include "plan/supply/goal_rows.hpp"

namespace carnot::plan {

/// What jobs come to, all of them together.
struct JobSums {
  std::vector<double> load, stoppable;  ///< [cell] kW; stoppable empty: nothing counts
  OwnCost own;
};
JobSums sums_of(const Problem& problem, std::span<const JobRun> runs);
/// Adds a run to sums, or takes it away.
void add_run(const Problem& problem, const JobRun& run, double sign, JobSums& sums);

class SiteRows {
 public:
  /// \param penalty  EUR (or what the objective counts) for breaking a limit by all of itself
  SiteRows(const SiteModel& model, const Weights& objective, const std::vector<GoalRow>& goals,
           double penalty, solve::LinearProgram& program);

  /// Entries of a run's column, and its cost.
  std::vector<solve::Share> shares(const JobRun& run) const;
  double cost(const JobRun& run) const { return weighted(objective_.jobs, run.own); }

  /// Jobs are these and no columns.
  void fix(const JobSums& sums);

  /// Jobs are whatever `price`, [cell] EUR per kWh, is paid for; goals and reserve are let go.
  /// For good: the programme is of no use for anything else after it.
  void sell(const std::vector<double>& price);

  /// Row prices as they stand, and what they say as multipliers.
  std::vector<double> row_prices() const;
  void multipliers(const std::vector<double>& row_prices, Plan& plan) const;
  std::vector<double> goal_multipliers(const std::vector<double>& row_prices) const;
  /// Row prices of nothing, which prove little, but something.
  std::vector<double> no_prices() const { return std::vector<double>(rows_); }
  /// [cell] EUR per kW of stoppable power.
  std::vector<double> reserve_prices(const std::vector<double>& row_prices) const;

  /// What sites and rows cost at least at any row prices, jobs apart: each column at the better end
  /// of its bounds.
  double least(const std::vector<double>& row_prices) const;

  /// The site decisions of the last solve.
  std::vector<SiteFlows> flows() const;
  /// Shares of limits that the last solve breaks: (what, by how much of it).
  std::vector<std::pair<std::string, double>> broken() const;

 private:
  struct Battery {
    std::vector<int> charge, discharge, stored_row;  // [slot]
  };
  struct Elastic {
    int column = 0;
    double scale = 1;  // of the limit
    std::string words;
  };

  std::size_t cell(std::size_t s, std::size_t t) const { return s * model_.slots() + t; }
  int row(double lower, double upper);
  int column(double upper, const SiteWeights& per_unit, std::size_t t,
             std::vector<solve::Share> shares);
  void elastic(int row, double sign, double scale, std::string words);
  void add_goals();
  void add_cell(std::size_t s, std::size_t t);
  void add_battery(std::size_t s);
  void add_charges(std::size_t s);
  void add_reserve(std::size_t s);

  const SiteModel& model_;
  Weights objective_;
  std::vector<GoalRow> goals_;
  double penalty_;
  solve::LinearProgram& program_;
  std::vector<int> goal_row_;
  std::vector<double> goal_scale_;
  std::vector<int> it_row_, balance_row_, reserve_row_;  // [cell]; -1: none
  std::vector<int> grid_, own_, export_, first_piece_;   // [cell]
  std::vector<int> stoppable_;                           // [cell]; -1: none
  std::vector<Battery> batteries_;                       // [site]
  std::vector<std::vector<std::vector<int>>> peak_row_;  // [site][charge][slot - from]
  std::vector<std::vector<int>> call_row_;               // [site][slot x hold + k]; -1: none
  std::vector<std::vector<int>> offer_;                  // [site][slot]
  std::vector<Elastic> elastic_;
  std::size_t rows_ = 0, columns_ = 0, entries_ = 0;  // without columns of jobs
};

/// Row prices that go with prices of IT power: what else sites are worth at those.
/// \throws Stopped
std::vector<double> row_prices_at(const SiteModel& model, const Weights& objective,
                                  const std::vector<GoalRow>& goals,
                                  const std::vector<double>& price, const StopToken& stop = {});

/// Decisions that obey the sites' equations to rounding, next to those of a solver, which do to its
/// tolerance.
std::vector<SiteFlows> exact_flows(const SiteModel& model, const JobSums& sums,
                                   std::vector<SiteFlows> flows);

/// What sites do best when jobs are given.
class SiteProgram {
 public:
  SiteProgram(const SiteModel& model, const Weights& objective, const std::vector<GoalRow>& goals,
              double penalty);
  /// Objective of `sums` with the best that sites can do, penalties included.
  /// \throws Stopped
  double evaluate(const JobSums& sums, const StopToken& stop = {});
  const SiteRows& rows() const noexcept { return rows_; }

 private:
  Weights objective_;
  solve::LinearProgram program_;
  SiteRows rows_;
};

}  // namespace carnot::plan
