// SPDX-License-Identifier: Apache-2.0
// Problems of `carnot plan`: JSON, and the CSV of jobs. Whatever the text, the reader answers with
// a problem that holds what it promises, or with an InputError.
#include <cstdint>
#include <sstream>
#include <string_view>

#include "carnot/base/error.hpp"

#include "plan/problem_read.hpp"

namespace {

void expect_sound(const carnot::plan::Problem& problem) {
  const carnot::plan::PlanJobs& jobs = problem.jobs;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    CARNOT_CHECK(jobs.release(j) >= 0 && jobs.deadline(j) <= problem.slots, "window");
    for (std::size_t i = jobs.mode_begin(j); i < jobs.mode_end(j); ++i)
      CARNOT_CHECK(
          jobs.mode(i).slots >= 1 && jobs.mode(i).slots <= jobs.deadline(j) - jobs.release(j),
          "slots of a mode");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carnot;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (!text.empty() && text.front() == '{') {
    try {
      expect_sound(plan::parse_problem(text, "problem.json"));
    } catch (const Error&) {
    }
    return 0;
  }
  plan::Problem problem;
  problem.slots = 24;
  problem.sites.resize(3);
  plan::Findings findings;
  std::istringstream in{std::string(text)};
  plan::parse_jobs_csv(in, "jobs.csv", problem, findings);
  expect_sound(problem);
  return 0;
}
