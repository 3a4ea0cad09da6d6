// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The book of a real fleet: phases, lines, plans, holders and energy kept exactly as the
/// simulation keeps them, but fed by reports of what happened instead of by make-believe. The
/// policy sees the same `View` and gives the same `Commands`; a start, a stop or an end takes place
/// in the book when it is reported, not when it was ordered.
///
///     ordered by the policy          the book says    reported by whoever carries it out
///     nodes were given to a job      Starting         `started`, `refused`
///     it shall stop                  Stopping         `stopped`
///     nothing                        Running          `ended`, `cancelled`, `lost`
///
/// Power: a job draws its power from `started` on, until it is reported to be gone; nodes that are
/// promised to a job that has not started draw what free nodes draw. All of it is modelled.
///
/// Scenario and workload belong to the caller and grow: jobs are appended to the workload, then
/// `arrived`; values of the series are written before the step is over, then `signals_changed`.
/// The same reports at the same instants give the same commands, bit for bit. One thread.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "carnot/base/instant.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/simulate/simulate.hpp"
#include "carnot/trace/forecast.hpp"

namespace carnot::simulate {

/// What only those who carry commands out can answer.
class FleetHands {
 public:
  virtual ~FleetHands() = default;
  /// Where the job goes when the policy says `wanted`: a job that must not be moved stays where it
  /// is. A function of job and site alone.
  virtual control::SiteIndex place(control::JobIndex, control::SiteIndex wanted) const {
    return wanted;
  }
  /// Whether the job can be stopped with its work kept.
  virtual bool may_stop(control::JobIndex) const { return true; }
  /// `made` is the book's own forecast; published ones take its place. Valid until the next call.
  virtual ForecastView forecast(control::SiteIndex, control::Signal, const ForecastView& made) {
    return made;
  }
};

/// Why nodes were given back by a job that is not over.
enum class StopCause : std::uint8_t {
  Ordered,  ///< it was told to; its work is saved
  Lost,     ///< a node broke or somebody requeued it: it waits at the head of its line again
  Refused,  ///< it did not start; it waits, in no line, until `retry`
};

class FleetBook {
 public:
  /// \throws InputError as `FleetSimulation`, and for a policy that must know the future or lengths
  FleetBook(const FleetScenario& scenario, const Workload& workload, const FleetOptions& options,
            control::Policy& policy, FleetHands& hands);
  ~FleetBook();

  void watch(std::function<void(const FleetEvent&)> sink);
  /// The policy's beginning; once, before all that follows.
  void begin();
  /// Carries out what is due up to and at `to`, not before the last call.
  void advance(Instant to);
  /// When something is due next; none: only when something is reported.
  std::optional<Instant> next() const;
  Instant now() const noexcept;
  const control::View& view() const noexcept;

  // Reports, all of them at `now()`.
  /// The next job of the workload, its `arrival` not after now.
  void arrived();
  void started(control::JobIndex job);
  void ended(control::JobIndex job);      ///< it is done, whatever it came to
  void cancelled(control::JobIndex job);  ///< by somebody else; it will not run again
  void stopped(control::JobIndex job, StopCause cause);
  void retry(control::JobIndex job);  ///< what refused it has gone
  /// A job that waits has started on its own, or by somebody else's hand.
  void took(control::JobIndex job, control::SiteIndex site);
  void keeps_running(control::JobIndex job);  ///< told to stop, it cannot
  /// Nodes of the site that jobs of this book may hold.
  void set_nodes_up(control::SiteIndex site, std::int32_t nodes);
  void call(const control::ReserveCall& call);  ///< not before now
  /// Nothing is known of a site's power or prices any more: all that wait there go into its line.
  void run_all(control::SiteIndex site);
  void signals_changed();

  /// The run that is planned for it now or next.
  std::optional<control::PlannedRun> planned_run(control::JobIndex job) const;
  /// Whether it holds nodes, or stands in line for them, or would.
  bool wants(control::JobIndex job) const;
  FleetResult result() const;

 private:
  std::unique_ptr<class FleetEngine> engine_;
};

}  // namespace carnot::simulate
