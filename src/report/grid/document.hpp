// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What a page shows of a grid's document: one picture for a dispatch, one for each signal of a
/// study. Values.

#include <string>
#include <vector>

#include "report/draw/map.hpp"

namespace carnot::report {

struct GridPageBus {
  std::string name;
  Point place;  ///< degrees east and north; NaN: not stated
};

struct GridPageBranch {
  std::size_t from = 0, to = 0;
  double limit_mw = 0;  ///< NaN: none
};

/// Wind and sun at a bus, and what computing there takes.
struct GridPageSite {
  std::size_t bus = 0;
  double own_mwh = 0;       ///< taken by computing at the bus
  double exported_mwh = 0;  ///< taken by the grid
  double curtailed_mwh = 0;
  double grid_mwh = 0;  ///< that computing takes from the grid
  double all() const noexcept { return own_mwh + exported_mwh + curtailed_mwh + grid_mwh; }
};

/// Sums over the hours of a study.
struct GridPageTotals {
  double cost = 0, co2_t = 0, computing_mwh = 0, own_used_mwh = 0, moved_mwh = 0;
  double available_mwh = 0, curtailed_mwh = 0, absorbed_share = 0;  ///< NaN: not known
  double congested_hours = 0, losses_mwh = 0, overload_mw = 0;
};

struct GridPagePicture {
  std::string name;                    ///< of the signal; empty: a dispatch
  std::vector<double> mean, greatest;  ///< [branch] share of its limit; NaN: no limit
  std::vector<GridPageSite> sites;
  std::vector<double> own_mw, grid_mw, exported_mw, curtailed_mw;  ///< [hour], all sites together
  GridPageTotals totals;
};

struct GridPageDocument {
  bool study = false;  ///< carnot.grid-place/1
  std::string name, time, command, version, outcome;
  double hours = 0;       ///< of the study
  double week_hours = 0;  ///< of the pictures
  std::string week_begin;
  std::vector<GridPageBus> buses;
  std::vector<GridPageBranch> branches;
  std::vector<GridPagePicture> pictures;  ///< empty: no dispatch
  // Of a dispatch.
  double cost_per_h = 0, generation_mw = 0, demand_mw = 0, losses_mw = 0;
  double available_mw = 0, curtailed_mw = 0, co2_kg_per_h = 0;  ///< NaN: not known
  // Of a study.
  double utilisation = 0, deferrable = 0, movable = 0, window_h = 0, carbon_price_per_t = 0;
};

/// \throws InputError
GridPageDocument read_grid_document(const std::string& text, const std::string& path);

/// Buses, wires by how loaded they are, sites as discs.
std::string grid_map(const GridPageDocument& document, const GridPagePicture& picture);
/// Computing at all sites and what it leaves of their wind and sun, over the week.
std::string grid_hours(const GridPagePicture& picture);
/// 0 … 3 from idle to full, for colours and words; of a share of a limit.
int loading_class(double share);

}  // namespace carnot::report
