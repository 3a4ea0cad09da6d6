// SPDX-License-Identifier: Apache-2.0
#include "carnot/grid/study/year.hpp"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "carnot/base/error.hpp"

namespace carnot::grid {

namespace {

GridHour summary_of(const OpfResult& result) {
  GridHour one;
  one.status = result.status;
  if (result.status != OpfStatus::Optimal) return one;
  one.cost_per_h = result.cost_per_h;
  one.demand_mw = result.demand_mw;
  one.generation_mw = result.generation_mw;
  one.losses_mw = result.losses_mw;
  one.excess_loss_mw = result.excess_loss_mw;
  one.shed_mw = std::accumulate(result.shed_mw.begin(), result.shed_mw.end(), 0.0);
  one.available_mw = result.available_mw;
  one.curtailed_mw = result.curtailed_mw;
  one.congested = result.congested.size();
  const auto [low, high] =
      std::minmax_element(result.price_per_mwh.begin(), result.price_per_mwh.end());
  one.lowest_price_per_mwh = *low;
  one.highest_price_per_mwh = *high;
  one.residual_mw = result.residual_mw;
  return one;
}

void add(GridYear& year, const GridHour& one) {
  year.hours.push_back(one);
  if (one.status != OpfStatus::Optimal) ++year.unsolved;
  if (one.congested > 0) ++year.congested_hours;
  if (one.curtailed_mw > 0.1) ++year.curtailed_hours;
  year.cost += one.cost_per_h;
  year.demand_mwh += one.demand_mw;
  year.losses_mwh += one.losses_mw;
  year.excess_loss_mwh += one.excess_loss_mw;
  year.shed_mwh += one.shed_mw;
  year.available_mwh += one.available_mw;
  year.curtailed_mwh += one.curtailed_mw;
  year.residual_mw = std::max(year.residual_mw, one.residual_mw);
}

}  // namespace

GridYear solve_hours(const RtsGmlc& rts, const OpfOptions& options, std::size_t hours,
                     const std::function<bool(std::size_t)>& progress) {
  if (hours > rts.hours())
    throw InputError(fmt::format("hours: at most {}, the hours there are", rts.hours()));
  OptimalPowerFlow flow(rts.grid(), options);
  GridYear year;
  try {
    for (std::size_t at = 0; at < hours; ++at) {
      options.stop.throw_if_requested();
      add(year, summary_of(flow.solve(rts.state(at))));
      if (progress && !progress(at + 1)) break;
    }
  } catch (const Stopped&) {  // the hours that are done stand
  }
  return year;
}

}  // namespace carnot::grid
