// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The two ways to compute CRC-32C, apart so that tests can hold one against the other. Both take
/// and return the finished checksum, as `crc32c` does.

#include <cstdint>
#include <span>

namespace carnot::ledger::detail {

/// Eight tables of 256 (Kounavis and Berry, "A systematic approach to building high performance
/// software-based CRC generators", ISCC 2005): eight bytes a step, any machine.
std::uint32_t crc32c_table(std::span<const std::uint8_t> bytes, std::uint32_t previous) noexcept;

/// Whether this processor has the SSE4.2 instruction.
bool crc32c_has_hardware() noexcept;
/// Precondition: crc32c_has_hardware().
std::uint32_t crc32c_hardware(std::span<const std::uint8_t> bytes, std::uint32_t previous) noexcept;

}  // namespace carnot::ledger::detail
