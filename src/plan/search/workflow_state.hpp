// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What jobs that are placed leave to one that is to be: the window between its predecessors and
/// its successors, slots in which its array has no turn left, and nodes that have no room.

#include <cstdint>
#include <vector>

#include "carnot/base/random.hpp"

#include "plan/prices/extended_columns.hpp"
#include "plan/pricing/job_pricing.hpp"

namespace carnot::plan {

class WorkflowState final : public SlotGate {
 public:
  explicit WorkflowState(const Problem& problem);

  /// There is no tie in the problem.
  bool empty() const noexcept { return !any_; }
  /// Jobs, each after its predecessors.
  const std::vector<std::uint32_t>& order() const noexcept { return order_; }
  /// Longest way to a job that waits for nobody.
  std::int32_t depth(std::size_t job) const { return depth_[job]; }

  void put(std::size_t job, const JobRun& run);
  void take(std::size_t job, const JobRun& run);
  void clear();

  struct Window {
    std::int32_t from, to;  ///< runs inside
    std::int32_t start_by;  ///< its first slot is this or before
    bool may_run, may_drop;
  };
  /// Given the others: those of no slots are dropped. Also says whose gate this is from now on.
  Window window(std::size_t job, const std::vector<JobRun>& runs);
  /// Whether `job` may run so beside the others, which it is not among.
  bool allows(std::size_t job, const JobRun& run, const std::vector<JobRun>& runs);
  /// Of the job last asked about.
  bool open(std::size_t cell, std::uint32_t mode) const override;

  /// A job and some that it is tied to, by random steps.
  std::vector<std::size_t> kin(const RandomStream& draw, std::size_t most) const;

  /// When a job begins to carry its data, or to run.
  std::int32_t begins(std::size_t job, const JobRun& run) const;

 private:
  const NodeNeed* need(std::size_t job, std::uint32_t mode) const;
  std::size_t cell(std::uint32_t site, std::int32_t slot) const {
    return site * static_cast<std::size_t>(problem_.slots) + static_cast<std::size_t>(slot);
  }

  const Problem& problem_;
  bool any_;
  std::vector<std::uint32_t> order_;
  std::vector<std::int32_t> depth_;
  std::vector<std::vector<std::uint32_t>> before_, after_;  // [job] dependencies
  std::vector<std::uint32_t> array_;                        // [job]
  std::vector<std::vector<std::int32_t>> turns_;            // [array][slot] tasks that run
  std::vector<std::vector<const NodeNeed*>> on_nodes_;      // [cell]
  std::size_t asked_ = 0;
};

/// A row of whole runs: `low` <= sum of coefficients of the runs chosen <= `high`.
struct RunRow {
  double low, high;
  std::vector<ExtendedColumns::RunTerm> terms;
};
/// Rows that keep a choice of one of each job's runs to the workflow; of nodes only what sums say.
std::vector<RunRow> workflow_rows(const Problem& problem, const WorkflowState& state,
                                  const std::vector<std::vector<JobRun>>& runs);

}  // namespace carnot::plan
