// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: what people see, line by line and against the form once agreed on.

#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace carnot::report {

inline std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

/// \param name  of a file in testdata. To renew it after a change of the form, set
///              CARNOT_GOLDEN_UPDATE=1 and read the difference
inline void expect_golden(const std::string& name, const std::string& now) {
  const std::string path = std::string(CARNOT_SOURCE_DIR) + "/src/report/testdata/" + name;
  if (std::getenv("CARNOT_GOLDEN_UPDATE") != nullptr) std::ofstream(path, std::ios::binary) << now;
  std::ifstream file(path, std::ios::binary);
  ASSERT_TRUE(file.good()) << path;
  std::ostringstream agreed;
  agreed << file.rdbuf();
  EXPECT_EQ(now, agreed.str());
}

}  // namespace carnot::report
