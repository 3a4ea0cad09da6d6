// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Number formats of training and what an operation in them costs.
///
/// A `Precision` says in how many bits data and activations, coefficients and gradients are *stored
/// and multiplied*: 32 = IEEE binary32, 16 = bfloat16, 8 / 4 / 2 = integers with scales (packed,
/// two or four to a byte). Accumulation is binary32 for the floats and int32 for the integers.
///
/// Integer formats (symmetric, per-row scale, stochastic rounding, research: Gupta et al., "Deep
/// learning with limited numerical precision", ICML 2015):
///   signed b bits: q in [-(2^(b-1) - 1), 2^(b-1) - 1], x = q * s;  unsigned: q in [0, 2^b - 1].

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::model {
struct Chip;
}  // namespace carnot::model

namespace carnot::learn {

struct Precision {
  std::string name;   ///< "f32", "bf16", "int8", "int4", or "d2w4g4" for mixed widths
  int data = 32;      ///< bits of inputs and activations
  int weight = 32;    ///< bits of coefficients as multiplied
  int gradient = 32;  ///< bits of gradients as multiplied
  int master = 32;    ///< bits of coefficients as kept between steps

  /// "f32" | "bf16" | "int8" | "int4" | "int2" | "dDwWgG" with D, W, G in {2, 4, 8}.
  /// \throws InputError listing the allowed names
  static Precision parse(std::string_view name);
  bool is_integer() const noexcept { return data <= 8; }
  /// The precision of the model that training in this one delivers: integer coefficients are their
  /// masters, which have eight bits at least and are used whole, on data of eight bits. Fewer bits
  /// are a way to train, not what the model is.
  Precision delivered() const;
  bool operator==(const Precision&) const = default;
};

/// The kinds of operation counted.
enum class OperationKind : std::uint8_t {
  F32Mac,
  Bf16Mac,
  Int8Mac,
  Int4Mac,
  Int2Mac,         ///< multiply-accumulates by the wider operand's width
  F32Elementwise,  ///< adds, multiplies, compares outside products
  Rounding,        ///< one stochastic or nearest rounding to a format
  Special,         ///< exp, log, division
  Int32Add,        ///< an integer addition outside products
  kCount
};
/// Levels of the memory hierarchy that bytes are counted at.
enum class MemoryLevel : std::uint8_t { Cache, Dram, kCount };

std::string_view key(OperationKind kind) noexcept;  ///< "int8_mac", ...
std::string_view key(MemoryLevel level) noexcept;   ///< "cache", "dram"

/// Exact integer counts of work done. A value; add with +=.
struct Counters {
  std::uint64_t operations[static_cast<int>(OperationKind::kCount)] = {};
  std::uint64_t bytes[static_cast<int>(MemoryLevel::kCount)] = {};

  std::uint64_t& at(OperationKind k) noexcept { return operations[static_cast<int>(k)]; }
  std::uint64_t at(OperationKind k) const noexcept { return operations[static_cast<int>(k)]; }
  std::uint64_t& at(MemoryLevel l) noexcept { return bytes[static_cast<int>(l)]; }
  std::uint64_t at(MemoryLevel l) const noexcept { return bytes[static_cast<int>(l)]; }
  std::uint64_t macs() const noexcept;
  Counters& operator+=(const Counters& other) noexcept;
  Counters operator-(const Counters& other) const noexcept;
  Counters operator*(std::uint64_t n) const noexcept;
  bool operator==(const Counters&) const = default;
};

/// One row of the energy and throughput table: what one operation (or byte) costs.
struct CostRow {
  std::string key;          ///< as from key()
  Energy energy;            ///< of one operation or byte
  Energy low, high;         ///< 90 %
  double per_second = 0.0;  ///< operations or bytes a second of one node (f32-normalised)
  std::string source;       ///< paper or data sheet, year; data/chips.md
};

/// pJ per operation and byte: printed with every run, of a chip of the catalogue or of a CSV file
/// (`key,energy_pj,low_pj,high_pj,per_second,source`). Energies are *modelled*: the chip's costs
/// (carnot/model/kernel/operation_costs.hpp) times exact counts. Where nobody names a chip it is
/// "asic-45nm": circuits of Horowitz, "Computing's energy problem", ISSCC 2014.
class EnergyTable {
 public:
  static const EnergyTable& embedded();  ///< of "asic-45nm"
  /// \throws InputError naming what the chip lacks
  static EnergyTable of_chip(const model::Chip& chip);
  /// What a user asked for: a file, a chip by id or name, or neither.
  /// \throws IoError, InputError as of_chip() and read(), and where both are named
  static EnergyTable choose(const std::string& path, const std::string& chip);
  /// \throws IoError, InputError (`file:line: field: ...`; every key must be there exactly once)
  static EnergyTable read(const std::string& path);

  const std::string& name() const noexcept { return name_; }  ///< "asic-45nm", or the file's path
  const std::vector<CostRow>& rows() const noexcept { return rows_; }
  const CostRow& row(OperationKind kind) const noexcept;
  const CostRow& row(MemoryLevel level) const noexcept;

  /// Joules of the counted work. Rows are independent error causes "pj:<key>", boundary chip,
  /// origin modelled.
  Estimate<Energy> energy(const Counters& counters) const;
  /// Multiply-accumulates alone ("ALU") and with memory, for the two ratios of the accounting page.
  Energy alu_energy(const Counters& counters) const;
  /// Modelled time of one node at full rate: sum over kinds of count / rate + bytes / bandwidth
  /// (no overlap: a bound from above on a machine that overlaps them).
  Time time(const Counters& counters) const;

 private:
  std::string name_;
  std::vector<CostRow> rows_;
};

}  // namespace carnot::learn
