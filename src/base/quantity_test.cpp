// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/quantity.hpp"

#include <gtest/gtest.h>

namespace carnot {

TEST(Quantity, NumbersEnterAndLeaveWithUnits) {
  EXPECT_DOUBLE_EQ((3.0 * kilowatt * (2.0 * hour)).in(kilowatt_hour), 6.0);
  EXPECT_DOUBLE_EQ((1.0 * kilowatt_hour).in(joule), 3.6e6);
  EXPECT_DOUBLE_EQ((90.0 * euro_per_megawatt_hour * (2.0 * megawatt_hour)).in(euro), 180.0);
}

TEST(Quantity, LandauerBoundAtRoomTemperature) {
  // 2.871e-21 J at 300 K; 0.017920 eV.
  EXPECT_NEAR((landauer_bound(300.0 * kelvin) * bit).in(joule), 2.87098e-21, 1e-26);
  EXPECT_NEAR((landauer_bound(300.0 * kelvin) * bit).in(electronvolt), 0.0179193, 1e-6);
}

}  // namespace carnot
