// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Policies of one job that learns: at each tick such a policy looks at an `Observation` (the past,
/// forecasts, the learner's state; never the truth ahead) and answers with a `Decision`. Start
/// here; then adaptive.hpp (ours) and foresight.hpp (the bound).
///
/// Names: `grid-f32` (never waits, buys what wind does not give) · `pause-resume` (f32 when own
/// power covers it, else pause) · `fixed:<mode>` or `fixed:<bits>` (one precision, throttle follows
/// own power) · `paper` (more power, more bits) · `cpt` (cyclic precision, Fu et al., ICLR 2021) ·
/// `pfq` (progressive fractional quantisation, Fu et al., NeurIPS 2020: bits up when the loss stops
/// falling) · `adaptive` (ours) · `oracle` (offline optimum with perfect foresight; built by
/// foresight.hpp). All but grid-f32 buy grid power only when the deadline forces them to (see
/// `must_buy`: latest start at which the remaining work still fits with grid power). A policy
/// belongs to one lane and one thread.

#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/state_bytes.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/site/mode.hpp"
#include "carnot/trace/forecast.hpp"

namespace carnot::control {

/// What a policy may know of one job at a tick: the view of its world, gathered. In `site`, `total`
/// is the mean of the last slot, `price` is published for this slot, `carbon` is the last known.
/// Valid for the call only.
struct Observation {
  Instant now;
  Duration slot;
  Instant start, deadline;
  SiteState site;          ///< power and market
  LearningState learning;  ///< of the job
  // Empty: none.
  ForecastView total_forecast;   ///< watt
  ForecastView price_forecast;   ///< EUR per joule
  ForecastView carbon_forecast;  ///< g per joule
};

/// Of a job that learns. \throws InternalError if it does not
Observation observe(const View& view, JobIndex job);

/// Decides for each job that learns whenever a slot begins or a decision is used up.
class JobPolicy : public Policy {
 public:
  virtual Decision decide(const Observation& observation) = 0;
  void tick(const World& world) final;
  void save(StateWriter& state) const final { state.sequence(numbers()); }
  void restore(StateReader& state) final { set_numbers(state.sequence<double>()); }

 private:
  /// State beyond what observations carry; opaque.
  virtual std::vector<double> numbers() const { return {}; }
  virtual void set_numbers(const std::vector<double>&) {}
};

/// The deadline guard: true from the latest slot at which `steps_left` steps in `mode` still fit
/// before the deadline at the throttle that the import limit alone sustains, overhead, 2 % and a
/// slot of margin included.
bool must_buy(const Observation& observation, const site::Mode& mode, double steps_left);

}  // namespace carnot::control
