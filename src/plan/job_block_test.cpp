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

}  // namespace
}  // namespace carnot::plan
