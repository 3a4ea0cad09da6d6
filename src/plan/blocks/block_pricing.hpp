// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The pricing problem over blocks of all ranks: each block answers by itself, and the sum of what
/// they draw is of whole units, the same in any order.

#include <vector>

#include "plan/blocks/job_blocks.hpp"
#include "plan/pricing/pricing.hpp"

namespace carnot::plan {

class BlockPricing final : public Pricing {
 public:
  /// All are kept by reference. \param stop  of this rank; any rank's stops all
  BlockPricing(JobBlocks::Parts& parts, Ranks& ranks, const PowerUnits& units, StopToken stop);

  /// \throws Stopped, at every rank, once any rank was told to
  double respond(const std::vector<double>& price, int threads,
                 std::vector<double>& demand) override;
  /// From now on blocks keep the running mean of what they draw.
  void remember() { remembering_ = true; }

 private:
  JobBlocks::Parts& parts_;
  Ranks& ranks_;
  const PowerUnits& units_;
  StopToken stop_;
  bool remembering_ = false;
  std::vector<std::int64_t> sums_;  // units of each site-slot; costs of each block; whether to stop
};

}  // namespace carnot::plan
