// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal/crc32c.hpp"

#include <array>
#include <cstring>

#include "carnot/ledger/journal/journal.hpp"

#include "ledger/entry/codec.hpp"

#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

namespace carnot::ledger {
namespace {

constexpr std::uint32_t kReversedPolynomial = 0x82F63B78u;  // 0x1EDC6F41, bits mirrored

using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

// tables[k][b]: what byte b does to the register once k more bytes have passed.
constexpr Tables make_tables() {
  Tables tables{};
  for (std::uint32_t b = 0; b < 256; ++b) {
    std::uint32_t r = b;
    for (int i = 0; i < 8; ++i) r = (r >> 1) ^ ((r & 1) ? kReversedPolynomial : 0);
    tables[0][b] = r;
  }
  for (std::size_t k = 1; k < 8; ++k)
    for (std::size_t b = 0; b < 256; ++b) {
      const std::uint32_t r = tables[k - 1][b];
      tables[k][b] = (r >> 8) ^ tables[0][r & 0xff];
    }
  return tables;
}

constexpr Tables kTables = make_tables();

}  // namespace

std::uint32_t detail::crc32c_table(std::span<const std::uint8_t> bytes,
                                   std::uint32_t previous) noexcept {
  std::uint32_t r = ~previous;
  const std::uint8_t* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    const std::uint64_t word = load_little<std::uint64_t>(p) ^ r;
    r = 0;
    for (std::size_t k = 0; k < 8; ++k) r ^= kTables[7 - k][(word >> (8 * k)) & 0xff];
  }
  for (; n > 0; --n) r = (r >> 8) ^ kTables[0][(r ^ *p++) & 0xff];
  return ~r;
}

#if defined(__x86_64__)

bool detail::crc32c_has_hardware() noexcept { return __builtin_cpu_supports("sse4.2"); }

__attribute__((target("sse4.2"))) std::uint32_t detail::crc32c_hardware(
    std::span<const std::uint8_t> bytes, std::uint32_t previous) noexcept {
  std::uint64_t r = ~previous;
  const std::uint8_t* p = bytes.data();
  std::size_t n = bytes.size();
  for (; n >= 8; n -= 8, p += 8) {
    std::uint64_t word;
    std::memcpy(&word, p, sizeof word);
    r = _mm_crc32_u64(r, word);
  }
  auto tail = static_cast<std::uint32_t>(r);
  for (; n > 0; --n) tail = _mm_crc32_u8(tail, *p++);
  return ~tail;
}

#else

bool detail::crc32c_has_hardware() noexcept { return false; }

std::uint32_t detail::crc32c_hardware(std::span<const std::uint8_t> bytes,
                                      std::uint32_t previous) noexcept {
  return crc32c_table(bytes, previous);
}

#endif

std::uint32_t crc32c(std::span<const std::uint8_t> bytes, std::uint32_t previous) noexcept {
  static const auto chosen =
      detail::crc32c_has_hardware() ? detail::crc32c_hardware : detail::crc32c_table;
  return chosen(bytes, previous);
}

}  // namespace carnot::ledger
