// SPDX-License-Identifier: Apache-2.0
#include "carnot/trace/readers/csv_keys.hpp"

namespace carnot::inline trace {

void CsvKeys::declare(OptionTable& table) {
  table.text("column", &options_.column, "")
      .text("time_column", &options_.time_column, "")
      .text("unit", &options_.unit, "")
      .text("zone", &options_.zone, "")
      .text("time_format", &options_.time_format, "")
      .choice("gaps", &gaps_, {"refuse", "hold", "linear"}, "")
      .choice("negative", &negative_, {"refuse", "zero", "allow"}, "")
      .choice("repeats", &repeats_, {"refuse", "first", "last", "mean"}, "");
}

void CsvKeys::apply() {
  options_.gaps = gap_policy(gaps_);
  options_.negative = negative_policy(negative_);
  options_.repeats = repeat_policy(repeats_);
}

}  // namespace carnot::inline trace
