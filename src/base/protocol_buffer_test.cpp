// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/protocol_buffer.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "carnot/base/hash.hpp"

namespace carnot {
namespace {

// Encodings that the documentation of Protocol Buffers works out by hand.
TEST(ProtocolBuffer, IsThatOfItsDocumentation) {
  ProtocolBuffer m;
  m.number(1, 150);
  EXPECT_EQ(m.bytes(), "\x08\x96\x01");
  ProtocolBuffer text;
  text.text(2, "testing");
  EXPECT_EQ(text.bytes(), "\x12\x07testing");
  ProtocolBuffer outer;
  outer.message(3, m);
  EXPECT_EQ(outer.bytes(), "\x1a\x03\x08\x96\x01");
  ProtocolBuffer minus;
  minus.integer(1, -2);
  EXPECT_EQ(minus.bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01");
  ProtocolBuffer reals;
  reals.real32(1, 1.0f);
  reals.real(16, 1.0);
  EXPECT_EQ(reals.bytes(),
            std::string("\x0d\x00\x00\x80\x3f\x81\x01\x00\x00\x00\x00\x00\x00\xf0\x3f", 15));
}

RC_GTEST_PROP(ProtocolBuffer, NumbersComeBack, (std::uint64_t value)) {
  ProtocolBuffer m;
  m.number(1, value);
  std::uint64_t read = 0;
  int shift = 0;
  for (const char c : m.bytes().substr(1)) {
    read |= (static_cast<std::uint64_t>(static_cast<unsigned char>(c)) & 0x7f) << shift;
    shift += 7;
  }
  RC_ASSERT(read == value);
  ProtocolBuffer twice;
  twice.append(m);
  twice.append(m);
  RC_ASSERT(twice.bytes() == m.bytes() + m.bytes());
}

// Test vectors of the FNV page of Landon Curt Noll.
TEST(Fnv1a, IsThePublishedOne) {
  EXPECT_EQ(fnv1a(""), 0xcbf29ce484222325u);
  EXPECT_EQ(fnv1a("a"), 0xaf63dc4c8601ec8cu);
  EXPECT_EQ(fnv1a("foobar"), 0x85944171f73967e8u);
}

}  // namespace
}  // namespace carnot
