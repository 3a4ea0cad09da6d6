// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/extended.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/problem/testing_problem.hpp"

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

/// The optimum by trying every run of every job. What sites do around it at best is a linear
/// programme of its own, row by row the equations of plan/problem/site_terms.hpp for power that is
/// given; nothing here is the planner's but the solver, whose answers are checked.
class EveryPlan {
 public:
  explicit EveryPlan(const Problem& problem)
      : problem_(problem),
        slots_(static_cast<std::size_t>(problem.slots)),
        load_(problem.sites.size() * slots_) {
    for (std::size_t s = 0; s < problem.sites.size(); ++s) site(s);
    const PlanGoals& goals = problem.goals;
    if (goals.carbon_cap_g < kInfinity) sites_.add_row(-kInfinity, goals.carbon_cap_g, carbon_);
    if (goals.own_share > 0) {  // (1 - share) own >= share grid
      std::vector<solve::Term> terms;
      for (std::size_t i = 0; i < grid_.size(); ++i) {
        terms.push_back({own_[i], 1 - goals.own_share});
        terms.push_back({grid_[i], -goals.own_share});
      }
      sites_.add_row(0, kInfinity, terms);
    }
  }
  double optimum() {
    job(0, 0.0);
    return best_;
  }

 private:
  void site(std::size_t s) {
    const double h = problem_.slot_s / 3600;
    const PlanSite& site = problem_.sites[s];
    const SiteTerms& terms = problem_.site_terms[s];
    const PlanBattery& battery = terms.battery;
    for (std::size_t t = 0; t < slots_; ++t) {
      const double kg = site.carbon_g_per_kwh[t] / 1000;
      grid_.push_back(sites_.add_column(
          0, site.grid_limit_kw[t],
          h * (site.price_eur_per_kwh[t] + kg * problem_.carbon_price_eur_per_t / 1000)));
      own_.push_back(sites_.add_column(0, site.free_kw[t], 0));
      carbon_.push_back({grid_.back(), h * kg * 1000});
      std::vector<solve::Term> split{{own_.back(), 1}}, given{{grid_.back(), 1}, {own_.back(), 1}};
      if (!terms.export_kw.empty())
        split.push_back(
            {sites_.add_column(0, terms.export_kw[t], -h * terms.export_eur_per_kwh[t]), 1});
      sites_.add_row(-kInfinity, site.free_kw[t], split);
      if (battery.capacity_kwh > 0) {
        const int in = sites_.add_column(0, battery.charge_kw, 0);
        const int out = sites_.add_column(0, battery.discharge_kw, h * battery.wear_eur_per_kwh);
        given.insert(given.end(), {{in, -1}, {out, 1}});
        stored_.insert(stored_.end(), {{in, h * battery.charge_efficiency},
                                       {out, -h / battery.discharge_efficiency}});
        sites_.add_row((t + 1 == slots_ ? battery.end_kwh : 0) - battery.start_kwh,
                       battery.capacity_kwh - battery.start_kwh, stored_);
        const solve::Term turns[] = {{in, 1 / battery.charge_kw}, {out, 1 / battery.discharge_kw}};
        sites_.add_row(-kInfinity, 1, turns);
      }
      drawn_.push_back(sites_.add_row(0, 0, given));
    }
    stored_.clear();
    for (const DemandCharge& charge : terms.demand_charges) {
      const int peak = sites_.add_column(0, kInfinity, charge.eur_per_kw);
      for (std::int32_t t = charge.from; t < charge.to; ++t) {
        const solve::Term terms_of_slot[] = {{peak, 1},
                                             {grid_[s * slots_ + static_cast<std::size_t>(t)], -1}};
        sites_.add_row(0, kInfinity, terms_of_slot);
      }
    }
  }

  void job(std::size_t j, double fixed) {
    if (j == problem_.jobs.size()) return plan(fixed);
    const PlanJobs& jobs = problem_.jobs;
    job(j + 1, fixed + jobs.value(j));
    for (const Assignment& choice : testing::every_choice(problem_, j)) {
      const PlanMode& mode = testing::mode_of(problem_, j, choice);
      const std::vector<double> before = load_;
      for (const std::int32_t slot : choice.slots)
        load_[choice.site * slots_ + static_cast<std::size_t>(slot)] += mode.power_kw;
      job(j + 1, fixed + mode.quality_eur + jobs.move_eur(j, choice.site));
      load_ = before;
    }
  }

  void plan(double cost) {
    for (std::size_t i = 0; i < load_.size(); ++i) {
      const std::size_t s = i / slots_, t = i % slots_;
      if (load_[i] > problem_.sites[s].capacity_kw[t]) return;
      double facility = problem_.sites[s].pue[t] * load_[i];
      for (const FacilityKnee& knee : problem_.site_terms[s].knees)
        if (load_[i] > knee.from_kw) facility += (load_[i] - knee.from_kw) * knee.extra;
      sites_.set_row(drawn_[i], facility, facility);
      cost += problem_.slot_s / 3600 * load_[i] * problem_.site_terms[s].it_eur_per_kwh;
    }
    const solve::ProgramAnswer answer = sites_.solve();
    if (answer.status == solve::ProgramStatus::Infeasible) return;
    ASSERT_EQ(solve::fault_of(answer, 1), "");
    best_ = std::min(best_, cost + answer.objective);
  }

  const Problem& problem_;
  std::size_t slots_;
  std::vector<double> load_;  // [cell]
  solve::LinearProgram sites_;
  std::vector<int> grid_, own_, drawn_;  // [cell]
  std::vector<solve::Term> carbon_, stored_;
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
    EXPECT_GE(rich.plan.objective_eur, optimum - slack) << seed;
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
