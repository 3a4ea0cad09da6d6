// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The tables that are compiled in, cut into cells, and how a row is found by what people type.

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "carnot/base/error.hpp"

namespace carnot::model {

/// data/grid_intensity.csv, data/electricity_price.csv, data/embodied.csv, data/chips.csv,
/// data/kernel_model.csv and data/energy_coefficients.csv at build time.
extern const char* const kGridIntensityTable;
extern const char* const kElectricityPriceTable;
extern const char* const kEmbodiedTable;
extern const char* const kChipsTable;
extern const char* const kKernelModelTable;
extern const char* const kKernelCorrectionsTable;  ///< data/kernel_model_corrections.csv
extern const char* const kServingModelTable;       ///< data/serving_model.csv
extern const char* const kEnergyCoefficientsTable;
extern const char* const kTechnologiesTable;  ///< data/technologies.csv
extern const char* const kTrainingRunsTable;  ///< data/training_runs.csv

using Row = std::vector<std::string>;

/// A table whose header is known, read line by line; what is wrong is collected with the line it
/// stands in.
class TableReader {
 public:
  /// \param by_hand  people write such tables too: lines may end in CR, and `#` begins a comment
  TableReader(std::string file, std::string_view header, bool by_hand)
      : file_(std::move(file)), header_(header), by_hand_(by_hand) {}

  /// Calls `row` with the cells of each line after the header; blank lines are passed over.
  /// \throws InputError with all that was added meanwhile
  void read(std::string_view text,
            const std::function<void(const std::vector<std::string_view>&)>& row);
  /// A problem of the line that is being read.
  void add(std::string_view field, std::string_view allowed) {
    problems_.add(Place{file_, line_}, field, allowed);
  }

 private:
  std::string file_, header_;
  bool by_hand_;
  std::size_t line_ = 0;
  Problems problems_;
};

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
