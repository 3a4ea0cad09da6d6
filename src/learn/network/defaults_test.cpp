// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/network/defaults.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace carnot::learn {
namespace {

TrainingDefaults of(std::size_t rows, std::size_t classes = 2) {
  Dataset data;
  data.rows = rows;
  data.classes = classes;
  return training_defaults(data);
}

TEST(TrainingDefaults, SmallTablesAreSeenOftenInSmallMinibatches) {
  EXPECT_EQ(of(12).batch, 8u);
  EXPECT_EQ(of(5).batch, 5u);
  EXPECT_EQ(of(111).batch, 8u);
  EXPECT_EQ(of(111).epochs, 74.0);
  EXPECT_EQ(of(1024).batch, 64u);
  EXPECT_EQ(of(1024).epochs, 8.0);
  EXPECT_EQ(of(1000000).epochs, 8.0);
  EXPECT_EQ(of(100, 0).learning_rate, 0.05);
  EXPECT_EQ(of(100, 2).learning_rate, 0.3);
}

RC_GTEST_PROP(TrainingDefaults, FitAnyNumberOfRows, ()) {
  const auto rows = *rc::gen::inRange<std::size_t>(1, 5000);
  const TrainingDefaults d = of(rows);
  RC_ASSERT(d.batch >= 1 && d.batch <= rows);
  RC_ASSERT(d.epochs >= 8.0);
  RC_ASSERT(d.epochs * static_cast<double>(rows) >= 8192.0);
}

}  // namespace
}  // namespace carnot::learn
