// SPDX-License-Identifier: Apache-2.0
#include "carnot/plan/study/pareto.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/planner.hpp"

#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using testing::problem_with_terms;
using testing::small_problem;

ParetoOptions quick(int prices) {
  ParetoOptions options;
  options.carbon_prices = prices;
  options.planner.threads = 1;
  options.planner.rounds = 200;
  return options;
}

double in_weights_of(const ParetoPoint& point, const ParetoPoint& other) {
  return other.cost_eur + 1e-6 * point.carbon_price_eur_per_t * other.carbon_g +
         point.quality_weight * other.quality_eur;
}

/// All that a front promises.
void expect_front(const Problem& problem, const ParetoFront& front) {
  ASSERT_FALSE(front.points.empty());
  EXPECT_LE(front.points.size() + front.left_out, front.plans);
  for (const ParetoPoint& a : front.points) {
    const Problem at = weighted(problem, a.carbon_price_eur_per_t, a.quality_weight);
    const Certificate certificate = certify(at, a.plan);
    EXPECT_TRUE(certificate.holds());
    EXPECT_EQ(certificate.totals.dropped, a.totals.dropped);
    const double size = 1e-9 * (1 + std::abs(a.cost_eur) + std::abs(a.totals.objective_eur));
    EXPECT_NEAR(certificate.totals.objective_eur, in_weights_of(a, a), size);
    EXPECT_EQ(certificate.totals.bound_eur, a.plan.bound_eur);
    EXPECT_NEAR(a.objective_eur,
                a.cost_eur + 1e-6 * problem.carbon_price_eur_per_t * a.carbon_g + a.quality_eur,
                size);
    for (const ParetoPoint& b : front.points) {
      if (&a == &b) continue;
      const bool beats =
          b.cost_eur <= a.cost_eur && b.carbon_g <= a.carbon_g && b.quality_eur <= a.quality_eur;
      EXPECT_FALSE(beats);
      EXPECT_LE(a.plan.bound_eur, in_weights_of(a, b) + size);
      EXPECT_LE(in_weights_of(a, a), in_weights_of(a, b) + size);
      if (a.quality_weight == b.quality_weight &&
          a.carbon_price_eur_per_t < b.carbon_price_eur_per_t) {
        EXPECT_GE(a.carbon_g, b.carbon_g - 1e-6);
      }
    }
  }
}

TEST(Pareto, PointsOfContractProblemsHoldWhatTheyPromise) {
  std::size_t points = 0;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    const Problem problem = small_problem(seed, 12, 3, 12);
    const ParetoFront front = pareto_front(problem, quick(5));
    expect_front(problem, front);
    points += front.points.size();
  }
  EXPECT_GT(points, 8U * 3U);
}

/// A cheap dirty site and a dear clean one, 10 kWh of IT each; modes that save half for a loss.
Problem two_sites(double loss) {
  Problem problem;
  problem.slots = 1;
  problem.carbon_price_eur_per_t = 50;
  for (const bool clean : {false, true}) {
    PlanSite site;
    site.capacity_kw = {100};
    site.pue = {1};
    site.free_kw = {0};
    site.price_eur_per_kwh = {clean ? 0.3 : 0.1};
    site.carbon_g_per_kwh = {clean ? 0.0 : 500.0};
    site.grid_limit_kw = {kInfinity};
    problem.sites.push_back(site);
  }
  std::vector<PlanMode> modes{{1, 10, 0}};
  if (loss > 0) modes.push_back({1, 5, loss});
  problem.jobs.add("j", 0, 1, 1e6, modes, kNone, 0, {});
  return problem;
}

TEST(Pareto, TwoSitesAsByHand) {
  const ParetoFront front = pareto_front(two_sites(0), quick(6));
  ASSERT_EQ(front.points.size(), 2U);
  const ParetoPoint &cheap = front.points[0], &clean = front.points[1];
  EXPECT_NEAR(cheap.cost_eur, 1, 1e-9);
  EXPECT_NEAR(cheap.carbon_g, 5000, 1e-6);
  EXPECT_NEAR(cheap.objective_eur, 1 + 0.25, 1e-9);
  EXPECT_NEAR(clean.cost_eur, 3, 1e-9);
  EXPECT_NEAR(clean.carbon_g, 0, 1e-6);
  // 0.2 EUR more a kWh for 500 g less: from 400 EUR/t on.
  EXPECT_LT(cheap.carbon_price_eur_per_t, 400);
  EXPECT_GE(clean.carbon_price_eur_per_t, 400);
}

TEST(Pareto, EveryPointHasABoundWorthTheName) {
  const Problem problem = testing::generated(400, 3, 24);
  ParetoOptions options = quick(3);
  options.last_eur_per_t = 400;
  options.qualities = {1};
  options.planner.iterations = 300;
  const ParetoFront front = pareto_front(problem, options);
  EXPECT_GE(front.points.size(), 2U);
  expect_front(problem, front);
  for (const ParetoPoint& point : front.points) EXPECT_LT(point.totals.gap, 0.1);
}

TEST(Pareto, QualityIsWeighed) {
  // Half the energy saves 0.5 EUR at the cheap site and loses quality worth 0.6.
  ParetoOptions options = quick(2);
  options.last_eur_per_t = 1;
  options.qualities = {0.5, 1};
  const ParetoFront front = pareto_front(two_sites(0.6), options);
  ASSERT_EQ(front.points.size(), 2U);
  EXPECT_EQ(front.points[0].quality_weight, 0.5);
  EXPECT_NEAR(front.points[0].quality_eur, 0.6, 1e-12);
  EXPECT_NEAR(front.points[0].cost_eur, 0.5, 1e-9);
  EXPECT_NEAR(front.points[1].quality_eur, 0, 1e-12);
}

TEST(Pareto, StopsWhenToldTo) {
  ParetoOptions options = quick(5);
  int calls = 0;
  double share = 0;
  options.planner.progress = [&](const PlanProgress& progress) {
    EXPECT_GE(progress.share_done, share - 1e-12);
    share = progress.share_done;
    return ++calls < 40;
  };
  const Problem problem = small_problem(3, 12, 3, 12);
  const ParetoFront front = pareto_front(problem, options);
  EXPECT_EQ(calls, 40);
  ASSERT_FALSE(front.points.empty());
  for (const ParetoPoint& point : front.points)
    EXPECT_TRUE(
        certify(weighted(problem, point.carbon_price_eur_per_t, point.quality_weight), point.plan)
            .holds());
}

TEST(Pareto, RefusesWhatMakesNoFront) {
  const Problem problem = two_sites(0);
  EXPECT_THROW(pareto_front(problem, quick(1)), InputError);
  ParetoOptions options = quick(3);
  options.last_eur_per_t = -1;
  EXPECT_THROW(pareto_front(problem, options), InputError);
  options = quick(3);
  options.qualities = {0};
  EXPECT_THROW(pareto_front(problem, options), InputError);
}

#ifdef CARNOT_HAVE_CLP

TEST(Pareto, PointsOfRichProblemsHoldWhatTheyPromise) {
  for (std::uint64_t seed = 0; seed < 4; ++seed) {
    Problem problem = problem_with_terms(seed, 5, 2, 6);
    for (PlanSite& site : problem.sites) {
      for (double& price : site.price_eur_per_kwh) price = std::abs(price);
      problem.site_terms.emplace_back().battery = {10, 5, 5, 0.9, 0.9, 0, 0, 0.01};
      problem.site_terms.back().it_g_per_kwh = 30;
    }
    const ParetoFront front = pareto_front(problem, quick(4));
    EXPECT_TRUE(front.broken.empty());
    expect_front(problem, front);
  }
}

TEST(Pareto, QualityCapsStayWhatTheyAre) {
  Problem problem = two_sites(0.6);
  problem.goals.quality_cap_eur = 0.1;
  ParetoOptions options = quick(2);
  options.last_eur_per_t = 1;
  options.qualities = {0.1};  // alone it would lose quality gladly
  const ParetoFront front = pareto_front(problem, options);
  ASSERT_EQ(front.points.size(), 1U);
  EXPECT_NEAR(front.points[0].quality_eur, 0, 1e-9);
  problem.goals.quality_cap_eur = 1;
  EXPECT_NEAR(pareto_front(problem, options).points[0].quality_eur, 0.6, 1e-9);
}

TEST(Pareto, LimitsThatCannotBeKeptAreAnOutcome) {
  Problem problem = two_sites(0);
  problem.site_terms.resize(2);
  problem.site_terms[0].base_kw = {10};
  problem.goals.carbon_cap_g = 100;
  const ParetoFront front = pareto_front(problem, quick(4));
  EXPECT_TRUE(front.points.empty());
  EXPECT_TRUE(front.proven);
  EXPECT_EQ(front.plans, 1U);
  ASSERT_EQ(front.broken.size(), 1U);
}

#endif

}  // namespace
}  // namespace carnot::plan
