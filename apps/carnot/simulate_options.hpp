// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What `carnot simulate` was asked.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/readers/workload.hpp"

namespace CLI {
class App;
}

namespace carnot::app {

struct SimulateCommand {
  std::string jobs, sites, format = "auto", time_unit;
  std::vector<std::string> policies{"no-wait"}, zones;
  std::size_t most_jobs = 0;
  std::int32_t cores_per_node = 0;
  std::string trace_zone;
  bool kill_at_estimate = false;
  double nodes = 0, load = 0.3, node_power_w = 400, idle_power_w = 100;
  std::string start, own, uses = "all-own";
  double days = 0, own_capacity_kw = 1000, export_limit_kw = 0;
  double battery_kwh = 0, battery_kw = 0;
  double sla = 0, max_wait_h = 24, carbon_price = 0;
  double start_delay_s = 0, stop_delay_s = 0, move_delay_s = 0, save_every_min = 0, save_time_s = 0;
  std::string failures, reserve, closures;
  std::size_t ensemble = 0;
  int threads = 0;
  std::string events, replay, checkpoint, resume;
  std::uint64_t seed = 1;
  bool list = false;
};

/// Flags of `carnot simulate`.
void add_simulate_flags(CLI::App& command, SimulateCommand& c);

/// Everything a simulation needs.
struct SimulateInput {
  Workload jobs;
  simulate::FleetScenario fleet;
  simulate::FleetOptions options;
  control::FleetPolicyOptions scheduler;
};
/// \throws UsageError for options that do not go together, InputError for their values and files
/// \throws Stopped
SimulateInput simulate_input(const SimulateCommand& c, const StopToken& stop);

/// Reserve calls out of `site,start_s,length_s,power_kw,direction` (`down` or `up`; seconds since
/// the trace's begin). \throws InputError `file:line: field: what is allowed`, InputFileError
std::vector<control::ReserveCall> read_reserve(const std::string& path,
                                               const simulate::FleetScenario& fleet, Instant begin);

/// Maintenance out of `site,start_s,length_s,nodes` (nodes empty: all). \throws likewise
std::vector<simulate::Closure> read_closures(const std::string& path,
                                             const simulate::FleetScenario& fleet, Instant begin);

}  // namespace carnot::app
