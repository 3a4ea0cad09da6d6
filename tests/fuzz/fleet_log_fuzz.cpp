// SPDX-License-Identifier: Apache-2.0
// Any bytes as an event log or a checkpoint of a small fleet: violations or an InputError, no more.
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/control/registry.hpp"
#include "carnot/simulate/event_log.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace carnot;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  carnot::simulate::FleetScenario fleet;
  fleet.series_start = Instant::from_unix_seconds(0);
  carnot::simulate::FleetSite& site = fleet.sites.emplace_back();
  site.name = "a";
  site.hall.nodes = 2;
  site.price.resize(3);
  site.carbon.resize(3);
  site.outside.resize(3);
  Workload jobs;
  JobRequest job;
  job.origin = 0;
  job.estimate = Duration::seconds(5);
  job.allowed = kNoDeadline;
  jobs.jobs = {job, job};
  jobs.length = {job.estimate, job.estimate};
  carnot::simulate::FleetOptions options;
  options.begin = fleet.series_start;
  options.calls = {{0, options.begin, Duration::seconds(1), watt, true}};
  try {
    (void)carnot::simulate::replay(text, "fuzz", fleet, jobs, options);
  } catch (const InputError&) {
  }
  try {
    const carnot::simulate::FleetCheckpoint checkpoint =
        carnot::simulate::checkpoint_of(text, "fuzz");
    const auto scheduler = control::make_policy("no-wait", control::FleetPolicyOptions{});
    carnot::simulate::FleetSimulation simulation(fleet, jobs, options, *scheduler);
    simulation.restore(checkpoint.state);
  } catch (const InputError&) {
  }
  return 0;
}
