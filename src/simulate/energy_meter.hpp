// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Books what flows at one site of a fleet: between two calls its load is constant, signals are
/// step functions, so each segment is an exact product. The same calls give the same bits.

#include <array>
#include <cstdint>

#include "carnot/base/sum.hpp"
#include "carnot/simulate/simulate.hpp"

namespace carnot::simulate {

/// What nodes of a site do, in whole numbers.
struct SiteLoad {
  std::int64_t it_mw = 0;    ///< drawn by all nodes
  std::int64_t idle_mw = 0;  ///< of it by nodes that no job holds
  std::int64_t held = 0;     ///< nodes held by jobs
};

class SiteMeter {
 public:
  SiteMeter(const FleetScenario& scenario, const FleetSite& site, Instant begin);

  // Each books up to `at` first; calls are in time order.
  void set_load(Instant at, const SiteLoad& load);
  void command_battery(Instant at, control::BatteryCommand command);
  void begin_call(Instant at, const control::ReserveCall& call);
  void end_call(Instant at);
  void advance(Instant to);

  Energy battery_at(Instant at) const;  ///< not before the last call
  Power facility(Instant at) const;     ///< of the load now, in the weather of `at`
  const SiteLoad& load() const noexcept { return state_.load; }
  std::size_t step_at(Instant at) const noexcept;  ///< index into the series
  FleetFlows flows() const;

  /// All that changes, flat.
  struct State {
    std::int64_t at = 0;
    SiteLoad load;
    double battery = 0.0, battery_begin = 0.0, peak = 0.0;
    double call_power = 0.0, call_base = 0.0;
    Sum<double> call_asked, call_short;
    std::int32_t calling = 0;  ///< 1: down, -1: up, 0: no call
    std::int32_t command = 0;
    std::array<Sum<double>, 14> sums{};
  };
  const State& state() const noexcept { return state_; }
  void restore(const State& state);

 private:
  void book(std::int64_t until);
  void book_own(double facility, double seconds);
  void enter_step();
  void add(int which, double amount) noexcept {
    state_.sums[static_cast<std::size_t>(which)] += amount;
  }

  const FleetSite* site_;
  std::int64_t series_start_, step_;
  State state_;
  std::size_t index_ = 0;  // of the step that holds state_.at
  std::int64_t step_end_ = 0;
};

}  // namespace carnot::simulate
