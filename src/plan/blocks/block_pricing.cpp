// SPDX-License-Identifier: Apache-2.0
#include "plan/blocks/block_pricing.hpp"

#include <mutex>
#include <utility>

#include "carnot/base/sum.hpp"

namespace carnot::plan {

namespace {
constexpr float kNew = 0.1F;  // weight of the last answer in the mean
}

BlockPricing::BlockPricing(JobBlocks::Parts& parts, Ranks& ranks, const PowerUnits& units,
                           StopToken stop)
    : parts_(parts), ranks_(ranks), units_(units), stop_(std::move(stop)) {}

double BlockPricing::respond(const std::vector<double>& price, int threads,
                             std::vector<double>& demand) {
  const std::size_t cells = price.size(), blocks = parts_.all_blocks;
  sums_.assign(cells + blocks + 1, 0);
  std::mutex adding;
  for_all(parts_.own.size(), threads, [&](std::size_t b) {
    Block& block = parts_.own[b];
    std::vector<double> drawn;
    const double cost = block.pricing->respond(price, 1, drawn);
    if (remembering_) {
      const float fresh = block.mean.empty() ? 1.0F : kNew;
      block.mean.resize(cells, 0.0F);
      for (std::size_t i = 0; i < cells; ++i)
        block.mean[i] += fresh * (static_cast<float>(drawn[i]) - block.mean[i]);
    }
    const std::lock_guard lock(adding);
    sums_[cells + parts_.first + b] = to_bits(cost);
    for (std::size_t i = 0; i < cells; ++i)
      if (drawn[i] != 0) sums_[i] += units_.whole(drawn[i]);
  });
  sums_.back() = stop_.requested() ? 1 : 0;
  ranks_.sum(sums_);
  if (sums_.back() > 0) throw Stopped();
  demand.resize(cells);
  for (std::size_t i = 0; i < cells; ++i) demand[i] = units_.kw(sums_[i]);
  Sum<double> cost;
  for (std::size_t b = 0; b < blocks; ++b) cost += from_bits(sums_[cells + b]);
  return cost.value();
}

}  // namespace carnot::plan
