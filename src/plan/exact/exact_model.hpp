// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The contract problem as one linear programme with whole numbers:
///
///     z[g][s][m]       jobs of group g (jobs that are alike) that run at site s in mode m
///     x[g][s][m][t]    of these, in slot t                    x <= z,  sum_t x = k z
///     a[s][t], b[s][t] IT power on the cheaper and the dearer piece of the supply
///     sum p x <= a + b in each site-slot (= where power is paid for),  sum z <= jobs of the group
///
/// minimise  sum (q + move - value) z + h (first_price a + second_price b)  + sum of all values.
///
/// Prices leave out what cannot matter: with the least cost of each group at these prices, any plan
/// that uses a site-mode or a slot costs at least their bound plus its reduced cost, so what lies
/// over `keep` above the least is in no plan that costs less than the bound plus `keep`. Slots that
/// such a plan must use, if it uses the site-mode, are part of z.

#include <cstddef>
#include <vector>

#include "carnot/plan/problem/plan.hpp"
#include "carnot/solve/linear_program.hpp"

#include "plan/supply/supply.hpp"

namespace carnot::plan {

/// \throws InputError if a problem asks for more than the contract, or has more than kMostExact
/// site-slots, saying how many
void check_exact_size(const Problem& problem);

class ExactModel {
 public:
  /// \param price  as Plan::price
  /// \param keep   EUR; infinite: the whole problem
  ExactModel(const Problem& problem, const std::vector<Supply>& supply,
             const std::vector<double>& price, double keep);

  /// Adds the rows of packing prices: what branch and cut would have to find by itself.
  void pack(const std::vector<Supply>& supply, const std::vector<PackingPrice>& packing);

  solve::LinearProgram& program() noexcept { return program_; }
  /// Columns that must be whole.
  const std::vector<int>& whole() const noexcept { return whole_; }
  /// What the objective of a plan has over the programme's.
  double constant() const noexcept { return constant_; }
  /// Prices of the last answer of `program().solve()`.
  std::vector<double> prices() const;
  /// The plan of whole values, one a column.
  std::vector<Assignment> plan(const std::vector<double>& values) const;

 private:
  struct Block {  // of a group at a site in a mode
    std::size_t group = 0;
    std::uint32_t site = 0, mode = 0;  // mode of the job, from 0
    int column = 0;                    // z
    std::vector<std::int32_t> sure;
    std::vector<std::pair<std::int32_t, int>> open;  // slot, column of x
  };
  void add_block(Block block, double cost, const std::vector<double>& price, double keep);

  const Problem& problem_;
  std::size_t slots_;
  solve::LinearProgram program_;
  std::vector<std::vector<std::uint32_t>> groups_;  // jobs
  std::vector<int> group_row_, cell_row_;
  std::vector<Block> blocks_;
  std::vector<int> whole_;
  double constant_ = 0;
};

}  // namespace carnot::plan
