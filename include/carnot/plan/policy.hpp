// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Policies for one job: at each slot a policy looks at an `Observation` (the past, forecasts, the
/// learner's state; never the truth ahead) and returns a `Decision`. The same object runs in every
/// world. Start here; then plan/governor.hpp (ours) and plan/oracle.hpp (the bound).
///
/// Names: `grid-f32` (never waits, buys what wind does not give) · `pause-resume` (f32 when own
/// power covers it, else pause) · `fixed:<mode>` (one precision, throttle follows own power) ·
/// `paper` (more power, more bits) · `cpt` (cyclic precision, Fu et al., ICLR 2021) · `pfq`
/// (progressive fractional quantisation, Fu et al., NeurIPS 2020: bits up when the loss stops
/// falling) · `adaptive` (ours) · `oracle` (offline optimum with perfect foresight; built by
/// plan/oracle.hpp). All but grid-f32 buy grid power only when the deadline forces them to (see
/// deadline guard in policy.cpp: latest start at which the remaining work still fits with grid
/// power). A policy belongs to one lane and one thread.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/fleet/mode.hpp"
#include "carnot/fleet/scenario.hpp"
#include "carnot/trace/forecast.hpp"

namespace carnot::plan {

/// What a policy may know at the start of a slot.
struct Observation {
  Instant now;
  Duration slot;
  Instant start, deadline;
  Power own_now;     ///< own power available to computing, mean of the last slot
  Power grid_limit;  ///< import limit
  Energy battery_energy;
  double pue_now = 1.0;                           ///< of the last slot
  EnergyPrice price_now;                          ///< grid supply, this slot's published price
  CarbonIntensity carbon_now;                     ///< last known
  const ForecastView* own_forecast = nullptr;     ///< power available to computing, watt
  const ForecastView* price_forecast = nullptr;   ///< EUR per joule
  const ForecastView* carbon_forecast = nullptr;  ///< g per joule

  std::span<const Mode> modes;  ///< ordered from most to least bits
  std::uint64_t steps_done = 0;
  std::uint64_t steps_total = 0;
  const Mode* mode_now = nullptr;        ///< mode of the last slot that ran
  double smoothed_loss = 0.0;            ///< NaN before the first step
  std::span<const double> noise_shares;  ///< per mode, last measured; NaN: not measured
  std::uint64_t noise_measured_at = 0;   ///< steps_done of the last measurement
};

/// What a policy asks for during the slot.
struct Decision {
  int mode = -1;          ///< index into modes; -1: pause
  double throttle = 1.0;  ///< greatest
  Power grid_allowance;   ///< greatest grid power to buy
  bool use_battery = true;
  bool measure_noise = false;  ///< ask the learner for noise shares after this slot
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
std::unique_ptr<Policy> make_policy(std::string_view name, std::span<const Mode> modes,
                                    const ObjectiveOptions& objective);

/// Every policy name for these modes, in report order, oracle last.
std::vector<std::string> policy_names(std::span<const Mode> modes);

}  // namespace carnot::plan
