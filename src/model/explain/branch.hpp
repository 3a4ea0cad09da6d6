// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Writes the operators of a phase into the tree: operator, component, circuit and what is above
/// it. Private to explain.

#include <cstdint>
#include <string>

#include "carnot/model/explain/energy_tree.hpp"
#include "carnot/model/explain/operator_energy.hpp"
#include "carnot/model/workload/operator.hpp"

namespace carnot::model {

class BranchWriter {
 public:
  BranchWriter(EnergyTree& tree, const OperatorModel& machine, ExplainSplit split,
               std::uint64_t most_operators)
      : tree_(tree), machine_(machine), split_(split), most_(most_operators) {}

  /// All operators of `workload` under `at`, `times` as often.
  void write(EnergyTree::Index at, const Workload& workload, double times);

 private:
  struct Branch;
  void operator_node(EnergyTree::Index at, const std::string& name, const Branch& branch);

  EnergyTree& tree_;
  const OperatorModel& machine_;
  ExplainSplit split_;
  std::uint64_t most_;
};

}  // namespace carnot::model
