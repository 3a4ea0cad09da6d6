// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Units of columns: `wind_mw`, `price [EUR/MWh]`, `power (kW)`.

#include <optional>
#include <string>
#include <string_view>

#include "trace/readers/csv_series.hpp"

namespace carnot::inline trace::csv {

struct ColumnName {
  std::string name, unit;  ///< unit empty: the header states none
};
ColumnName split_unit(std::string_view header);

struct UnitConversion {
  Conversion conversion;
  std::string note;        ///< for the provenance; empty but for currencies and energies
  bool is_energy = false;  ///< of an interval: to be divided by its hours
};
/// A unit may carry a number (`148 MW`); where power is wanted it may be an energy.
/// \throws InputError where the unit is not one of the dimension
UnitConversion unit_conversion(std::string_view unit, const Dimension& dimension,
                               double euro_per_dollar);

/// The unit of that dimension which stands in a column's name: in brackets, as its ending, or as a
/// word of it.
std::optional<std::string> unit_in_header(std::string_view header, const Dimension& dimension,
                                          double euro_per_dollar);

}  // namespace carnot::inline trace::csv
