// SPDX-License-Identifier: Apache-2.0
#include "carnot/live/export/export_queue.hpp"

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"

namespace carnot::live {
namespace {

Duration at(std::int64_t seconds) { return Duration::seconds(seconds); }

TEST(ExportQueue, SendsInOrderAndForgetsWhatWasTaken) {
  ExportQueue queue;
  EXPECT_EQ(queue.due(at(0)), nullptr);
  queue.add("a");
  queue.add("b");
  ASSERT_EQ(*queue.due(at(0)), "a");
  queue.answered({204, ""}, at(0));
  ASSERT_EQ(*queue.due(at(0)), "b");
  queue.answered({200, ""}, at(0));
  EXPECT_EQ(queue.due(at(0)), nullptr);
  EXPECT_EQ(queue.sent(), 2U);
  EXPECT_EQ(queue.trouble(), "");
}

TEST(ExportQueue, TriesAgainLaterAndLaterWhoeverIsAway) {
  for (const int status : {0, 429, 500, 503}) {
    ExportQueue queue;
    queue.add("a");
    std::int64_t now = 100;
    for (const std::int64_t pause : {1, 2, 4, 8, 16, 32, 60, 60}) {
      ASSERT_NE(queue.due(at(now)), nullptr) << status << " at " << now;
      queue.answered({status, "no"}, at(now));
      EXPECT_EQ(queue.due(at(now + pause - 1)), nullptr) << pause;
      now += pause;
    }
    EXPECT_EQ(queue.waiting(), 1U);
    queue.answered({204, ""}, at(now));
    queue.add("b");
    queue.answered({status, "no"}, at(now));
    EXPECT_NE(queue.due(at(now + 1)), nullptr) << "patience begins anew";
  }
}

TEST(ExportQueue, WhatIsRefusedForGoodMakesWay) {
  ExportQueue queue;
  queue.add("too old");
  queue.add("new");
  queue.answered({400, "out of order sample"}, at(0));
  EXPECT_EQ(queue.trouble(), "400 out of order sample");
  EXPECT_EQ(queue.given_up(), 1U);
  EXPECT_EQ(*queue.due(at(0)), "new");
}

TEST(ExportQueue, HoldsSoManyAndTheOldestGiveWay) {
  ExportQueue queue(3);
  for (int i = 0; i < 10; ++i) queue.add(std::to_string(i));
  EXPECT_EQ(queue.waiting(), 3U);
  EXPECT_EQ(queue.given_up(), 7U);
  EXPECT_EQ(*queue.due(at(0)), "7");
}

TEST(ExportUrl, IsOneOfHttpWithoutSecrets) {
  for (const char* good : {"http://h", "https://h:4318/v1/metrics", "http://[::1]:9090/a@b"})
    EXPECT_NO_THROW(check_export_url(good)) << good;
  for (const char* bad : {"", "h:9090", "http://", "ftp://h", "file:///etc/passwd",
                          "https://user:word@h/", "https://token@h"})
    EXPECT_THROW(check_export_url(bad), InputError) << bad;
}

}  // namespace
}  // namespace carnot::live
