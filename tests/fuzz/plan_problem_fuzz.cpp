// SPDX-License-Identifier: Apache-2.0
// Problems of `carnot plan`: JSON, and the CSV of jobs. Whatever the text, the reader answers with
// a problem that holds what it promises, or with an InputError; a job with terms can be planned.
#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/error.hpp"

#include "plan/certificate/jobs.hpp"
#include "plan/pricing/job_pricing.hpp"
#include "plan/problem/problem_read.hpp"

namespace {

using namespace carnot;

/// Its cheapest schedule is allowed and costs what the certificate says is the least.
void expect_sound(const plan::Problem& problem, std::size_t job, const plan::JobTerms& terms) {
  const plan::PlanJobs& jobs = problem.jobs;
  const auto cells = problem.sites.size() * static_cast<std::size_t>(problem.slots);
  CARNOT_CHECK(
      terms.levels.empty() || terms.levels.size() == jobs.mode_end(job) - jobs.mode_begin(job),
      "levels of each mode");
  if (cells > 1000) return;
  std::vector<double> price(cells), load(cells);
  for (std::size_t i = 0; i < cells; ++i) price[i] = 0.01 * static_cast<double>(i % 7);
  carnot::plan::JobPrices prices;
  prices.energy = price;
  const carnot::plan::JobRun run = carnot::plan::cheapest(problem, job, prices);
  std::vector<std::string> wrong;
  plan::check_schedule(problem, job, run.assignment, run.schedule, prices, load, {}, wrong);
  CARNOT_CHECK(wrong.empty(), wrong.front());
  const double cost = carnot::plan::priced(problem, run, prices);
  CARNOT_CHECK(carnot::plan::least_cost(problem, job, prices) <= cost, "least cost");
}

void expect_sound(const carnot::plan::Problem& problem) {
  const carnot::plan::PlanJobs& jobs = problem.jobs;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    CARNOT_CHECK(jobs.release(j) >= 0 && jobs.deadline(j) <= problem.slots, "window");
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      CARNOT_CHECK(jobs.mode(i).slots >= 1, "slots of a mode");
    if (const carnot::plan::JobTerms* terms = problem.terms_of(j))
      expect_sound(problem, j, *terms);
    else
      for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
        CARNOT_CHECK(jobs.mode(i).slots <= jobs.deadline(j) - jobs.release(j), "length of a mode");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.empty() && text.front() == '{') {
    try {
      expect_sound(carnot::plan::parse_problem(text, "problem.json"));
    } catch (const Error&) {
    }
    return 0;
  }
  carnot::plan::Problem problem;
  problem.slots = 24;
  problem.sites.resize(3);
  carnot::plan::Findings findings;
  std::istringstream in{std::string(text)};
  carnot::plan::parse_jobs_csv(in, "jobs.csv", problem, findings);
  expect_sound(problem);
  return 0;
}
