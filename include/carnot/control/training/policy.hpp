// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Policies for one job: at each slot a policy looks at an `Observation` (the past, forecasts, the
/// learner's state; never the truth ahead) and returns a `Decision`. The same object runs in every
/// world. Start here; then control/training/adaptive.hpp (ours) and control/training/foresight.hpp
/// (the bound).
///
/// Names: `grid-f32` (never waits, buys what wind does not give) · `pause-resume` (f32 when own
/// power covers it, else pause) · `fixed:<mode>` or `fixed:<bits>` (one precision, throttle follows
/// own power) · `paper` (more power, more bits) · `cpt` (cyclic precision, Fu et al., ICLR 2021) ·
/// `pfq` (progressive fractional quantisation, Fu et al., NeurIPS 2020: bits up when the loss stops
/// falling) · `adaptive` (ours) · `oracle` (offline optimum with perfect foresight; built by
/// control/training/foresight.hpp). All but grid-f32 buy grid power only when the deadline forces
/// them to (see deadline guard in policy.cpp: latest start at which the remaining work still fits
/// with grid power). A policy belongs to one lane and one thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/site/mode.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/trace/forecast.hpp"

namespace carnot::control {

/// Rounding noise of one mode against minibatch noise, as the learner measured it.
struct ModeNoise {
  double gradient =
      0.0;  ///< variance of the rounded gradient about the exact one, over the minibatch
            ///< gradient's own variance; 1: rounding drowns the signal as much as sampling
  double update =
      0.0;  ///< variance that a step adds to the coefficients (gradient and coefficient
            ///< rounding), over the minibatch's at the schedule's mean square learning rate
};

/// What a policy may know at the start of a slot. Plain view: everything behind the pointers and
/// spans outlives the call only.
struct Observation {
  Instant now;
  Duration slot;
  Instant start, deadline;

  Power total_now;     ///< what turbines and panels could deliver, mean of the last slot
  Power export_first;  ///< own power that goes to the grid before computing gets any
  Power grid_limit;    ///< import limit
  Energy battery_energy;
  double pue_now = 1.0;   ///< of the hall at full load in the last slot's weather
  Power standby;          ///< what the facility draws while paused
  EnergyPrice price_now;  ///< of grid supply, published for this slot
  EnergyPrice export_price_now;
  CarbonIntensity carbon_now;                     ///< of grid supply, last known
  const ForecastView* total_forecast = nullptr;   ///< watt; null: none
  const ForecastView* price_forecast = nullptr;   ///< EUR per joule
  const ForecastView* carbon_forecast = nullptr;  ///< g per joule

  std::span<const site::Mode> modes;  ///< ordered from most to least bits; steps_per_second > 0
  std::uint64_t steps_done = 0;
  std::uint64_t steps_total = 0;
  Energy overhead;                  ///< dynamic energy owed beside the steps: evaluation, measuring
  int mode_now = -1;                ///< mode of the last slot that ran; -1: none yet
  double smoothed_loss = 0.0;       ///< NaN before the first step
  double remaining_learning = 1.0;  ///< share of the schedule's summed learning rate still ahead
  std::span<const ModeNoise> noise;     ///< per mode, last measured; empty: never measured
  std::uint64_t noise_measured_at = 0;  ///< steps_done of the last measurement

  /// Own power that computing may use when turbines could deliver `total`.
  Power available(Power total) const noexcept { return max(Power{}, total - export_first); }
  std::uint64_t steps_left() const noexcept {
    return steps_total > steps_done ? steps_total - steps_done : 0;
  }
};

/// What a policy asks for during the slot.
struct Decision {
  int mode = -1;          ///< index into modes; -1: pause
  double throttle = 1.0;  ///< greatest
  Power grid_allowance;   ///< greatest grid power to buy
  bool use_battery = true;
  double max_steps = 1e300;    ///< decide again after this many steps, even inside the slot, > 0
  bool measure_noise = false;  ///< measure the modes' noise before the first step
};

class Policy {
 public:
  virtual ~Policy() = default;
  virtual std::string_view name() const noexcept = 0;
  virtual Decision decide(const Observation& observation) = 0;
  /// State beyond what observations carry, for exact resume; opaque.
  virtual std::vector<double> save() const { return {}; }
  virtual void restore(std::span<const double>) {}
};

/// \param name       as above; "fixed:int8" names a mode
/// \param objective  what the scenario minimises
/// \throws InputError for an unknown name (nearest known one named) or a mode that does not exist
std::unique_ptr<Policy> make_policy(std::string_view name, std::span<const site::Mode> modes,
                                    const site::ObjectiveOptions& objective);

/// The deadline guard: true from the latest slot at which `steps_left` steps in `mode` still fit
/// before the deadline at the throttle that the import limit alone sustains, overhead, 2 % and a
/// slot of margin included.
bool must_buy(const Observation& observation, const site::Mode& mode, double steps_left);

/// Every policy name for these modes, in report order, oracle last.
std::vector<std::string> policy_names(std::span<const site::Mode> modes);

}  // namespace carnot::control
