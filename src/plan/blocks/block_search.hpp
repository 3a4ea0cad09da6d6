// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// How blocks place their jobs beside each other: shares of the site-slots, then rounds in which
/// what is left is handed on (plan/blocks/blocks.hpp, 2 and 3).

#include <functional>
#include <vector>

#include "plan/blocks/job_blocks.hpp"
#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// What a block may take of a site-slot: what it has, and what it was handed, at the costs above
/// what the others draw.
/// \param others  kW that all other blocks draw
/// \param own     kW that it draws itself, of which it may keep all
/// \param handed  whether what is left is its to take
Supply above(const Supply& all, double others, double own, bool handed);

class BlockSearch {
 public:
  /// All are kept by reference. \param price  of the best bound
  BlockSearch(JobBlocks::Parts& parts, Ranks& ranks, const PowerUnits& units,
              const std::vector<Supply>& supply, const std::vector<double>& price, int threads,
              std::uint64_t seed);

  /// Places all jobs within the shares that blocks have by what they drew.
  void place_in_shares(const std::function<bool()>& go_on);
  /// One of the rounds. \param done  share of all rounds that it ends
  void round(int number, double done, const std::function<bool()>& go_on);

 private:
  /// What blocks draw, into loads_; all of it, into all_.
  void add_up();
  /// [site-slot]: block of all that what is left there is handed to; none: nobody's.
  std::vector<std::uint32_t> hand_out(int number) const;

  JobBlocks::Parts& parts_;
  Ranks& ranks_;
  const PowerUnits& units_;
  const std::vector<Supply>& supply_;
  const std::vector<double>& price_;
  int threads_;
  std::uint64_t seed_;
  std::vector<std::vector<std::int64_t>> loads_;  // [own block][site-slot], units
  std::vector<std::int64_t> all_;                 // [site-slot], units
  std::vector<std::int32_t> from_, to_;           // [block of all]: slots that it reaches
};

}  // namespace carnot::plan
