// SPDX-License-Identifier: Apache-2.0
// Few jobs that are large beside what they run in: what their whole numbers cost, and how much of
// it the bound proves. The worlds were drawn before the bound was made. Arguments: [FIRST [LAST]],
// of worlds 1 to 24, default all; LARGE=1 in the environment: with the bound of linear programming
// too.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/limits.hpp"
#include "carnot/base/random.hpp"
#include "carnot/plan/exact/exact.hpp"
#include "carnot/plan/search/planner.hpp"

namespace {

using namespace carnot;

/// A world of 60 to 300 jobs; capacities two to six mean jobs wide, powers of one, three or all
/// sizes, prices of days with hours below zero in every third world, own power in two of three.
plan::Problem few(std::uint64_t world) {
  const RandomStream random(world, "few");
  std::uint64_t n = 0;
  const auto draw = [&](double low, double high) {
    return low + (high - low) * random.uniform(n++);
  };
  static constexpr int kJobs[] = {60, 100, 150, 200, 250, 300};
  static constexpr int kSites[] = {1, 2, 3, 4};
  static constexpr int kSlots[] = {24, 48, 96, 168};
  plan::Problem problem;
  const int jobs = kJobs[world % 6], sites = kSites[(world / 2) % 4],
            sizes = static_cast<int>(world % 3);
  problem.slots = kSlots[(world / 3) % 4];
  problem.slot_s = 3600;
  const double width = draw(2, 6), load = draw(0.5, 1.0), mean_kw = draw(5, 50);
  const bool paid = world % 3 == 0, own = world % 3 != 1, limited = world % 4 == 2;
  for (int s = 0; s < sites; ++s) {
    plan::PlanSite site;
    site.name = fmt::format("site{}", s);
    const double capacity = width * mean_kw * draw(0.7, 1.3), level = draw(0.03, 0.12);
    for (int t = 0; t < problem.slots; ++t) {
      const double day = std::sin(2 * 3.14159265358979 * (t + 6 * s) / 24);
      site.capacity_kw.push_back(capacity * (draw(0, 1) < 0.05 ? 0.5 : 1.0));
      site.pue.push_back(1.1 + 0.1 * draw(0, 1));
      site.free_kw.push_back(own ? capacity * std::max(0.0, 0.6 * day + draw(-0.3, 0.5)) : 0.0);
      site.price_eur_per_kwh.push_back(level * (1 + 0.5 * day) + draw(-0.01, 0.02) -
                                       (paid && day < -0.7 ? 0.1 : 0.0));
      site.carbon_g_per_kwh.push_back(draw(100, 500));
      site.grid_limit_kw.push_back(limited ? 0.8 * capacity : kInfinity);
    }
    problem.sites.push_back(site);
  }
  // Slots of work that fill `load` of what there is.
  double room = 0;
  for (const plan::PlanSite& site : problem.sites)
    for (const double kw : site.capacity_kw) room += kw;
  const double each = load * room / mean_kw / jobs;  // slots a job, on average
  for (int j = 0; j < jobs; ++j) {
    double power = mean_kw * draw(0.5, 1.5);
    if (sizes == 0) power = mean_kw;
    if (sizes == 1) power = mean_kw * (0.5 + 0.5 * std::floor(draw(0, 3)));
    const auto slots = static_cast<std::int32_t>(
        std::clamp(std::round(each * draw(0.4, 1.6)), 1.0, problem.slots / 2.0));
    const auto window = static_cast<std::int32_t>(
        std::clamp(std::round(slots * draw(1.2, 4)), slots + 0.0, problem.slots + 0.0));
    const auto release = static_cast<std::int32_t>(draw(0, problem.slots - window + 0.999));
    std::vector<plan::PlanMode> modes{{slots, power, 0.0}};
    if (world % 2 == 0)
      modes.push_back({std::min(window, slots + slots / 2), power * 0.6, 0.05 * slots});
    problem.jobs.add(fmt::format("j{}", j), release, release + window, slots * power * draw(0.2, 1),
                     modes, static_cast<std::uint32_t>(draw(0, sites - 0.001)), draw(0, 0.5), {});
  }
  return problem;
}

double seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void tell(std::uint64_t world, bool shared) {
  const plan::Problem problem = few(world);
  const auto plan = [&](bool pack) {
    plan::PlannerOptions options;
    options.threads = 1;
    options.pack = pack;
    options.time_limit_s = 60;
    return plan::plan_large(problem, options);
  };
  std::string before;
  if (shared) {
    const plan::Plan of = plan(false);
    before = fmt::format("  shared {:8.3f} % {:5.1f} s", 100 * of.gap(), of.seconds);
  }
  const double from = seconds();
  const plan::Plan of = plan(true);
  fmt::print(
      "{:3} {:4} jobs {} sites {:4} slots  {:12.4f} EUR {:4} dropped{}  whole {:8.3f} %, {:.4g} "
      "EUR, {:5.1f} s, {} rows\n",
      world, problem.jobs.size(), problem.sites.size(), problem.slots, of.objective_eur,
      of.totals.dropped, before, 100 * of.gap(), of.objective_eur - of.bound_eur, seconds() - from,
      of.packing.size());
}

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t first = argc > 1 ? std::stoull(argv[1]) : 1;
  const std::uint64_t last = argc > 2 ? std::stoull(argv[2]) : argc > 1 ? first : 24;
  for (std::uint64_t world = first; world <= last; ++world)
    tell(world, std::getenv("LARGE") != nullptr);
  return 0;
}
