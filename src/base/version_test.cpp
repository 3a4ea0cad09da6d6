// SPDX-License-Identifier: Apache-2.0
#include "carnot/base/version.hpp"

#include <regex>
#include <string>

#include <gtest/gtest.h>

namespace carnot::inline base {

TEST(Version, IsThatOfTheProject) {
  EXPECT_EQ(kVersion, CARNOT_PROJECT_VERSION);
  EXPECT_TRUE(std::regex_match(std::string(kVersion), std::regex(R"(\d+\.\d+\.\d+)")));
}

}  // namespace carnot::inline base
