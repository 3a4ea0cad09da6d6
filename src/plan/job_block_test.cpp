// SPDX-License-Identifier: Apache-2.0
#include "plan/job_block.hpp"

#include <gtest/gtest.h>

#include "plan/test_terms.hpp"

namespace carnot::plan {
namespace {

using testing::EveryCourse;
using testing::RandomPrices;
using testing::small_problem;

Problem problem_with_terms(std::uint64_t seed, std::size_t jobs, std::size_t sites,
                           std::int32_t slots) {
  Problem problem = small_problem(seed, jobs, sites, slots);
  testing::add_terms(problem, seed);
  return problem;
}

TEST(JobBlock, IsTheCheapestOfAllCourses) {
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
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

}  // namespace
}  // namespace carnot::plan
