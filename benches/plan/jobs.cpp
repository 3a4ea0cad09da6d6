// SPDX-License-Identifier: Apache-2.0
// What pricing one job takes, by what it asks for: the least of ten sites and windows of 24 to 67
// of 168 slots, against the certificate's plain programme for the same. Argument: jobs; default
// 200.
#include "plan/certificate/jobs.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/random.hpp"
#include "carnot/base/text.hpp"

#include "plan/pricing/job_pricing.hpp"

namespace {

using namespace carnot;
using namespace carnot::plan;

constexpr std::uint32_t kSites = 10;
constexpr std::int32_t kSlots = 168;

/// CPU-bound and alone in its thread: the least of three passes over all jobs, seconds a job.
double seconds_each(std::size_t jobs, const std::function<void(std::size_t)>& visit) {
  double least = 1e300;
  for (int pass = 0; pass < 3; ++pass) {
    const auto began = std::chrono::steady_clock::now();
    for (std::size_t j = 0; j < jobs; ++j) visit(j);
    least = std::min(
        least, std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count());
  }
  return least / static_cast<double>(jobs);
}

}  // namespace

int main(int argc, char** argv) {
  const auto jobs = static_cast<std::size_t>(argc > 1 ? carnot::parse_integer(argv[1]) : 200);
  const std::pair<const char*, std::function<void(plan::JobTerms&, std::int32_t)>> kinds[] = {
      {"contract", nullptr},
      {"due", [](plan::JobTerms& t, std::int32_t due) { t.due = due, t.late_eur_per_slot = 0.1; }},
      {"restart",
       [](plan::JobTerms& t, std::int32_t) { t.restart_eur = 0.5, t.restart_slots = 1; }},
      {"min_run", [](plan::JobTerms& t, std::int32_t) { t.min_run_slots = 4; }},
      {"one_run", [](plan::JobTerms& t, std::int32_t) { t.preemptible = false; }},
      {"levels",
       [](plan::JobTerms& t, std::int32_t) {
         t.speed_parts = 2, t.levels = {{{9, 3}, {14, 4}}};
       }},
      {"reserve", [](plan::JobTerms& t, std::int32_t) { t.stop_s = 10; }},
      {"movable", [](plan::JobTerms& t, std::int32_t) { t.movable = true; }},
      {"movable_with_data",
       [](plan::JobTerms& t, std::int32_t) {
         t.movable = true, t.data_gb = 3000, t.each_move_eur = 0.1, t.restart_slots = 1;
       }},
  };
  const RandomStream random(1, "bench-jobs");
  std::uint64_t at = 0;
  const auto below = [&](std::uint64_t n) {
    return static_cast<std::int32_t>(random.below(at++, n));
  };
  plan::Problem problem;
  problem.slots = kSlots;
  problem.sites.resize(kSites);
  problem.network.gb_per_s = 1;
  problem.network.kwh_per_gb = 0.01;
  std::vector<double> energy(kSites * kSlots), reserve(kSites * kSlots, 0.01);
  for (double& x : energy) x = 0.3 * random.uniform(at++);
  std::vector<std::int32_t> due;
  for (std::size_t j = 0; j < jobs; ++j) {
    const std::int32_t release = below(100), length = 24 + below(44);
    problem.jobs.add(fmt::format("j{}", j), release, release + length, 1e6,
                     {{4 + below(16), 5.0, 0}}, static_cast<std::uint32_t>(below(kSites)), 0.1, {});
    due.push_back(release + length / 2);
  }
  for (const auto& [name, ask] : kinds) {
    problem.terms.clear();
    if (ask)
      for (std::uint32_t j = 0; j < jobs; ++j) ask(problem.terms[j], due[j]);
    plan::JobPrices prices;
    prices.energy = energy;
    if (name == std::string("reserve")) prices.reserve = reserve, prices.hold_slots = 2;
    std::vector<double> block(jobs), check(jobs);
    const double block_s = seconds_each(jobs, [&](std::size_t j) {
      block[j] = carnot::plan::priced(problem, carnot::plan::cheapest(problem, j, prices), prices);
    });
    const double check_s = seconds_each(
        jobs, [&](std::size_t j) { check[j] = carnot::plan::least_cost(problem, j, prices); });
    double apart = 0;
    for (std::size_t j = 0; j < jobs; ++j) apart = std::max(apart, std::abs(block[j] - check[j]));
    fmt::print(
        "{{\"bench\":\"plan_jobs\",\"kind\":\"{}\",\"block_us\":{:.1f},\"plain_us\":{:.1f},"
        "\"plain_over_block\":{:.2f},\"greatest_difference_eur\":{:.1e}}}\n",
        name, block_s * 1e6, check_s * 1e6, check_s / block_s, apart);
  }
}
