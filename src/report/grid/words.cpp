// SPDX-License-Identifier: Apache-2.0
#include "report/grid/words.hpp"

#include <fmt/format.h>

namespace carnot::report {

Json bus_place_json(const grid::GridBus& bus) {
  return {{"bus", bus.id},
          {"area", bus.area},
          {"latitude_deg", number_or_null(bus.latitude_deg)},
          {"longitude_deg", number_or_null(bus.longitude_deg)}};
}

Json sites_json(const grid::Grid& grid, const std::vector<grid::ComputingSite>& sites) {
  Json list = Json::array();
  for (const grid::ComputingSite& site : sites) {
    list.push_back(bus_place_json(grid.buses[site.bus]));
    list.back()["capacity_mw"] = site.capacity_mw;
  }
  return list;
}

Json shift_assumptions_json(const grid::ShiftOptions& o) {
  return {{"utilisation", o.utilisation},
          {"deferrable", o.deferrable},
          {"movable", o.movable},
          {"window_h", o.window_h},
          {"carbon_price_per_t", o.carbon_price_per_t},
          {"units_pay_per_t", o.units_pay_per_t},
          {"shed_price_per_mwh", o.shed_price_per_mwh},
          {"origin", "assumed"}};
}

std::string computing_words(const grid::Grid& grid, const grid::ShiftOptions& o) {
  std::string out = "  computing:";
  for (const grid::ComputingSite& site : o.sites)
    out += fmt::format(" {:.0f} MW at bus {}{}", site.capacity_mw, grid.buses[site.bus].id,
                       &site == &o.sites.back() ? "" : ",");
  return out + fmt::format(
                   "\n  work: {:.0f} % of that; of it {:.0f} % may wait within {} h, {:.0f} % also "
                   "move (assumed)\n",
                   100 * o.utilisation, 100 * (o.deferrable + o.movable), o.window_h,
                   100 * o.movable);
}

}  // namespace carnot::report
