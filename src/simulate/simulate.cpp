// SPDX-License-Identifier: Apache-2.0
#include "carnot/simulate/simulate.hpp"

#include <chrono>
#include <cmath>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

#include "simulate/engine.hpp"

namespace carnot::simulate {

namespace {

constexpr double kMostNodes = 1e7;  // of a site

class Checks {
 public:
  // `ok` is written so that NaN fails it.
  void require(bool ok, const std::string& field, std::string_view allowed) {
    if (!ok && problems_.lines().size() < 50) problems_.add({}, field, allowed);
  }
  void throw_if_any() const { problems_.throw_if_any(); }

 private:
  Problems problems_;
};

template <class Q>
bool all_finite(const std::vector<Q>& values) {
  for (const Q& v : values)
    if (!is_finite(v)) return false;
  return true;
}

void check_site(Checks& checks, const FleetSite& site, std::size_t steps) {
  const std::string at = "site " + site.name + ": ";
  const site::HallOptions& hall = site.hall;
  const auto power = [](Power p) { return p >= Power{} && p <= 2e6 * watt; };
  checks.require(
      hall.nodes >= 1.0 && hall.nodes <= kMostNodes && hall.nodes == std::floor(hall.nodes),
      at + "nodes", "a whole number from 1 to 10 million");
  checks.require(power(hall.node_peak) && hall.node_peak > Power{} && power(hall.node_idle) &&
                     power(hall.node_suspended),
                 at + "powers of a node", "0 to 2 MW, at work above 0");
  checks.require(hall.fixed_overhead >= 0.0 && hall.fixed_overhead <= 2.0 &&
                     hall.cooling_slope_per_k >= 0.0 && hall.cooling_slope_per_k <= 1.0,
                 at + "overheads of the hall", "fixed 0 to 2, cooling 0 to 1 a kelvin");
  const site::BatteryOptions& b = site.battery;
  checks.require(
      b.capacity >= Energy{} && is_finite(b.capacity) && b.charge_limit >= Power{} &&
          is_finite(b.charge_limit) && b.discharge_limit >= Power{} && b.charge_efficiency > 0.0 &&
          b.charge_efficiency <= 1.0 && b.discharge_efficiency > 0.0 &&
          b.discharge_efficiency <= 1.0 && b.initial_charge >= 0.0 && b.initial_charge <= 1.0,
      at + "battery", "capacity and limits >= 0, efficiencies in (0, 1], charge in [0, 1]");
  checks.require(b.capacity == Energy{} || b.self_discharge_per_day == 0.0,
                 at + "battery.self_discharge_per_day", "0: fleets do not model it");
  checks.require(site.export_limit >= Power{}, at + "export_limit", "a power >= 0 W");
  checks.require(site.price.size() == steps && site.carbon.size() == steps &&
                     site.outside.size() == steps && (site.own.empty() || site.own.size() == steps),
                 at + "series", "as many values as the first site's price, at least one");
  checks.require(all_finite(site.price) && all_finite(site.carbon) && all_finite(site.outside) &&
                     all_finite(site.own),
                 at + "series", "finite numbers");
}

void check_jobs(Checks& checks, const FleetScenario& scenario, const Workload& workload) {
  checks.require(
      workload.length.size() == workload.size() && workload.size() < control::JobIndex::none(),
      "jobs", "a length each, fewer than 2^32");
  for (const std::vector<JobMode>& modes : workload.mode_sets) {
    checks.require(!modes.empty() && modes.size() <= 255, "modes of a job", "1 to 255");
    for (const JobMode& m : modes)
      checks.require(m.nodes >= 0 && m.speed > 0.0 && m.speed <= 1e6 && m.power_share >= 0.0 &&
                         m.power_share <= 1e3,
                     "modes of a job", "nodes >= 0, speed above 0, power share >= 0");
  }
  checks.throw_if_any();
  Duration last;
  for (std::size_t j = 0; j < workload.size(); ++j) {
    const JobRequest& job = workload.jobs[j];
    const bool sound = job.arrival >= last && job.estimate > Duration{} && job.nodes >= 1 &&
                       workload.length[j] >= Duration{} && job.allowed >= Duration{} &&
                       job.modes < workload.mode_sets.size();
    checks.require(sound, fmt::format("job {}", j + 1),
                   "in order of arrival; nodes, length, estimate and deadline in range");
    const bool placed = job.origin < scenario.sites.size();
    checks.require(placed, fmt::format("job {}: origin", j + 1), "one of the sites");
    if (!sound || !placed) continue;
    last = job.arrival;
    const std::int32_t first = workload.mode_sets[job.modes].front().nodes;
    const std::int32_t nodes = first > 0 ? first : job.nodes;
    const double built = scenario.sites[job.origin].hall.nodes;
    if (nodes > built)
      checks.require(false, fmt::format("job {}: nodes", j + 1),
                     fmt::format("at most the {} of site {}, not {}", built,
                                 scenario.sites[job.origin].name, nodes));
  }
}

void check_options(Checks& checks, const FleetScenario& scenario, const FleetOptions& options) {
  checks.require(options.begin >= scenario.series_start, "begin", "not before the series");
  for (const Duration d : {options.until, options.start_delay, options.stop_delay,
                           options.move_delay, options.save_every, options.save_time})
    checks.require(d >= Duration{} && d <= Duration::seconds(100LL * 366 * 86400), "times",
                   "0 to 100 years");
  const FailureOptions& f = options.failures;
  checks.require(f.mean_up >= Time{} && is_finite(f.mean_up) && f.shape >= 0.1 &&
                     f.shape <= 100.0 && f.repair >= Time{} && f.repair <= 1e9 * second,
                 "failures", "times >= 0, shape 0.1 to 100");
  std::vector<Instant> busy(scenario.sites.size());
  Instant last = options.begin;
  for (const control::ReserveCall& call : options.calls) {
    const bool sound = call.site < scenario.sites.size() && call.at >= last &&
                       call.length > Duration{} && call.power > Power{} && is_finite(call.power);
    checks.require(sound, "reserve calls", "by time, of a site, with length and power above 0");
    if (!sound) continue;
    checks.require(call.at >= busy[call.site], "reserve calls", "one at a time at a site");
    busy[call.site] = call.at + call.length;
    last = call.at;
  }
}

void check_closures(Checks& checks, const FleetScenario& scenario, const FleetOptions& options) {
  std::vector<Instant> busy(scenario.sites.size());
  Instant last = options.begin;
  for (const Closure& closure : options.closures) {
    const bool sound = closure.site < scenario.sites.size() && closure.from >= last &&
                       closure.to > closure.from && closure.nodes >= 1 &&
                       closure.nodes <= scenario.sites[closure.site].hall.nodes;
    checks.require(sound, "closures", "by time, of a site, longer than 0 s, of 1 node to all");
    if (!sound) continue;
    checks.require(closure.from >= busy[closure.site], "closures", "one at a time at a site");
    busy[closure.site] = closure.to;
    last = closure.from;
  }
}

void check_links(Checks& checks, const Workload& workload) {
  const JobLinks& links = workload.links;
  const auto of_jobs = [&](std::size_t size) { return size == 0 || size == workload.size(); };
  checks.require(of_jobs(links.array.size()) && of_jobs(links.fails.size()), "links",
                 "as many as jobs");
  for (const std::uint32_t array : links.array)
    checks.require(array == kNoArray || array < links.at_once.size(), "array", "one that is there");
  for (const std::int32_t most : links.at_once)
    checks.require(most >= 1, "tasks at once", "1 or more");
  in_order_of_links(workload);
}

void check(const FleetScenario& scenario, const Workload& workload, const FleetOptions& options) {
  Checks checks;
  checks.require(!scenario.sites.empty() && !scenario.sites.front().price.empty(), "sites",
                 "one or more, with series");
  checks.require(scenario.step > Duration{}, "step", "above 0 s");
  checks.throw_if_any();
  for (const FleetSite& site : scenario.sites)
    check_site(checks, site, scenario.sites.front().price.size());
  checks.throw_if_any();
  check_jobs(checks, scenario, workload);
  check_options(checks, scenario, options);
  check_closures(checks, scenario, options);
  check_links(checks, workload);
  checks.throw_if_any();
}

}  // namespace

FleetSimulation::FleetSimulation(const FleetScenario& scenario, const Workload& workload,
                                 const FleetOptions& options, control::Policy& policy) {
  check(scenario, workload, options);
  engine_ = std::make_unique<FleetEngine>(scenario, workload, options, policy);
}

FleetSimulation::~FleetSimulation() = default;

void FleetSimulation::watch(std::function<void(const FleetEvent&)> sink) {
  engine_->watch(std::move(sink));
}
bool FleetSimulation::step() { return engine_->step(); }
Instant FleetSimulation::now() const noexcept { return engine_->now(); }
std::uint64_t FleetSimulation::finished() const noexcept { return engine_->finished_jobs(); }
FleetResult FleetSimulation::result() const { return engine_->result(now()); }
FleetResult FleetSimulation::result(Instant until) const {
  if (until < now()) throw InputError("until: not before the simulation's own time");
  return engine_->result(until);
}
std::vector<std::uint8_t> FleetSimulation::save() const { return engine_->save(); }
void FleetSimulation::restore(const std::vector<std::uint8_t>& state) { engine_->restore(state); }

FleetResult simulate(const FleetScenario& scenario, const Workload& workload,
                     const FleetOptions& options, control::Policy& policy, const StopToken& token) {
  const auto began = std::chrono::steady_clock::now();
  FleetSimulation simulation(scenario, workload, options, policy);
  SparseStop stop(token, 64);
  while (simulation.step()) stop.throw_if_requested();
  FleetResult result = simulation.result();
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return result;
}

}  // namespace carnot::simulate
