// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The engine behind `FleetSimulation` and `FleetBook`: events (events.cpp), what jobs go through
/// (jobs.cpp), what policies command (commands.cpp), what a real fleet reports (book.cpp), state as
/// bytes (state.cpp), figures (result.cpp). With hands, nothing is made believe: starts, stops and
/// ends happen when they are reported.

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/simulate/fleet_book.hpp"
#include "carnot/simulate/simulate.hpp"

#include "simulate/energy_meter.hpp"
#include "simulate/signals.hpp"
#include "simulate/waiting.hpp"

namespace carnot::simulate {

using control::JobIndex;
using control::JobPhase;
using control::JobStatus;
using control::SiteIndex;

/// Of one node that runs `job` in `mode` at `site`.
std::int64_t node_milliwatts(const FleetScenario& scenario, const Workload& workload, JobIndex job,
                             SiteIndex site, std::uint8_t mode);

class FleetEngine final : public control::View,
                          private control::Commands,
                          private control::Future,
                          private control::Lengths {
 public:
  FleetEngine(const FleetScenario& scenario, const Workload& workload, const FleetOptions& options,
              control::Policy& policy, FleetHands* hands = nullptr);

  void watch(std::function<void(const FleetEvent&)> sink) { sink_ = std::move(sink); }
  bool step();
  FleetResult result(Instant until) const;
  std::uint64_t finished_jobs() const noexcept { return counts_.finished; }
  std::vector<std::uint8_t> save() const;
  void restore(const std::vector<std::uint8_t>& bytes);

  // As simulate/fleet_book.hpp says.
  void begin();
  void advance(Instant to);
  std::optional<Instant> next() const;
  void add_job();
  void started(JobIndex job);
  void ended(JobIndex job);
  void cancelled(JobIndex job);
  void stopped_by_hands(JobIndex job, StopCause cause);
  void retry(JobIndex job);
  void took(JobIndex job, SiteIndex site);
  void keeps_running(JobIndex job);
  void set_nodes_up(SiteIndex site, std::int32_t nodes);
  void add_call(const control::ReserveCall& call);
  void run_all(SiteIndex site);
  void signals_changed() { show_weather(); }
  bool wants(JobIndex job) const { return runs_[job].wants; }
  std::optional<control::PlannedRun> planned_run(JobIndex job) const;

  // As control/view.hpp says.
  JobIndex first_waiting() const override { return waiting_.from(0); }
  JobIndex next_waiting(JobIndex job) const override { return waiting_.from(job + 1); }
  JobIndex first_running(SiteIndex site) const override { return holders_[site].first; }
  JobIndex next_running(JobIndex job) const override { return runs_[job].next; }

 private:
  control::World world() noexcept {
    return {*this, *this, knowledge_.future ? this : nullptr, knowledge_.lengths ? this : nullptr};
  }

  Energy battery_now(SiteIndex site) const override;
  ForecastView forecast_of(SiteIndex site, control::Signal signal) const override;
  Instant eligible_at(JobIndex job) const override;
  Power node_power_of(JobIndex job, SiteIndex site, std::uint8_t mode) const override;
  Duration done_of(JobIndex job) const override;
  Instant expected_end_of(JobIndex job) const override;

  // As control/policy.hpp says.
  ForecastView signal(SiteIndex site, control::Signal signal) const override;
  Duration length(JobIndex job) const override;

  // As control/commands.hpp says.
  void submit(JobIndex job, SiteIndex site, std::uint8_t mode) override;
  bool start(JobIndex job, SiteIndex site, std::uint8_t mode) override;
  void plan(JobIndex job, std::span<const control::PlannedRun> runs) override;
  void suspend(JobIndex job) override;
  bool resize(JobIndex job, std::uint8_t mode) override;
  void drop(JobIndex job) override;
  void wake_at(Instant when) override;
  void command_battery(SiteIndex site, control::BatteryCommand command) override;

  /// In the order in which events of one instant go.
  enum class Kind : std::uint8_t {
    JobEnds,
    StopEnds,
    StartEnds,
    MoveEnds,
    NodeMended,
    NodeBreaks,
    RunEnds,
    RunBegins,
    CallEnds,
    CallBegins,
    Release,
    Arrival,
    ClosureEnds,
    ClosureBegins,
    Tick,
  };
  struct Event {
    std::int64_t at;
    std::uint64_t order;    // kind in the highest byte, then a running number
    std::uint32_t subject;  // job, node or call
    std::uint32_t version;  // of the job's phase or plan when it was scheduled
    Kind kind() const noexcept { return static_cast<Kind>(order >> 56); }
    bool operator>(const Event& o) const noexcept {
      return at != o.at ? at > o.at : order > o.order;
    }
  };
  /// What the engine knows of a job beside its status.
  struct Run {
    std::int64_t working_since = 0;        // ns; while Running
    std::int64_t base = 0;                 // ns of work done then
    std::int64_t safe = 0;                 // ns of it that a failure would not take
    std::uint32_t phase = 0, planned = 0;  // versions: events of older ones are void
    JobIndex previous = JobIndex::none(),
             next = JobIndex::none();             // in its site's line or among its holders
    std::uint32_t plan_begin = 0, plan_room = 0;  // in plans_
    std::uint32_t plan_size = 0, plan_at = 0;     // size 0: no plan
    SiteIndex wanted_site = SiteIndex::none();    // where it runs or shall run
    std::uint8_t wanted_mode = 0;
    bool wants = false;    // to hold nodes
    bool started = false;  // ever
    bool spare = false;
  };
  struct Chain {
    JobIndex first = JobIndex::none(), last = JobIndex::none();
  };
  /// What a job that waits for others waits for.
  struct Hold {
    std::uint32_t open = 0;     // dependencies not met yet
    std::int64_t until = 0;     // ns; not before
    std::int64_t eligible = 0;  // ns; since when it may run
    bool arrived = false, never = false, released = false, begun = false;
  };
  struct Array {
    std::int32_t under_way = 0;
    std::uint32_t next = 0;  // of its tasks that wait for their turn, the first in queue
  };
  struct Counts {
    std::uint64_t finished = 0, dropped = 0, late = 0, starts = 0, suspensions = 0, moves = 0;
    std::uint64_t failed = 0, cancelled = 0;
    std::uint64_t failures = 0, kills = 0, events = 0, scheduled = 0;
    std::int64_t lost = 0;  // ns x nodes
  };

  std::vector<std::uint64_t> fingerprint() const;

  // Events.
  void schedule(Instant at, Kind kind, std::uint32_t subject, std::uint32_t version = 0);
  static bool lively(Kind kind) noexcept;
  bool over(std::int64_t next) const noexcept;
  void pass_time(Instant to);
  void show_weather();
  void finish();
  /// Off the queue; nothing if its job has gone another way since it was foreseen.
  std::optional<Event> take_event();
  void handle(const Event& event);
  void handle_call(const Event& event);
  void begin_run(JobIndex job);
  void end_run(JobIndex job);
  void break_node(std::uint32_t node);
  void mend_node(std::uint32_t node);
  void schedule_failure(std::uint32_t node);
  SiteIndex site_of_node(std::uint32_t node) const noexcept;
  void serve();

  // Jobs that wait for others (links.cpp).
  void read_links();
  bool linked() const noexcept { return !holds_.empty(); }
  void hold_or_tell(JobIndex job);
  void consider(JobIndex job);
  void tell_policy(JobIndex job);
  void cancel(JobIndex job);
  void began(JobIndex job);
  void is_over(JobIndex job, bool well);
  /// What has become known of jobs goes to those who wait for them, once an event is dealt with.
  void settle();
  void spread(JobIndex job, bool begins, bool well);
  void meet(const JobDependency& link, bool possible);

  // Closures (closures.cpp).
  void begin_closure(std::uint32_t closure);
  void end_closure(std::uint32_t closure);
  void close_nodes(SiteIndex site, std::int32_t nodes);
  /// Whether no closure gets in the way of so many more nodes at `site` until `job` is done.
  bool open_for(JobIndex job, SiteIndex site, std::uint8_t mode, std::int32_t more) const;

  // Jobs.
  void link(Chain& chain, JobIndex job, bool first);
  void unlink(Chain& chain, JobIndex job);
  void join_line(JobIndex job, bool first);
  void leave_line(JobIndex job);
  void want(JobIndex job, SiteIndex site, std::uint8_t mode);
  void withdraw(JobIndex job);
  void hold(JobIndex job, SiteIndex site, std::uint8_t mode);
  void release(JobIndex job);
  void begin_work(JobIndex job);
  void schedule_end(JobIndex job);
  void stop(JobIndex job);
  void stopped(JobIndex job);
  void order_stop(JobIndex job);
  void give_back(JobIndex job);
  void kill(JobIndex job);
  void arrive(JobIndex job);
  void end_job(JobIndex job);
  void end_move(JobIndex job);
  void forget_plan(JobIndex job);
  void wait(JobIndex job);
  void set_phase(JobIndex job, JobPhase phase);
  const control::PlannedRun& planned(JobIndex job) const;
  bool holds_nodes(JobIndex job) const noexcept;
  std::int64_t node_mw(JobIndex job, SiteIndex site, std::uint8_t mode) const {
    return node_milliwatts(scenario_, workload_, job, site, mode);
  }
  std::int64_t wall_time(std::int64_t work, double speed) const;
  std::int64_t time_to_do(std::int64_t work, double speed) const;
  std::int64_t worked(JobIndex job, bool safe) const;
  void change_load(SiteIndex site, std::int64_t it_mw, std::int64_t idle_mw, std::int64_t held);
  void require(JobIndex job, SiteIndex site, std::uint8_t mode) const;
  void tell(FleetEventKind kind, JobIndex job, SiteIndex site, std::int32_t nodes = 0,
            std::uint8_t mode = 0);

  SiteIndex placed(JobIndex job, SiteIndex wanted) const {
    return hands_ != nullptr ? hands_->place(job, wanted) : wanted;
  }

  const FleetScenario& scenario_;
  const Workload& workload_;
  const FleetOptions options_;
  control::Policy& policy_;
  FleetHands* hands_;  // null: a simulation
  std::vector<control::ReserveCall> calls_;
  control::Knowledge knowledge_;
  std::function<void(const FleetEvent&)> sink_;
  RandomStream failures_;

  std::vector<control::SiteState> states_;  // what sites_ shows
  std::vector<JobStatus> status_of_;        // what status_ shows
  std::vector<Run> runs_;
  std::vector<control::PlannedRun> plans_;
  std::vector<Chain> lines_, holders_;  // [site]
  std::vector<SiteMeter> meters_;
  mutable std::vector<SiteSignals> signals_;       // made when first asked for
  std::vector<std::int64_t> idle_mw_, broken_mw_;  // [site] of a node
  std::vector<std::uint64_t> finished_at_;         // [site] jobs
  std::vector<std::uint32_t> first_node_;          // [site + 1] into nodes of the whole fleet
  std::vector<std::uint64_t> lives_;               // [node] how often it was mended
  std::vector<SiteIndex> unserved_;                // sites whose lines may have become servable
  OrderedSet waiting_;
  std::vector<Event> queue_;                       // a heap, the next first
  std::uint64_t lively_ = 0;                       // events in it that keep the simulation going
  std::vector<Hold> holds_;                        // [job]; empty: nobody waits for anybody
  std::vector<std::uint32_t> successors_at_;       // [job + 1] into successors_
  std::vector<std::uint32_t> successors_;          // indices of links
  std::vector<Array> arrays_;                      // [array]
  std::vector<std::vector<std::uint32_t>> turns_;  // [array] tasks that wait for their turn
  struct News {
    JobIndex job;
    bool begins, well;
  };
  std::vector<News> news_;                      // empty between two events
  std::vector<std::int32_t> closing_, closed_;  // [site] nodes to be closed now; that are
  std::size_t arrived_count_ = 0;               // of them the view shows
  std::int64_t step_end_ = 0;                   // of the series' step that states_ show
  std::int64_t last_lively_ = 0;                // instant of the last such event or arrival
  bool begun_ = false, over_ = false;
  Counts counts_;
};

}  // namespace carnot::simulate
