// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/clock_rate.hpp"

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

#include "base/testing_files.hpp"

namespace carnot::measure {
namespace {

namespace fs = std::filesystem;

/// A sysfs with cpufreq policies, in a folder of its own.
class FrequencyTest : public ::testing::Test {
 protected:
  void policy(int n, int least, int greatest, int low, int high, const std::string& listed = "") {
    const fs::path folder = folder_of(n);
    fs::create_directories(folder);
    write_file(folder / "cpuinfo_min_freq", std::to_string(least) + "\n");
    write_file(folder / "cpuinfo_max_freq", std::to_string(greatest) + "\n");
    write_file(folder / "scaling_min_freq", std::to_string(low) + "\n");
    write_file(folder / "scaling_max_freq", std::to_string(high) + "\n");
    if (!listed.empty()) write_file(folder / "scaling_available_frequencies", listed + "\n");
  }
  fs::path folder_of(int n) const {
    return root_ / "devices/system/cpu/cpufreq" / ("policy" + std::to_string(n));
  }
  // A shorter number leaves the tail of a longer one in a plain file; sysfs does not.
  int limit(int n, const char* which) const { return std::stoi(read_file(folder_of(n) / which)); }
  const TemporaryFolder folder_;
  const fs::path root_ = folder_.path();
};

TEST_F(FrequencyTest, SetsEveryPolicyAndPutsBackWhatItFound) {
  policy(0, 1000000, 4000000, 1200000, 3800000);
  policy(1, 1000000, 4000000, 1500000, 4000000);
  {
    FrequencyLimit limit_of(root_.string());
    limit_of.set(2.0e9);
    for (const int n : {0, 1}) {
      EXPECT_EQ(limit(n, "scaling_min_freq"), 2000000);
      EXPECT_EQ(limit(n, "scaling_max_freq"), 2000000);
    }
    limit_of.set(4.0e9);
    EXPECT_EQ(limit(1, "scaling_min_freq"), 4000000);
  }
  EXPECT_EQ(limit(0, "scaling_min_freq"), 1200000);
  EXPECT_EQ(limit(0, "scaling_max_freq"), 3800000);
  EXPECT_EQ(limit(1, "scaling_min_freq"), 1500000);
  EXPECT_EQ(limit(1, "scaling_max_freq"), 4000000);
}

TEST_F(FrequencyTest, OffersTheRatesThatAllPoliciesList) {
  policy(0, 1000000, 4000000, 1000000, 4000000, "4000000 3000000 2000000 1000000");
  policy(1, 1000000, 4000000, 1000000, 4000000, "3000000 1000000 3500000");
  EXPECT_EQ(FrequencyLimit(root_.string()).rates(), (std::vector<double>{1e9, 3e9}));
}

TEST_F(FrequencyTest, OffersEqualStepsWhereTheDriverListsNone) {
  policy(0, 1000000, 4000000, 1000000, 4000000);
  policy(4, 2000000, 3000000, 2000000, 3000000);
  EXPECT_EQ(FrequencyLimit(root_.string()).rates(3), (std::vector<double>{2e9, 2.5e9, 3e9}));
}

TEST_F(FrequencyTest, RefusesRatesNoProcessorHas) {
  policy(0, 1000000, 4000000, 1000000, 4000000);
  FrequencyLimit limit_of(root_.string());
  EXPECT_THROW(limit_of.set(0.5e9), InputError);
  EXPECT_THROW(limit_of.set(4.5e9), InputError);
  EXPECT_EQ(limit(0, "scaling_min_freq"), 1000000);
}

TEST_F(FrequencyTest, SaysThatAMachineHasNoClockRateToSet) {
  EXPECT_THROW(FrequencyLimit(root_.string()), DeviceError);
  policy(0, 1000000, 4000000, 1000000, 4000000);
  write_file(folder_of(0) / "cpuinfo_min_freq", "<unknown>\n");
  EXPECT_THROW(FrequencyLimit(root_.string()), DeviceError);
}

}  // namespace
}  // namespace carnot::measure
