// SPDX-License-Identifier: Apache-2.0
#include "plan/job_block.hpp"

#include <gtest/gtest.h>

#include "plan/test_terms.hpp"

namespace carnot::plan {
namespace {

using testing::EveryCourse;
using testing::problem_with_terms;
using testing::RandomPrices;

TEST(JobBlock, IsTheCheapestOfAllCourses) {
  for (std::uint64_t seed = 0; seed < 5000; ++seed) {
    const std::size_t sites = 1 + seed % 3;
    const Problem problem = problem_with_terms(seed, 2, sites, sites == 3 ? 5 : 6);
    const RandomPrices random(problem, seed);
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) {
      const JobRun run = cheapest(problem, j, random.prices);
      EXPECT_NEAR(priced(problem, run, random.prices),
                  EveryCourse(problem, j, random.prices).cheapest(), 1e-9)
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
    const auto& [sites, levels] = run.course;
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

}  // namespace
}  // namespace carnot::plan
