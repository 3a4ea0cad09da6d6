// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A fleet of Slurm clusters under a policy. The policy is one of `simulate`, the book is that of
/// simulate/fleet_book.hpp; what the policy orders becomes commands to Slurm, and what Slurm shows
/// becomes reports to the book.
///
/// **Level, not edge.** Every so often, and before it gives any order, the dispatcher looks at a
/// cluster (one `squeue` for all jobs). Orders follow from what the book wants and what the look
/// showed, so a cluster that is as it should be gets none, and one order lost is given again.
///
/// **Identity** of a job of carnot's own is cluster, token and number together: the token is the
/// job's name, `carnot.RUN-STAMP.JOB.N`. A row with the number and another name is another job.
/// After a submission whose outcome is not known the token is looked for until it is certain.
///
/// **Fail-safe.** Jobs wait by begin times a lease ahead, never by holds; reservations end by
/// themselves. Reports and intents are in the journal before a command is given, outcomes after it:
/// a run that is killed anywhere is taken up by the next one.
///
/// Jobs that are not of the list and not in a partition given into its care are never touched.
/// One thread; clusters are asked side by side.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/stop.hpp"
#include "carnot/live/slurm/cluster.hpp"
#include "carnot/live/slurm/dispatch_config.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::live {

enum class DispatchTask {
  Run,      ///< until stopped, or all is done
  Once,     ///< looks, decides, orders, ends
  DryRun,   ///< looks, decides, prints what it would order
  Release,  ///< takes back all that was ordered: leases, suspensions, reservations
};

struct DispatchRun {
  DispatchTask task = DispatchTask::Run;
  bool allow_root = false;
  std::function<void(const std::string&)> say = [](const std::string&) {};     ///< what happens
  std::function<void(const std::string&)> print = [](const std::string&) {};   ///< of a dry run
  std::function<std::string(const std::string& url, Duration timeout)> fetch;  ///< empty: libcurl
  std::function<void(const char* where)> fault;  ///< of tests: may throw, as if killed there
};

/// What came of it.
struct DispatchSummary {
  simulate::FleetResult result;  ///< energies modelled, from when jobs were seen to run
  std::uint64_t commands = 0;    ///< that change something
  std::uint64_t failed = 0;      ///< of them
  std::uint64_t looks = 0;
  std::vector<double> latency_s;  ///< from when a start was wanted until it was seen
};

class Dispatcher {
 public:
  /// \param clusters  [site]
  /// \throws InputError: of configuration, jobs and journal; run as root without leave
  /// \throws DeviceError: a cluster does not answer, or a right is missing
  Dispatcher(DispatchConfig config, std::vector<std::unique_ptr<SlurmCluster>> clusters,
             DispatchClock& clock, DispatchRun run);
  ~Dispatcher();

  /// One turn: whatever is due. False: it is done.
  bool step();
  /// How long nothing will be due.
  Duration pause() const;
  DispatchSummary summary() const;
  /// carnot.events/1 so far.
  std::string event_log() const;

 private:
  std::unique_ptr<class DispatchEngine> engine_;
};

/// Real clusters and the machine's clock, until `stop`.
DispatchSummary dispatch(const DispatchConfig& config, const DispatchRun& run,
                         const StopToken& stop);

/// `--why`: what was ordered for a job and why, in plain words. \throws InputFileError, InputError
std::string why_words(const DispatchConfig& config, const std::string& job);

}  // namespace carnot::live
