// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/extended.hpp"

#include "plan/problem/testing_problem.hpp"
#include "plan/supply/site_rows.hpp"

#ifdef CARNOT_HAVE_CLP

namespace carnot::plan {
namespace {

using testing::BruteForce;
using testing::small_problem;

PlannerOptions quick() {
  PlannerOptions options;
  options.threads = 1;
  options.rounds = 300;
  return options;
}

void add_job(Problem& problem, std::int32_t slots, double kw, double value) {
  problem.jobs.add("j" + std::to_string(problem.jobs.size()), 0, problem.slots, value,
                   {{slots, kw, 0}}, kNone, 0, {});
}

/// Site terms of every kind, and goals now and then.
Problem rich_problem(std::uint64_t seed) {
  Problem problem = small_problem(seed, 3, 2, 4);
  const RandomStream random(seed, "rich-test");
  std::uint64_t at = 0;
  const auto u = [&](double low, double high) { return low + (high - low) * random.uniform(at++); };
  for (PlanSite& site : problem.sites) {
    SiteTerms& terms = problem.site_terms.emplace_back();
    const double cap = *std::min_element(site.capacity_kw.begin(), site.capacity_kw.end());
    if (u(0, 1) < 0.6)
      terms.battery = {u(1, 10), u(1, 5), u(1, 5), u(0.8, 1), u(0.8, 1), 0.5, 0.2, u(0, 0.02)};
    if (u(0, 1) < 0.5) {
      for (int t = 0; t < 4; ++t) {
        terms.export_kw.push_back(u(0, 5));
        terms.export_eur_per_kwh.push_back(u(-0.02, 0.1));
      }
    }
    if (u(0, 1) < 0.5) terms.demand_charges.push_back({u(0, 0.3), 0, 3});
    // From the bottom up, for facility power is only convex where it is not paid for.
    if (u(0, 1) < 0.5) terms.knees.push_back({0.5 * cap, u(0, 0.4)});
    terms.it_eur_per_kwh = u(0, 0.02);
    for (double& price : site.price_eur_per_kwh) price = std::abs(price);
  }
  if (u(0, 1) < 0.4) problem.goals.carbon_cap_g = u(2000, 20000);
  if (u(0, 1) < 0.3) problem.goals.own_share = u(0.05, 0.4);
  return problem;
}

/// The optimum by trying every run of every job around exact sites.
class EveryPlan {
 public:
  explicit EveryPlan(const Problem& problem)
      : problem_(problem),
        model_(problem),
        sites_(model_, weights_of(Measure::Cost), goal_rows(problem, {}), 1e6) {}
  double optimum() {
    job(0);
    return best_;
  }

 private:
  void job(std::size_t j) {
    if (j == problem_.jobs.size()) {
      const double cost = sites_.evaluate(sums_of(problem_, runs_));
      if (sites_.rows().broken().empty()) best_ = std::min(best_, cost);
      return;
    }
    JobRun dropped;
    dropped.own.drop = problem_.jobs.value(j);
    with(j, dropped);
    const PlanJobs& jobs = problem_.jobs;
    for (std::uint32_t s = 0; s < problem_.sites.size(); ++s) {
      if (jobs.sites(j) != nullptr && jobs.sites(j)->front() != s) continue;
      for (std::uint32_t m = 0; m < jobs.mode_end(j) - jobs.mode_begin(j); ++m)
        for (unsigned set = 0; set < 1U << problem_.slots; ++set) {
          Assignment a{s, m, {}};
          for (std::int32_t t = 0; t < problem_.slots; ++t)
            if (set >> t & 1U) a.slots.push_back(t);
          if (std::ssize(a.slots) != jobs.mode(jobs.mode_begin(j) + m).slots) continue;
          if (a.slots.front() < jobs.release(j) || a.slots.back() >= jobs.deadline(j)) continue;
          with(j, run_of(problem_, j, a, {}));
        }
    }
  }
  void with(std::size_t j, const JobRun& run) {
    JobSums alone = sums_of(problem_, runs_);
    add_run(problem_, run, 1.0, alone);
    for (std::size_t i = 0; i < alone.load.size(); ++i) {
      const auto slots = static_cast<std::size_t>(problem_.slots);
      if (alone.load[i] > problem_.sites[i / slots].capacity_kw[i % slots]) return;
      const PlanSite& site = problem_.sites[i / slots];
      if (model_.facility(i / slots, i % slots, alone.load[i]) >
          site.free_kw[i % slots] + site.grid_limit_kw[i % slots])
        return;  // batteries could help; such plans are left out, so the optimum may be lower
    }
    runs_.push_back(run);
    job(j + 1);
    runs_.pop_back();
  }

  const Problem& problem_;
  SiteModel model_;
  SiteProgram sites_;
  std::vector<JobRun> runs_;
  double best_ = kInfinity;
};

TEST(ColumnPlanner, TinyRichPlansAreNearOptimalAndBoundsHold) {
  int near = 0, all = 0;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const Problem problem = rich_problem(seed);
    const ExtendedPlan rich = plan_extended(problem, quick());
    const double optimum = EveryPlan(problem).optimum();
    if (!rich.broken.empty()) continue;
    const double slack = 1e-6 * (1 + std::abs(optimum));
    EXPECT_TRUE(certify(problem, rich.plan).holds()) << seed;
    EXPECT_LE(rich.plan.bound_eur, rich.plan.objective_eur + slack) << seed;
    EXPECT_LE(rich.plan.bound_eur, optimum + slack) << seed;
    near += rich.plan.objective_eur <= optimum + 0.05 * std::abs(optimum) + 1e-6;
    ++all;
  }
  EXPECT_GE(all, 15);
  EXPECT_GE(near, all * 8 / 10);
}

TEST(ColumnPlanner, ContractProblemsAreASpecialCase) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Problem problem = small_problem(seed, 3, 2, 5);
    const ExtendedPlan rich = plan_extended(problem, quick());
    EXPECT_TRUE(rich.broken.empty());
    EXPECT_TRUE(rich.plan.flows.empty());
    const double optimum = BruteForce(problem).optimum(), slack = 1e-6 * (1 + std::abs(optimum));
    EXPECT_LE(rich.plan.bound_eur, optimum + slack) << seed;
    EXPECT_GE(rich.plan.objective_eur, optimum - slack) << seed;
  }
}

TEST(ColumnPlanner, DemandChargeSpreadsWorkAsByHand) {
  Problem problem = testing::one_site(4, 1.25);
  for (int j = 0; j < 4; ++j) add_job(problem, 1, 10, 100);
  problem.site_terms[0].demand_charges.push_back({2.0, 0, 4});
  const ExtendedPlan rich = plan_extended(problem, quick());
  // One after the other: 40 kWh at 0.2 EUR x 1.25, and 12.5 kW at 2 EUR.
  EXPECT_NEAR(rich.plan.objective_eur, 40 * 0.25 + 25, 1e-6);
  EXPECT_NEAR(rich.plan.bound_eur, rich.plan.objective_eur, 0.05);
}

TEST(ColumnPlanner, BatteryEarnsTheSpreadOfPricesAsByHand) {
  Problem problem = testing::one_site(2, 1.25);
  problem.sites[0].price_eur_per_kwh = {0.1, 0.5};
  problem.site_terms[0].base_kw = {8, 8};
  problem.site_terms[0].battery = {100, 6, 6, 0.9, 0.9, 0, 0, 0.01};
  const ExtendedPlan rich = plan_extended(problem, quick());
  // Charged with 6 kWh it gives 6 x 0.81 in the dear slot.
  const double given = 6 * 0.81;
  EXPECT_NEAR(rich.plan.objective_eur, (10 + 6) * 0.1 + (10 - given) * 0.5 + given * 0.01, 1e-7);
  EXPECT_NEAR(rich.plan.bound_eur, rich.plan.objective_eur, 1e-6);
}

TEST(ColumnPlanner, ExportEarnsWhatJobsDoNotNeed) {
  Problem problem = testing::one_site(2, 1.25);
  problem.sites[0].free_kw = {20, 20};
  problem.site_terms[0].export_kw = {15, 15};
  problem.site_terms[0].export_eur_per_kwh = {0.05, 0.02};
  add_job(problem, 1, 8, 100);
  const ExtendedPlan rich = plan_extended(problem, quick());
  // The job takes 10 kW in the slot whose power brings less; 15 are sold in the other.
  EXPECT_NEAR(rich.plan.objective_eur, -15 * 0.05 - 10 * 0.02, 1e-7);
  const PlanTotals totals = certify(problem, rich.plan).totals;
  EXPECT_NEAR((totals.free_energy_j + totals.exported_j + totals.curtailed_j) / 3.6e6, 40, 40e-9);
}

TEST(ColumnPlanner, CarbonCapIsKeptAndPriced) {
  Problem problem = testing::one_site(4, 1.25);
  problem.sites[0].carbon_g_per_kwh = {500, 500, 100, 100};
  problem.sites[0].price_eur_per_kwh = {0.1, 0.1, 0.3, 0.3};
  for (int j = 0; j < 6; ++j) add_job(problem, 1, 10, 100);
  problem.goals.carbon_cap_g = 6 * 12.5 * 300;
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_TRUE(rich.broken.empty());
  EXPECT_LE(certify(problem, rich.plan).totals.carbon_g, 6 * 12.5 * 300 * (1 + 1e-6));
  EXPECT_GT(rich.plan.goal_multipliers.carbon, 0);
  EXPECT_NEAR(rich.plan.objective_eur, 3 * 12.5 * (0.1 + 0.3), 1e-6);
}

TEST(ColumnPlanner, LimitsThatCannotBeKeptAreAnOutcome) {
  Problem problem = testing::one_site(3, 1.25);
  problem.site_terms[0].base_kw = {10, 10, 10};
  problem.goals.carbon_cap_g = 100;
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_EQ(rich.broken.size(), 1U);
  EXPECT_NE(rich.broken[0].find("carbon_cap_g"), std::string::npos);
  EXPECT_TRUE(rich.proven);
  EXPECT_FALSE(certify(problem, rich.plan).holds());
}

TEST(ColumnPlanner, FirstThingsFirst) {
  Problem problem = testing::one_site(3, 1.25);
  problem.sites[0].price_eur_per_kwh = {0.9, 0.1, 0.1};
  add_job(problem, 1, 10, 1.0);  // worth less than its power
  problem.goals.order = {Measure::Dropped};
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_EQ(rich.plan.held.size(), 1U);
  EXPECT_NEAR(rich.plan.held[0].value, 0.0, 1e-9);
  EXPECT_NE(rich.plan.jobs[0].site, kNone);
  problem.goals.order.clear();
  EXPECT_EQ(plan_extended(problem, quick()).plan.jobs[0].site, kNone);
}

TEST(ColumnPlanner, CommittedReserveIsThereForTheWholeCall) {
  Problem problem = testing::one_site(6, 1.25);
  problem.site_terms[0].committed_kw = {0, 5, 5, 0, 0, 0};
  problem.reserve = {2, 30};
  for (int j = 0; j < 4; ++j) {
    add_job(problem, 3, 5, 100);
    problem.terms[static_cast<std::uint32_t>(j)].stop_s = 10;
  }
  problem.sites[0].price_eur_per_kwh = {0.5, 0.5, 0.5, 0.5, 0.1, 0.1};
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_TRUE(rich.broken.empty()) << rich.broken[0];
  EXPECT_TRUE(certify(problem, rich.plan).holds());
  // Slots 1, 2 and, for the call from 2, 3: stoppable jobs end two slots before their deadline.
  for (const std::int32_t t : {1, 2, 3}) {
    double kw = 0;
    for (const Assignment& a : rich.plan.jobs)
      if (a.site != kNone && a.slots.back() + 1 + 2 <= 6)
        kw += 5.0 * static_cast<double>(std::count(a.slots.begin(), a.slots.end(), t));
    EXPECT_GE(kw, 5.0) << t;
  }
}

TEST(ColumnPlanner, OffersNoReserveThatCannotStop) {
  int offered = 0;
  for (std::uint64_t seed = 0; seed < 25; ++seed) {
    const RandomStream random(seed, "offer-test");
    std::uint64_t at = 0;
    const auto below = [&](std::uint64_t n) {
      return static_cast<std::int32_t>(random.below(at++, n));
    };
    Problem problem = testing::one_site(10, 1.1);
    problem.site_terms[0].offer_kw.assign(10, 3);
    problem.site_terms[0].offer_eur_per_kw.assign(10, 0.05);
    problem.reserve = {1 + below(2), 30};
    for (int j = 0; j < 8; ++j) {
      const std::int32_t release = below(6), length = 1 + below(2);
      const std::int32_t deadline = std::min(release + length + below(4), 10);
      problem.jobs.add("j" + std::to_string(j), release, deadline, 20,
                       {{length, 1.0 + 0.5 * below(5), 0}}, kNone, 0, {});
      // Some stop in time, some too late; some end too near to their deadline to stop at all.
      problem.terms[static_cast<std::uint32_t>(j)].stop_s = below(3) == 0 ? 300 : 10;
    }
    const ExtendedPlan rich = plan_extended(problem, quick());
    ASSERT_TRUE(rich.broken.empty());
    EXPECT_TRUE(certify(problem, rich.plan).holds());
    for (const double kw : rich.plan.flows[0].reserve_kw) offered += kw > 0;
  }
  EXPECT_GT(offered, 10);
}

TEST(ColumnPlanner, TamperedDecisionsDoNotHold) {
  const Problem problem = rich_problem(1);
  const ExtendedPlan rich = plan_extended(problem, quick());
  ASSERT_TRUE(rich.broken.empty());
  Plan plan = rich.plan;
  plan.flows[0].grid_kw[1] += 0.1;
  EXPECT_FALSE(certify(problem, plan).holds());
  plan = rich.plan;
  plan.site_multipliers[0].facility.pop_back();
  EXPECT_FALSE(certify(problem, plan).holds());
  plan = rich.plan;
  for (double& price : plan.price) price += 0.05;
  EXPECT_LE(certify(problem, plan).totals.bound_eur, rich.plan.objective_eur + 1e-9);
}

TEST(ColumnPlanner, FilesTellWhatSitesAndGoalsAsk) {
  Problem problem = rich_problem(3);
  problem.goals.carbon_cap_g = 15000;
  problem.goals.order = {Measure::Late};
  const std::string folder = ::testing::TempDir() + "carnot-rich-files";
  write_problem(problem, folder);
  const Problem again = read_problem(folder + "/problem.json");
  EXPECT_EQ(again.goals.carbon_cap_g, 15000);
  ASSERT_EQ(again.site_terms.size(), 2U);
  const ExtendedPlan one = plan_extended(problem, quick()), two = plan_extended(again, quick());
  EXPECT_EQ(one.plan.objective_eur, two.plan.objective_eur);
  EXPECT_EQ(one.plan.bound_eur, two.plan.bound_eur);
}

}  // namespace
}  // namespace carnot::plan

#endif
