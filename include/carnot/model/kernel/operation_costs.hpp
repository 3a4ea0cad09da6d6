// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What an operation and a byte cost on a chip of the catalogue: the joules and rates that learners
/// price their exact counts with. Three kinds of chip answer, each from what is known of it.
///
/// *Circuits* whose operations are published (`op.*`, `byte.*`: "asic-45nm", "asic-7nm", a user's
/// own). Sums of circuits; multipliers grow with the square of their width:
///
///     f32_mac          fp32 multiply + fp32 add
///     bf16_mac         bf16 (or fp16) multiply + fp32 add, within a factor of 2
///     int8_mac         int8 multiply + int32 add
///     int4_mac         int8 multiply / 4 + int32 add, within a factor of 2
///     int2_mac         int8 multiply / 16 + int32 add, within a factor of 2
///     f32_elementwise  mean of fp32 add and multiply, between the two
///     rounding         fp32 multiply, fp32 add and integer compare; least: scales are powers of
///     two special          six fp32 multiply-accumulates of a polynomial, within a factor of 2
///     int32_add        int32 add
///     cache, dram      a byte of the 1 MB SRAM, of the DRAM
///
/// They have no speed of their own: rates are the peaks of a card, an A100 of 40 GB (2020), a
/// multiply-accumulate being two operations of a peak; special functions a quarter of elementwise;
/// a second-level cache of 5 TB/s (assumed).
///
/// *Cards that the kernel model knows or can predict* (kernel_energy.hpp). Products: joules and
/// seconds of a square product of 8192 a multiply-accumulate, launch, memory and static power
/// included, in bfloat16, FP8 for eight bits and NVFP4 for four and two where the card multiplies
/// that; where it does not, fewer bits cost what the next more do, and save memory alone. f32 is
/// IEEE binary32, outside the tensor units, which was not measured: the card's limit over its fp32
/// peak, within a factor of 1.5. Elementwise operations: half of that each, rounding two and
/// special functions twelve. A byte of DRAM: a conversion of 2^30 elements, which memory bounds. A
/// byte of cache lies between the published SRAM at 7 nm and that (geometric mean), at twice its
/// rate (assumed). Energies of kernels carry the kernel model's interval.
///
/// *Others* are refused: what is missing is named.
///
/// Pure functions of the catalogue.

#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/quantity.hpp"
#include "carnot/model/catalogue/chips.hpp"

namespace carnot::model {

struct OperationCost {
  std::string key;          ///< "f32_mac" ... "dram", as above
  Energy energy;            ///< of one operation or byte
  Energy low, high;         ///< 90 %
  double per_second = 0.0;  ///< operations or bytes a second of one card
  Grade grade = Grade::Derived;
  std::string source;  ///< "horowitz-2014", "h200-sxm: gemm|bfloat16|*|h200-sxm (modelled)"
};

/// In the order of the list above. \throws InputError naming the chip and what it lacks
std::vector<OperationCost> operation_costs(const Chip& chip);

}  // namespace carnot::model
