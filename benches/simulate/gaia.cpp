// SPDX-License-Identifier: Apache-2.0
// GAIA's own experiment (umassos/GAIA at 62a5efc: pai_1k.csv, waits of 6 and 24 hours, one watt a
// core, no limit of nodes) with its policies as stated here, on AU-VIC from hour 7024 of 2023; then
// the same jobs and waits with fifteen zones, and what no plan can beat. Argument: DATA, which
// holds gaia-job-traces and sites-2023-hourly. gaia.py runs GAIA itself on the same series.
#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

namespace {

using namespace carnot;

constexpr std::int64_t kFirstHour = 7024;
constexpr std::int64_t kTick = 5;              // seconds: its times are cut to whole ticks
constexpr std::int64_t kShort = 7200 / kTick;  // below: the short queue

/// GAIA's job: whole ticks, and for its length the mean of its queue unless lengths are known.
Workload gaia_jobs(const std::string& path, bool lengths_known, bool may_wait) {
  WorkloadOptions format;
  format.time_unit = Duration::seconds(1);
  Workload jobs = carnot::read_workload(path, format);
  const auto ticks = [](Duration d) { return d.time().in(second) / kTick; };
  double sum[2] = {}, count[2] = {};
  for (const Duration& length : jobs.length)
    for (const int q : {0, 1})
      if (q == 0 ? ticks(length) <= kShort : ticks(length) >= kShort) {
        sum[q] += ticks(length);
        ++count[q];
      }
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    JobRequest& job = jobs.jobs[j];
    job.arrival = Duration::seconds(job.arrival / Duration::seconds(kTick) * kTick);
    const std::int64_t length = jobs.length[j] / Duration::seconds(kTick);
    jobs.length[j] = Duration::seconds(length * kTick);
    const int queue = length < kShort ? 0 : 1;
    job.estimate =
        lengths_known
            ? jobs.length[j]
            : Duration::seconds(static_cast<std::int64_t>(sum[queue] / count[queue]) * kTick);
    job.allowed = job.estimate + Duration::seconds(may_wait ? (queue == 0 ? 6 : 24) * 3600 : 0);
    job.power_mw = 1000;
    job.origin = 0;
  }
  return jobs;
}

simulate::FleetScenario zones(const std::string& data, std::vector<std::string> names) {
  simulate::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  source.zones = std::move(names);
  source.site.hall = {.nodes = 1e5,
                      .node_idle = Power{},
                      .node_peak = 1.0 * watt,
                      .fixed_overhead = 0.0,
                      .cooling_slope_per_k = 0.0};
  return simulate::load_fleet(source);
}

/// Each job in its cheapest seconds at the site that suits it best.
double bound_g(const simulate::FleetScenario& fleet, const Workload& jobs) {
  double total = 0;
  for (std::size_t j = 0; j < jobs.size(); ++j) {
    const JobRequest& job = jobs.jobs[j];
    double least = 1e300;
    for (const simulate::FleetSite& site : fleet.sites) {
      std::vector<std::pair<double, double>> parts;  // carbon, seconds
      double at = job.arrival.time().in(second);
      const double end = at + job.allowed.time().in(second);
      while (at < end) {
        const double next = std::min(end, 3600 * (std::floor(at / 3600) + 1));
        const auto hour_index =
            static_cast<std::size_t>(kFirstHour) + static_cast<std::size_t>(at / 3600);
        parts.emplace_back(site.carbon[hour_index].in(gram_per_kilowatt_hour), next - at);
        at = next;
      }
      std::sort(parts.begin(), parts.end());
      double left = jobs.length[j].time().in(second), sum = 0;
      for (const auto& [carbon, span] : parts) {
        sum += carbon * std::min(left, span);
        left -= std::min(left, span);
      }
      least = std::min(least, sum);
    }
    total += least * job.nodes / 3.6e6;
  }
  return total;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  const std::string trace = data + "/gaia-job-traces/src/cluster_traces/pai_1k.csv";
  const auto play = [&](const simulate::FleetScenario& fleet, const char* policy, bool known,
                        bool wait) {
    const Workload jobs = gaia_jobs(trace, known, wait);
    simulate::FleetOptions options;
    options.begin = fleet.series_start + Duration::seconds(3600 * kFirstHour);
    control::FleetPolicyOptions rules;
    rules.carbon_price_eur_per_t = 1e9;  // carbon alone counts
    simulate::FleetResult best;
    for (int i = 0; i < 5; ++i) {
      const auto scheduler = control::make_policy(policy, rules);
      const simulate::FleetResult result = simulate::simulate(fleet, jobs, options, *scheduler);
      if (i == 0 || result.seconds < best.seconds) best = result;
    }
    // GAIA has no deadlines; they follow from waits and known lengths.
    const Workload known_jobs = gaia_jobs(trace, true, wait);
    fmt::print(
        "{{\"bench\":\"simulate_gaia\",\"zones\":{},\"policy\":\"{}\",\"lengths_known\":{},"
        "\"jobs\":{},\"finished\":{},\"carbon_g\":{},\"bound_g\":{},\"mean_wait_h\":{:.3f},"
        "\"seconds\":{:.6f}}}\n",
        fleet.sites.size(), policy, known, best.jobs, best.finished, best.flows.carbon.in(gram),
        bound_g(fleet, known_jobs), best.wait_mean.in(hour), best.seconds);
  };
  const simulate::FleetScenario one = zones(data, {"AU-VIC"});
  play(one, "no-wait", false, false);
  for (const char* policy :
       {"lowest-slot:future", "lowest-window:future", "carbon-time:future", "ecovisor:future"})
    play(one, policy, false, true);
  for (const char* policy :
       {"lowest-window:oracle", "wait-awhile:oracle", "wait-awhile", "carnot:oracle"})
    play(one, policy, true, true);
  // AU-VIC first: every job is sent there.
  std::vector<std::string> names = {"AU-VIC"};
  for (const simulate::FleetSite& site : zones(data, {}).sites)
    if (site.name != "AU-VIC") names.push_back(site.name);
  const simulate::FleetScenario all = zones(data, names);
  for (const char* policy : {"lowest-carbon", "carbon-greedy:oracle", "carnot", "carnot:oracle"})
    play(all, policy, true, true);
}
