// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// A renewable site with a computing hall behind the meter, one time step at a time.
///
/// The source paper's balance, held to 1e-9 relative at each step:
///
///     P_total = P_prod + P_other + P_curt
///
/// P_total: what turbines and panels could deliver; P_prod: exported to the grid; P_other: used on
/// site (computing and cooling, battery charging); P_curt: thrown away. And at the facility's bus:
///
///     P_other + P_discharge + P_grid = P_facility + P_charge,     P_facility = PUE(T, load) * P_it
///
/// Merit order: see `ComputingUses`. Export takes what is left up to the export limit, then the
/// battery charges, the rest is curtailed: a battery only ever takes what would be thrown away.
/// Computing is served from own power, then battery (when the command allows), then grid up to the
/// command's allowance and the import limit. Where all of that is short of the demand the hall
/// throttles down within the step (power following takes seconds, steps take minutes), and pauses
/// when nothing is left above its static power. So a cap is never exceeded by construction, and
/// `Flows::cap_violation` proves it. docs/site-model.md derives every equation. Pure values; a
/// `SiteSimulator` belongs to one thread.

#include <string>
#include <string_view>

#include "carnot/base/quantity.hpp"
#include "carnot/site/mode.hpp"

namespace carnot::site {

/// A battery as a tank with losses, limits and wear. Its book, over a step of length h:
///
///     E' - E = eta_c P_charge h - P_discharge h / eta_d - E (1 - (1 - s)^(h / day))
///
/// Self-discharge is taken at the start of the step; charge and discharge exclude each other.
struct BatteryOptions {
  Energy capacity{};                      ///< usable; zero: no battery
  Power charge_limit{};                   ///< at the terminals
  Power discharge_limit{};                ///< at the terminals
  double charge_efficiency = 0.95;        ///< eta_c: stored / taken, (0, 1]
  double discharge_efficiency = 0.95;     ///< eta_d: given / drawn, (0, 1]
  double initial_charge = 0.5;            ///< share of capacity, [0, 1]
  double self_discharge_per_day = 0.001;  ///< s: share of the charge lost a day, [0, 1)
  EnergyPrice wear_cost{};                ///< EUR per joule given back (throughput wear)
};

/// The hall: nodes with idle and peak power, and the overhead of cooling them.
///
///     PUE(T, load) = 1 + fixed_overhead / max(load, 0.05)
///                      + cooling_slope * max(0, T - free_cooling_below),  clipped to [1, 3]
///
/// load is IT power over rated IT power. Hence facility power is the least of three increasing
/// straight lines in IT power x (R rated, f fixed overhead, c the cooling term):
///
///     F(x) = min( (1 + c) x + f R,  (1 + c + 20 f) x,  3 x )
///
/// so it is continuous and strictly increasing, and its inverse is the greatest of the three
/// inverses: throttling to a given power is exact and needs no iteration.
struct HallOptions {
  double nodes = 1000;                ///< > 0
  Power node_idle = 100.0 * watt;     ///< while a job holds the node
  Power node_peak = 600.0 * watt;     ///< idle included, every unit busy in f32; > 0
  Power node_suspended = 0.0 * watt;  ///< while paused
  double fixed_overhead = 0.03;       ///< pumps, distribution losses, as a share of rated IT power
  double cooling_slope_per_k = 0.006;
  Temperature free_cooling_below = from_celsius(16.0);

  Power rated() const noexcept { return nodes * node_peak; }
  double pue(Temperature outside, double load) const noexcept;
  /// F above: what the facility draws for `it`.
  Power facility_power(Power it, Temperature outside) const noexcept;
  /// Greatest IT power whose facility power is at most `facility`.
  Power it_power_within(Power facility, Temperature outside) const noexcept;
};

/// Which own power computing may take.
enum class ComputingUses {
  Curtailed,  ///< export first: computing gets what would be thrown away
  AllOwn,     ///< computing first: export gets what is left
};
/// "curtailed", "all-own".
std::string_view to_text(ComputingUses uses) noexcept;

struct SiteOptions {
  std::string name = "site";
  Power export_limit = 1e300 * watt;  ///< least of grid connection and curtailment orders
  Power import_limit{};               ///< zero: no grid supply
  ComputingUses computing_uses = ComputingUses::Curtailed;
  BatteryOptions battery{};
  HallOptions hall{};
};

/// The world outside during one step.
struct Weather {
  Power total{};  ///< P_total; below zero (turbines' own consumption at calm) counts as zero
  Temperature outside = from_celsius(12.0);
  EnergyPrice price{};         ///< of grid supply
  EnergyPrice export_price{};  ///< paid for exported energy
  CarbonIntensity carbon{};    ///< of grid supply
  Power export_limit =
      1e300 * watt;  ///< of this step (curtailment order); the site's limit holds too
};

/// What a policy asks of the site for one step.
struct Demand {
  const Mode* mode = nullptr;  ///< null: paused
  double throttle = 1.0;       ///< greatest, [0, 1]
  Power grid_allowance{};      ///< greatest grid power the policy is willing to buy
  bool use_battery = true;     ///< may the battery serve the hall
};

/// Mean powers of one step at the facility's bus; all >= 0.
struct Flows {
  Power total, exported, curtailed;
  Power own_used;             ///< own power into the facility, battery charging apart
  Power charged, discharged;  ///< at the battery's terminals
  Power grid;                 ///< bought
  Power facility, it;         ///< drawn
  Power unserved;             ///< standby of a paused hall that nothing could supply
  double pue = 1.0;
  double throttle = 0.0;       ///< as run
  double steps = 0.0;          ///< of work done in the step
  bool running = false;        ///< false: paused, by command or for want of power
  Energy battery_energy;       ///< after the step
  Energy battery_loss;         ///< conversion and self-discharge during the step
  double residual = 0.0;       ///< greatest relative imbalance of the identities above
  bool cap_violation = false;  ///< facility drew more than own + battery + allowed grid
};

class SiteSimulator {
 public:
  /// \throws InputError naming every option out of range
  explicit SiteSimulator(SiteOptions options);

  /// Advances by `step`. O(1), no allocation.
  ///
  /// A paused hall draws nodes x node_suspended (times PUE). Standby is not the policy's to refuse:
  /// beyond its grid allowance it is drawn up to the import limit, and what is missing even then is
  /// `Flows::unserved`. From the same state, a greater grid allowance never does fewer steps.
  /// Preconditions (InternalError): step > 0; finite weather; throttle in [0, 1]; allowance >= 0;
  /// the mode's numbers as in mode.hpp.
  Flows advance(const Weather& weather, const Demand& demand, Time step);

  /// Own power that computing may take in such weather.
  Power own_available(const Weather& weather) const noexcept;
  /// Greatest power the battery can give for `step` from now on, at its terminals.
  Power battery_available(Time step) const noexcept;

  const SiteOptions& options() const noexcept { return options_; }
  Energy battery_energy() const noexcept { return battery_; }
  /// For resume. \throws InputError unless 0 <= energy <= capacity
  void restore_battery(Energy energy);

 private:
  double kept_share(Time step) const noexcept;

  SiteOptions options_;
  Energy battery_;
  // (1 - s)^(step / day) of the last step length: steps rarely change length, pow is slow.
  Time kept_for_;
  double kept_ = 1.0;
};

}  // namespace carnot::site
