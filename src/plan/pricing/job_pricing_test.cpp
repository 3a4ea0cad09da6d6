// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/job_pricing.hpp"

#include <algorithm>
#include <functional>
#include <utility>

#include <gtest/gtest.h>

#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using testing::EverySchedule;
using testing::problem_with_terms;
using testing::RandomPrices;

TEST(JobBlock, IsTheCheapestOfAllSchedules) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    const std::size_t sites = 1 + seed % 3;
    const Problem problem = problem_with_terms(seed, 2, sites, sites == 3 ? 5 : 6);
    const RandomPrices random(problem, seed);
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
      const JobRun run = cheapest(problem, j, random.prices);
      EXPECT_NEAR(priced(problem, run, random.prices),
                  EverySchedule(problem, j, random.prices).cheapest(), 1e-9)
          << "seed " << seed << " job " << j;
    }
  }
}

TEST(JobBlock, MeetsEverythingThatTermsCanAskFor) {
  // What the random jobs of these tests do, so that what they show is not shown of nothing.
  int breaks = 0, moves = 0, fast = 0, late = 0, carried = 0, stoppable = 0, dropped = 0;
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const Problem problem = problem_with_terms(seed, 1, 3, 6);
    const RandomPrices random(problem, seed);
    const JobRun run = cheapest(problem, 0, random.prices);
    const auto& [sites, levels] = run.schedule;
    breaks += run.own.restart > 0;
    moves += std::adjacent_find(sites.begin(), sites.end(), std::not_equal_to<>()) != sites.end();
    fast += std::find(levels.begin(), levels.end(), 1U) != levels.end();
    late += run.own.late > 0;
    carried += run.pieces.size() > run.assignment.slots.size();
    stoppable += !run.pieces.empty() && run.pieces[0].stoppable;
    dropped += run.assignment.site == kNone;
  }
  for (const int seen : {breaks, moves, fast, late, carried, stoppable, dropped})
    EXPECT_GE(seen, 20) << breaks << ' ' << moves << ' ' << fast << ' ' << late << ' ' << carried
                        << ' ' << stoppable << ' ' << dropped;
}

/// A malleable job alone at one site in [0, 30): what each further step adds to the level below it.
struct Malleable {
  Problem problem;
  std::vector<double> step_kw;
  std::vector<std::int32_t> step_parts;
  std::vector<double> price;

  explicit Malleable(std::uint64_t seed, bool even) {
    constexpr std::int32_t kSlots = 30;
    const RandomStream random(seed, "malleable");
    std::uint64_t at = 0;
    problem = testing::small_problem(seed, 0, 1, kSlots);
    const auto levels = 2 + random.below(at++, 5);
    JobTerms terms;
    terms.speed_parts = even ? 1 : 8;
    step_kw = {1 + random.uniform(at++)};
    step_parts = {terms.speed_parts};
    PlanLevel level{step_kw[0], step_parts[0]};
    terms.levels.emplace_back();
    for (std::size_t l = 1; l < levels; ++l) {
      // Each step gives less work an energy than the one before: more power for the same work, or
      // less work for the same power.
      step_kw.push_back(even ? step_kw.back() * (1 + random.uniform(at++)) : step_kw.back());
      const auto fewer = static_cast<std::int32_t>(random.below(at++, 3));
      step_parts.push_back(even ? 1 : std::max(1, step_parts.back() - fewer));
      level = {level.power_kw + step_kw.back(), level.parts + step_parts.back()};
      terms.levels[0].push_back(level);
    }
    const auto work = static_cast<std::int32_t>(1 + random.below(at++, 40));
    problem.jobs.add("x", 0, kSlots, 1e9, {{work, step_kw[0], 0}}, kNone, 0, {});
    problem.terms[0] = terms;
    for (std::int32_t t = 0; t < kSlots; ++t) price.push_back(0.01 + random.uniform(at++));
  }

  std::int32_t work() const { return problem.jobs.mode(0).slots * problem.terms.at(0).speed_parts; }
  double least() const {
    JobPrices prices;
    prices.energy = price;
    return priced(problem, cheapest(problem, 0, prices), prices);
  }
  /// Steps taken one by one, each time the one of most work a cost, till the work is done (Hanafy
  /// et al. 2023, CarbonScaler). Returns cost and parts done.
  std::pair<double, std::int32_t> greedy() const {
    std::vector<std::size_t> next(price.size());
    double cost = 0;
    std::int32_t done = 0;
    while (done < work()) {
      double best = 0;
      std::size_t slot = 0;
      for (std::size_t t = 0; t < price.size(); ++t)
        if (next[t] < step_kw.size())
          if (const double gain = step_parts[next[t]] / (step_kw[next[t]] * price[t]);
              gain > best) {
            best = gain;
            slot = t;
          }
      if (best == 0) ADD_FAILURE() << "too much work";
      cost += step_kw[next[slot]] * price[slot] * problem.slot_s / 3600;
      done += step_parts[next[slot]++];
    }
    return {cost, done};
  }
};

TEST(JobBlock, IsTheGreedyOfAMalleableJobWhereThatIsOptimal) {
  int exact = 0;
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    const Malleable even(seed, true);
    EXPECT_NEAR(even.least(), even.greedy().first, 1e-9) << seed;
    // Speed-up that falls off in uneven steps: what the greedy does not need of its last step, the
    // block may save; where nothing is left over both are optimal.
    const Malleable uneven(seed, false);
    const auto [cost, done] = uneven.greedy();
    EXPECT_LE(uneven.least(), cost + 1e-9) << seed;
    if (done == uneven.work()) {
      EXPECT_NEAR(uneven.least(), cost, 1e-9) << seed;
      ++exact;
    }
  }
  EXPECT_GE(exact, 20);
}

TEST(JobBlock, TakesTheCheapestSlotsOfJobsOfTheContract) {
  for (std::uint64_t seed = 0; seed < 300; ++seed) {
    Problem problem = testing::small_problem(seed, 3, 3, 7);
    const RandomPrices random(problem, seed);
    for (std::uint32_t j = 0; j < 3; ++j) {
      const JobRun plain = cheapest(problem, j, random.prices);
      problem.terms[j] = {};
      EXPECT_NEAR(priced(problem, plain, random.prices),
                  EverySchedule(problem, j, random.prices).cheapest(), 1e-9)
          << seed;
    }
  }
}

}  // namespace
}  // namespace carnot::plan
