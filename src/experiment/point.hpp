// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "carnot/experiment/experiment.hpp"
#include "carnot/learn/data/dataset.hpp"
#include "carnot/learn/knobs/precision.hpp"

namespace carnot::experiment {

/// What one run needs to know.
struct PointTask {
  const ExperimentOptions& options;
  const learn::Split& split;
  const learn::Dataset& sample;  ///< the first training rows, for curves and widths
  const learn::EnergyTable& table;
  std::string bits;
  learn::LearnerOptions learner;
  learn::TreeOptions tree;
  std::size_t index = 0, count = 1;
};

struct PointOutcome {
  ExperimentPoint point;
  std::vector<StructurePoint> structure;
  bool stopped = false;
};

PointOutcome run_point(const PointTask& task);

}  // namespace carnot::experiment
