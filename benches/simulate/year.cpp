// SPDX-License-Identifier: Apache-2.0
// A year of the Azure trace over the fifteen zones of 2023: queue, power, PUE(T), price and carbon
// in every event. Arguments: [DATA [POLICY ...]]; DATA holds gaia-job-traces and sites-2023-hourly.
// Each policy runs alone (best of five), then twice at once on two threads, whose figures must be
// the same to the last bit. The ceiling is a pass over the same events: a heap of ends and a sum of
// energies, with no sites, lines, weather or scheduler.
#include <algorithm>
#include <chrono>
#include <queue>
#include <string>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "carnot/control/registry.hpp"
#include "carnot/simulate/fleet_source.hpp"
#include "carnot/simulate/simulate.hpp"

namespace {

using namespace carnot;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

/// Arrivals and ends in order of time, nothing else.
double ceiling(const Workload& w, double& energy) {
  const auto began = Clock::now();
  using End = std::pair<std::int64_t, std::uint32_t>;
  std::priority_queue<End, std::vector<End>, std::greater<>> ends;
  std::int64_t busy = 0, at = 0;
  const auto pass = [&](std::int64_t to, std::int64_t nodes) {
    energy += 1e-9 * static_cast<double>(busy) * static_cast<double>(to - at);
    busy += nodes;
    at = to;
  };
  for (std::uint32_t j = 0; j < w.size(); ++j) {
    const std::int64_t arrival = w.jobs[j].arrival.nanoseconds();
    for (; !ends.empty() && ends.top().first <= arrival; ends.pop())
      pass(ends.top().first, -w.jobs[ends.top().second].nodes);
    pass(arrival, w.jobs[j].nodes);
    ends.emplace(arrival + w.length[j].nanoseconds(), j);
  }
  for (; !ends.empty(); ends.pop()) pass(ends.top().first, -w.jobs[ends.top().second].nodes);
  return since(began);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string data = argc > 1 ? argv[1] : "shared/data";
  std::vector<std::string> policies(argv + std::min(argc, 2), argv + argc);
  if (policies.empty()) policies = {"no-wait"};

  const auto began = Clock::now();
  Workload jobs =
      carnot::read_workload(data + "/gaia-job-traces/src/cluster_traces/azure-100k.csv");
  const double read_jobs_s = since(began);
  simulate::FleetSourceOptions source;
  source.folder = data + "/sites-2023-hourly";
  source.site.hall.nodes = simulate::nodes_for(jobs, 15, 0.5);
  source.site.hall.node_peak = 400.0 * watt;
  const simulate::FleetScenario fleet = simulate::load_fleet(source);
  simulate::spread_origins(jobs, fleet);
  const double read_s = since(began);
  simulate::FleetOptions options;
  options.begin = fleet.series_start;

  double energy = 0.0, ceiling_s = 1e300;
  for (int i = 0; i < 5; ++i) ceiling_s = std::min(ceiling_s, ceiling(jobs, energy));

  for (const std::string& policy : policies) {
    const auto once = [&] {
      const auto scheduler = control::make_policy(policy, control::FleetPolicyOptions{});
      return simulate::simulate(fleet, jobs, options, *scheduler);
    };
    simulate::FleetResult best = once();
    for (int i = 0; i < 4; ++i) {
      const simulate::FleetResult again = once();
      if (again.seconds < best.seconds) best = again;
    }
    simulate::FleetResult pair[2];
    std::thread other([&] { pair[1] = once(); });
    pair[0] = once();
    other.join();
    const bool same =
        pair[0].flows.cost == best.flows.cost && pair[1].flows.cost == best.flows.cost &&
        pair[0].flows.carbon == best.flows.carbon && pair[1].flows.facility == best.flows.facility;
    fmt::print(
        "{{\"bench\":\"simulate_year\",\"policy\":\"{}\",\"jobs\":{},\"sites\":{},\"nodes\":{},"
        "\"read_jobs_s\":{:.3f},\"read_s\":{:.3f},\"simulate_s\":{:.3f},\"all_s\":{:.3f},"
        "\"jobs_per_s\":{:.0f},\"events\":{},\"ceiling_s\":{:.4f},\"over_ceiling\":{:.2f},"
        "\"same_on_two_threads\":{},\"finished\":{},\"mean_wait_s\":{:.1f},\"energy_mwh\":{:.3f},"
        "\"carbon_t\":{:.3f},\"cost_eur\":{:.2f},\"balance_residual\":{:.1e}}}\n",
        policy, jobs.size(), fleet.sites.size(), source.site.hall.nodes, read_jobs_s, read_s,
        best.seconds, read_s + best.seconds, static_cast<double>(jobs.size()) / best.seconds,
        best.events, ceiling_s, best.seconds / ceiling_s, same, best.finished,
        best.wait_mean.in(second), best.flows.facility.in(megawatt_hour),
        best.flows.carbon.in(tonne), best.flows.cost.in(euro), best.flows.balance_residual);
    if (!same || best.finished != jobs.size()) return 1;
  }
}
