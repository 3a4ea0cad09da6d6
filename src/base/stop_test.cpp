// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/stop.hpp"

#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace carnot::inline base {
namespace {

TEST(Stop, TheEmptyTokenNeverStops) {
  const StopToken none;
  EXPECT_FALSE(none.requested());
  EXPECT_NO_THROW(none.throw_if_requested());
  EXPECT_FALSE(none.limited(0.0).requested());
}

TEST(Stop, WhatSaidYesOnceSaysItForEver) {
  bool asked = false;
  const StopToken stop([&] { return asked; });
  const StopToken copy = stop;
  EXPECT_FALSE(stop.requested());
  asked = true;
  EXPECT_TRUE(stop.requested());
  asked = false;
  EXPECT_TRUE(stop.requested());
  EXPECT_TRUE(copy.requested());
  EXPECT_THROW(copy.throw_if_requested(), Stopped);
}

TEST(Stop, LimitsFollowTheClockOfTheToken) {
  double now = 100.0;
  const StopToken stop([] { return false; }, [&] { return now; });
  const StopToken long_one = stop.within(10.0);
  const StopToken short_one = long_one.within(3.0), beyond = long_one.within(20.0);
  EXPECT_EQ(short_one.now(), 100.0);
  now = 102.999;
  EXPECT_FALSE(short_one.requested());
  now = 103.0;
  EXPECT_TRUE(short_one.requested());
  EXPECT_FALSE(long_one.requested());
  EXPECT_FALSE(beyond.requested());
  now = 110.0;
  EXPECT_TRUE(long_one.requested());
  EXPECT_TRUE(beyond.requested()) << "its parent has stopped";
  EXPECT_FALSE(stop.requested()) << "a limit stops nothing above it";
  EXPECT_FALSE(stop.within(std::numeric_limits<double>::infinity()).requested());
  EXPECT_TRUE(stop.within(0.0).requested());
  EXPECT_TRUE(stop.within(-1.0).requested());
}

TEST(Stop, AReasonReachesWhatWasMadeFromIt) {
  int asked = 0;
  const StopToken stop([&] { return ++asked > 3; });
  const StopToken limited = stop.limited(1e9);
  EXPECT_FALSE(limited.requested());
  EXPECT_FALSE(limited.requested());
  EXPECT_FALSE(limited.requested());
  EXPECT_TRUE(limited.requested());
  EXPECT_EQ(asked, 4);
  EXPECT_TRUE(stop.requested());
  EXPECT_EQ(asked, 4) << "asked no more";
}

TEST(Stop, ManyThreadsMayAsk) {
  std::atomic<int> asked{0};
  const StopToken stop([&] { return ++asked > 1000; });
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([token = stop.within(1e9)] {
      while (!token.requested()) {
      }
    });
  for (std::thread& thread : threads) thread.join();
  EXPECT_TRUE(stop.requested());
}

TEST(Stop, ASparseOneAsksSeldomAndRemembers) {
  int asked = 0;
  SparseStop stop(StopToken([&] { return ++asked > 1; }), 8);
  int turns = 0;
  while (!stop.requested()) ++turns;
  EXPECT_EQ(turns, 8);
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(stop.requested());
  EXPECT_THROW(stop.throw_if_requested(), Stopped);
}

}  // namespace
}  // namespace carnot::inline base
