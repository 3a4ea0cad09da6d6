// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Energy units of RAPL's 32-bit registers. The kernel converts them to microjoules as
/// floor(raw * unit_nj / 1000) with whole nanojoules (intel_rapl_common.c).

#include <array>
#include <cstdint>

namespace carnot::meter {

/// Units met in hardware, whole nanojoules as the kernel truncates them, ascending: 2^-16 J
/// (Haswell and later, AMD), 15.3 uJ (DRAM of servers), 2^-15 J, 2^-14 J (most of Intel), 2^-10 J,
/// 1 J (psys of Sapphire and Emerald Rapids).
inline constexpr std::array<std::uint64_t, 6> kRaplUnitsNj = {15'258, 15'300,  30'517,
                                                              61'035, 976'562, 1'000'000'000};

}  // namespace carnot::meter
