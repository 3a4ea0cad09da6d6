// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Which block a window belongs to, and the blocks that a rank holds.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "carnot/plan/blocks/blocks.hpp"

#include "plan/pricing/class_pricing.hpp"
#include "plan/pricing/window_classes.hpp"

namespace carnot::plan {

/// Windows in the order of release, then deadline, cut into blocks of about as many jobs. Beyond
/// some thousand slots, windows that end close to each other count as one.
class WindowBlocks {
 public:
  explicit WindowBlocks(std::int32_t slots);

  void count(std::int32_t release, std::int32_t deadline) { ++jobs_[window(release, deadline)]; }
  /// After all were counted. \param block_jobs  at least 1
  void cut(std::size_t block_jobs);
  std::size_t blocks() const noexcept { return block_jobs_.size(); }
  std::size_t jobs() const noexcept { return all_; }
  std::size_t jobs_of(std::size_t block) const noexcept { return block_jobs_[block]; }
  std::size_t block_of(std::int32_t release, std::int32_t deadline) const {
    return block_[window(release, deadline)];
  }

 private:
  std::size_t window(std::int32_t release, std::int32_t deadline) const {
    const auto length = static_cast<std::size_t>(deadline - release - 1) / step_;
    return static_cast<std::size_t>(release) * width_ + length;
  }

  std::size_t width_, step_, all_ = 0;
  std::vector<std::size_t> jobs_;     // [window]
  std::vector<std::uint32_t> block_;  // [window]
  std::vector<std::size_t> block_jobs_;
};

/// One block: its jobs among sites that have names alone, and what becomes of them.
struct Block {
  Problem problem;
  std::unique_ptr<WindowClasses> classes;
  std::unique_ptr<ClassPricing> pricing;  // while prices are sought
  std::vector<float> mean;                // kW drawn in the last steps, [site x slots + slot]
  std::vector<Assignment> plan;           // [job], or empty: none placed yet
  std::int32_t from = 0, to = 0;          // slots that its windows reach
};

struct JobBlocks::Parts {
  Problem frame;
  std::size_t all_jobs = 0, all_blocks = 0;
  std::size_t first = 0;  ///< block of all that own[0] is
  std::vector<Block> own;
};

/// Whole numbers of a unit of power that sums of all jobs fit in.
class PowerUnits {
 public:
  /// \param greatest_kw  no sum is above it
  explicit PowerUnits(double greatest_kw);
  std::int64_t whole(double kw) const;
  double kw(std::int64_t units) const noexcept { return static_cast<double>(units) * unit_; }
  double unit() const noexcept { return unit_; }

 private:
  double unit_;
};

}  // namespace carnot::plan
