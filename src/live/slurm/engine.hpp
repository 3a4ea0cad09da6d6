// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The engine behind `Dispatcher`: turns and clusters (engine.cpp), what a look tells
/// (observe.cpp), what is to be ordered (orders.cpp), beginning and taking up again (resume.cpp),
/// what is written for people and machines (account.cpp).

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "carnot/live/slurm/dispatch.hpp"

#include "live/slurm/dispatch_book.hpp"
#include "live/slurm/slurm_text.hpp"

namespace carnot::live {

using control::JobIndex;
using control::JobPhase;
using control::SiteIndex;

enum class OrderKind : std::uint8_t {
  Look,
  Nodes,
  Clock,
  Account,  ///< what became of a job that squeue no longer shows
  // Those below change something.
  Submit,
  BeginAt,  ///< begin time: now, or a lease ahead
  Requeue,
  Cancel,
  Suspend,
  Resume,
  Release,
  Reserve,
  Unreserve,
  Joules,
};

struct SlurmOrder {
  OrderKind kind = OrderKind::Look;
  std::vector<std::string> words;
  std::vector<JobIndex> jobs;
  std::string why;
  std::optional<Instant> begin_at;  ///< by the controller's clock; of leases
  std::uint64_t number = 0;
  bool changes() const noexcept { return kind >= OrderKind::Submit; }
};

/// Slurm gave the job nodes, could not start it there, and holds it: as after a controller was lost
/// with the job's credential. Squeue shows the reason with blanks or without.
bool launch_failed(const SlurmJob& row);
/// An own job is let go from such a hold so often before it counts as refused: its nodes may be at
/// fault.
inline constexpr std::uint32_t kMostLaunchReleases = 3;

/// What is known of a job beside the book.
struct JobRecord {
  bool own = true;
  std::size_t row = 0;  ///< of the list, for own ones
  // Where it is in Slurm; an empty id: nowhere.
  SiteIndex site = SiteIndex::none();
  std::string id, token;
  std::uint32_t attempt = 0;
  std::string user, name;  ///< of an adopted job: part of its identity
  std::optional<Instant> submitted;
  std::int32_t restarts = 0;
  // What was ordered.
  bool unsure = false;  ///< a submission whose outcome is not known
  bool start_ordered = false, parked = false, caused_hold = false, cancelling = false;
  bool requeued = false;         ///< by us, since the last look
  std::optional<Instant> lease;  ///< begin time that we set
  // Of this process alone.
  std::optional<SlurmJob> row_seen;
  Duration unsure_since, not_before, wanted_since, retry_at, told_until;
  std::optional<Duration> seen_at;
  std::uint32_t failures = 0;
  /// Releases of an own job that Slurm holds because its launch failed, since its last refusal.
  std::uint32_t launch_releases = 0;
  bool waits_for_start = false, refused = false, asked_account = false;
  JobPhase scanned_phase = JobPhase::Pending;
  Instant scanned_since;
  Instant running_since;
  double energy_j = 0.0;
  int mode_written = -1;
  Instant mode_until;
};

struct SiteLink {
  std::unique_ptr<SlurmCluster> cluster;
  std::deque<SlurmOrder> orders;
  std::optional<SlurmOrder> current;
  Duration begun, next_look, look_began, next_nodes, next_clock, last_answer;
  Duration last_order;
  bool ever_looked = false, quiet = false, answers = true, accounts = false;
  double slow = 1.0;  ///< factor on the interval
  Duration controller_read;
  Instant controller;
  std::set<std::string> down, nodes, foreign, reserved;
  bool reservation_there = false, no_reservation = false;
  std::string reservation_nodes;
  bool blind = false;  ///< nothing is known of its power or prices
  std::map<control::Signal, std::int64_t> next_step;
  std::map<control::Signal, LiveSignal> signals;
  std::map<std::string, std::uint64_t> commands;  ///< by what, for the metrics
};

class DispatchEngine {
 public:
  DispatchEngine(DispatchConfig config, std::vector<std::unique_ptr<SlurmCluster>> clusters,
                 DispatchClock& clock, DispatchRun run);
  bool step();
  Duration pause() const;
  DispatchSummary summary() const;
  std::string event_log();

 private:
  // resume.cpp
  void read_list();
  void check_rights();
  SlurmOutcome ask(SiteIndex site, const std::vector<std::string>& words);
  void take_up();
  void note_record(JobIndex job);
  void restore_record(const Json& line);

  // engine.cpp
  Instant book_now();
  Instant controller_now(const SiteLink& link) const;
  void advance(Instant to);
  void deliver_arrivals(Instant to);
  void read_calls();
  void look_at_signals();
  void feed_signal(SiteIndex site, control::Signal signal, LiveSignal& live, Instant now);
  void turn(SiteIndex site);
  void begin(SiteIndex site, SlurmOrder order);
  void completed(SiteIndex site, const SlurmOrder& order, const SlurmOutcome& outcome);
  void look_completed(SiteIndex site, const SlurmOutcome& outcome);
  void command_completed(SiteIndex site, const SlurmOrder& order, const SlurmOutcome& outcome);
  bool all_done() const;
  bool needs_attention(SiteIndex site) const;
  void finish();
  void feed(Json report);
  void say(const std::string& words) const { run_.say(words); }

  // observe.cpp
  void observe(SiteIndex site, const SlurmJobs& jobs);
  void observe_job(SiteIndex site, JobIndex job, const SlurmJob* row);
  void observe_absent(SiteIndex site, JobIndex job);
  void adopt(SiteIndex site, const SlurmJob& row);
  void observe_capacity(SiteIndex site, const SlurmJobs& jobs);
  void close_energy(JobIndex job);
  bool is_same(const JobRecord& record, const SlurmJob& row) const;

  // orders.cpp
  std::vector<SlurmOrder> orders_for(SiteIndex site);
  void order_for_job(SiteIndex site, JobIndex job, std::vector<SlurmOrder>& out);
  void order_reservation(SiteIndex site, std::vector<SlurmOrder>& out);
  const control::ReserveCall* active_call(SiteIndex site) const;
  void release_orders(SiteIndex site, std::vector<SlurmOrder>& out);
  SlurmOrder submit_order(SiteIndex site, JobIndex job, bool waits);
  SlurmOrder begin_order(SiteIndex site, JobIndex job, bool now);
  std::string why(JobIndex job, SiteIndex site, const std::string& what) const;

  // account.cpp
  void audit(SiteIndex site, const SlurmOrder& order, const SlurmOutcome& outcome);
  void write_metrics();
  void write_modes();

  DispatchConfig config_;
  DispatchRun run_;
  DispatchClock& clock_;
  std::unique_ptr<DispatchJournal> journal_;
  std::unique_ptr<DispatchBook> book_;
  std::vector<SiteLink> links_;
  std::vector<JobRecord> records_;
  std::vector<std::vector<std::string>> rows_;  // of the list, cells
  std::vector<std::string> columns_;
  std::vector<JobRequest> requests_;
  std::vector<std::string> list_names_;
  std::size_t next_row_ = 0;
  std::map<std::string, JobIndex> adopted_;  // site/id
  std::map<std::string, JobIndex> tokens_;
  std::vector<std::pair<SiteIndex, SlurmOrder>> strays_;
  std::vector<control::ReserveCall> calls_;
  std::string me_, stamp_;
  Instant book_origin_;  // book time at elapsed_origin_
  Duration elapsed_origin_;
  Duration last_filled_, next_signals_, next_metrics_;
  double allowance_ = 1.0;  // commands that may be given at once
  std::uint64_t order_number_ = 0, looks_ = 0, commands_ = 0, failed_ = 0, unreadable_ = 0;
  std::vector<double> latency_s_;
  bool finished_ = false;
};

std::string order_name(OrderKind kind);
std::string shown(const std::vector<std::string>& words);

}  // namespace carnot::live
