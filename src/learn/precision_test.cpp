// SPDX-License-Identifier: Apache-2.0
#include "carnot/learn/precision.hpp"

#include <gtest/gtest.h>

TEST(Precision, Parses) { EXPECT_EQ(carnot::learn::Precision::parse("int4").master, 8); }
