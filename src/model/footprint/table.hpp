// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The tables that are compiled in, cut into cells, and how a row is found by what people type.

#include <string>
#include <string_view>
#include <vector>

namespace carnot::model {

/// data/grid_intensity.csv, data/electricity_price.csv, data/embodied.csv, data/chips.csv and
/// data/kernel_model.csv at build time.
extern const char* const kGridIntensityTable;
extern const char* const kElectricityPriceTable;
extern const char* const kEmbodiedTable;
extern const char* const kChipsTable;
extern const char* const kKernelModelTable;

using Row = std::vector<std::string>;

/// Rows after the header; no quoting. \throws InputError for a row with too few or many cells
std::vector<Row> rows_of(std::string_view table, std::size_t columns, std::string_view name);

/// Lower case, without blanks at the ends.
std::string folded(std::string_view text);

/// Throws InputError saying that `what` knows no `word`, with the nearest of `candidates` or, where
/// none is near, what is `allowed`.
[[noreturn]] void unknown(std::string_view what, std::string_view word,
                          const std::vector<std::string>& candidates, std::string_view allowed);

/// A price as published, in EUR/kWh with its range.
struct Price {
  std::string name, source;
  double eur_per_kwh = 0, low = 0, high = 0;
  bool is_assumed = false;
};

/// Of a location's code as grid_intensity() returns it: its own row, its country's ("US" of
/// "US-CA"), or the world's.
Price electricity_price(std::string_view code);

}  // namespace carnot::model
