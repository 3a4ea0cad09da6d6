// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a finished run says: the in-memory form of carnot.run/1 and the series the page draws.
/// Built from ledger entries alone (`summarise`), so that `carnot report RUN` rebuilds any report.
/// Values; thread-safe to read.

#include <string>
#include <utility>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/ledger/journal.hpp"

namespace carnot::report {

/// One policy's row.
struct LaneResult {
  std::string policy;
  std::string outcome;  ///< "target-reached" | "deadline-missed" | "infeasible"
  std::string stopped;  ///< why, in words
  std::string quality_metric;
  double quality = 0, quality_low = 0, quality_high = 0;
  bool certified = false;
  Time duration;
  Estimate<Energy> energy;  ///< facility
  Energy own_energy, grid_energy, curtailed, exported;
  Estimate<Carbon> carbon;
  Estimate<Money> cost;  ///< objective: grid, own, forgone export, delay
  double bits_learned = 0, bits_per_joule = 0, times_above_landauer = 0;
  std::vector<std::pair<std::string, Time>> mode_time;
  std::uint64_t cap_violations = 0;
  double balance_residual = 0;
};

/// Drawn against time, one point a slot.
struct LaneSeries {
  std::vector<Instant> start;
  std::vector<double> length_s, total_w, exported_w, own_used_w, charged_w, discharged_w, grid_w,
      curtailed_w, facility_w, loss, throttle;
  std::vector<std::string> mode;                    ///< "" = paused
  std::vector<std::pair<Instant, double>> quality;  ///< evaluations
};

struct RunResult {
  std::string carnot_version, command, scenario, started;
  std::uint64_t seed = 0;
  std::string facts_json;  ///< modes, scaling of the job, table of energies, sources
  std::vector<LaneResult> lanes;
  std::vector<LaneSeries> series;  ///< same order
  std::string best;           ///< policy with the least cost among those that reached the target
  std::string best_fixed;     ///< best fixed precision in hindsight
  double bound_cost_eur = 0;  ///< oracle's; NaN if it did not run
  bool complete = false;      ///< the run ended (else: journal of an interrupted run)
  std::string cycle_json;     ///< learning cycle of the best lane
};

/// \throws InputError if the entries are not a run
RunResult summarise(const std::vector<Entry>& entries);

/// carnot.run/1, see docs/formats/run.md. Bytes depend on the result alone.
std::string to_json(const RunResult& result);
/// One self-contained page: no network, printable, light and dark.
std::string to_html(const RunResult& result);
/// Table of policies for a terminal of `width` columns; colour only if `colour`.
std::string to_terminal(const RunResult& result, int width, bool colour);

}  // namespace carnot::report
