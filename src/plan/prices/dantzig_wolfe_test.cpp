// SPDX-License-Identifier: Apache-2.0
#include "plan/prices/dantzig_wolfe.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/prices/contract_columns.hpp"
#include "plan/prices/extended_columns.hpp"
#include "plan/problem/testing_problem.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::plan {
namespace {

using testing::every_choice;
using testing::mode_of;
using testing::small_problem;

/// Grid power is never for less than nothing: there prices from zero up prove all.
Problem problem_of(std::uint64_t seed) {
  Problem problem = small_problem(seed, 4, 2, 6, seed % 2 == 0 ? 0.4 : 1.0);
  for (PlanSite& site : problem.sites)
    for (double& price : site.price_eur_per_kwh) price = std::abs(price);
  return problem;
}

/// The linear programme with a column for everything that any job can do.
double full_programme(const Problem& problem) {
  const auto slots = static_cast<std::size_t>(problem.slots);
  const double h = problem.slot_s / 3600;
  solve::LinearProgram program;
  std::vector<int> it_row;
  for (std::size_t i = 0; i < problem.sites.size() * slots; ++i) {
    const PlanSite& site = problem.sites[i / slots];
    const std::size_t t = i % slots;
    const double c = site.price_eur_per_kwh[t] +
                     problem.carbon_price_eur_per_t * site.carbon_g_per_kwh[t] * 1e-6;
    // jobs' power x pue = own + grid; jobs' power <= capacity
    const std::vector<solve::Term> sources{
        {program.add_column(0, site.free_kw[t], 0.0), -1.0},
        {program.add_column(0, site.grid_limit_kw[t], c * h), -1.0}};
    it_row.push_back(program.add_row(-kInfinity, 0, sources));
    it_row.push_back(program.add_row(-kInfinity, site.capacity_kw[t], {}));
  }
  for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
    const PlanJobs& jobs = problem.jobs;
    const int one = program.add_row(1, 1, {});
    const solve::Share dropped{one, 1.0};
    program.add_column(0, kInfinity, jobs.value(j), {&dropped, 1});
    for (const Assignment& choice : every_choice(problem, j)) {
      const PlanMode& mode = mode_of(problem, j, choice);
      // No plan runs it where the site could not feed it alone.
      const PlanSite& where = problem.sites[choice.site];
      if (std::any_of(choice.slots.begin(), choice.slots.end(), [&](std::int32_t at) {
            const auto t = static_cast<std::size_t>(at);
            return mode.power_kw > where.capacity_kw[t] ||
                   mode.power_kw * where.pue[t] > where.free_kw[t] + where.grid_limit_kw[t];
          }))
        continue;
      std::vector<solve::Share> shares{{one, 1.0}};
      for (const std::int32_t at : choice.slots) {
        const auto slot = static_cast<std::size_t>(at);
        const std::size_t i = choice.site * slots + slot;
        shares.push_back({it_row[2 * i], mode.power_kw * problem.sites[choice.site].pue[slot]});
        shares.push_back({it_row[2 * i + 1], mode.power_kw});
      }
      program.add_column(0, kInfinity, mode.quality_eur + jobs.move_eur(j, choice.site), shares);
    }
  }
  const solve::ProgramAnswer answer = program.solve();
  EXPECT_EQ(answer.status, solve::ProgramStatus::Optimal);
  return answer.objective;
}

TEST(DantzigWolfe, BothMastersReachTheWholeLinearProgramme) {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = problem_of(seed);
    const double whole = full_programme(problem), slack = 1e-6 * (1 + std::abs(whole));
    const std::vector<Supply> supply = supplies(problem);
    const DantzigWolfe contract =
        contract_columns(problem, supply, std::vector<double>(supply.size()), 1e-10);
    EXPECT_NEAR(contract.bound, whole, slack) << seed;
    EXPECT_NEAR(contract.programme, whole, slack) << seed;

    const SiteModel model(problem);
    ExtendedColumns columns(model, weights_of(Measure::Cost), {}, 1e6);
    ColumnOptions options;
    options.gap = 1e-10;
    DantzigWolfe last;
    options.progress = [&](const DantzigWolfe& so_far) {
      EXPECT_GE(so_far.bound, last.bound);
      EXPECT_LE(so_far.programme, last.programme);
      last = so_far;
      return true;
    };
    const ColumnAnswer extended = columns.solve({}, options);
    EXPECT_NEAR(extended.bound, whole, slack) << seed;
    EXPECT_NEAR(last.programme, whole, slack) << seed;
  }
}

TEST(DantzigWolfe, StopsWhenAskedWithAProvenBound) {
  const Problem problem = problem_of(3);
  const double whole = full_programme(problem);
  const std::vector<Supply> supply = supplies(problem);
  const DantzigWolfe stopped = contract_columns(problem, supply, std::vector<double>(supply.size()),
                                                1e-10, [](const DantzigWolfe&) { return false; });
  EXPECT_EQ(stopped.rounds, 2);
  EXPECT_LE(stopped.bound, whole + 1e-9);
  EXPECT_GE(stopped.programme, whole - 1e-9);
}

/// Gives bounds as told, none of them new columns.
struct Told {
  std::vector<std::vector<double>> asked;
  bool solve() { return true; }
  double objective() const { return 10; }
  std::vector<double> prices() const { return {4.0}; }
  double ask(const std::vector<double>& prices, bool& fresh) {
    asked.push_back(prices);
    fresh = false;
    return prices[0];
  }
};

TEST(DantzigWolfe, AsksNearerToTheMasterWhereNothingIsNew) {
  Told master;
  DantzigWolfeOptions options;
  options.draws = {0.5, 0.25, 0.0};
  const DantzigWolfe best = dantzig_wolfe(master, {8.0}, options);
  const std::vector<std::vector<double>> asked{{8.0}, {6.0}, {5.0}, {4.0}};
  EXPECT_EQ(master.asked, asked);
  EXPECT_EQ(best.bound, 8.0);
  EXPECT_EQ(best.rounds, 1);
}

}  // namespace
}  // namespace carnot::plan

#endif
