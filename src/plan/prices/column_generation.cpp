// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/column_generation.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "carnot/base/error.hpp"

#include "plan/prices/extended_dual_ascent.hpp"

namespace carnot::plan {

namespace {

constexpr double kSmoothing = 0.8;  // share of the best prices in those asked

bool same(const JobRun& a, const JobRun& b) {
  return a.assignment.site == b.assignment.site && a.assignment.mode == b.assignment.mode &&
         a.pieces == b.pieces;
}

std::vector<double> mean(const std::vector<double>& a, const std::vector<double>& b, double of_a) {
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = of_a * a[i] + (1.0 - of_a) * b[i];
  return out;
}

}  // namespace

ColumnGeneration::ColumnGeneration(const SiteModel& model, const Weights& objective,
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

bool ColumnGeneration::add(std::size_t job, const JobRun& run) {
  for (const JobRun& known : runs_[job])
    if (same(known, run)) return false;
  std::vector<solve::Share> shares = rows_.shares(run);
  shares.push_back({one_[job], 1.0});
  columns_[job].push_back(
      program_.add_column(0, std::numeric_limits<double>::infinity(), rows_.cost(run), shares));
  runs_[job].push_back(run);
  return true;
}

double ColumnGeneration::price(const std::vector<double>& y, int threads,
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
  prices.weights = PricedWeights(problem, objective_, goals_, rows_.goal_multipliers(y)).jobs();
  return cheapest_runs(problem, prices, threads, out);
}

ColumnAnswer ColumnGeneration::solve(std::vector<double> start, const ColumnOptions& options) {
  ColumnAnswer answer;
  answer.bound = -std::numeric_limits<double>::infinity();
  answer.row_prices = std::move(start);
  std::vector<JobRun> cheapest;
  const auto ask = [&](const std::vector<double>& y) {
    const double bound = price(y, options.threads, cheapest) + rows_.least(y);
    if (bound > answer.bound) {
      answer.bound = bound;
      answer.row_prices = y;
    }
    bool fresh = false;
    for (std::size_t j = 0; j < cheapest.size(); ++j) fresh = add(j, cheapest[j]) || fresh;
    return fresh;
  };
  if (!answer.row_prices.empty()) ask(std::vector<double>(answer.row_prices));
  for (answer.rounds = 1; answer.rounds <= options.rounds; ++answer.rounds) {
    const solve::ProgramAnswer solved = program_.solve();
    CARNOT_CHECK(solved.status == solve::ProgramStatus::Optimal,
                 "the programme of columns has an answer");
    answer.programme = solved.objective;
    if (options.progress && !options.progress(answer.bound, answer.programme)) break;
    const auto met = [&] {
      return answer.programme - answer.bound <=
             options.gap * std::max(std::abs(answer.programme), 1e-9);
    };
    if (met()) break;
    const std::vector<double> y = rows_.row_prices();
    const bool fresh = !answer.row_prices.empty() && ask(mean(answer.row_prices, y, kSmoothing));
    if (met()) break;
    if (!fresh && !ask(y)) break;
  }
  if (program_.solve().status == solve::ProgramStatus::Optimal)  // with what came last
    answer.flows = rows_.flows();
  return answer;
}

std::vector<JobRun> ColumnGeneration::greatest() const {
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
