// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a way of running asks of the machine: one workload a phase. Private to explain.

#include <string>
#include <vector>

#include "carnot/model/explain/explain.hpp"

namespace carnot::model {

struct PhasePlan {
  std::string name;
  Workload workload;
  double executions = 1;
  double units = 0;  ///< made by one execution
  std::string unit;
  std::uint64_t batch = 1, context = 0;
};

struct ExplainPlan {
  std::string kind;
  ExplainSplit split;
  ExplainFormat format, cache;
  std::vector<PhasePlan> phases;
  std::string unit;  ///< of the answer
  double units = 0;
  bool training = false;
  std::uint64_t micro_batches = 1;
};

/// \throws InputError
ExplainPlan explain_plan(const ModelSource& model, const ExplainOptions& options);
/// The chip asked for, or the model's default.
const Chip& explain_chip(const ModelSource& model, const ChipCatalogue& catalogue,
                         const ExplainOptions& options);

/// All of a plan's phases on a machine, without a tree.
ExplainPoint point_of(const OperatorModel& machine, const ExplainPlan& plan,
                      const ExplainOptions& options);

}  // namespace carnot::model
