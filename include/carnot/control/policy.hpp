// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The one loop: a policy is told what happens in a world, looks at the world's `View` and answers
/// with `Commands`. Start here; then view.hpp, commands.hpp and registry.hpp (policies by name).
///
/// One interface serves every world and every kind of policy:
///
/// | policy | told of | answers |
/// |---|---|---|
/// | of one job that learns (training/) | `tick`: a slot began | `follow(job, decision)` |
/// | no wait, geographic rules (fleet/) | `arrived` | `submit(job, site)` |
/// | best start, best window, suspend and resume | `arrived` | `plan(job, runs)` |
/// | elastic: nodes an hour | `arrived` | `plan(job, runs)` in modes of several sizes |
/// | backfilling | `arrived`, `finished` | `start(job, site)` past the line |
/// | rolling horizon | `tick` each hour | `plan` for all jobs that wait |
///
/// Worlds: train/training_world.hpp (learning is real, the site simulated), simulate/simulate.hpp
/// (many jobs over many sites, simulated). A world tells events one after the other, in the order
/// of time, and carries out what was commanded once the policy returns. A policy belongs to one run
/// and one thread.
///
/// **Honesty.** A `View` shows the past and forecasts, functions of the past alone
/// (trace/forecast.hpp); `JobRequest::estimate` is all there is of a job's length. The truth ahead
/// has types of its own, `Future` and `Lengths`: a world hands them to policies that declare
/// (`knowledge`) that they are oracles, reports say so beside their names, and to all others null.

#include <cstdint>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/control/commands.hpp"
#include "carnot/control/index.hpp"
#include "carnot/control/view.hpp"

namespace carnot::control {

/// What will be.
class Future {
 public:
  virtual ~Future() = default;
  /// The truth in the place of `View::forecast`.
  virtual ForecastView signal(SiteIndex site, Signal signal) const = 0;
};

/// How long jobs are.
class Lengths {
 public:
  virtual ~Lengths() = default;
  /// Of a job that has arrived: undisturbed running in its first mode.
  virtual Duration length(JobIndex job) const = 0;
};

/// What a policy declares to know beyond the view.
struct Knowledge {
  bool future = false;   ///< `World::future` is there
  bool lengths = false;  ///< `World::lengths` is there
};

/// What a policy is handed with each event. Valid until it returns.
struct World {
  const View& view;
  Commands& commands;
  const Future* future = nullptr;
  const Lengths* lengths = nullptr;
};

/// A call of the grid's: less (`down`) or more power at a site than at the moment of the call.
struct ReserveCall {
  SiteIndex site = SiteIndex::none();
  Instant at;
  Duration length;
  Power power;       ///< > 0, at the facility
  bool down = true;  ///< false: draw more
};

/// Every event has an answer by default: nothing, but where stated.
class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual Knowledge knowledge() const noexcept { return {}; }

  /// Before the first event.
  virtual void begin(const World&) {}
  /// A slot began, in worlds that have slots; a decision's steps were done inside one; or the
  /// instant has come that `wake_at` asked for.
  virtual void tick(const World&) {}
  virtual void arrived(const World&, JobIndex) {}
  virtual void finished(const World&, JobIndex) {}
  /// A node broke under the job; it has lost what was not saved and waits at the head of the line.
  virtual void failed(const World&, JobIndex) {}
  /// Nodes of a site broke or came back.
  virtual void site_changed(const World&, SiteIndex) {}
  /// By default: `down` suspends stoppable jobs, the latest started first, until enough is shed;
  /// `up` starts jobs that wait, by arrival.
  virtual void reserve_called(const World& world, const ReserveCall& call);
  /// By default: submits again what `reserve_called` suspended.
  virtual void reserve_ended(const World& world, const ReserveCall& call);

  /// State beyond what the world shows, for exact resume. Overriders that leave the answers to
  /// reserve calls as they are begin with the base's.
  virtual void save(StateWriter& state) const;
  /// \throws InputError if the bytes are none of `save`
  virtual void restore(StateReader& state);

 private:
  std::vector<JobIndex> held_back_;  // suspended for reserve
};

}  // namespace carnot::control
