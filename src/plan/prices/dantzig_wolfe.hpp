// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Prices that prove the linear-programming bound itself, for few jobs: column generation (Dantzig
/// & Wolfe 1960) with CLP as master. A column is all that one job does; the master shares jobs out
/// over their columns within the supply of each site-slot; its prices, drawn towards the best so
/// far (Wentges 1997), are answered with each job's cheapest columns. Any prices bound, so stopping
/// early is safe.

#include <functional>
#include <vector>

#include "carnot/plan/problem/problem.hpp"

#include "plan/search/supply.hpp"

namespace carnot::plan {

struct SmallPrices {
  std::vector<double> price;  ///< of the best bound, as Plan::price
  double bound = 0;           ///< EUR, what they prove
  double master = 0;          ///< EUR: no prices prove more; infinite: not known
  int rounds = 0;
};

/// \param start  prices to begin with
/// \param close  relative distance of bound and master at which to stop
/// \param go_on  asked each round; false: stop with what there is
/// \throws DeviceError if CLP is not built in
SmallPrices small_prices(const Problem& problem, const std::vector<Supply>& supply,
                         const std::vector<double>& start, double close,
                         const std::function<bool(const SmallPrices&)>& go_on = {});

}  // namespace carnot::plan
