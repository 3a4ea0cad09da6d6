// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// The clock rate of the processors as a setting: cpufreq's limits, put back as they were.
///
/// Setting f writes scaling_min_freq and scaling_max_freq of every policy to the nearest rate it
/// allows (cpuinfo_min_freq ... cpuinfo_max_freq), in the order that keeps min <= max at every
/// moment. The limits found are written back by `restore` and by the destructor. A process killed
/// with -9 leaves them. One thread at a time.

#include <cstdint>
#include <string>
#include <vector>

namespace carnot::measure {

class FrequencyLimit {
 public:
  /// \throws DeviceError if this machine has no cpufreq or its limits may not be written (in words,
  ///         with what to do)
  explicit FrequencyLimit(const std::string& sysfs_root = "/sys");
  FrequencyLimit(const FrequencyLimit&) = delete;
  FrequencyLimit& operator=(const FrequencyLimit&) = delete;
  ~FrequencyLimit();

  /// Rates all policies can run at, Hz, ascending: those the driver lists, else `count` equal steps
  /// from the least to the greatest.
  std::vector<double> rates(int count = 6) const;
  /// \throws DeviceError if a limit cannot be written; InputError for a rate outside all policies
  void set(double hz);
  void restore() noexcept;

 private:
  struct Policy {
    std::string folder;
    std::uint64_t least_khz = 0, greatest_khz = 0;  // of the hardware
    std::uint64_t found_min_khz = 0, found_max_khz = 0;
    std::vector<std::uint64_t> listed_khz;
  };
  std::vector<Policy> policies_;
  bool changed_ = false;
};

}  // namespace carnot::measure
