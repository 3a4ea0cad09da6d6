// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The catalogue of chips: accelerators, processors and bare circuits, every value with its range,
/// unit, grade, source and year. One row of CSV is one value:
///
///     chip,property,value,low,high,unit,grade,year,source,licence
///     h100-sxm,tdp,700,,,W,TDP,2022,nvidia-data-sheet,facts
///
/// Empty `low` and `high` mean that the source gives no range. Properties and their units:
///
///     fp64 fp32 tf32 bf16 fp16 fp8 fp4   TFLOP/s   dense peak, no sparsity, a multiply and an add
///     int8 int4                          TOP/s     likewise
///     memory GB · bandwidth GB/s · l2 MB · link GB/s (both ways, all links)
///     tdp W · idle W · active_floor W    the last: least power seen while kernels ran
///     process nm · die mm2 · released year · units 1 (cores, multiprocessors) · clock GHz
///     op.NAME byte.NAME                  pJ        of one operation, of one byte moved
///     name vendor                        text, no unit
///
/// A user's own file may be TOML instead (`x.toml`): a table a chip, a line a value with its range,
/// units as above. `source`, `year`, `grade` and `licence` hold for the lines below them.
///
///     [my-card]
///     name = "My card"
///     source = "data sheet of 2026"
///     year = 2026
///     tdp = 300
///     bf16 = [400, 380, 420]
///
/// The table may also be called `[chip.my-card]`.
///
/// Instances do not change once made, so threads may share them; add() is for one thread.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::model {

/// How a value came to be known. Only Metered and Counter are measurements.
enum class Grade {
  Metered,    ///< a meter in the power line
  Counter,    ///< the device's own counter
  Tdp,        ///< a rating: what the cooling must bear, not what is drawn
  DataSheet,  ///< published by the vendor
  Estimate,   ///< by somebody else, or a simulation
  Derived,    ///< computed from other values
};
std::string_view name(Grade grade) noexcept;  ///< as in the table: "metered", "TDP" ...

struct ChipValue {
  double value = 0, low = 0, high = 0;  ///< low <= value <= high
  bool has_range = false;               ///< false: low and high repeat the value
  std::string unit;
  Grade grade = Grade::Estimate;
  int year = 0;  ///< of the source
  std::string source, licence;
};

struct Chip {
  std::string id;            ///< "h100-sxm"
  std::string name, vendor;  ///< "NVIDIA H100 SXM", "NVIDIA"
  std::map<std::string, ChipValue, std::less<>> values;

  const ChipValue* find(std::string_view property) const noexcept;  ///< nullptr if not known
  /// \throws InputError naming the chip and the nearest property it has
  const ChipValue& at(std::string_view property) const;
};

/// A value that does not fit with others, found by lint().
struct Finding {
  std::string chip, property, message;
};

class ChipCatalogue {
 public:
  /// data/chips.csv at build time.
  static const ChipCatalogue& embedded();
  /// \param file  for messages only
  /// \throws InputError with a line `file:line: field: what is allowed` for each bad row
  static ChipCatalogue parse(std::string_view csv, const std::string& file);
  /// The same of the TOML above.
  static ChipCatalogue parse_toml(std::string_view toml, const std::string& file);
  /// By its ending. \throws InputError as parse(); InputFileError
  static ChipCatalogue read(const std::string& path);

  /// Takes over the rows of `other`; a value of a chip known here already is replaced.
  void add(const ChipCatalogue& other);

  const std::vector<Chip>& chips() const noexcept { return chips_; }  ///< sorted by id
  /// By id or name, upper and lower case alike. \throws InputError with the nearest id
  const Chip& chip(std::string_view id_or_name) const;

  /// Values that contradict each other or physics: idle above TDP, a wider format slower than
  /// half of the next, peak per area, per watt or per byte of memory traffic beyond what any chip
  /// of its process reached, a rate that is a multiple typical of sparsity. In order of chips.
  std::vector<Finding> lint() const;

 private:
  std::vector<Chip> chips_;
};

/// Energy of one operation, "fp32_multiply", or of one byte moved, "sram_1mb", "dram", of a chip
/// whose circuits are published ("asic-45nm", "asic-7nm", a user's own). Without a range in the
/// source, the interval is 30 % either way, the spread between published tables of one process.
/// \throws InputError if the chip has no such row, naming the nearest
Estimate<Energy> operation_energy(const Chip& chip, std::string_view operation);
Estimate<Energy> byte_energy(const Chip& chip, std::string_view level);

/// A multiply and the add that accumulates it: fp32, fp16, bf16 of one format, int8 into int32.
/// \throws InputError if one of the two is not published for the chip
Estimate<Energy> mac_energy(const Chip& chip, std::string_view format);

}  // namespace carnot::model
