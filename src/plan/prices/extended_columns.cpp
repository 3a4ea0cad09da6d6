// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/extended_columns.hpp"

#include <algorithm>
#include <utility>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/solve/integer_program.hpp"

#include "plan/problem/room.hpp"

namespace carnot::plan {

namespace {

constexpr double kSmoothing = 0.8;  // share of the best prices in those asked

bool same(const JobRun& a, const JobRun& b) {
  return a.assignment.site == b.assignment.site && a.assignment.mode == b.assignment.mode &&
         a.pieces == b.pieces;
}

}  // namespace

ExtendedColumns::ExtendedColumns(const SiteModel& model, const Weights& objective,
                                 const std::vector<GoalRow>& goals, double penalty)
    : model_(model),
      objective_(objective),
      goals_(goals),
      rows_(model, objective, goals, penalty, program_),
      runs_(model.problem().jobs.size()),
      columns_(runs_.size()) {
  for (std::size_t j = 0; j < runs_.size(); ++j) one_.push_back(program_.add_row(1, 1, {}));
  for (std::size_t j = 0; j < runs_.size(); ++j) {
    JobRun dropped;
    dropped.own.drop = model.problem().jobs.value(j);
    add(j, dropped);
  }
}

bool ExtendedColumns::add(std::size_t job, const JobRun& run) {
  for (const JobRun& known : runs_[job])
    if (same(known, run)) return false;
  for (const Piece& piece : run.pieces)  // shares of what no plan does would weaken the bound
    if (piece.power_kw >
        room_kw(model_.problem(), piece.site, static_cast<std::size_t>(piece.slot)))
      return false;
  std::vector<solve::Share> shares = rows_.shares(run);
  shares.push_back({one_[job], 1.0});
  columns_[job].push_back(program_.add_column(0, kInfinity, rows_.cost(run), shares));
  runs_[job].push_back(run);
  return true;
}

double ExtendedColumns::price(const std::vector<double>& y, const ColumnOptions& options,
                              std::vector<JobRun>& out) const {
  const Problem& problem = model_.problem();
  Plan multipliers;
  rows_.multipliers(y, multipliers);
  const std::vector<double> reserve = rows_.reserve_prices(y);
  const bool reserved =
      std::any_of(reserve.begin(), reserve.end(), [](double x) { return x != 0; });
  JobPrices prices;
  prices.energy = multipliers.price;
  if (reserved) prices.reserve = reserve;
  prices.hold_slots = problem.reserve.hold_slots;
  prices.within_s = problem.reserve.within_s;
  prices.within_sites = true;
  prices.weights = PricedWeights(problem, objective_, goals_, rows_.goal_multipliers(y)).jobs();
  return cheapest_runs(problem, prices, options.threads, out, options.stop);
}

struct ExtendedColumns::Master {
  ExtendedColumns& columns;
  const ColumnOptions& options;
  double programme = 0;
  std::vector<JobRun> cheapest;

  bool solve() {
    const solve::ProgramAnswer solved = columns.program_.solve(options.stop);
    if (solved.status == solve::ProgramStatus::Stopped) throw Stopped();
    CARNOT_CHECK(solved.status == solve::ProgramStatus::Optimal,
                 "the programme of columns has an answer");
    programme = solved.objective;
    return true;
  }
  double objective() const noexcept { return programme; }
  std::vector<double> prices() const { return columns.rows_.row_prices(); }
  double ask(const std::vector<double>& y, bool& fresh) {
    const double bound = columns.price(y, options, cheapest) + columns.rows_.least(y);
    for (std::size_t j = 0; j < cheapest.size(); ++j) fresh = columns.add(j, cheapest[j]) || fresh;
    return bound;
  }
};

ColumnAnswer ExtendedColumns::solve(const std::vector<double>& start,
                                    const ColumnOptions& options) {
  Master master{*this, options, 0, {}};
  DantzigWolfe best = dantzig_wolfe(
      master, start,
      {options.gap, options.rounds, {kSmoothing, 0.0}, /*stop_at_gap=*/true, options.progress});
  ColumnAnswer answer;
  answer.bound = best.bound;
  answer.row_prices = std::move(best.price);
  if (program_.solve(options.stop).status == solve::ProgramStatus::Optimal)  // with what came last
    answer.flows = rows_.flows();
  return answer;
}

ExtendedColumns::Whole ExtendedColumns::whole(double cutoff, int nodes,
                                              const StopToken& stop) const {
  std::vector<int> integers;
  for (const std::vector<int>& of_job : columns_)
    integers.insert(integers.end(), of_job.begin(), of_job.end());
  solve::IntegerOptions options;
  options.cutoff = cutoff;
  options.stop = stop;
  options.progress = [left = nodes](double) mutable { return left-- > 0; };
  const solve::IntegerAnswer answer = solve::solve_integer(program_, integers, options);
  Whole out{answer.found, answer.proven, {}, {}, answer.objective};
  for (std::size_t j = 0; answer.found && j < runs_.size(); ++j)
    for (std::size_t k = 0; k < runs_[j].size(); ++k)
      if (answer.values[static_cast<std::size_t>(columns_[j][k])] > 0.5) {
        out.runs.push_back(runs_[j][k]);
        out.chosen.push_back(k);
        break;
      }
  if (out.runs.size() != runs_.size()) out.found = false;
  return out;
}

void ExtendedColumns::add_row(double low, double high, const std::vector<RunTerm>& terms) {
  std::vector<solve::Term> row;
  for (const RunTerm& term : terms) row.push_back({columns_[term.job][term.run], term.coefficient});
  program_.add_row(low, high, row);
}

std::size_t ExtendedColumns::known_runs() const noexcept {
  std::size_t all = 0;
  for (const std::vector<JobRun>& of_job : runs_) all += of_job.size();
  return all;
}

std::vector<JobRun> ExtendedColumns::greatest() const {
  std::vector<JobRun> out;
  for (std::size_t j = 0; j < runs_.size(); ++j) {
    std::size_t best = 0;
    for (std::size_t k = 1; k < runs_[j].size(); ++k)
      if (program_.value(columns_[j][k]) > program_.value(columns_[j][best])) best = k;
    out.push_back(runs_[j][best]);
  }
  return out;
}

}  // namespace carnot::plan
