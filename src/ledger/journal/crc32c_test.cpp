// SPDX-License-Identifier: Apache-2.0
#include "ledger/journal/crc32c.hpp"

#include <algorithm>
#include <numeric>
#include <string_view>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/ledger/journal/journal.hpp"

namespace carnot::ledger {
namespace {

using Bytes = std::vector<std::uint8_t>;

// The definition, bit by bit.
std::uint32_t plain_crc32c(const Bytes& bytes) {
  std::uint32_t r = 0xffffffffu;
  for (const std::uint8_t b : bytes) {
    r ^= b;
    for (int i = 0; i < 8; ++i) r = (r & 1) ? (r >> 1) ^ 0x82F63B78u : r >> 1;
  }
  return ~r;
}

// RFC 3720 (iSCSI), appendix B.4. The RFC prints the checksum's bytes in order of transmission,
// least significant first.
TEST(Crc32c, GivesTheVectorsOfRfc3720) {
  Bytes counting(32);
  std::iota(counting.begin(), counting.end(), std::uint8_t{0});
  Bytes falling(counting.rbegin(), counting.rend());
  Bytes read_command(48, 0);
  read_command[0] = 0x01;
  read_command[1] = 0xc0;
  read_command[16] = 0x14;
  read_command[22] = 0x04;
  read_command[27] = 0x14;
  read_command[31] = 0x18;
  read_command[32] = 0x28;
  read_command[40] = 0x02;
  const std::pair<Bytes, std::uint32_t> vectors[] = {
      {Bytes(32, 0x00), 0x8a9136aau}, {Bytes(32, 0xff), 0x62a8ab43u}, {counting, 0x46dd794eu},
      {falling, 0x113fdb5cu},         {read_command, 0xd9963a56u},
  };
  for (const auto& [bytes, expected] : vectors) {
    EXPECT_EQ(crc32c(bytes), expected);
    EXPECT_EQ(detail::crc32c_table(bytes, 0), expected);
    if (detail::crc32c_has_hardware()) {
      EXPECT_EQ(detail::crc32c_hardware(bytes, 0), expected);
    }
  }
}

TEST(Crc32c, GivesTheCommonCheckValue) {
  const std::string_view digits = "123456789";
  EXPECT_EQ(crc32c(Bytes(digits.begin(), digits.end())), 0xe3069283u);
  EXPECT_EQ(crc32c({}), 0u);
}

RC_GTEST_PROP(Crc32c, AllVersionsAgreeWithTheDefinitionAndChain, (const Bytes& bytes)) {
  const std::uint32_t expected = plain_crc32c(bytes);
  const auto cut = *rc::gen::inRange<std::size_t>(0, bytes.size() + 1);
  const auto front = std::span(bytes).first(cut), back = std::span(bytes).subspan(cut);
  RC_ASSERT(crc32c(bytes) == expected);
  RC_ASSERT(crc32c(back, crc32c(front)) == expected);
  RC_ASSERT(detail::crc32c_table(back, detail::crc32c_table(front, 0)) == expected);
  if (detail::crc32c_has_hardware()) {
    RC_ASSERT(detail::crc32c_hardware(back, detail::crc32c_hardware(front, 0)) == expected);
  }
}

}  // namespace
}  // namespace carnot::ledger
