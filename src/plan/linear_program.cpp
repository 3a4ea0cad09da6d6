// SPDX-License-Identifier: Apache-2.0
#include "plan/linear_program.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#ifdef CARNOT_HAVE_CLP
#include <ClpSimplex.hpp>
#include <Eigen/SparseCore>
#include <Eigen/SparseLU>
#endif

namespace carnot::plan {

namespace {
std::size_t at(int index) { return static_cast<std::size_t>(index); }
}  // namespace

#ifdef CARNOT_HAVE_CLP

/// Added at once, so many make the end of the last solve a poor start: presolving pays again.
constexpr std::size_t kManyRows = 300;

struct LinearProgram::Solver {
  ClpSimplex clp;
  std::size_t columns = 0, rows = 0;  ///< handed over so far
};

LinearProgram::LinearProgram() : solver_(std::make_unique<Solver>()) {
  solver_->clp.setLogLevel(0);
  solver_->clp.setPrimalTolerance(1e-9);
  solver_->clp.setDualTolerance(1e-9);
}

ProgramAnswer LinearProgram::solve() {
  ClpSimplex& clp = solver_->clp;
  const bool first = solver_->columns == 0;
  if (solver_->columns < columns_.size()) {
    clp.resize(clp.numberRows(), static_cast<int>(columns_.size()));
    for (; solver_->columns < columns_.size(); ++solver_->columns) {
      const std::size_t j = solver_->columns;
      clp.setColumnBounds(static_cast<int>(j), columns_[j].lower, columns_[j].upper);
      clp.setObjectiveCoefficient(static_cast<int>(j), costs_[j]);
    }
  }
  std::vector<int> indices, starts{0};
  std::vector<double> elements, lower, upper;
  for (std::size_t i = solver_->rows; i < rows_.size(); ++i) {
    for (std::size_t k = row_start_[i]; k < row_start_[i + 1]; ++k) {
      indices.push_back(terms_[k].column);
      elements.push_back(terms_[k].coefficient);
    }
    starts.push_back(static_cast<int>(indices.size()));
    lower.push_back(std::max(rows_[i].lower, -COIN_DBL_MAX));
    upper.push_back(std::min(rows_[i].upper, COIN_DBL_MAX));
  }
  if (!lower.empty())
    clp.addRows(static_cast<int>(lower.size()), lower.data(), upper.data(), starts.data(),
                indices.data(), elements.data());
  solver_->rows = rows_.size();
  if (first || lower.size() > kManyRows) clp.initialSolve();
  clp.dual();  // also after presolving, whose end need not be a basis
  if (clp.status() != 0 && !clp.isProvenPrimalInfeasible()) clp.primal();
  values_.assign(clp.primalColumnSolution(), clp.primalColumnSolution() + columns_.size());
  prices_.assign(clp.dualRowSolution(), clp.dualRowSolution() + rows_.size());
  ProgramAnswer answer = check(costs_, prices_);
  if (clp.isProvenOptimal())
    answer.status = ProgramStatus::Optimal;
  else if (clp.isProvenPrimalInfeasible() && proven_infeasible(answer))
    answer.status = ProgramStatus::Infeasible;
  return answer;
}

/// Prices that make the rows contradict the columns' bounds: with no costs at all, their bound on
/// the objective would be above zero, the objective of every feasible point.
bool LinearProgram::proven_infeasible(ProgramAnswer& answer) {
  ClpSimplex& clp = solver_->clp;
  clp.dual();  // the ray of a presolved programme would not be this one's
  const std::unique_ptr<double[]> ray(clp.infeasibilityRay());
  if (ray == nullptr) return false;
  const std::vector<double> no_costs(columns_.size(), 0.0);
  double greatest = 0.0;
  for (std::size_t i = 0; i < rows_.size(); ++i) greatest = std::max(greatest, std::abs(ray[i]));
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> prices(rows_.size());
    for (std::size_t i = 0; i < rows_.size(); ++i) prices[i] = sign * ray[i] / greatest;
    const ProgramAnswer proof = check(no_costs, prices);
    if (proof.bound > 1e-7 && proof.free_slope < 1e-9 * std::max(1.0, proof.bound)) {
      answer = proof;
      return true;
    }
  }
  return false;
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
  std::vector<Eigen::Triplet<double>> entries;
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    if (clp.getRowStatus(static_cast<int>(i)) == ClpSimplex::basic) continue;
    for (std::size_t k = row_start_[i]; k < row_start_[i + 1]; ++k)
      if (const int at_column = place[at(terms_[k].column)]; at_column >= 0)
        entries.emplace_back(at_column, static_cast<int>(active.size()), terms_[k].coefficient);
    active.push_back(i);
  }
  CARNOT_CHECK(active.size() == basic_weights.size(), "a basis");
  std::vector<double> y(rows_.size(), 0.0);
  if (active.empty()) return y;
  const auto size = static_cast<Eigen::Index>(active.size());
  Eigen::SparseMatrix<double> matrix(size, size);
  matrix.setFromTriplets(entries.begin(), entries.end());
  const Eigen::SparseLU<Eigen::SparseMatrix<double>> factors(matrix);
  CARNOT_CHECK(factors.info() == Eigen::Success, "a basis that can be inverted");
  const Eigen::VectorXd solution =
      factors.solve(Eigen::Map<const Eigen::VectorXd>(basic_weights.data(), size));
  for (std::size_t k = 0; k < active.size(); ++k)
    y[active[k]] = solution[static_cast<Eigen::Index>(k)];
  return y;
}

#else

struct LinearProgram::Solver {};

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

int LinearProgram::add_column(double lower, double upper, double cost) {
  columns_.push_back({lower, upper});
  costs_.push_back(cost);
  return static_cast<int>(columns_.size()) - 1;
}

int LinearProgram::add_row(double lower, double upper, std::span<const Term> terms) {
  const std::size_t begin = terms_.size();
  terms_.insert(terms_.end(), terms.begin(), terms.end());
  std::sort(terms_.begin() + static_cast<std::ptrdiff_t>(begin), terms_.end(),
            [](const Term& a, const Term& b) { return a.column < b.column; });
  std::size_t end = begin;
  for (std::size_t k = begin; k < terms_.size(); ++k) {
    if (end > begin && terms_[end - 1].column == terms_[k].column)
      terms_[end - 1].coefficient += terms_[k].coefficient;
    else
      terms_[end++] = terms_[k];
  }
  terms_.resize(end);
  row_start_.push_back(end);
  rows_.push_back({lower, upper});
  return static_cast<int>(rows_.size()) - 1;
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
  const auto violate = [&answer](double value, const Bounds& bounds) {
    answer.violation = std::max({answer.violation, bounds.lower - value, value - bounds.upper});
  };
  for (std::size_t i = 0; i < rows_.size(); ++i) {
    double activity = 0.0;
    for (std::size_t k = row_start_[i]; k < row_start_[i + 1]; ++k) {
      const std::size_t column = at(terms_[k].column);
      activity += terms_[k].coefficient * values_[column];
      reduced[column] -= prices[i] * terms_[k].coefficient;
    }
    violate(activity, rows_[i]);
    answer.bound += support(prices[i], rows_[i]);
  }
  for (std::size_t j = 0; j < columns_.size(); ++j) {
    answer.objective += costs[j] * values_[j];
    violate(values_[j], columns_[j]);
    answer.bound += support(reduced[j], columns_[j]);
  }
  return answer;
}

}  // namespace carnot::plan
