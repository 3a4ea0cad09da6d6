// SPDX-License-Identifier: Apache-2.0
#include "plan/pricing/pricing.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "plan/pricing/class_pricing.hpp"
#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/testing_terms.hpp"

namespace carnot::plan {
namespace {

using testing::every_choice;
using testing::EverySchedule;
using testing::mode_of;
using testing::problem_with_terms;
using testing::small_problem;

std::vector<double> random_prices(const Problem& problem, std::uint64_t seed) {
  const RandomStream random(seed, "pricing-test");
  std::vector<double> out(problem.sites.size() * static_cast<std::size_t>(problem.slots));
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = 0.3 * random.uniform(i);
  return out;
}

/// A contract job's least cost by trying all it may do.
double least_of_all(const Problem& problem, std::size_t j, const std::vector<double>& price) {
  double least = problem.jobs.value(j);
  for (const Assignment& choice : every_choice(problem, j)) {
    const PlanMode& mode = mode_of(problem, j, choice);
    double cost = mode.quality_eur + problem.jobs.move_eur(j, choice.site);
    for (const std::int32_t slot : choice.slots)
      cost += mode.power_kw * problem.slot_s / 3600 *
              price[choice.site * static_cast<std::size_t>(problem.slots) +
                    static_cast<std::size_t>(slot)];
    least = std::min(least, cost);
  }
  return least;
}

TEST(Pricing, BothKernelsFindTheLeastOfAllSchedulesOfContractJobs) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = small_problem(seed, 9, 3, 8);
    const std::vector<double> price = random_prices(problem, seed);
    double least = 0;
    for (std::size_t j = 0; j < problem.jobs.size(); ++j) least += least_of_all(problem, j, price);
    const WindowClasses classes(problem);
    ClassPricing by_class(problem, classes);
    JobPricing by_job(problem, {});
    std::vector<double> of_classes, of_jobs;
    ASSERT_NEAR(by_class.respond(price, 2, of_classes), least, 1e-9 * (1 + std::abs(least)));
    ASSERT_NEAR(by_job.respond(price, 2, of_jobs), least, 1e-9 * (1 + std::abs(least)));
    // No two prices are equal, so there is one answer.
    ASSERT_EQ(of_classes.size(), of_jobs.size());
    for (std::size_t i = 0; i < of_jobs.size(); ++i)
      ASSERT_NEAR(of_classes[i], of_jobs[i], 1e-9) << seed;
  }
}

TEST(Pricing, JobsWithTermsAnswerWithTheLeastOfAllSchedules) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const Problem problem = problem_with_terms(seed, 3, 2, 4);
    const std::vector<double> price = random_prices(problem, seed);
    JobPrices prices;
    prices.energy = price;
    double least = 0;
    for (std::size_t j = 0; j < 3; ++j) least += EverySchedule(problem, j, prices).cheapest();
    JobPricing pricing(problem, {});
    std::vector<double> demand;
    const double cost = pricing.respond(price, 3, demand);
    ASSERT_NEAR(cost, least, 1e-9 * (1 + std::abs(least))) << seed;
    // Energy at its prices and own costs are all of it.
    double sum = 0;
    for (std::size_t i = 0; i < demand.size(); ++i) sum += demand[i] * price[i] * problem.slot_h();
    for (const JobRun& run : pricing.runs()) sum += run.own.total();
    ASSERT_NEAR(cost, sum, 1e-9 * (1 + std::abs(sum))) << seed;
  }
}

}  // namespace
}  // namespace carnot::plan
