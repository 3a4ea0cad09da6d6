// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Plans of more jobs than one process holds. Jobs fall into blocks by their windows, so that each
/// window is in one block; ranks (base/ranks.hpp) read and hold the jobs of their own blocks and no
/// others. What they exchange is power in each site-slot, never a job:
///
/// 1. Prices. As in plan/search/planner.hpp: at each step every block answers what its jobs draw at
///    the prices, and the sum over blocks moves the prices. The bound is the same Lagrangian bound.
/// 2. Shares. Each block gets of every site-slot the share that its jobs drew of all there in the
///    last steps, and places its jobs within it (resource-directive decomposition: Geoffrion 1970,
///    "Primal resource-directive approaches", Operations Research 18, 375-403).
/// 3. Rounds. What a site-slot has left is handed to one of the blocks whose windows reach it,
/// drawn
///    anew each round. A block moves its jobs with what it has and what it was handed, at the costs
///    above what all others draw; the others stay within what they had, so that all can move at
///    once and the sum always fits.
/// 4. The certificate, summed over blocks.
///
/// Blocks depend on the problem alone and sums are of whole numbers (units of 2^-32 kW where the
/// total allows), so that the plan is the same bytes for any number of ranks and threads. No more
/// workers than blocks are of use, and the gap grows where a block has few jobs for each site-slot:
/// 0.16 % in one block of 20,000 jobs at 20 sites over 168 slots, 0.45 % in four, 1.2 % in 16. Each
/// step costs O(jobs / workers + sites x slots), and a message of 8 bytes a site-slot.
///
/// Not thread-safe: one thread of each rank calls, all ranks the same.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/ranks.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/plan/certificate/certificate.hpp"
#include "carnot/plan/search/planner.hpp"

namespace carnot::plan {

struct BlockOptions {
  int threads = 0;     ///< of this rank; 0: all CPUs. The plan is the same for any number
  int iterations = 0;  ///< of the prices; 0: 300
  int rounds = 8;      ///< in which what is left is handed on
  std::uint64_t seed = 1;
  std::size_t block_jobs =
      0;                    ///< jobs of a block, about; 0: 15 for each site-slot, at least 20,000
  double time_limit_s = 0;  ///< of prices and search; 0: none
  StopToken stop;           ///< of any rank stops all, with what there is
  /// Called at each rank from the first bound on; false: stop.
  std::function<bool(const PlanProgress&)> progress;
};

/// A rank's part of a problem.
class JobBlocks {
 public:
  /// Reads problem.json on every rank, and of a CSV of jobs the rows of the rank's blocks. The
  /// file is read twice, once to count the jobs of each window. Everything wrong with any row is
  /// said at rank 0, as `read_problem` would.
  /// \throws InputError, at every rank, for what `read_problem` throws it, and if the problem asks
  /// for more than the contract; IoError; Stopped
  JobBlocks(const std::string& path, Ranks& ranks, const BlockOptions& options);
  ~JobBlocks();
  JobBlocks(JobBlocks&&) noexcept;

  const Problem& frame() const noexcept;  ///< sites and slots, without jobs
  std::size_t jobs() const noexcept;      ///< of all ranks
  std::size_t own_jobs() const noexcept;  ///< of this one
  std::size_t blocks() const noexcept;    ///< of all ranks

  struct Parts;
  Parts& parts() noexcept { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

/// Prices, bound, totals: the same on every rank. `jobs` of the plan stay in the blocks.
/// \throws InternalError if the certificate does not hold; DeviceError if a rank is lost
Plan plan_blocks(JobBlocks& blocks, Ranks& ranks, const BlockOptions& options);

/// Writes the assignments of all ranks, as `assignments_csv` has them but in the order of blocks,
/// into one file that all ranks see; it takes its name once it is whole. \throws IoError
void write_assignments(JobBlocks& blocks, Ranks& ranks, const std::string& path);

}  // namespace carnot::plan
