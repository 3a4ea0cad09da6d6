// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/search/extended.hpp"

#include "plan/problem/problem_read.hpp"
#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

void add_job(Problem& problem, double value, const std::vector<PlanMode>& modes) {
  problem.jobs.add("j" + std::to_string(problem.jobs.size()), 0, problem.slots, value, modes, kNone,
                   0, {});
}

#ifdef CARNOT_HAVE_CLP

PlannerOptions quick() {
  PlannerOptions options;
  options.threads = 1;
  options.rounds = 300;
  return options;
}

TEST(ExtendedGoals, LatenessFirstPaysForItsSlots) {
  Problem problem = testing::one_site(4, 1);
  problem.sites[0].price_eur_per_kwh = {0.9, 0.9, 0.1, 0.1};
  add_job(problem, 100, {{2, 10, 0}});
  problem.terms[0].due = 2;
  problem.terms[0].late_eur_per_slot = 0.5;
  const ExtendedPlan cheap = plan_extended(problem, quick());
  EXPECT_NEAR(cheap.plan.objective_eur, 2 + 2 * 0.5, 1e-6);  // two slots late
  problem.goals.order = {Measure::Late};
  const ExtendedPlan punctual = plan_extended(problem, quick());
  ASSERT_TRUE(punctual.broken.empty());
  EXPECT_NEAR(certify(problem, punctual.plan).totals.late_eur, 0, 1e-6);
  EXPECT_EQ(punctual.plan.jobs[0].slots, (std::vector<std::int32_t>{0, 1}));
  EXPECT_NEAR(punctual.plan.objective_eur, 18, 1e-6);
  ASSERT_EQ(punctual.plan.held.size(), 1U);
  EXPECT_LE(punctual.plan.held[0].bound, punctual.plan.held[0].value + 1e-9);
}

TEST(ExtendedGoals, EnergyBudgetLeavesTheLeastValuableUndone) {
  Problem problem = testing::one_site(3, 1);
  for (const double value : {50.0, 30.0, 40.0}) add_job(problem, value, {{1, 10, 0}});
  problem.goals.energy_budget_kwh = 20;
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_TRUE(rich.broken.empty());
  EXPECT_EQ(rich.plan.jobs[1].site, kNone);
  EXPECT_NEAR(rich.plan.objective_eur, 20 * 0.2 + 30, 1e-6);
  EXPECT_LE(certify(problem, rich.plan).totals.energy_j, 20 * 3.6e6 * (1 + 1e-6));
}

TEST(ExtendedGoals, QualityCapAllowsAsMuchLossAsItSays) {
  Problem problem = testing::one_site(2, 1);
  for (int j = 0; j < 3; ++j) add_job(problem, 100, {{1, 10, 0}, {1, 2, 1.0}});
  // A loss of 1 EUR saves 1.6; the cap allows two of them.
  EXPECT_NEAR(plan_extended(problem, quick()).plan.objective_eur, 3 * (0.4 + 1), 1e-6);
  problem.goals.quality_cap_eur = 2.5;
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_TRUE(rich.broken.empty());
  EXPECT_NEAR(certify(problem, rich.plan).totals.quality_eur, 2, 1e-9);
  EXPECT_NEAR(rich.plan.objective_eur, 2 * (0.4 + 1) + 2, 1e-6);
}

TEST(ExtendedGoals, OwnShareOfEachSlotIsMoreThanThatOfAll) {
  Problem problem = testing::one_site(2, 1);
  problem.sites[0].free_kw = {20, 5};
  problem.sites[0].price_eur_per_kwh = {0.3, 0.3};
  problem.site_terms[0].base_kw = {10, 10};
  problem.goals.own_share = 0.7;
  const ExtendedPlan all = plan_extended(problem, quick());  // 15 of 20 kWh are its own
  ASSERT_TRUE(all.broken.empty());
  EXPECT_NEAR(all.plan.objective_eur, 5 * 0.3, 1e-6);
  problem.goals.own_share_each_slot = true;
  const ExtendedPlan each = plan_extended(problem, quick());
  ASSERT_FALSE(each.broken.empty());
  EXPECT_TRUE(each.proven);
  EXPECT_NE(each.broken[0].find("slot 1"), std::string::npos) << each.broken[0];
  // A battery carries what is lacking: 2 kWh.
  problem.site_terms[0].battery = {4, 4, 4, 1, 1, 0, 0, 0};
  const ExtendedPlan carried = plan_extended(problem, quick());
  EXPECT_TRUE(carried.broken.empty());
}

/// Least cost of a base load of whole kW behind a lossless battery, by a table over what is stored.
double battery_by_table(const std::vector<double>& price, int base, int capacity, int power) {
  std::vector<double> cost(static_cast<std::size_t>(capacity) + 1, kInfinity);
  cost[0] = 0;
  for (const double eur : price) {
    std::vector<double> next(cost.size(), kInfinity);
    for (int from = 0; from <= capacity; ++from)
      for (int to = std::max(0, from - power); to <= std::min(capacity, from + power); ++to) {
        const int grid = base + to - from;
        if (grid < 0) continue;
        double& at = next[static_cast<std::size_t>(to)];
        at = std::min(at, cost[static_cast<std::size_t>(from)] + eur * grid);
      }
    cost = next;
  }
  return *std::min_element(cost.begin(), cost.end());
}

TEST(ExtendedGoals, BatteriesEarnWhatATableOfTheirStatesSays) {
  for (std::uint64_t seed = 0; seed < 12; ++seed) {
    const RandomStream random(seed, "battery");
    Problem problem = testing::one_site(24, 1);
    for (std::size_t t = 0; t < 24; ++t)
      problem.sites[0].price_eur_per_kwh[t] = 0.05 + 0.4 * random.uniform(t);
    const int base = 3, capacity = 4 + static_cast<int>(random.below(30, 8)), power = 2;
    problem.site_terms[0].base_kw.assign(24, base);
    // Integers in, a network with integers out: the programme ends where the table does.
    problem.site_terms[0].battery = {double(capacity), power, power, 1, 1, 0, 0, 0};
    const ExtendedPlan rich = plan_extended(problem, quick());
    const double table =
        battery_by_table(problem.sites[0].price_eur_per_kwh, base, capacity, power);
    EXPECT_NEAR(rich.plan.objective_eur, table, 1e-6) << seed;
    EXPECT_NEAR(rich.plan.bound_eur, table, 1e-5) << seed;
  }
}

TEST(ExtendedGoals, DemandChargesOfTwoWindowsAsByHand) {
  Problem problem = testing::one_site(4, 1);
  problem.site_terms[0].base_kw = {10, 30, 20, 5};
  problem.site_terms[0].demand_charges = {{2, 0, 2}, {3, 2, 4}};
  const ExtendedPlan rich = plan_extended(problem, quick());
  EXPECT_NEAR(rich.plan.objective_eur, 65 * 0.2 + 2 * 30 + 3 * 20, 1e-6);
  EXPECT_NEAR(rich.plan.bound_eur, rich.plan.objective_eur, 1e-5);
}

#ifdef CARNOT_HAVE_CBC
TEST(ExtendedGoals, ContractPlansAreNoBetterThanExactOnesAndHardlyWorse) {
  int near = 0;
  for (std::uint64_t seed = 0; seed < 10; ++seed) {
    const Problem problem = testing::small_problem(seed, 6, 2, 8);
    const Plan exact = plan_exact(problem);
    const ExtendedPlan rich = plan_extended(problem, quick());
    const double slack = 1e-6 * (1 + std::abs(exact.objective_eur));
    ASSERT_EQ(exact.status, "optimal");
    EXPECT_GE(rich.plan.objective_eur, exact.objective_eur - slack) << seed;
    EXPECT_LE(rich.plan.bound_eur, exact.objective_eur + slack) << seed;
    near += rich.plan.objective_eur <= exact.objective_eur + 0.03 * std::abs(exact.objective_eur);
  }
  EXPECT_GE(near, 8);
}
#endif

#endif

/// What reading a problem of one site and two slots says; `site` and `root` are more of their keys.
std::string said(const std::string& site, const std::string& root) {
  const std::string text =
      R"({"schema": "carnot.problem/1", "slot_s": 3600, "slots": 2, "jobs": [],)" + root +
      R"("sites": [
{"name": "s", "capacity_kw": [9, 9], "pue": [1, 1], "free_kw": [0, 0],
 "price_eur_per_kwh": [0, 0], "carbon_g_per_kwh": [0, 0], "grid_limit_kw": null)" +
      site + "}]}";
  try {
    parse_problem(text, "p.json");
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(ExtendedGoals, BadFieldsOfSitesAndGoalsAreNamed) {
  const std::string battery =
      R"(, "battery": {"capacity_kwh": 10, "charge_kw": 5, "discharge_kw": 5)";
  EXPECT_EQ(said(battery + "}", ""), "");
  const std::vector<std::pair<std::string, std::string>> sites{
      {R"(, "battery": {"charge_kw": 5, "discharge_kw": 5})", "battery.capacity_kwh"},
      {R"(, "battery": {"capacity_kwh": 10, "discharge_kw": 5})", "battery.charge_kw"},
      {R"(, "battery": {"capacity_kwh": 10, "charge_kw": 5, "discharge_kw": null})",
       "battery.discharge_kw"},
      {R"(, "battery": {"capacity_kwh": 1e400, "charge_kw": 5, "discharge_kw": 5})", "p.json:"},
      {R"(, "battery": 3)", "battery"},
      {battery + R"(, "charge_efficiency": 1.1})", "battery.charge_efficiency"},
      {battery + R"(, "discharge_efficiency": 0})", "battery.discharge_efficiency"},
      {battery + R"(, "start_kwh": 11})", "battery.start_kwh"},
      {battery + R"(, "end_kwh": 11})", "battery.end_kwh"},
      {battery + R"(, "wear_eur_per_kwh": -1})", "battery.wear_eur_per_kwh"},
      {R"(, "export": {"limit_kw": [-1, 0], "price_eur_per_kwh": [0, 0]})", "export.limit_kw"},
      {R"(, "export": {"limit_kw": [1, 0]})", "export.price_eur_per_kwh"},
      {R"(, "demand_charges": [{"eur_per_kw": -1}])", "demand_charges[0].eur_per_kw"},
      {R"(, "demand_charges": [{"eur_per_kw": 1, "from": 2}])", "demand_charges[0].from"},
      {R"(, "demand_charges": [{"eur_per_kw": 1, "from": 1, "to": 1}])", "demand_charges[0].to"},
      {R"(, "base_kw": [1, 10])", "base_kw[1]"},
      {R"(, "base_kw": [1])", "base_kw"},
      {R"(, "idle_kw": -1)", "idle_kw"},
      {R"(, "knees": [{"from_kw": 2, "extra": 0}, {"from_kw": 1, "extra": 0}])",
       "knees[1].from_kw"},
      {R"(, "knees": [{"from_kw": 2, "extra": -1}])", "knees[0].extra"},
      {R"(, "it_eur_per_kwh": -1)", "it_eur_per_kwh"},
      {R"(, "it_g_per_kwh": "x")", "it_g_per_kwh"},
      {R"(, "reserve": {"offer_kw": [1, 1]})", "reserve.offer_kw"},
      {R"(, "reserve": {"committed_kw": [1, -1]})", "reserve.committed_kw"}};
  for (const auto& [text, field] : sites) {
    const std::string words = said(text, "");
    EXPECT_NE(words.find("p.json:"), std::string::npos) << text << ": " << words;
    EXPECT_NE(words.find(field), std::string::npos) << text << ": " << words;
  }
  const std::vector<std::pair<std::string, std::string>> roots{
      {R"("goals": {"carbon_cap_g": -1},)", "goals.carbon_cap_g"},
      {R"("goals": {"energy_budget_kwh": "x"},)", "goals.energy_budget_kwh"},
      {R"("goals": {"quality_cap_eur": 1e13},)", "goals.quality_cap_eur"},
      {R"("goals": {"own_share": 1.1},)", "goals.own_share"},
      {R"("goals": {"own_share_each_slot": 1},)", "goals.own_share_each_slot"},
      {R"("goals": {"order": ["late", "late"]},)", "goals.order"},
      {R"("goals": {"order": ["cost", "late"]},)", "goals.order"},
      {R"("goals": [],)", "goals"},
      {R"("reserve": {"hold_slots": 0},)", "reserve.hold_slots"},
      {R"("reserve": {"within_s": -1},)", "reserve.within_s"}};
  for (const auto& [text, field] : roots) {
    const std::string words = said("", text);
    EXPECT_NE(words.find("p.json:"), std::string::npos) << text << ": " << words;
    EXPECT_NE(words.find(field), std::string::npos) << text << ": " << words;
  }
}

}  // namespace
}  // namespace carnot::plan
