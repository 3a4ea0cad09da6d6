// SPDX-License-Identifier: Apache-2.0
#include "carnot/solve/linear_program.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"

#ifdef CARNOT_HAVE_CLP
#include <ClpSimplex.hpp>
#include <Eigen/SparseCore>
#include <Eigen/SparseLU>
#endif

namespace carnot::solve {

namespace {
std::size_t at(int index) { return static_cast<std::size_t>(index); }
}  // namespace

#ifdef CARNOT_HAVE_CLP

bool has_linear_solver() noexcept { return true; }

/// Added at once, so many make the end of the last solve a poor start: presolving pays again.
constexpr std::size_t kManyRows = 300;
constexpr int kDualIterations = 5'000;  // and one for each row and column

struct LinearProgram::Solver {
  ClpSimplex clp;
  std::size_t columns = 0, rows = 0, entries = 0;  ///< handed over so far
};

LinearProgram::LinearProgram() : solver_(std::make_unique<Solver>()) {
  solver_->clp.setLogLevel(0);
  solver_->clp.setPrimalTolerance(1e-9);
  solver_->clp.setDualTolerance(1e-9);
}

/// Gives CLP the columns and rows it does not know.
void LinearProgram::hand_over() {
  Solver& to = *solver_;
  const auto known_rows = static_cast<int>(to.rows), known_columns = static_cast<int>(to.columns);
  // Where the entries of each new column (in known rows) and of each new row begin.
  std::vector<int> column_starts(columns_.size() - to.columns + 1);
  std::vector<int> row_starts(rows_.size() - to.rows + 1);
  for (std::size_t i = to.entries; i < entries_.size(); ++i)
    if (entries_[i].row < known_rows)
      ++column_starts[at(entries_[i].column - known_columns) + 1];
    else
      ++row_starts[at(entries_[i].row - known_rows) + 1];
  std::partial_sum(column_starts.begin(), column_starts.end(), column_starts.begin());
  std::partial_sum(row_starts.begin(), row_starts.end(), row_starts.begin());
  const auto fill = [&](const std::vector<int>& starts, bool rows) {
    std::vector<int> next = starts, indices(at(starts.back()));
    std::vector<double> elements(indices.size());
    for (std::size_t i = to.entries; i < entries_.size(); ++i) {
      const Entry& entry = entries_[i];
      if ((entry.row >= known_rows) != rows) continue;
      const int place = next[at(rows ? entry.row - known_rows : entry.column - known_columns)]++;
      indices[at(place)] = rows ? entry.column : entry.row;
      elements[at(place)] = entry.coefficient;
    }
    return std::pair(indices, elements);
  };
  const auto bounds = [](const std::vector<Bounds>& of, std::size_t from) {
    std::pair<std::vector<double>, std::vector<double>> out;
    for (std::size_t i = from; i < of.size(); ++i) {
      out.first.push_back(std::max(of[i].lower, -COIN_DBL_MAX));
      out.second.push_back(std::min(of[i].upper, COIN_DBL_MAX));
    }
    return out;
  };
  if (to.columns < columns_.size()) {
    const auto [indices, elements] = fill(column_starts, false);
    const auto [lower, upper] = bounds(columns_, to.columns);
    to.clp.addColumns(static_cast<int>(lower.size()), lower.data(), upper.data(),
                      &costs_[to.columns], column_starts.data(), indices.data(), elements.data());
  }
  if (to.rows < rows_.size()) {
    const auto [indices, elements] = fill(row_starts, true);
    const auto [lower, upper] = bounds(rows_, to.rows);
    to.clp.addRows(static_cast<int>(lower.size()), lower.data(), upper.data(), row_starts.data(),
                   indices.data(), elements.data());
  }
  to.columns = columns_.size();
  to.rows = rows_.size();
  to.entries = entries_.size();
}

ProgramAnswer LinearProgram::solve() {
  ClpSimplex& clp = solver_->clp;
  const std::size_t more_rows = rows_.size() - solver_->rows;
  const bool first = solver_->columns == 0, more_columns = solver_->columns < columns_.size();
  hand_over();
  // Where costs are alike the dual method may go round for ever; the primal one then ends.
  const int most = clp.maximumIterations();
  clp.setMaximumIterations(clp.numberIterations() + kDualIterations +
                           static_cast<int>(rows_.size() + columns_.size()));
  if (first || more_rows > kManyRows) clp.initialSolve();
  if (!first && more_columns && more_rows == 0)
    clp.primal();  // the last end is still allowed, if no longer the best
  else
    clp.dual();  // also after presolving, whose end need not be a basis
  clp.setMaximumIterations(most);
  if (clp.status() != 0 && !clp.isProvenPrimalInfeasible()) clp.primal();
  values_.assign(clp.primalColumnSolution(), clp.primalColumnSolution() + columns_.size());
  prices_.assign(clp.dualRowSolution(), clp.dualRowSolution() + rows_.size());
  ProgramAnswer answer = check(costs_, prices_);
  if (clp.isProvenOptimal())
    answer.status = ProgramStatus::Optimal;
  else if (!clp.isProvenDualInfeasible() && proven_infeasible(answer))
    answer.status = ProgramStatus::Infeasible;
  return answer;
}

/// Prices that make the rows contradict the columns' bounds: with no costs at all, their bound on
/// the objective would be above zero, the objective of every feasible point.
bool LinearProgram::proven_infeasible(ProgramAnswer& answer) {
  const std::vector<double> no_costs(columns_.size(), 0.0);
  const auto proves = [&](const std::vector<double>& prices) {
    const ProgramAnswer proof = check(no_costs, prices);
    if (!(proof.bound > 1e-7 && proof.free_slope < 1e-9 * std::max(1.0, proof.bound))) return false;
    answer = proof;
    return true;
  };
  ClpSimplex& clp = solver_->clp;
  clp.dual();  // the ray of a presolved programme would not be this one's
  if (const std::unique_ptr<double[]> ray(clp.infeasibilityRay()); ray != nullptr) {
    double greatest = 0.0;
    for (std::size_t i = 0; i < rows_.size(); ++i) greatest = std::max(greatest, std::abs(ray[i]));
    for (const double sign : {1.0, -1.0}) {
      std::vector<double> prices(rows_.size());
      for (std::size_t i = 0; i < rows_.size(); ++i) prices[i] = sign * ray[i] / greatest;
      if (proves(prices)) return true;
    }
  }
  return proves(elastic_prices());
}

/// Prices of the programme that breaks its rows as little as it can: each may be missed at a cost
/// of 1 a unit, and nothing else costs. They prove what they cost to be unavoidable.
std::vector<double> LinearProgram::elastic_prices() const {
  std::vector<std::vector<Term>> terms(rows_.size());
  for (const Entry& entry : entries_)
    terms[at(entry.row)].push_back({entry.column, entry.coefficient});
  LinearProgram elastic;
  for (const Bounds& bounds : columns_) elastic.add_column(bounds.lower, bounds.upper, 0.0);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    terms[i].push_back({elastic.add_column(0.0, kInfinity, 1.0), 1.0});
    terms[i].push_back({elastic.add_column(0.0, kInfinity, 1.0), -1.0});
    elastic.add_row(rows_[i].lower, rows_[i].upper, terms[i]);
  }
  elastic.hand_over();
  ClpSimplex& clp = elastic.solver_->clp;
  clp.initialSolve();
  clp.primal();
  return {clp.dualRowSolution(), clp.dualRowSolution() + rows_.size()};
}

void LinearProgram::drop_slack_rows(std::size_t first) {
  Solver& to = *solver_;
  std::vector<int> gone, place(rows_.size(), -1);  // of each row that stays
  std::size_t rows = 0, entries = 0, known = 0;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    const auto row = static_cast<int>(i);
    if (i >= first && i < to.rows && to.clp.getRowStatus(row) == ClpSimplex::basic) {
      gone.push_back(row);
    } else {
      place[i] = static_cast<int>(rows);
      rows_[rows++] = rows_[i];
    }
  }
  if (gone.empty()) return;
  for (std::size_t k = 0; k < entries_.size(); ++k) {
    const Entry& entry = entries_[k];
    if (const int row = place[at(entry.row)]; row >= 0)
      entries_[entries++] = {row, entry.column, entry.coefficient};
    if (k < to.entries) known = entries;
  }
  rows_.resize(rows);
  entries_.resize(entries);
  to.clp.deleteRows(static_cast<int>(gone.size()), gone.data());
  to.rows -= gone.size();
  to.entries = known;
}

/// With y = 0 at rows that are free to move, y A_j = w_j for each basic column j: as many rows as
/// columns, for a basis.
std::vector<double> LinearProgram::sensitivity(std::span<const double> weights) const {
  CARNOT_CHECK(weights.size() == solver_->columns && rows_.size() == solver_->rows,
               "weights for the programme that was solved");
  const ClpSimplex& clp = solver_->clp;
  std::vector<int> place(columns_.size(), -1);
  std::vector<double> basic_weights;
  for (std::size_t j = 0; j < columns_.size(); ++j)
    if (clp.getColumnStatus(static_cast<int>(j)) == ClpSimplex::basic) {
      place[j] = static_cast<int>(basic_weights.size());
      basic_weights.push_back(weights[j]);
    }
  std::vector<std::size_t> active;
  std::vector<int> active_at(rows_.size(), -1);
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (clp.getRowStatus(static_cast<int>(i)) == ClpSimplex::basic) continue;
    active_at[i] = static_cast<int>(active.size());
    active.push_back(i);
  }
  std::vector<Eigen::Triplet<double>> triplets;
  for (const Entry& entry : entries_)
    if (const int row = place[at(entry.column)], column = active_at[at(entry.row)];
        row >= 0 && column >= 0)
      triplets.emplace_back(row, column, entry.coefficient);
  CARNOT_CHECK(active.size() == basic_weights.size(), "a basis");
  std::vector<double> y(rows_.size(), 0.0);
  if (active.empty()) return y;
  const auto size = static_cast<Eigen::Index>(active.size());
  Eigen::SparseMatrix<double> matrix(size, size);
  matrix.setFromTriplets(triplets.begin(), triplets.end());
  const Eigen::SparseLU<Eigen::SparseMatrix<double>> factors(matrix);
  CARNOT_CHECK(factors.info() == Eigen::Success, "a basis that can be inverted");
  const Eigen::VectorXd solution =
      factors.solve(Eigen::Map<const Eigen::VectorXd>(basic_weights.data(), size));
  for (std::size_t k = 0; k < active.size(); ++k)
    y[active[k]] = solution[static_cast<Eigen::Index>(k)];
  return y;
}

#else

bool has_linear_solver() noexcept { return false; }

struct LinearProgram::Solver {};

void LinearProgram::drop_slack_rows(std::size_t) {}

std::vector<double> LinearProgram::sensitivity(std::span<const double>) const { return {}; }

LinearProgram::LinearProgram() {
  throw DeviceError(
      "this build has no solver for linear programmes: install coinor-libclp-dev, configure and "
      "build again");
}

ProgramAnswer LinearProgram::solve() { return {}; }

#endif

std::string fault_of(const ProgramAnswer& answer, double magnitude) {
  constexpr double kAllowed = 1e-6;
  if (answer.status == ProgramStatus::Infeasible) return "nothing is within the limits";
  if (answer.status == ProgramStatus::Failed) return "the solver gave up";
  const double gap = std::abs(answer.objective - answer.bound);
  if (!(answer.violation <= kAllowed * magnitude))
    return fmt::format("a limit is violated by {:.3g} MW", answer.violation);
  if (!(gap <= kAllowed * std::max(1.0, std::abs(answer.objective))))
    return fmt::format("its proof leaves a gap of {:.3g} an hour", gap);
  if (!(answer.free_slope <= kAllowed))
    return fmt::format("a price is off by {:.3g}", answer.free_slope);
  return {};
}

LinearProgram::~LinearProgram() = default;

int LinearProgram::add_column(double lower, double upper, double cost,
                              std::span<const Share> shares) {
  const int column = static_cast<int>(columns_.size());
  columns_.push_back({lower, upper});
  costs_.push_back(cost);
  for (const Share& share : shares) entries_.push_back({share.row, column, share.coefficient});
  return column;
}

int LinearProgram::add_row(double lower, double upper, std::span<const Term> terms) {
  const int row = static_cast<int>(rows_.size());
  std::vector<Term> sorted(terms.begin(), terms.end());
  std::sort(sorted.begin(), sorted.end(),
            [](const Term& a, const Term& b) { return a.column < b.column; });
  for (std::size_t k = 0; k < sorted.size(); ++k) {
    if (k > 0 && sorted[k - 1].column == sorted[k].column)
      entries_.back().coefficient += sorted[k].coefficient;
    else
      entries_.push_back({row, sorted[k].column, sorted[k].coefficient});
  }
  rows_.push_back({lower, upper});
  return row;
}

void LinearProgram::set_column(int column, double lower, double upper) {
  columns_[at(column)] = {lower, upper};
#ifdef CARNOT_HAVE_CLP
  if (at(column) < solver_->columns) solver_->clp.setColumnBounds(column, lower, upper);
#endif
}

void LinearProgram::set_row(int row, double lower, double upper) {
  rows_[at(row)] = {lower, upper};
#ifdef CARNOT_HAVE_CLP
  if (at(row) < solver_->rows) solver_->clp.setRowBounds(row, lower, upper);
#endif
}

ProgramAnswer LinearProgram::check(const std::vector<double>& costs,
                                   const std::vector<double>& prices) const {
  ProgramAnswer answer;
  std::vector<double> reduced = costs;
  // A price on the wrong side of a missing bound proves nothing: it counts as a free slope.
  const auto support = [&answer](double slope, const Bounds& bounds) {
    const double bound = slope > 0.0 ? bounds.lower : bounds.upper;
    if (std::isfinite(bound)) return slope * bound;
    answer.free_slope = std::max(answer.free_slope, std::abs(slope));
    return 0.0;
  };
  for (const Entry& entry : entries_)
    reduced[at(entry.column)] -= prices[at(entry.row)] * entry.coefficient;
  for (std::size_t i = 0; i < rows_.size(); ++i) answer.bound += support(prices[i], rows_[i]);
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    answer.objective += costs[j] * values_[j];
    answer.bound += support(reduced[j], columns_[j]);
  }
  answer.violation = violation(values_);
  return answer;
}

double LinearProgram::violation(std::span<const double> values) const {
  double greatest = 0.0;
  const auto violate = [&greatest](double value, const Bounds& bounds) {
    greatest = std::max({greatest, bounds.lower - value, value - bounds.upper});
  };
  std::vector<double> activity(rows_.size());
  for (const Entry& entry : entries_)
    activity[at(entry.row)] += entry.coefficient * values[at(entry.column)];
  for (std::size_t i = 0; i < rows_.size(); ++i) violate(activity[i], rows_[i]);
  for (std::size_t j = 0; j < columns_.size(); ++j) violate(values[j], columns_[j]);
  return greatest;
}

}  // namespace carnot::solve
