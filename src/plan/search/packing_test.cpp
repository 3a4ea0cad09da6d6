// SPDX-License-Identifier: Apache-2.0
// Prices on whole jobs: their bound against every plan there is, and what they prove.
#include "plan/supply/packing.hpp"

#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/random.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/search/planner.hpp"
#include "carnot/solve/linear_program.hpp"

#include "base/testing_files.hpp"
#include "plan/problem/testing_problem.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::small_problem;

/// A plan that drops all jobs, with prices of no sense.
Plan at_random_prices(const Problem& problem, std::uint64_t seed) {
  const RandomStream random(seed, "packing-test");
  std::uint64_t n = 0;
  const auto draw = [&](double low, double high) {
    return low + (high - low) * random.uniform(n++);
  };
  const std::vector<Supply> supply = supplies(problem);
  Plan plan;
  plan.jobs.resize(problem.jobs.size());
  for (std::size_t i = 0; i < supply.size(); ++i) plan.price.push_back(draw(-0.2, 0.4));
  for (int k = 0; k < 12; ++k) {
    PackingPrice of;
    of.site = static_cast<std::uint32_t>(random.below(n++, problem.sites.size()));
    of.slot =
        static_cast<std::uint32_t>(random.below(n++, static_cast<std::uint64_t>(problem.slots)));
    of.limit = draw(0, 1) < 0.5 ? PackingLimit::Room : PackingLimit::Knee;
    const std::size_t cell = of.site * static_cast<std::size_t>(problem.slots) + of.slot;
    const double kw = limit_kw(problem, supply, of.limit, cell);
    of.divisor_kw = draw(0, 1) < 0.5 ? draw(0.5, 8) : kw / std::floor(draw(1, 5)) * (1 + 1e-6);
    of.price_eur = draw(0, 1);
    if (PackingRow::usable(of.limit, kw, of.divisor_kw)) plan.packing.push_back(of);
  }
  return plan;
}

TEST(Packing, NoPricesProveMoreThanThereIs) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 4, seed % 2 == 0 ? 0.4 : 0.8);
    const double optimum = BruteForce(problem).optimum();
    for (std::uint64_t k = 0; k < 5; ++k) {
      const Certificate of = certify(problem, at_random_prices(problem, 10 * seed + k));
      EXPECT_TRUE(of.holds()) << seed << " " << k;
      EXPECT_LE(of.totals.bound_eur, optimum + 1e-9 * (1 + std::abs(optimum))) << seed << " " << k;
    }
  }
}

/// `jobs` of `power` kW, worth `value`, in one slot of 10 kW of which `own` cost nothing.
Problem one_slot(int jobs, double power, double own, double price, double value) {
  Problem problem;
  problem.slots = 1;
  PlanSite site;
  site.name = "s";
  site.capacity_kw = {10};
  site.pue = {1};
  site.free_kw = {own};
  site.price_eur_per_kwh = {price};
  site.carbon_g_per_kwh = {0};
  site.grid_limit_kw = {price < 0 ? 4.0 : kInfinity};
  problem.sites.push_back(site);
  for (int j = 0; j < jobs; ++j)
    problem.jobs.add("j" + std::to_string(j), 0, 1, value, {{1, power, 0}}, kNone, 0, {});
  return problem;
}

TEST(Packing, ProvesWhatWholeJobsCost) {
  if (!solve::has_linear_solver()) GTEST_SKIP() << "no CLP";
  struct Case {
    Problem problem;
    double optimum;
  };
  const Case cases[] = {
      {one_slot(3, 6, 0, 0.1, 100), 200.6},  // one of three fits
      {one_slot(4, 4, 6, 1, 3), 8.0},        // a second would buy 2 kW for 2 EUR and save 3
      {one_slot(5, 3, 10, -0.5, 1), 0.0},    // paid for 4 kW, 3 of 5 run
  };
  for (const Case& of : cases) {
    const double optimum = BruteForce(of.problem).optimum();
    EXPECT_NEAR(optimum, of.optimum, 1e-9);
    const Plan plan = plan_large(of.problem);
    EXPECT_NEAR(plan.objective_eur, optimum, 1e-9);
    EXPECT_NEAR(plan.bound_eur, optimum, 1e-3 * std::max(1.0, std::abs(optimum)));
    EXPECT_LE(plan.bound_eur, optimum + 1e-9);
    EXPECT_TRUE(certify(of.problem, plan).holds());
  }
}

TEST(Packing, NeverProvesLessThanSharedJobsDo) {
  if (!solve::has_linear_solver()) GTEST_SKIP() << "no CLP";
  PlannerOptions shared;
  shared.pack = false;
  double before = 0, after = 0;
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    const Problem problem = small_problem(seed, 4, 1, 4, 0.5);
    const double optimum = BruteForce(problem).optimum(), hair = 1e-9 * (1 + std::abs(optimum));
    const Plan whole = plan_large(problem), part = plan_large(problem, shared);
    EXPECT_LE(whole.bound_eur, optimum + hair) << seed;
    EXPECT_GE(whole.bound_eur, part.bound_eur - hair) << seed;
    before += optimum - part.bound_eur;
    after += optimum - whole.bound_eur;
  }
  // 54 % of what linear programming leaves is left.
  EXPECT_LT(after, 0.6 * before);
}

TEST(Packing, AFileThatClaimsMoreIsFound) {
  if (!solve::has_linear_solver()) GTEST_SKIP() << "no CLP";
  const Problem problem = one_slot(3, 6, 0, 0.1, 100);
  Plan plan = plan_large(problem);
  ASSERT_FALSE(plan.packing.empty());
  const TemporaryFolder folder;
  write_problem(problem, folder.path());
  PlanNotes notes;
  notes.problem = "problem.json";
  notes.assignments = "plan.csv";
  const auto written = [&](const Plan& of) {
    write_text(folder / "plan.csv", assignments_csv(of, problem));
    write_text(folder / "plan.json", plan_json(of, plan.totals, problem, notes));
    return check_plan(folder / "plan.json");
  };
  EXPECT_TRUE(written(plan).holds());
  const auto refused = [&](auto&& change) {
    Plan changed = plan;
    change(changed);
    EXPECT_FALSE(written(changed).holds());
  };
  refused([](Plan& p) { p.packing.clear(); });
  refused([](Plan& p) { p.packing[0].divisor_kw *= 0.5; });
  refused([](Plan& p) { p.packing[0].price_eur *= -1; });
  refused([](Plan& p) { p.packing[0].slot = 7; });
  refused([](Plan& p) { p.packing[0].site = 7; });
  refused([](Plan& p) { p.packing[0].divisor_kw = 0; });
}

}  // namespace
}  // namespace carnot::plan
