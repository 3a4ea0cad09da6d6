// SPDX-License-Identifier: Apache-2.0
// A day of planning every hour, with jobs that come and go: seconds and proven gap of each plan,
// warm from the one before and from nothing. Arguments: JOBS SITES HOURS; default 100000 22 24.
// As many jobs as given wait at every hour; their windows reach up to a week ahead.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/random.hpp"
#include "carnot/base/text.hpp"
#include "carnot/plan/study/rolling_horizon.hpp"

namespace {

using namespace carnot;
using namespace carnot::plan;

/// Sites from an hour on, with own power known ever less well the further away it is.
std::vector<plan::PlanSite> forecast(const plan::Problem& problem, std::size_t hour,
                                     std::size_t count, double error) {
  const RandomStream random(hour, "bench-forecast");
  std::vector<plan::PlanSite> out;
  for (std::size_t s = 0; s < problem.sites.size(); ++s) {
    const plan::PlanSite& site = problem.sites[s];
    const auto cut = [&](const std::vector<double>& x) {
      const auto from = x.begin() + static_cast<std::ptrdiff_t>(hour);
      return std::vector<double>(from, from + static_cast<std::ptrdiff_t>(count));
    };
    plan::PlanSite x{site.name,
                     cut(site.capacity_kw),
                     cut(site.pue),
                     cut(site.free_kw),
                     cut(site.price_eur_per_kwh),
                     cut(site.carbon_g_per_kwh),
                     cut(site.grid_limit_kw)};
    for (std::size_t t = 0; t < count; ++t)
      x.free_kw[t] *= std::exp(error * std::min(1.0, static_cast<double>(t) / 24.0) *
                               random.child(s).normal(t / 6));
    out.push_back(x);
  }
  return out;
}

/// Jobs of a generated problem whose windows begin when they come.
class Arrivals {
 public:
  Arrivals(const plan::Problem& problem, std::size_t waiting)
      : jobs_(problem.jobs), waiting_(waiting) {}

  void fill(plan::Replanner& replanner) {
    while (replanner.open() < waiting_) {
      const std::size_t j = next_++ % jobs_.size();
      std::vector<plan::PlanMode> modes;
      for (std::size_t i = jobs_.mode_begin(j); i < jobs_.mode_end(j); ++i)
        modes.push_back(jobs_.mode(i));
      // At the start a window may have begun long ago: any part of the slack may be gone.
      const auto now = static_cast<std::int32_t>(replanner.now());
      const std::int32_t window = jobs_.deadline(j) - jobs_.release(j);
      plan::PlanJobs one;
      one.add(fmt::format("a{}", next_), now, now + std::min(window + jobs_.release(j) / 2, 168),
              jobs_.value(j), modes, jobs_.origin(j), jobs_.move_flat(j), {});
      replanner.add(one, 0);
    }
  }

 private:
  const plan::PlanJobs& jobs_;
  std::size_t waiting_, next_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const auto argument = [&](int n, std::int64_t otherwise) {
    return argc > n ? carnot::parse_integer(argv[n]) : otherwise;
  };
  plan::GenerateOptions generate;
  generate.jobs = argument(1, 100'000);
  generate.sites = argument(2, 22);
  const auto hours = static_cast<std::size_t>(argument(3, 24));
  generate.slots = static_cast<std::int64_t>(168 + hours);
  const plan::Problem problem = carnot::plan::generate_problem(generate);
  for (const bool warm : {true, false}) {
    plan::ReplanOptions options;
    options.warm = warm;
    plan::Replanner replanner(problem.slot_s, problem.carbon_price_eur_per_t, options);
    Arrivals arrivals(problem, static_cast<std::size_t>(generate.jobs));
    double slowest = 0, sum = 0, widest = 0;
    std::size_t dropped = 0, finished = 0;
    for (std::size_t hour = 0; hour < hours; ++hour) {
      arrivals.fill(replanner);
      const plan::Plan& plan = replanner.plan(forecast(problem, hour, 168, 0.5));
      if (hour > 0) {  // the first has nothing to start from
        slowest = std::max(slowest, plan.seconds);
        sum += plan.seconds;
        widest = std::max(widest, plan.gap());
      }
      const double seconds = plan.seconds, gap = plan.gap();
      const plan::SlotReport report = replanner.run(forecast(problem, hour, 1, 0.0));
      dropped += report.dropped;
      finished += report.finished;
      fmt::print(
          "{{\"bench\":\"plan_replan\",\"warm\":{},\"hour\":{},\"seconds\":{:.2f},\"gap\":{:.6f},"
          "\"running\":{},\"finished\":{},\"stopped\":{}}}\n",
          warm, hour, seconds, gap, report.running, report.finished, report.stopped);
    }
    fmt::print(
        "{{\"bench\":\"plan_replan\",\"warm\":{},\"jobs\":{},\"sites\":{},\"mean_s\":{:.2f},"
        "\"slowest_s\":{:.2f},\"widest_gap\":{:.6f},\"finished\":{},\"dropped\":{}}}\n",
        warm, generate.jobs, generate.sites,
        sum / static_cast<double>(std::max(hours, std::size_t{2}) - 1), slowest, widest, finished,
        dropped);
  }
}
