// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Arithmetic as transistor operations: how many transistors an operation may switch, times what
/// one takes, fitted to published circuits.
///
///     integer add        28 b                              a mirror full adder a bit
///     integer multiply   34 b^2                            an AND and a full adder a partial
///     product float add          28 m + 8 m log2 m + 28 e          adder, two shifters, exponents
///     float multiply     34 m^2 + 28 m + 56 e              array, rounding, exponents
///
///     ln E = ln TO + activity(kind) + process(nm)          m: significand with its hidden bit
///
/// After Li, Tsourdos & Guo (IEEE Trans. AI 5, 2024), with activities of our own fitted by least
/// squares to Horowitz (ISSCC 2014, 45 nm) and Jouppi et al. (ISCA 2021, 7 nm). Between and beyond
/// both processes energy goes as a power of the process. It is a model of some twenty numbers whose
/// gains from 45 to 7 nm differ by a factor of two among themselves: intervals say so.
///
/// Instances do not change once made, so threads may share them.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/estimate.hpp"
#include "carnot/base/quantity.hpp"

namespace carnot::model {

enum class ArithmeticKind : std::uint8_t { IntegerAdd, IntegerMultiply, FloatAdd, FloatMultiply };
std::string_view name(ArithmeticKind kind) noexcept;

struct Arithmetic {
  ArithmeticKind kind = ArithmeticKind::IntegerAdd;
  int bits = 8;      ///< of an integer; of a significand with its hidden bit
  int exponent = 0;  ///< bits of it
};
/// "int8_add", "bf16_multiply", "fp8_add" (e4m3), "fp4_multiply" (e2m1), "int4_add" ...
/// \throws InputError with what is allowed
Arithmetic arithmetic(std::string_view operation);
/// Transistors that may switch.
double transistor_operations(const Arithmetic& operation);

/// One published energy.
struct PublishedEnergy {
  std::string operation;
  double process_nm = 0, picojoule = 0;
};
/// Arithmetic of the catalogue's two tables, in their order.
std::vector<PublishedEnergy> published_arithmetic();

class TransistorModel {
 public:
  /// \throws InputError unless every kind and two processes are among the rows
  explicit TransistorModel(const std::vector<PublishedEnergy>& rows);
  /// Fitted to all that is published.
  static const TransistorModel& embedded();
  /// 90 % interval from the spread of the rows around the fit. \throws InputError as arithmetic()
  Estimate<Energy> energy(std::string_view operation, double process_nm) const;
  double spread() const noexcept { return spread_; }  ///< standard deviation of ln E around the fit

 private:
  std::array<double, 4> activity_{};
  double process_ = 0;  ///< exponent of nm / 7
  double spread_ = 0;
};

}  // namespace carnot::model
