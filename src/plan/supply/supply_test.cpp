// SPDX-License-Identifier: Apache-2.0
#include "plan/supply/supply.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "carnot/base/limits.hpp"

#include "plan/problem/testing_problem.hpp"

namespace carnot::plan {
namespace {

using testing::small_problem;

PricedWeights cost_weights(const Problem& problem) {
  return {problem, weights_of(Measure::Cost), {}, {}};
}

/// Sites with everything that stands still while jobs move.
Problem with_terms(std::uint64_t seed) {
  Problem problem = small_problem(seed, 0, 2, 5);
  const RandomStream random(seed, "supply-test");
  std::uint64_t at = 0;
  const auto u = [&](double low, double high) { return low + (high - low) * random.uniform(at++); };
  for (PlanSite& site : problem.sites) {
    SiteTerms& terms = problem.site_terms.emplace_back();
    const double cap = *std::min_element(site.capacity_kw.begin(), site.capacity_kw.end());
    // Own power is for nothing: where the grid paid for being used, pieces would not be convex.
    for (double& price : site.price_eur_per_kwh) price = std::abs(price);
    if (u(0, 1) < 0.6)
      for (int t = 0; t < 5; ++t) {
        terms.export_kw.push_back(u(0, 8));
        terms.export_eur_per_kwh.push_back(u(-0.05, 0.4));
      }
    if (u(0, 1) < 0.6) terms.demand_charges = {{u(0, 0.3), 0, 3}, {u(0, 0.3), 2, 5}};
    if (u(0, 1) < 0.6)
      terms.knees = {{u(0.1, 0.5) * cap, u(0, 0.4)}, {u(0.5, 0.9) * cap, u(0, 0.4)}};
    if (u(0, 1) < 0.5) terms.idle_kw = u(0, 2);
    if (u(0, 1) < 0.6) terms.battery = {20, 3, 3, 0.9, 0.9, 0.5, 0.2, 0.01};
    terms.it_eur_per_kwh = u(0, 0.02);
    terms.it_g_per_kwh = u(0, 50);
  }
  return problem;
}

std::vector<SiteFlows> some_flows(const SiteModel& model, std::uint64_t seed) {
  const RandomStream random(seed, "flows");
  std::uint64_t at = 0;
  std::vector<SiteFlows> out(model.sites());
  for (std::size_t s = 0; s < model.sites(); ++s)
    for (std::size_t t = 0; t < model.slots(); ++t) {
      out[s].grid_kw.push_back(6 * random.uniform(at++));
      if (!model.has_battery(s)) continue;
      const bool charges = random.uniform(at++) < 0.5;
      out[s].charge_kw.push_back(charges ? 3 * random.uniform(at++) : 0.0);
      out[s].discharge_kw.push_back(charges ? 0.0 : 3 * random.uniform(at++));
    }
  return out;
}

/// A slot's cost at a facility power by trying every split into own power and grid at which
/// something changes; straight in between.
double split_cost(const Problem& problem, const std::vector<SiteFlows>& flows, std::size_t s,
                  std::size_t t, double facility) {
  const PlanSite& site = problem.sites[s];
  const SiteTerms& terms = problem.site_terms[s];
  const double h = problem.slot_s / 3600;
  const double need = std::max(0.0, facility), free = site.free_kw[t];
  const double c =
      site.price_eur_per_kwh[t] + problem.carbon_price_eur_per_t * site.carbon_g_per_kwh[t] * 1e-6;
  const double sells = terms.export_kw.empty() ? 0.0 : terms.export_kw[t];
  const double brings = terms.export_kw.empty() ? 0.0 : terms.export_eur_per_kwh[t];
  std::vector<double> own{0.0, free, need, free - sells, need - site.grid_limit_kw[t]};
  std::vector<std::pair<double, double>> paid;  // peak, EUR per kW above it
  for (const DemandCharge& charge : terms.demand_charges) {
    if (static_cast<int>(t) < charge.from || static_cast<int>(t) >= charge.to) continue;
    double peak = 0;
    for (auto k = charge.from; k < charge.to; ++k)
      peak = std::max(peak, flows[s].grid_kw[static_cast<std::size_t>(k)]);
    paid.emplace_back(peak, charge.eur_per_kw);
    own.push_back(need - peak);
  }
  double least = kInfinity;
  for (const double kw : own) {
    const double grid = need - kw;
    if (!(kw >= 0 && kw <= free && grid >= -1e-12 && grid <= site.grid_limit_kw[t] + 1e-12))
      continue;
    double cost = h * c * grid - h * std::max(0.0, brings) * std::min(sells, free - kw);
    for (const auto& [peak, eur] : paid) cost += eur * std::max(0.0, grid - peak);
    least = std::min(least, cost);
  }
  return least;
}

TEST(Supply, OfTheContractIsTheCheaperOfMostOwnAndMostGrid) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Problem problem = small_problem(seed, 0, 2, 6);
    const std::vector<Supply> supply = supplies(problem);
    const RandomStream random(seed, "loads");
    for (std::size_t i = 0; i < supply.size(); ++i) {
      for (std::size_t n = 0; n < 8; ++n) {
        const double it = supply[i].most * random.uniform(8 * i + n) * (1 - 1e-12);
        ASSERT_NEAR(supply[i].cost(it) * problem.slot_h(),
                    testing::cell_cost(problem, i / 6, i % 6, it), 1e-9);
      }
      ASSERT_TRUE(std::isinf(testing::cell_cost(problem, i / 6, i % 6, supply[i].most * 1.0001)));
    }
  }
}

TEST(Supply, OfSitesWithTermsIsThatOfTheContractWhereTheyHaveNone) {
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Problem problem = small_problem(seed, 0, 2, 6);
    const SiteModel model(problem);
    const std::vector<Supply> plain = supplies(problem);
    const std::vector<Supply> general = supplies(model, cost_weights(problem), {});
    ASSERT_EQ(plain.size(), general.size());
    for (std::size_t i = 0; i < plain.size(); ++i) {
      ASSERT_NEAR(plain[i].most, general[i].most, 1e-12 * (1 + plain[i].most));
      for (int n = 0; n <= 10; ++n)
        ASSERT_NEAR(plain[i].cost(0.1 * n * plain[i].most),
                    general[i].cost(0.1 * n * plain[i].most), 1e-9);
    }
  }
}

TEST(Supply, OfSitesWithTermsIsTheBestOfAllSplits) {
  int checked = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Problem problem = with_terms(seed);
    const SiteModel model(problem);
    const std::vector<SiteFlows> flows = some_flows(model, seed);
    const std::vector<Supply> supply = supplies(model, cost_weights(problem), flows);
    for (std::size_t s = 0; s < 2; ++s)
      for (std::size_t t = 0; t < 5; ++t) {
        const Supply& x = supply[5 * s + t];
        const double battery =
            model.has_battery(s) ? flows[s].charge_kw[t] - flows[s].discharge_kw[t] : 0.0;
        const PlanSite& site = problem.sites[s];
        const auto facility = [&](double it) {
          double kw = problem.site_terms[s].idle_kw + site.pue[t] * it + battery;
          for (const FacilityKnee& knee : problem.site_terms[s].knees)
            kw += knee.extra * std::max(0.0, it - knee.from_kw);
          return kw;
        };
        const double there = site.free_kw[t] + site.grid_limit_kw[t];
        if (facility(0) > there) continue;  // without jobs there is too little already
        const double it_eur =
            problem.site_terms[s].it_eur_per_kwh +
            1e-6 * problem.carbon_price_eur_per_t * problem.site_terms[s].it_g_per_kwh;
        const double idle = split_cost(problem, flows, s, t, facility(0));
        for (int n = 0; n <= 12; ++n) {
          const double it = x.most * n / 12.0 * (1 - 1e-12);
          const double cost = split_cost(problem, flows, s, t, facility(it)) - idle +
                              it_eur * it * problem.slot_h();
          ASSERT_NEAR(x.cost(it) * problem.slot_h(), cost, 1e-9) << seed << ' ' << s << ' ' << t;
          ++checked;
        }
        // And that is as far as the site goes.
        const double more = x.most + 1e-6;
        ASSERT_TRUE(more > site.capacity_kw[t] || facility(more) > there) << seed;
      }
  }
  EXPECT_GT(checked, 10'000);
}

}  // namespace
}  // namespace carnot::plan
