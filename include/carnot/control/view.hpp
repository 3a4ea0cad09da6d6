// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a policy may see: sites as they are, jobs that have arrived, forecasts made of the past
/// alone, and how far learning has come where a job learns. A `View` is const and shows nothing
/// else: there is no call that tells of a job before it arrives or of a signal's future. (The truth
/// ahead is a type of its own, policy.hpp.)
///
/// A view shows the present of its world; what it returns is valid until the policy returns. It
/// belongs to one thread. Asking for a job that has not arrived, or for a site that is not there,
/// is an InternalError.

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/control/index.hpp"
#include "carnot/site/mode.hpp"
#include "carnot/trace/forecast.hpp"
#include "carnot/trace/readers/workload.hpp"

namespace carnot::control {

/// A series of a site. Prices in EUR/J, carbon in g/J, powers in W, temperature in K.
enum class Signal : std::uint8_t {
  Price,        ///< of grid supply, at the facility
  Carbon,       ///< of grid supply, at the facility
  Temperature,  ///< outside
  OwnPower,     ///< that computing may use, at the facility
  TotalPower,   ///< that turbines and panels could deliver, at the facility
  ItPrice,      ///< price x PUE at full load: of a joule of computing
  ItCarbon,     ///< carbon x PUE at full load
};
inline constexpr std::size_t kSignals = 7;

/// A site as it is now: its nodes, then power and market.
struct SiteState {
  std::string_view name;
  std::int32_t nodes = 0;       ///< built
  std::int32_t nodes_up = 0;    ///< not broken
  std::int32_t nodes_free = 0;  ///< up and held by no job
  std::int32_t nodes_due = 0;   ///< that jobs in its line wait for
  std::uint32_t running = 0;    ///< jobs that hold nodes
  Power node_peak, node_idle;   ///< of a node that works, of one that is free

  Power it;                  ///< drawn by all nodes; NaN where nobody meters it
  Power facility;            ///< drawn at the meter; the same
  double pue = 1.0;          ///< at full load in this weather
  Power standby;             ///< drawn at the meter when no node works
  EnergyPrice price;         ///< of grid supply
  EnergyPrice export_price;  ///< paid for own power that is exported
  CarbonIntensity carbon;    ///< of grid supply
  Temperature outside;
  Power total;                          ///< that turbines and panels can deliver
  std::span<const double> usual_total;  ///< watt, quantiles of it in the past at (i + 1/2) / size:
                                        ///< what to expect beyond the forecast; empty: not known
  Power export_first;  ///< own power that goes to the grid before computing gets any
  Power own;           ///< of `total`, that computing may use
  Power grid_limit;    ///< import limit
  Power sellable;  ///< own power up to here, of what is left, would be exported if computing did
                   ///< not take it; zero where export comes first
  Energy purchases_left = Energy::from_base(std::numeric_limits<double>::infinity());  ///< to buy
  /// What the battery can give to the hall.
  Energy stored;

  /// Own power that computing may use when turbines and panels could deliver `delivered`.
  Power available(Power delivered) const noexcept { return max(Power{}, delivered - export_first); }
};

enum class JobPhase : std::uint8_t {
  Pending,   ///< not arrived, or held for other jobs (trace/readers/job_links.hpp): no policy has
             ///< been told of it, none can command it
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
  std::uint8_t mode = 0;               ///< as it runs or ran last
  bool in_line = false;                ///< due at `site`, waiting for nodes
  SiteIndex site = SiteIndex::none();  ///< where it is, or is in line
  Instant since;                       ///< of this phase
  Duration done;        ///< work of its first mode done and safe when the phase began
  Instant first_start;  ///< meaningless before
};

/// Rounding noise of one mode against minibatch noise, as the learner measured it.
struct ModeNoise {
  double gradient =
      0.0;  ///< variance of the rounded gradient about the exact one, over the minibatch
            ///< gradient's own variance; 1: rounding drowns the signal as much as sampling
  double update =
      0.0;  ///< variance that a step adds to the coefficients (gradient and coefficient
            ///< rounding), over the minibatch's at the schedule's mean square learning rate
  double signal = 1e9;  ///< length of the gradient over that of its rounding error
};

/// How far a job that learns has come.
struct LearningState {
  std::span<const site::Mode> modes;  ///< ordered from most to least bits; steps_per_second > 0
  std::uint64_t steps_done = 0;
  std::uint64_t steps_total = 0;
  /// Dynamic energy still to be paid beside the steps: evaluation, measuring. Of most quality below
  /// zero where more has been paid already, towards a copy of the data say.
  Energy overhead;
  /// Dynamic, of going over to each mode now: conversion, and the first copy of the data in its
  /// width. Paid before the first step there. Empty: not known.
  std::span<const Energy> entry_costs;
  int mode_now = -1;                 ///< mode of the last step; -1: none yet
  double smoothed_loss = 0.0;        ///< NaN before the first step
  double remaining_learning = 1.0;   ///< share of the schedule's summed learning rate still ahead
  double phase = 0.0;                ///< of the schedule's cosine: 0 at its start, 1 at its end
  double steps_per_pass = 1.0;       ///< over the training rows
  std::span<const ModeNoise> noise;  ///< per mode, last measured; empty: never measured
  std::uint64_t noise_measured_at = 0;  ///< steps_done of the last measurement
  /// Smoothed quality on minibatches before they were learned from (learn::Learner); NaN: not
  /// known.
  double training_quality = std::numeric_limits<double>::quiet_NaN();
  double needed = 1.0;  ///< held-out quality that the next look must find to certify the floor
  double needed_after = 1.0;  ///< and the one after it, if that fails
  bool regression = false;    ///< quality is R2, else accuracy
  std::uint64_t held_out_rows = 0;
  std::uint64_t looks = 0;                                         ///< taken so far
  double look_quality = std::numeric_limits<double>::quiet_NaN();  ///< held-out, at the last look
  std::uint64_t looked_at = 0;                                     ///< steps_done then
  Energy look_energy;     ///< dynamic, of another look beside the last one
  Energy measure_energy;  ///< dynamic, of measuring noise once

  std::uint64_t steps_left() const noexcept {
    return steps_total > steps_done ? steps_total - steps_done : 0;
  }
};

/// What commands take until they have taken effect.
struct CommandDelays {
  Duration start;  ///< nodes held, no work yet
  Duration stop;   ///< nodes held, no work any more
  Duration move;   ///< from site to site, no nodes held
};

/// The present of a world. Jobs are numbered by arrival.
class View {
 public:
  virtual ~View() = default;

  Instant now() const noexcept { return now_; }
  Instant begin() const noexcept { return begin_; }  ///< arrivals count from here
  Duration slot() const noexcept { return slot_; }   ///< between ticks; zero: only when asked for
  const CommandDelays& delays() const noexcept { return delays_; }

  std::span<const SiteState> sites() const noexcept { return sites_; }
  /// What the site's battery holds.
  Energy battery(SiteIndex site) const { return battery_now(checked(site)); }
  /// From the step that holds `now` on, which is known. Empty where nobody forecasts it.
  ForecastView forecast(SiteIndex site, Signal signal) const {
    return forecast_of(checked(site), signal);
  }

  /// How many have arrived.
  std::size_t jobs() const noexcept { return arrived_.size(); }
  const JobRequest& request(JobIndex job) const { return arrived_[checked(job)]; }
  const JobStatus& status(JobIndex job) const { return status_[checked(job)]; }
  Instant arrival(JobIndex job) const { return begin_ + request(job).arrival; }
  /// From when it may run: its arrival, or later, when what it waited for was over.
  Instant eligible(JobIndex job) const { return eligible_at(checked(job)); }
  std::span<const JobMode> modes(JobIndex job) const {
    return mode_sets_[arrived_[checked(job)].modes];
  }
  /// Nodes that `job` takes in `mode`.
  std::int32_t nodes(JobIndex job, std::uint8_t mode) const {
    const std::int32_t n = modes(job)[mode].nodes;
    return n > 0 ? n : arrived_[job].nodes;
  }
  /// Power of one node running `job` in `mode` at `site`.
  Power node_power(JobIndex job, SiteIndex site, std::uint8_t mode) const {
    return node_power_of(checked(job), checked(site), mode);
  }
  /// Work of the first mode done by now, safe or not.
  Duration done(JobIndex job) const { return done_of(checked(job)); }
  /// When it would end if its estimate were true and nothing disturbed it; for jobs that hold
  /// nodes. An estimate already exceeded gives `now`.
  Instant expected_end(JobIndex job) const { return expected_end_of(checked(job)); }
  /// Null for a job that does not learn, or not where the world can see it.
  const LearningState* learning(JobIndex job) const { return learning_of(checked(job)); }

  /// Jobs that wait, by arrival; jobs that hold nodes of a site, by start. `JobIndex::none()` ends
  /// both.
  virtual JobIndex first_waiting() const = 0;
  virtual JobIndex next_waiting(JobIndex job) const = 0;
  virtual JobIndex first_running(SiteIndex site) const = 0;
  virtual JobIndex next_running(JobIndex job) const = 0;

 protected:
  Instant now_, begin_;
  Duration slot_;
  CommandDelays delays_;
  std::span<const SiteState> sites_;
  std::span<const JobRequest> arrived_;  // those that have, and no more
  std::span<const JobStatus> status_;    // at least as many
  std::span<const std::vector<JobMode>> mode_sets_;

 private:
  virtual Energy battery_now(SiteIndex site) const = 0;
  virtual ForecastView forecast_of(SiteIndex site, Signal signal) const = 0;
  virtual Power node_power_of(JobIndex job, SiteIndex site, std::uint8_t mode) const = 0;
  virtual Duration done_of(JobIndex job) const = 0;
  virtual Instant expected_end_of(JobIndex job) const = 0;
  virtual const LearningState* learning_of(JobIndex) const { return nullptr; }
  virtual Instant eligible_at(JobIndex job) const { return begin_ + arrived_[job].arrival; }

  JobIndex checked(JobIndex job) const {
    if (job >= arrived_.size()) refuse(job);
    return job;
  }
  SiteIndex checked(SiteIndex site) const {
    if (site >= sites_.size()) refuse(site);
    return site;
  }
  [[noreturn]] static void refuse(JobIndex job);
  [[noreturn]] static void refuse(SiteIndex site);
};

}  // namespace carnot::control
