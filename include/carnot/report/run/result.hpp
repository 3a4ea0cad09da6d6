// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a run says: the in-memory form of carnot.run/1 and the series the page draws. Built from
/// ledger entries alone (`summarise`), so that `carnot report RUN` rebuilds any report; a journal
/// cut short gives a report that says so.
///
/// Joules, grams, money and times in modes are recomputed from the slots and compared with the row
/// the run wrote at its end: a report never shows what the ledger does not say. Values;
/// thread-safe to read. Start here; then progress.hpp.

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/ledger/entry/entry.hpp"

namespace carnot::report {

/// The learning cycle on the plane of remaining bits and effective temperature
/// T = heat / (k_B ln 2 x bits removed).
struct LearningCycle {
  struct Leg {
    std::string name;  ///< "learn", "erase", "write"
    double from_bits = 0, to_bits = 0;
    Energy energy;
    Temperature temperature;
  };
  std::vector<Leg> legs;
  double efficiency = 0;                         ///< k_B T ln 2 x bits learned / joules; NaN: none
  std::vector<std::pair<double, double>> curve;  ///< remaining bits, kelvin, in order of time
};

/// One policy's row.
struct LaneResult {
  std::string policy;
  bool finished = false;  ///< the lane has its end; else the run was interrupted in it
  std::string outcome;    ///< "target-reached" | "deadline-missed" | "infeasible" | "diverged" |
                          ///< "unfinished"
  std::string stopped;    ///< why, in words
  std::string quality_metric, quality_split;
  double quality = 0, quality_low = 0, quality_high = 0;  ///< NaN: not known
  bool certified = false;
  Time duration;
  Estimate<Energy> energy;  ///< facility = own + grid
  Energy own_energy;        ///< own power used by computing, directly or through the battery
  Energy battery_energy;    ///< of it, through the battery
  Energy grid_energy, curtailed, exported;
  Estimate<Carbon> carbon;
  Estimate<Money> cost;  ///< objective: grid, own, forgone export, delay
  double bits_learned = 0, bits_per_joule = 0, times_above_landauer = 0;  ///< NaN: not known
  std::vector<std::pair<std::string, Time>> mode_time;                    ///< "paused" among them
  Energy it_energy, dynamic_energy;  ///< below the facility, from modes and throttle; NaN: no modes
  std::vector<std::pair<std::string, double>> operations;  ///< counted, unscaled
  std::uint64_t cap_violations = 0;
  double balance_residual = 0;
  LearningCycle cycle;
  std::string row_json;  ///< as the run wrote it; empty while unfinished
};

/// Drawn against time, one point a slot. Powers are means over the slot.
struct LaneSeries {
  std::vector<Instant> start;
  std::vector<double> length_s, total_w, exported_w, own_used_w, charged_w, discharged_w, grid_w,
      curtailed_w, facility_w, loss, throttle;
  std::vector<std::string> mode;                    ///< "" = paused
  std::vector<std::pair<Instant, double>> quality;  ///< evaluations
};

/// What perfect foresight could reach under the same objective; NaN where not known.
struct Bound {
  std::string policy;  ///< empty: no bound was computed
  double cost_eur = 0, grid_energy_j = 0, energy_j = 0, duration_s = 0;
  double proven_cost_eur = 0;  ///< nothing can cost less; below or equal to cost_eur
};

struct RunResult {
  std::string carnot_version, command, scenario, scenario_text, started;
  std::uint64_t seed = 0;
  std::string facts_json;  ///< modes, scaling of the job, table of energies, sources
  std::vector<LaneResult> lanes;
  std::vector<LaneSeries> series;  ///< same order
  std::string best;        ///< policy with the least cost among those that reached the target, the
                           ///< bound's policy apart; empty: none did
  std::string best_fixed;  ///< likewise among "fixed:*": best fixed precision in hindsight
  Bound bound;
  bool complete = false;  ///< the run ended (else: journal of an interrupted run)

  /// \return nullptr if there is no such lane
  const LaneResult* lane(const std::string& policy) const noexcept;
};

/// \throws InputError if the entries are not a run (order, duplicate policies, slots that overlap
/// or are not finite), if a row's JSON does not read, or if it contradicts the slots by more than
/// 1e-9 relative (the message names lane, key and both values)
RunResult summarise(const std::vector<ledger::Entry>& entries);

/// carnot.run/1, see docs/formats/run.md. Bytes depend on the result alone.
std::string to_json(const RunResult& result);
/// One self-contained page: no network, no scripts, printable, light and dark.
std::string to_html(const RunResult& result);
/// Table of policies for a terminal of `width` columns (60 and more); colour only if `colour`.
std::string to_terminal(const RunResult& result, int width, bool colour);

}  // namespace carnot::report
