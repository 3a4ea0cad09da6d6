// SPDX-License-Identifier: Apache-2.0
//
// MATPOWER cases: whatever the bytes, the answer is a grid or an InputError; a grid passes its own
// checks, and its power flow balances or is refused in words.

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "carnot/base/error.hpp"
#include "carnot/grid/network/network.hpp"

namespace {

void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const carnot::grid::Grid grid = carnot::grid::parse_matpower(text, "fuzz.m");
    carnot::grid::validate(grid, "again");
    for (const carnot::grid::GridGenerator& generator : grid.generators) {
      require(generator.cost.points.empty() || !generator.cost.hull().empty());
      require(generator.bus < grid.buses.size());
    }
    const carnot::grid::DcFlow flow =
        carnot::grid::dc_flow(grid, carnot::grid::BranchModel::TapAndShift);
    require(flow.flow_mw.size() == grid.branches.size());
    require(flow.angle_rad.size() == grid.buses.size());
  } catch (const carnot::InputError&) {
  }
  return 0;
}
