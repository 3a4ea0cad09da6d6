// SPDX-License-Identifier: Apache-2.0
// Carbon intensity and price of electricity by location, from the tables compiled in.
#include <algorithm>

#include "carnot/base/error.hpp"
#include "carnot/base/text.hpp"
#include "carnot/model/footprint/accounting.hpp"

#include "model/footprint/table.hpp"

namespace carnot::model {

namespace {

constexpr std::string_view kWorld = "WORLD";

struct Grid {
  std::string alpha3;
  GridIntensity grid;
};

const std::vector<Grid>& grids() {
  static const std::vector<Grid> all = [] {
    std::vector<Grid> read;
    for (const auto& row : rows_of(kGridIntensityTable, 8, "data/grid_intensity.csv")) {
      const auto intensity = [&](int column) {
        return parse_number(row[static_cast<std::size_t>(column)]) * gram_per_kilowatt_hour;
      };
      GridIntensity grid;
      grid.code = row[0];
      grid.name = row[2];
      grid.intensity =
          Estimate<CarbonIntensity>(intensity(3), intensity(4), intensity(5), Origin::Published,
                                    Boundary::None, "grid:" + row[0], {row[7] + " " + row[6]});
      grid.year = static_cast<int>(parse_integer(row[6]));
      grid.source = row[7];
      read.push_back({row[1], std::move(grid)});
    }
    return read;
  }();
  return all;
}

}  // namespace

GridIntensity grid_intensity(std::string_view code) {
  auto wanted = folded(code.empty() ? kWorld : code);
  if (wanted == "uk") wanted = "gb";  // what people type; el: what the European Union writes
  if (wanted == "el") wanted = "gr";
  const auto& all = grids();
  // A state's name may be a country's too (Georgia): countries stand first in the table.
  for (const auto& one : all) {
    if (folded(one.grid.code) == wanted || folded(one.grid.name) == wanted ||
        (!one.alpha3.empty() && folded(one.alpha3) == wanted)) {
      return one.grid;
    }
  }
  std::vector<std::string> known;
  for (const auto& one : all) {
    known.push_back(one.grid.code);
    known.push_back(one.grid.name);
  }
  unknown("location", code, known, "a country such as DE, DEU or Germany, US-CA, world");
}

std::vector<GridIntensity> grid_intensities() {
  std::vector<GridIntensity> all;
  for (const auto& one : grids()) all.push_back(one.grid);
  return all;
}

Price electricity_price(std::string_view code) {
  const auto rows = rows_of(kElectricityPriceTable, 7, "data/electricity_price.csv");
  const auto row_of = [&](std::string_view wanted) {
    return std::find_if(rows.begin(), rows.end(), [&](const Row& row) { return row[0] == wanted; });
  };
  auto row = row_of(code);
  if (row == rows.end()) row = row_of(code.substr(0, code.find('-')));
  if (row == rows.end()) row = row_of(kWorld);
  CARNOT_CHECK(row != rows.end(), "the table of prices lacks the world");
  return {(*row)[1],
          (*row)[6] + " " + (*row)[5],
          parse_number((*row)[2]),
          parse_number((*row)[3]),
          parse_number((*row)[4]),
          (*row)[6] == "assumed"};
}

}  // namespace carnot::model
