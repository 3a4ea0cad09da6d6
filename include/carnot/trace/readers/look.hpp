// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the CSV reader (read.hpp) understands of a file, before anybody computes with it: the
/// header, the times and their zone, the step, gaps, and of each column its unit and range. One
/// pass; memory is 8 bytes a cell. Throws InputError and IoError as the reader does. Thread-safe.

#include <cstddef>
#include <string>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/trace/readers/read.hpp"

namespace carnot::inline trace {

struct LookedAtColumn {
  std::size_t number = 0;  ///< from 1
  std::string name;
  std::string unit;      ///< as the file states it; empty: it does not
  std::string quantity;  ///< "power", "price", "carbon", "temperature", "speed"; empty: not told
  bool numeric = false;  ///< all cells but missing ones are numbers; what follows is of those
  std::size_t missing = 0;
  double least = 0.0, mean = 0.0, most = 0.0;  ///< in the file's unit
  std::size_t negative = 0;
  std::vector<double> course;  ///< means over 60 equal parts of the rows; NaN where all is missing
};

/// A hole in the times, [from, to).
struct LookedAtGap {
  Instant from, to;
};

struct LookedAtSeries {
  std::string file;
  char separator = ',';
  char decimal = '.';
  std::size_t header_line = 0;
  std::vector<std::string> time_columns;  ///< by name
  std::string time_form;      ///< "ISO 8601", "%d.%m.%Y %H:%M", "seconds since 1970" ...
  std::string zone;           ///< as stated or recognised; empty: by each time itself
  bool zone_missing = false;  ///< neither: shown as if UTC; the reader wants `zone`
  bool times_end = false;     ///< times mark the ends of intervals
  std::size_t rows = 0;
  Instant first, last;        ///< times of the first and the last row
  Duration step;              ///< what most rows share; 0: no difference has a majority
  Duration finest, coarsest;  ///< of its stretches
  std::size_t repeated = 0;   ///< rows that stand twice
  bool reversed = false;      ///< from last to first
  std::vector<LookedAtGap> gaps;
  std::vector<LookedAtColumn> columns;  ///< all but those of the times
};

LookedAtSeries look_at_series(const std::string& path, const CsvOptions& options = {});
LookedAtSeries look_at_text(std::string_view text, const std::string& name,
                            const CsvOptions& options = {});

}  // namespace carnot::inline trace
