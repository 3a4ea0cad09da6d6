// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Computing on a grid: work that may wait or move is placed by a signal, and the whole grid is
/// dispatched again with the loads that follow. What a signal promises and what the grid does are
/// two things; here only the second counts. docs/grid-model.md has the model.
///
/// Each window of hours brings each site the same work: capacity * utilisation * hours. Of it the
/// rigid part runs evenly; `deferrable` may run at any hour of the window at its site, `movable`
/// besides at any site. All variants do the same work in every window.
///
/// Energies in MWh, CO2 in tonnes of 1000 kg, money the grid's own. Deterministic. Not thread-safe.
/// Needs the CLP library at build time; without it functions throw DeviceError.

#include <array>
#include <cstddef>
#include <functional>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/grid/dispatch/optimal_power_flow.hpp"
#include "carnot/grid/network/network.hpp"
#include "carnot/grid/network/rts_gmlc.hpp"

namespace carnot::grid {

/// Consecutive hours of one grid.
struct GridHours {
  Grid grid;
  Instant begin;
  std::vector<GridState> states;  ///< one an hour
};

/// \throws InputError for more hours than there are from `first`; `count` 0: all
GridHours hours_of(const RtsGmlc& rts, std::size_t first, std::size_t count);

/// Installed power of wind and sun, one a bus.
std::vector<double> weather_mw(const Grid& grid);

struct ComputingSite {
  std::size_t bus = 0;  ///< index
  double capacity_mw = 0.0;
};

struct ShiftOptions {
  std::vector<ComputingSite> sites{};  ///< at different buses
  double utilisation = 0.7;            ///< mean power over capacity, 0 to 1
  double deferrable = 0.0;             ///< share of the work; with `movable` at most 1
  double movable = 0.7;
  std::size_t window_h = 24;
  double carbon_price_per_t = 100.0;  ///< what a tonne counts in the plan `JointCarbon`
  double units_pay_per_t = 0.0;       ///< what units pay for it: moves the dispatch of all variants
  double shed_price_per_mwh = 10000.0;  ///< at which demand goes unserved
  StopToken stop{};                     ///< asked inside the solver too
};

enum class ShiftSignal {
  NoComputing,     ///< the grid alone
  NoShift,         ///< all work runs evenly where it arises
  AverageCarbon,   ///< CO2 over generation of the site's area
  Price,           ///< at the site's bus
  MarginalCarbon,  ///< of one more MWh at the site's bus
  JointCost,       ///< loads decided with the dispatch: least cost, a window in one programme
  JointCarbon,  ///< least cost + carbon price * CO2 of what the dispatch answers: the best of the
                ///< above in each window, improved by dispatching again; no bound is claimed
};
inline constexpr std::array kShiftSignals{ShiftSignal::NoComputing,    ShiftSignal::NoShift,
                                          ShiftSignal::AverageCarbon,  ShiftSignal::Price,
                                          ShiftSignal::MarginalCarbon, ShiftSignal::JointCost,
                                          ShiftSignal::JointCarbon};
/// "no-computing", "no-shift", "average-carbon", "price", "marginal-carbon", "joint-cost",
/// "joint-carbon".
std::string_view name(ShiftSignal signal) noexcept;

/// What a site sees in an hour.
struct SiteHour {
  double load_mw = 0.0;
  double available_mw = 0.0;  ///< of wind and sun at its bus
  double curtailed_mw = 0.0;  ///< of that
  double price_per_mwh = 0.0;
  double average_co2_kg_per_mwh = 0.0, marginal_co2_kg_per_mwh = 0.0;

  double own_used_mw() const noexcept;  ///< wind and sun of its bus that it takes
  double exported_mw() const noexcept;  ///< what of it leaves
};

/// What an hour comes to. All but `status` zero unless Optimal.
struct ShiftHour {
  OpfStatus status = OpfStatus::Unsolved;
  double cost_per_h = 0.0;  ///< of fuel and upkeep; what units pay for CO2 is not in it
  double co2_kg_per_h = 0.0;
  double demand_mw = 0.0;  ///< computing included
  double available_mw = 0.0, curtailed_mw = 0.0, shed_mw = 0.0;
  double loss_mw = 0.0;      ///< r f^2 of the flows, not fed back into the dispatch
  double overload_mw = 0.0;  ///< greatest flow above a limit, by an independent power flow
  double residual_mw = 0.0;
  std::size_t congested = 0;  ///< branches at their limit
  std::vector<SiteHour> sites;
  std::vector<float> flow_mw;  ///< one a branch
};

struct ShiftTotals {
  std::size_t hours = 0, unsolved = 0, congested_hours = 0, curtailed_hours = 0;
  double cost = 0.0, co2_t = 0.0;
  double demand_mwh = 0.0, computing_mwh = 0.0;
  double available_mwh = 0.0, curtailed_mwh = 0.0, shed_mwh = 0.0, losses_mwh = 0.0;
  double own_used_mwh = 0.0;  ///< by the sites, of wind and sun at their own buses
  double moved_mwh = 0.0;     ///< work done at another site than where it arose
  double overload_mw = 0.0, residual_mw = 0.0;  ///< greatest

  /// Cost with CO2 at a price and unserved demand at the options'.
  double objective(const ShiftOptions& options, double carbon_price_per_t) const noexcept {
    return cost + carbon_price_per_t * co2_t + options.shed_price_per_mwh * shed_mwh;
  }
};

struct ShiftVariant {
  ShiftSignal signal = ShiftSignal::NoShift;
  std::vector<ShiftHour> hours;
  std::size_t window_h = 24;
  std::vector<double> moved_mwh;  ///< one a window
  /// Of the programmes of `JointCost`, with what units pay and shedding; to be compared with the
  /// same of the hours. NaN otherwise.
  double programme_objective = kNaN;
  /// Of hours first ... first + count - 1; moved work counts where its window begins.
  ShiftTotals totals(std::size_t first, std::size_t count) const;
  ShiftTotals totals() const { return totals(0, hours.size()); }
};

struct ShiftStudy {
  ShiftOptions options;
  std::vector<ShiftVariant> variants;  ///< those asked for, in the order of `kShiftSignals`

  /// \returns null if it was not asked for
  const ShiftVariant* find(ShiftSignal signal) const noexcept;
  /// Of what is curtailed in `NoComputing`, the share that is not curtailed in a variant; NaN if
  /// nothing is or that variant is missing.
  double absorbed_share(const ShiftVariant& variant, std::size_t first, std::size_t count) const;
  /// Relative difference of two programmes of the same: hours together, whose loads `JointCost`
  /// takes, and each hour alone with these. NaN without that variant.
  double programme_gap() const;
};

/// Called with a variant and how many of its hours are done; false stops, like the options' token,
/// and what was done is returned: whole windows of the last variant. May be empty.
using ShiftProgress = std::function<bool(ShiftSignal, std::size_t)>;

/// Signals are those of `NoShift`: what a site can know of the day before it moves. Variants that
/// another rests on are computed too: `NoShift` for all signals, all of them for `JointCarbon`.
/// \throws InputError for options or sites that are not allowed; DeviceError without CLP
ShiftStudy study_shift(const GridHours& hours, const ShiftOptions& options,
                       std::vector<ShiftSignal> signals, const ShiftProgress& progress);

/// [site][hour]
using SiteTable = std::vector<std::vector<double>>;

/// What must be done in a window besides the rigid part.
struct WindowWork {
  SiteTable room_mw;            ///< at most
  std::vector<double> own_mwh;  ///< one a site: done there at least
  double total_mwh = 0.0;       ///< of all sites
};

/// Work placed where a signal is low: powers of least `sum of signal * power` that do the work.
/// Exact; ties go to earlier hours and sites.
SiteTable place_by_signal(const SiteTable& signal, const WindowWork& work);

}  // namespace carnot::grid
