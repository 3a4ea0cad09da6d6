// SPDX-License-Identifier: Apache-2.0
// The machine-learning experiment of Let's Wait Awhile (Wiesner et al., Middleware 2021;
// dos-group/lets-wait-awhile): 3,387 jobs of 4 to 90 hours in steps of half an hour, arriving at
// whole half hours from 9 to 17 on working days, to be done by 9 on the next working day if they
// would end outside working hours, or by 9 on the next Monday or Thursday; in one piece or
// interrupted, carbon known ahead. Its carbon data of 2020 carries no licence and is not at hand;
// these are zones of 2023. Arguments: [DATA [CARBON_TABLE]].
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/base/random.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/readers/read.hpp"

namespace {

using namespace carnot;

constexpr std::int64_t kHalfHour = 1800, kDay = 86400;
constexpr std::size_t kJobs = 3387;

enum class Until { NextWorkday, SemiWeekly };

/// Seconds since the Monday of that week, and local midnight of that Monday.
struct Week {
  std::int64_t monday, second;
};
Week week(std::int64_t local) {  // 2023-01-01 was a Sunday: local 86400 is a Monday
  const std::int64_t since = local - kDay + 7 * kDay;
  return {local - since % (7 * kDay), since % (7 * kDay)};
}

/// Latest end of a job that would end at `end` if it began at once; local seconds since the year's
/// start, as the experiment's code has it.
std::int64_t latest_end(std::int64_t end, Until until) {
  const Week w = week(end);
  const std::int64_t weekday = w.second / kDay, of_day = w.second % kDay;
  const auto at_nine = [&](std::int64_t day) { return w.monday + day * kDay + 9 * 3600; };
  if (until == Until::NextWorkday) {
    if (weekday == 5) return at_nine(7);
    if (weekday == 6 || of_day > 17 * 3600) return at_nine(weekday + 1);
    return of_day < 9 * 3600 ? at_nine(weekday) : end;
  }
  if (w.second > 9 * 3600 && w.second <= 3 * kDay + 9 * 3600) return at_nine(3);
  return w.second <= 9 * 3600 ? at_nine(0) : at_nine(7);
}

Workload make_jobs(std::uint64_t seed, Until until) {
  const RandomStream random(seed, "jobs");
  std::vector<std::int64_t> workdays;
  for (std::int64_t day = 0; day < 365; ++day)
    if (week(day * kDay).second / kDay < 5) workdays.push_back(day);
  std::vector<std::pair<std::int64_t, std::int64_t>> jobs;  // start, length
  for (std::size_t j = 0; j < kJobs; ++j)
    jobs.emplace_back(
        workdays[random.below(3 * j, workdays.size())] * kDay + 9 * 3600 +
            static_cast<std::int64_t>(random.below(3 * j + 1, 16)) * kHalfHour,
        4 * 3600 + static_cast<std::int64_t>(random.below(3 * j + 2, 172)) * kHalfHour);
  std::sort(jobs.begin(), jobs.end());
  Workload workload;
  for (const auto& [start, length] : jobs) {
    JobRequest job;
    job.arrival = Duration::seconds(start);
    job.estimate = Duration::seconds(length);
    job.allowed = Duration::seconds(latest_end(start + length, until) - start);
    job.origin = 0;
    workload.jobs.push_back(job);
    workload.length.push_back(job.estimate);
  }
  return workload;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  const std::string table = argc > 2 ? argv[2] : "carbon_lifecycle_g_per_kwh.csv";
  struct Zone {
    const char* name;
    std::int64_t utc_offset_h;
  };
  for (const Zone& zone : {Zone{"DE-LU", 1}, Zone{"GB", 0}, Zone{"US-CAL-CISO", -8}}) {
    const SiteTable carbon = carnot::read_site_table(data + "/sites-2023-hourly/" + table);
    const auto column = static_cast<std::size_t>(
        std::find(carbon.zones.begin(), carbon.zones.end(), zone.name) - carbon.zones.begin());
    simulate::FleetSite site;
    site.name = zone.name;
    site.hall = {.nodes = 1e4,
                 .node_idle = Power{},
                 .node_peak = 1.0 * watt,
                 .fixed_overhead = 0.0,
                 .cooling_slope_per_k = 0.0};
    double last = 0;
    for (const double g : carbon.value[column])
      for (int half = 0; half < 2; ++half) {  // its steps are half hours
        last = std::isnan(g) ? last : g;
        site.carbon.push_back(last * gram_per_kilowatt_hour);
      }
    site.price.resize(site.carbon.size());
    site.outside.resize(site.carbon.size());
    // Shifted to local time, so that the year begins at local midnight.
    std::rotate(site.carbon.begin(),
                site.carbon.begin() +
                    ((-2 * zone.utc_offset_h) + static_cast<std::int64_t>(site.carbon.size())) %
                        static_cast<std::int64_t>(site.carbon.size()),
                site.carbon.end());
    simulate::FleetScenario fleet;
    fleet.series_start = carbon.start;
    fleet.step = Duration::seconds(kHalfHour);
    fleet.sites.push_back(site);
    simulate::FleetOptions options;
    options.begin = carbon.start;

    for (const Until until : {Until::NextWorkday, Until::SemiWeekly}) {
      std::array<double, 4> grams{};
      const std::array<const char*, 4> policies{"no-wait", "lowest-window:future",
                                                "wait-awhile:future", "wait-awhile"};
      for (std::uint64_t seed = 1; seed <= 5; ++seed) {
        const Workload jobs = make_jobs(seed, until);
        control::FleetPolicyOptions rules;
        rules.max_wait = Duration::seconds(30 * kDay);
        for (std::size_t p = 0; p < policies.size(); ++p) {
          const auto scheduler = control::make_policy(policies[p], rules);
          grams[p] += simulate::simulate(fleet, jobs, options, *scheduler).flows.carbon.in(gram);
        }
      }
      fmt::print(
          "{{\"bench\":\"simulate_wait_awhile\",\"zone\":\"{}\",\"until\":\"{}\",\"jobs\":{},"
          "\"saved_whole_pct\":{:.2f},\"saved_interrupted_pct\":{:.2f},"
          "\"saved_interrupted_on_forecasts_pct\":{:.2f}}}\n",
          zone.name, until == Until::NextWorkday ? "next workday" : "semi-weekly", kJobs,
          100 * (1 - grams[1] / grams[0]), 100 * (1 - grams[2] / grams[0]),
          100 * (1 - grams[3] / grams[0]));
    }
  }
}
