// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/burn.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::measure {
namespace {

TEST(Burn, UsesTheStatedShareOfOneProcessor) {
  // A neighbour may take time from us but never gives any: the share is an upper bound at all
  // times and met on the best of a few tries.
  double best = 0.0;
  for (int i = 0; i < 20 && best < 0.27; ++i) {
    const BurnResult r = burn({.threads = 1, .share = 0.3, .length = 0.3 * second});
    EXPECT_GE(r.length.in(second), 0.3);
    best = std::max(best, r.cpu / r.length);
    EXPECT_LE(r.cpu / r.length, 0.34);
  }
  EXPECT_GE(best, 0.27);
}

TEST(Burn, DoesTheStatedWorkWhateverTheThreadsAndTheShare) {
  for (const int threads : {1, 3}) {
    const BurnResult r = burn({.threads = threads, .units = 50});
    EXPECT_EQ(r.units, 50U);
    EXPECT_EQ(r.threads, threads);
  }
  EXPECT_EQ(burn({.threads = 1, .share = 0.5, .units = 20}).units, 20U);
}

TEST(Burn, TwiceTheWorkIsTwiceTheProcessorTime) {
  double best = 1e9;
  for (int i = 0; i < 5; ++i) {
    const double one = burn({.threads = 1, .units = 40}).cpu.in(second);
    const double two = burn({.threads = 1, .units = 80}).cpu.in(second);
    best = std::min(best, std::abs(two / one - 2.0));
  }
  EXPECT_LT(best, 0.3);
}

TEST(Burn, SleepsAtShareZero) {
  const BurnResult r = burn({.threads = 2, .share = 0.0, .length = 0.05 * second});
  EXPECT_GE(r.length.in(second), 0.05);
  EXPECT_LT(r.cpu.in(second), 0.01);
  EXPECT_EQ(r.units, 0U);
}

TEST(Burn, RefusesWhatCannotBeMeant) {
  EXPECT_THROW(burn({}), InputError);
  EXPECT_THROW(burn({.length = 1.0 * second, .units = 1}), InputError);
  EXPECT_THROW(burn({.share = 1.1, .length = 1.0 * second}), InputError);
  EXPECT_THROW(burn({.share = 0.0, .units = 1}), InputError);
  EXPECT_THROW(burn({.threads = -1, .units = 1}), InputError);
}

}  // namespace
}  // namespace carnot::measure
