// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A fleet of sites working through a job trace under a policy, on a virtual clock: events, not
/// time steps. What a policy may see and command stands in control/view.hpp and
/// control/commands.hpp.
///
/// **Energy.** Between events every power is constant and every signal is a step function, so
/// energy, carbon and cost are sums of exact products, cut at events and at steps of the signals
/// alone: they depend on no reporting interval. Powers of nodes are whole milliwatts; the load of a
/// site is an exact integer and comes back to where it was. Facility power is that of
/// `HallOptions`; own power is used, exported, stored and curtailed in the merit order of
/// site/site.hpp.
///
/// **Links.** A job that waits for others (trace/readers/job_links.hpp), or for its turn in an
/// array of which only some tasks may be under way, is held: the policy is told of it when it may
/// run, as if it arrived then, and its wait counts from there. A job that can never run is
/// cancelled.
///
/// **Maintenance.** No job is started whose estimate says that it would still run when its nodes
/// are closed. Who runs over its estimate all the same loses its nodes as the closure begins: work
/// done is kept if it may be stopped, else what was saved.
///
/// **Time.** Whole nanoseconds. Events of one instant go in this order: ends of jobs, of stops, of
/// starts, of moves; nodes mended, nodes broken; planned runs that end, that begin; reserve calls
/// that end, that begin; held jobs that may run; arrivals; closures that end, that begin; ticks;
/// within one kind, first scheduled first. After each event
/// the policy is told and then the lines of the sites concerned are served.
///
/// The same scenario, trace, options and policy give the same bits. A simulation belongs to one
/// thread; members of an ensemble run side by side.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/site/site.hpp"
#include "carnot/trace/readers/workload.hpp"

namespace carnot::simulate {

/// A site: its hall, its own power and what the world does there step by step.
struct FleetSite {
  std::string name;
  site::HallOptions hall;  ///< whole nodes; `node_peak`: at work, unless the job says otherwise;
                           ///< `node_idle`: up and free; `node_suspended`: broken
  site::BatteryOptions battery;  ///< without self-discharge
  Power export_limit;            ///< of own power
  site::ComputingUses computing_uses = site::ComputingUses::AllOwn;
  // [step], all of one length; after the last the first comes again.
  std::vector<EnergyPrice> price;
  std::vector<CarbonIntensity> carbon;
  std::vector<Temperature> outside;
  std::vector<Power> own;  ///< wind and sun that could be delivered; may be empty: none
};

struct FleetScenario {
  Instant series_start;
  Duration step = Duration::seconds(3600);
  std::vector<FleetSite> sites;
  std::string provenance;  ///< for reports
};

/// How nodes break: times between failures of one node by Weibull with this mean and shape (1:
/// exponential), each mended after a fixed time. The job that holds a broken node loses what was
/// not saved; which node of a site it is, is drawn anew each time.
struct FailureOptions {
  Time mean_up;        ///< of one node; zero: nodes do not break
  double shape = 1.0;  ///< > 0
  Time repair = 4.0 * hour;
};

/// Nodes of a site that are closed for a time, and draw as broken ones do.
struct Closure {
  control::SiteIndex site = control::SiteIndex::none();
  Instant from, to;
  std::int32_t nodes = 0;  ///< 1 to all of the site
};

struct FleetOptions {
  Instant begin;         ///< of the trace, within the series' first round or later
  Duration until;        ///< since begin; zero: when all is done
  Duration start_delay;  ///< nodes held, no work yet: load the state
  Duration stop_delay;   ///< nodes held, no work any more: save the state
  Duration move_delay;   ///< from site to site, no nodes held
  Duration save_every;   ///< of working; zero: state is saved when a job stops, not before
  Duration save_time;    ///< that saving takes, nodes held, no work
  FailureOptions failures;
  std::vector<control::ReserveCall> calls;  ///< by time; at one site they do not overlap
  std::vector<Closure> closures;            ///< likewise
  std::uint64_t seed = 1;                   ///< of failures
};

/// What flowed at a site, or at all. Identities, to 1e-9 relative (`balance_residual`):
///   own_total = own_used + charged_own + exported + curtailed
///   facility + charged_grid = own_used + discharged + grid
///   battery_end - battery_begin = eta_c (charged_own + charged_grid) - discharged / eta_d
struct FleetFlows {
  Energy it, idle;  ///< drawn by nodes; of it by nodes that worked for no job
  Energy facility;
  Energy own_total, own_used, exported, curtailed;
  Energy charged_own, charged_grid, discharged, battery_begin, battery_end;
  Energy grid;
  Carbon carbon;
  Money cost;                     ///< of grid energy
  Time node_time;                 ///< nodes held x time
  Energy call_asked, call_short;  ///< of reserve calls
  Power peak;                     ///< greatest facility power (of all: the sum of the sites')
  double balance_residual = 0.0;  ///< greatest relative gap of the identities above
};

/// Of two sites together.
FleetFlows operator+(const FleetFlows& a, const FleetFlows& b);

struct FleetSiteResult {
  std::string name;
  std::int32_t nodes = 0;
  std::uint64_t finished = 0;
  FleetFlows flows;
};

struct FleetResult {
  std::string policy;
  control::Knowledge knowledge;
  std::uint64_t jobs = 0, finished = 0;
  std::uint64_t late = 0;       ///< not finished by their deadline, or not at all
  std::uint64_t failed = 0;     ///< of the finished, those that ended badly, as the trace says
  std::uint64_t cancelled = 0;  ///< that could never run: what they waited for did not come
  std::uint64_t starts = 0, suspensions = 0, moves = 0, failures = 0, kills = 0;
  Time work_lost;                                       ///< nodes x time, by failures
  Time wait_mean, wait_50, wait_90, wait_99, wait_max;  ///< to the first start, of jobs that did
  Instant begin, end;
  FleetFlows flows;
  std::vector<FleetSiteResult> sites;
  std::uint64_t events = 0;
  double seconds = 0.0;  ///< of the wall clock
};

/// What an event log holds: everything that changes a load, and what happens to jobs.
enum class FleetEventKind : std::uint8_t {
  Arrived,
  Started,   ///< took `nodes` at `site`
  Resized,   ///< holds `nodes` from now on
  Stopping,  ///< still holds them
  Stopped,   ///< gave them back with work left
  Finished,  ///< gave them back, done
  Killed,    ///< lost them to a failure
  Moving,    ///< to `site`
  Dropped,
  Cancelled,  ///< can never run
  Broke,      ///< a node of `site`
  Mended,
  Called,  ///< reserve; `nodes` is the call's index
  CallEnded,
  Battery,  ///< `mode` is the command
  Closed,   ///< `nodes` of `site`
  Opened,
  Ended,  ///< of the simulation
};
struct FleetEvent {
  Instant at;
  FleetEventKind kind = FleetEventKind::Arrived;
  std::uint8_t mode = 0;
  std::int32_t nodes = 0;
  control::JobIndex job = control::JobIndex::none();
  control::SiteIndex site = control::SiteIndex::none();
  bool operator==(const FleetEvent&) const = default;
};

/// One run. Scenario, workload and policy must outlive it; every job's origin is a site whose
/// hall is wide enough for it.
class FleetSimulation {
 public:
  /// \throws InputError naming each option, site and job out of range
  FleetSimulation(const FleetScenario& scenario, const Workload& workload,
                  const FleetOptions& options, control::Policy& policy);
  ~FleetSimulation();

  /// Told of every event, in order; before the first `step`.
  void watch(std::function<void(const FleetEvent&)> sink);
  /// Carries out the next event. False: there is none, all flows are booked to the end.
  /// \throws Stopped as the policy does; then the simulation is of no more use
  bool step();
  Instant now() const noexcept;
  std::uint64_t finished() const noexcept;
  /// Figures as of now; after `step` said false, of the whole.
  FleetResult result() const;
  /// The same with free nodes drawing on until then: what compares policies that end at different
  /// times. \throws InputError if that is before now
  FleetResult result(Instant until) const;

  /// Everything to go on exactly, the policy's state included.
  std::vector<std::uint8_t> save() const;
  /// \throws InputError if the bytes are no state of this scenario, trace, options and policy
  void restore(const std::vector<std::uint8_t>& state);

 private:
  std::unique_ptr<class FleetEngine> engine_;
};

/// To the end. \throws Stopped
FleetResult simulate(const FleetScenario& scenario, const Workload& workload,
                     const FleetOptions& options, control::Policy& policy,
                     const StopToken& stop = {});

}  // namespace carnot::simulate
