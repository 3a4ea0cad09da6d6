// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The policy interface of whole fleets: many jobs over many sites. A `Scheduler` is told what
/// happens (a job arrives or ends, an hour it asked for has come, the grid calls for reserve) and
/// answers with commands to the `FleetControl` it is handed. One interface serves them all:
///
/// | rule | told of | answers |
/// |---|---|---|
/// | no wait, geographic rules | arrival | `submit(job, site)` |
/// | best start, best window, suspend and resume, one job at a time | arrival | `plan(job, runs)` |
/// | elastic: nodes an hour | arrival | `plan(job, runs)` in modes of several sizes |
/// | backfilling | arrival, end | `start(job, site)` past the line |
/// | global re-plan | `tick` each hour | `plan` for all jobs that wait |
///
/// Start here; schedulers are made by name (`make_scheduler`), simulate/simulate.hpp is the world
/// they act in. A scheduler belongs to one run and one thread.
///
/// **Lines.** Each site has one line of jobs that are due and want nodes, served first come, first
/// served: the head waits until it fits and nobody overtakes it, but for `start`, which jumps the
/// line. Nodes are whole and belong to one job at a time. Lines are served each time the scheduler
/// returns. A job whose state is at another site first moves there, which takes the fleet's delay.
///
/// **Honesty.** `ahead` shows forecasts, functions of the past alone (trace/forecast.hpp), and
/// `JobRequest::estimate` is all there is of a job's length, unless the scheduler declares
/// (`knowledge`) that it is an oracle; reports say so beside its name.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/trace/readers/workload.hpp"

namespace carnot::control {

using JobIndex = std::uint32_t;
using SiteIndex = std::uint32_t;
inline constexpr std::uint32_t kNowhere = 0xffffffff;

/// A series of a site. Prices in EUR/J, carbon in g/J, powers in W, temperature in K.
enum class Signal : std::uint8_t {
  Price,        ///< of grid supply, at the facility
  Carbon,       ///< of grid supply, at the facility
  Temperature,  ///< outside
  OwnPower,     ///< that computing may use, at the facility
  ItPrice,      ///< price x PUE at full load: of a joule of computing
  ItCarbon,     ///< carbon x PUE at full load
};
inline constexpr std::size_t kSignals = 6;

/// A step function with its running integral. Valid until the scheduler returns.
struct SignalView {
  Instant start;                 ///< of the first step; the step that holds `now`
  Duration step;                 ///< > 0
  std::span<const double> mean;  ///< [n], base units; n >= 1
  std::span<const double> sum;   ///< [n + 1], integral in base units x s up to each edge, less any
                                 ///< constant
  Instant end() const noexcept { return start + step * static_cast<std::int64_t>(mean.size()); }
  /// Before the start as the first step, from the end on as the last.
  double at(Instant when) const noexcept;
  /// Over [from, to), beyond both ends with the outermost steps; O(1).
  double integral(Instant from, Instant to) const noexcept;

 private:
  double integral_to(Instant when) const noexcept;  // from an edge of its own choosing
};

/// A site as it is now.
struct SiteState {
  std::string_view name;
  std::int32_t nodes = 0;       ///< built
  std::int32_t nodes_up = 0;    ///< not broken
  std::int32_t nodes_free = 0;  ///< up and held by no job
  std::int32_t nodes_due = 0;   ///< that jobs in its line wait for
  std::uint32_t running = 0;    ///< jobs that hold nodes
  Power node_peak, node_idle;   ///< of a node that works, of one that is free
  Power it;                     ///< drawn by all nodes
  Power facility;               ///< drawn at the meter
  double pue = 1.0;             ///< at full load in this weather
  EnergyPrice price;
  CarbonIntensity carbon;
  Temperature outside;
  Power own;  ///< wind and sun that computing may use
};

enum class JobPhase : std::uint8_t {
  Pending,   ///< not arrived
  Waiting,   ///< holds no nodes: not yet submitted, in line, between planned runs, suspended
  Starting,  ///< holds nodes, does not work yet
  Running,
  Stopping,  ///< holds nodes, saves its state
  Moving,    ///< under way to another site
  Finished,
  Dropped,
};

/// A job as it is now.
struct JobStatus {
  JobPhase phase = JobPhase::Pending;
  std::uint8_t mode = 0;      ///< as it runs or ran last
  bool in_line = false;       ///< due at `site`, waiting for nodes
  SiteIndex site = kNowhere;  ///< where it is, or is in line
  Instant since;              ///< of this phase
  Duration done;              ///< work of its first mode done and safe when the phase began
  Instant first_start;        ///< meaningless before
};

/// A run that a job is to make: due at `from`, on nodes of `site` in `mode`. At `to` it is
/// suspended with work left, unless the next run begins then at the same site (then it changes
/// modes without stopping) or there is no next run: the last goes on until the work is done. A run
/// whose nodes did not become free before `to` is lost.
struct PlannedRun {
  Instant from, to;
  SiteIndex site = kNowhere;
  std::uint8_t mode = 0;
};

/// A call of the grid's: less (`down`) or more power at a site than at the moment of the call.
struct ReserveCall {
  SiteIndex site = kNowhere;
  Instant at;
  Duration length;
  Power power;       ///< > 0, at the facility
  bool down = true;  ///< false: draw more
};

/// What the battery of a site does until told otherwise.
enum class BatteryCommand : std::uint8_t {
  Auto,  ///< takes own power that would be thrown away, serves the hall whenever it can
  Hold,  ///< takes what would be thrown away, gives nothing
  Fill,  ///< besides, takes grid power up to its charge limit
};

/// What a scheduler may know.
struct Knowledge {
  bool future = false;   ///< `ahead` shows what will be
  bool lengths = false;  ///< `length` may be asked
};

/// What commands take until they have taken effect.
struct FleetDelays {
  Duration start;  ///< nodes held, no work yet
  Duration stop;   ///< nodes held, no work any more
  Duration move;   ///< from site to site, no nodes held
};

/// The fleet as a scheduler sees and commands it. Commands take effect at once; what cannot be
/// meant (a site or mode that is not there, a finished job) is an InternalError.
class FleetControl {
 public:
  virtual ~FleetControl() = default;

  // What is.
  Instant now() const noexcept { return now_; }
  std::span<const SiteState> sites() const noexcept { return sites_; }
  std::size_t jobs() const noexcept { return requests_.size(); }
  const JobRequest& request(JobIndex job) const noexcept { return requests_[job]; }
  const JobStatus& status(JobIndex job) const noexcept { return status_[job]; }
  Instant arrival(JobIndex job) const noexcept { return begin_ + requests_[job].arrival; }
  Instant begin() const noexcept { return begin_; }  ///< of the trace
  const FleetDelays& delays() const noexcept { return delays_; }
  virtual std::span<const JobMode> modes(JobIndex job) const = 0;
  /// Nodes that `job` takes in `mode`.
  virtual std::int32_t nodes(JobIndex job, std::uint8_t mode) const = 0;
  /// Power of one node running `job` in `mode` at `site`.
  virtual Power node_power(JobIndex job, SiteIndex site, std::uint8_t mode) const = 0;
  virtual Energy battery(SiteIndex site) const = 0;
  /// Work of the first mode done by now, safe or not.
  virtual Duration done(JobIndex job) const = 0;
  /// When it would end if its estimate were true and nothing disturbed it; for jobs that hold
  /// nodes. An estimate already exceeded gives `now`.
  virtual Instant expected_end(JobIndex job) const = 0;
  /// Jobs that wait, by arrival; jobs that hold nodes of a site, by start. `kNowhere` ends both.
  virtual JobIndex first_waiting() const = 0;
  virtual JobIndex next_waiting(JobIndex job) const = 0;
  virtual JobIndex first_running(SiteIndex site) const = 0;
  virtual JobIndex next_running(JobIndex job) const = 0;

  // What will be, or is thought to be.
  virtual SignalView ahead(SiteIndex site, Signal signal) = 0;
  /// The truth, for those who declared that they know it.
  virtual Duration length(JobIndex job) const = 0;

  // Commands.
  /// Into the line of `site`, to run until done; replaces any plan. A job that runs elsewhere or in
  /// another mode is suspended first and its state carried there.
  virtual void submit(JobIndex job, SiteIndex site, std::uint8_t mode = 0) = 0;
  /// Starts it now, past the line. False, and nothing is done, if its nodes are not free or its
  /// state would have to move first.
  virtual bool start(JobIndex job, SiteIndex site, std::uint8_t mode = 0) = 0;
  /// \param runs  in order, disjoint, >= 1; replaces any plan. A job that holds nodes keeps them if
  ///              the first run is under way at its site, and is suspended otherwise
  virtual void plan(JobIndex job, std::span<const PlannedRun> runs) = 0;
  /// Saves its state and gives its nodes back; it waits, in no line, its plan gone.
  virtual void suspend(JobIndex job) = 0;
  /// Another mode without stopping. False, and nothing is done, if it needs more nodes than are
  /// free.
  virtual bool resize(JobIndex job, std::uint8_t mode) = 0;
  /// It will never run (counted as late, not as finished); for jobs that wait.
  virtual void drop(JobIndex job) = 0;
  /// Asks for `tick` then; `when` <= now: as soon as this instant's events are over.
  virtual void wake_at(Instant when) = 0;
  virtual void command_battery(SiteIndex site, BatteryCommand command) = 0;

 protected:
  Instant now_, begin_;
  FleetDelays delays_;
  std::span<const SiteState> sites_;
  std::span<const JobRequest> requests_;
  std::span<const JobStatus> status_;
};

/// A policy. Every event has an answer by default: nothing, but where stated.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual Knowledge knowledge() const noexcept { return {}; }
  /// Before the first event.
  virtual void begin(FleetControl&) {}
  virtual void arrived(FleetControl& fleet, JobIndex job) = 0;
  virtual void finished(FleetControl&, JobIndex) {}
  virtual void tick(FleetControl&) {}
  /// A node broke under the job; it has lost what was not saved and waits at the head of the line.
  virtual void failed(FleetControl&, JobIndex) {}
  /// Nodes broke or came back.
  virtual void capacity_changed(FleetControl&, SiteIndex) {}
  /// By default: `down` suspends stoppable jobs, the latest started first, until enough is shed;
  /// `up` starts jobs that wait, by arrival.
  virtual void reserve_called(FleetControl& fleet, const ReserveCall& call);
  /// By default: submits again what `reserve_called` suspended.
  virtual void reserve_ended(FleetControl& fleet, const ReserveCall& call);

  /// State beyond what the fleet shows, for exact resume; opaque. Overriders append to the base's.
  virtual std::vector<std::uint8_t> save() const;
  /// \throws InputError if the bytes are none of `save`
  virtual void restore(std::span<const std::uint8_t> bytes);

 private:
  std::vector<JobIndex> held_back_;  // suspended for reserve
};

/// What some rules want to be told.
struct SchedulerOptions {
  /// Longest delay of a start that is chosen. A job with a deadline waits no longer than that
  /// leaves, by its length as far as it is known.
  Duration max_wait = Duration::seconds(24 * 3600);
  double carbon_price_eur_per_t = 0.0;      ///< for rules that weigh both
  double stranded_below_eur_per_mwh = 5.0;  ///< price under which power counts as stranded
  /// What carrying a job to a site costs, for rules that weigh it; none: nothing.
  std::function<Money(const JobRequest&, SiteIndex)> move_cost;
};

/// A rule there is.
struct SchedulerInfo {
  std::string_view name;
  std::string_view what;    ///< it does, in one line
  std::string_view source;  ///< who stated it
};
/// Every rule there is, in report order.
std::span<const SchedulerInfo> scheduler_list() noexcept;
std::vector<std::string> scheduler_names();

/// \param name  of a rule, as it is or with what it may know besides: `lowest-window:future`,
///              `:lengths`, `:oracle` (both)
/// \throws InputError for an unknown name (nearest known one named)
std::unique_ptr<Scheduler> make_scheduler(std::string_view name, const SchedulerOptions& options);

}  // namespace carnot::control
