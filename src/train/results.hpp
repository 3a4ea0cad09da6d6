// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The JSON texts that a run writes into its ledger: facts of the run, a row per lane, the
/// comparison.

#include <optional>
#include <string>
#include <vector>

#include "carnot/control/training/foresight.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/network/learner.hpp"
#include "carnot/ledger/entry/entry.hpp"
#include "carnot/site/scenario.hpp"
#include "carnot/train/environment.hpp"
#include "carnot/train/hall_job.hpp"
#include "carnot/train/run.hpp"
#include "carnot/train/world.hpp"

namespace carnot::train {

/// Absolute temperature at which k_B T ln 2 is quoted.
inline constexpr Temperature kLimitTemperature = 300.0 * kelvin;

std::string facts_json(const std::vector<std::string>& policies, const RunOptions& options,
                       const site::Scenario& scenario, const Environment& environment,
                       const Job& job, const learn::EnergyTable& table,
                       const learn::Learner& learner, const learn::Split& split);

struct LaneFacts {
  std::string policy;
  bool feasible = true;  ///< could any plan have met the deadline
  double training_cpu_seconds = 0.0;
  bool most_quality = false;  ///< the second question
};

/// \param entries  the lane's, from LaneBegin on
ledger::LaneEnd lane_end(const LaneFacts& facts, const Job& job, const learn::EnergyTable& table,
                         learn::Learner& learner, const learn::Split& split,
                         const LaneOutcome& outcome, const std::vector<ledger::Entry>& entries);

/// Best policy, best fixed precision in hindsight, bound; by certified quality where the most of it
/// is asked.
std::string comparison_json(const std::vector<ledger::Entry>& entries,
                            const std::optional<control::OracleSolution>& oracle,
                            bool most_quality);

}  // namespace carnot::train
