// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Constants of `explain` that are neither of a chip nor of a kernel, each with id, range, unit,
/// grade, source, year and licence: data/energy_coefficients.csv. And what published circuits of a
/// chip's process take for one operation and one byte: the *floor* of a reading.
///
/// Between 45 nm (Horowitz, ISSCC 2014) and 7 nm (Jouppi et al., ISCA 2021) the energy of a circuit
/// is taken as a power of the process, and beyond 7 nm along the same line:
///
///     E(nm) = E7 (nm / 7)^g,     g = ln(E45 / E7) / ln(45 / 7)
///
/// Formats nobody published are derived: a multiplier goes with the square of its significand, and
/// units of products sum four before one 32-bit floating-point addition.
///
/// Tables do not change once read, so threads may share them.

#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct EnergyCoefficient {
  std::string id;  ///< "memory.hbm2"
  double value = 0, low = 0, high = 0;
  std::string unit;
  Grade grade = Grade::Estimate;
  int year = 0;
  std::string source, licence;
};

class CoefficientTable {
 public:
  static const CoefficientTable& embedded();
  /// \param file  for messages. \throws InputError `file:line: field: what is allowed`
  static CoefficientTable parse(std::string_view csv, const std::string& file);
  const EnergyCoefficient* find(std::string_view id) const noexcept;
  /// \throws InputError with the nearest id
  const EnergyCoefficient& at(std::string_view id) const;
  const std::vector<EnergyCoefficient>& rows() const noexcept { return rows_; }  ///< as in the file

 private:
  std::vector<EnergyCoefficient> rows_;
};

/// Values of such a table that contradict physics or each other: a bit moved below k_B T ln 2 at
/// 300 K, a PUE outside 1 to 3, a range wider than a factor of 100, a newer generation of a link or
/// memory at over three times or below a seventh of the older. `Finding::chip` is the id.
std::vector<Finding> lint_coefficients(const std::vector<EnergyCoefficient>& rows);

/// What circuits of the chip's process take at least, as published.
struct CircuitFloor {
  Energy mac;      ///< a multiplication and its share of a sum
  Energy other;    ///< an addition or multiplication in 32 bits
  Energy special;  ///< exponential, root, division
  Energy memory_byte, chip_byte, board_link_byte, network_byte;
  std::string mac_constant, memory_constant;  ///< ids of the tables
  double mac_bits = 0;  ///< erased by one multiply-accumulate: the sum it overwrites, the product
};
/// \param format  "bf16", "fp16", "fp32", "tf32", "fp8", "fp4", "int8", "int4"
/// \throws InputError with the nearest format
CircuitFloor circuit_floor(const Chip& chip, std::string_view format);

}  // namespace carnot::model
