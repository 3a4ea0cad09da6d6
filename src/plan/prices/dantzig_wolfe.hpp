// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Dantzig-Wolfe decomposition by column generation (Dantzig & Wolfe 1960). A column is all that
/// one job does; a master programme, solved by CLP, shares jobs out over their columns; its row
/// prices ask each job for better ones. Any row prices bound every plan from below (Lagrange), so
/// stopping early is safe. Prices asked are a mean of the master's and of those of the best bound
/// so far (Wentges 1997), for the master's alone jump about; where such a mean finds no new column,
/// one nearer to the master's is tried.
///
/// Two masters: `contract_columns.hpp` has a row a site-slot and a job, and prices jobs itself, the
/// two best answers of each; `extended_columns.hpp` has the rows of sites with terms, and asks
/// `cheapest`. They differ in what they hold and in `DantzigWolfeOptions`, not in the rounds.

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "carnot/base/limits.hpp"
#include "carnot/base/stop.hpp"

namespace carnot::plan {

struct DantzigWolfe {
  std::vector<double> price;     ///< of the best bound, [row] in the master's order
  double bound = -kInfinity;     ///< what they prove
  double programme = kInfinity;  ///< least of the master so far: no
                                 ///< prices prove more
  int rounds = 0;
};

struct DantzigWolfeOptions {
  double gap = 1e-4;          ///< relative distance of programme and bound at which to stop
  int rounds = 1000;          ///< at most
  std::vector<double> draws;  ///< shares of the best prices in those asked, tried in turn
  /// Once bound and programme are within the gap, ask no more. False: finish the round, which is
  /// cheap where jobs are few and may better the bound.
  bool stop_at_gap = true;
  /// Called in each round once the master is solved; false: stop.
  std::function<bool(const DantzigWolfe&)> progress;
};

/// \param master  with
///     bool solve();                                false: no optimum
///     double objective() const;                    of the last solve
///     std::vector<double> prices() const;          likewise, of its rows
///     double ask(const std::vector<double>& prices, bool& fresh);
///                       the bound they prove; adds the jobs' answers; fresh: one was new
/// A master that throws `Stopped` in either ends the rounds with the best so far.
/// \param start   prices to begin with; empty: the master's. If none were answered before a stop
///                they are those of the answer, whose bound is then minus infinity.
template <class Master>
DantzigWolfe dantzig_wolfe(Master& master, const std::vector<double>& start,
                           const DantzigWolfeOptions& options) {
  DantzigWolfe best;
  const auto ask = [&](const std::vector<double>& prices) {
    bool fresh = false;
    const double bound = master.ask(prices, fresh);
    if (bound > best.bound) {
      best.bound = bound;
      best.price = prices;
    }
    return fresh;
  };
  const auto met = [&] {
    return best.programme - best.bound <= options.gap * std::max(std::abs(best.programme), 1e-9);
  };
  // False once there is nothing more to find.
  const auto round = [&] {
    ++best.rounds;
    best.programme = std::min(best.programme, master.objective());
    if (options.progress && !options.progress(best)) return false;
    if (options.stop_at_gap && met()) return false;
    const std::vector<double> prices = master.prices();
    bool fresh = false;
    for (const double draw : options.draws) {
      if (best.price.empty() && draw > 0) continue;
      std::vector<double> asked = prices;
      for (std::size_t i = 0; i < asked.size() && draw > 0; ++i)
        asked[i] = draw * best.price[i] + (1.0 - draw) * prices[i];
      fresh = ask(asked);
      if (fresh || (options.stop_at_gap && met())) break;
    }
    return fresh && !met();
  };
  try {
    if (!start.empty()) ask(start);
    while (best.rounds < options.rounds && master.solve() && round()) {
    }
  } catch (const Stopped&) {
    if (best.price.empty()) best.price = start;
  }
  return best;
}

}  // namespace carnot::plan
