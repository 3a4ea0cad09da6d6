// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Runs a scenario: each policy trains the same model for real under the same weather, one lane
/// after the other, everything going to the ledger; then the bound. Deterministic: the same
/// scenario, seed and data give the same entries, wall-clock times and measured seconds apart, and
/// a run interrupted at any byte and resumed ends with the same figures.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::train {

/// Told to the caller now and then, for a progress bar.
struct RunProgress {
  std::string policy;
  std::size_t lane = 0, lanes = 0;
  double share_done = 0.0;  ///< of the lane's schedule
  Instant now;
  Energy energy, own;  ///< facility energy of the lane so far, and the part from own power
  Power own_power;     ///< total power of wind and sun now
  double throttle = 0.0;
  std::string mode;  ///< "" while paused
};

struct RunOptions {
  std::vector<std::string> policies;    ///< empty: the scenario's, else all
  std::vector<std::string> precisions;  ///< empty: default_precisions()
  std::vector<std::string> overrides;   ///< those applied to the scenario; kept for resuming
  std::string data_dir;
  std::string journal;           ///< path of the ledger file; empty: memory only
  bool replace_journal = false;  ///< a file of that name goes, once the input is known to be sound
  std::string command;           ///< kept in the ledger
  double speed = 0.0;            ///< > 0: wall clock, site seconds in a real second
  int threads = 1;               ///< of the learner
  std::function<void(const RunProgress&)> progress;
  /// Asked often; true ends the run early: the journal is sound and can be resumed.
  std::function<bool()> interrupted;
};

struct RunSummary {
  std::vector<ledger::Entry> entries;  ///< everything in the ledger, checkpoints' bytes left out
  bool complete = false;               ///< false: interrupted
  bool any_target_reached = false;
  bool all_targets_reached = false;  ///< by every policy but the oracle
};

/// \throws InputError, IoError; Stopped if interrupted before the journal began
RunSummary run_scenario(const site::Scenario& scenario, const RunOptions& options);

/// Goes on with an interrupted run; a complete one is returned as it is. The scenario and its
/// policies come from the journal; `options.policies` must be empty. \throws InputError if the
/// journal is corrupt or holds no run, IoError
RunSummary resume_run(const std::string& journal, const RunOptions& options);

}  // namespace carnot::train
