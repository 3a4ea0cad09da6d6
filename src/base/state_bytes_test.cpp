// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/state_bytes.hpp"

#include <cmath>
#include <cstring>
#include <new>

#include <gtest/gtest.h>

#include "carnot/base/instant.hpp"
#include "carnot/base/limits.hpp"

namespace carnot {
namespace {

struct Inner {
  bool first;
  std::uint16_t second;
};

struct Padded {
  double value;
  bool flag;
  Inner inner;
  std::int64_t count;
};
static_assert(sizeof(Padded) >
                  sizeof(double) + 2 * sizeof(bool) + sizeof(std::uint16_t) + sizeof(std::int64_t),
              "the test wants holes");

/// The same state in memory that held other things before.
std::vector<std::uint8_t> bytes_on(unsigned char before) {
  alignas(Padded) unsigned char memory[sizeof(Padded)];
  std::memset(memory, before, sizeof memory);
  auto* p = new (memory) Padded;
  p->value = 0.1;
  p->flag = true;
  p->inner.first = false;
  p->inner.second = 7;
  p->count = -3;
  StateWriter w;
  w.value(*p);
  w.sequence(std::vector<Padded>{*p, *p});
  return w.take();
}

TEST(StateBytes, EqualStatesGiveEqualBytesWhateverTheMemoryHeld) {
  const std::vector<std::uint8_t> zeros = bytes_on(0x00), ones = bytes_on(0xff);
  EXPECT_EQ(zeros, ones);
}

TEST(StateBytes, WhatIsWrittenIsReadInOrder) {
  StateWriter w;
  w.value(std::uint8_t{200});
  w.value(Instant::from_date(2024, 2, 29));
  w.text("wind");
  w.sequence(std::vector<double>{0.5, -0.0, kInfinity});
  const std::vector<std::uint8_t> bytes = w.take();
  StateReader r(bytes);
  EXPECT_EQ(r.value<std::uint8_t>(), 200);
  EXPECT_EQ(r.value<Instant>(), Instant::from_date(2024, 2, 29));
  EXPECT_EQ(r.text(), "wind");
  const std::vector<double> back = r.sequence<double>();
  ASSERT_EQ(back.size(), 3U);
  EXPECT_TRUE(std::signbit(back[1]));
  EXPECT_EQ(back[2], kInfinity);
  EXPECT_NO_THROW(r.end());
}

TEST(StateBytes, EveryShorterOrLongerTextIsRefused) {
  StateWriter w;
  w.text("calm");
  w.sequence(std::vector<std::uint32_t>{1, 2, 3});
  const std::vector<std::uint8_t> whole = w.take();
  const auto read = [](const std::vector<std::uint8_t>& bytes) {
    StateReader r(bytes);
    r.text();
    r.sequence<std::uint32_t>();
    r.end();
  };
  EXPECT_NO_THROW(read(whole));
  for (std::size_t n = 0; n < whole.size(); ++n)
    EXPECT_THROW(read({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(n)}), InputError)
        << n;
  std::vector<std::uint8_t> longer = whole;
  longer.push_back(0);
  EXPECT_THROW(read(longer), InputError);
  std::vector<std::uint8_t> lying = whole;
  lying[0] = 0xff;
  lying[7] = 0xff;
  EXPECT_THROW(read(lying), InputError);
}

}  // namespace
}  // namespace carnot
