// SPDX-License-Identifier: Apache-2.0
#include "carnot/measure/clock_rate.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <sstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "carnot/base/error.hpp"
#include "carnot/base/file.hpp"

namespace carnot::measure {

namespace {

namespace fs = std::filesystem;

std::uint64_t read_khz(const std::string& path) {
  const std::string text = read_file(path);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || value == 0)
    throw DeviceError(fmt::format("{}: no clock rate in kHz: `{}`", path, text.substr(0, 40)));
  return value;
}

/// 0 or the errno. The kernel takes a limit in one write.
int write_khz(const std::string& path, std::uint64_t khz) noexcept {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  char text[24];
  const int length =
      std::snprintf(text, sizeof text, "%llu\n", static_cast<unsigned long long>(khz));
  const ssize_t written = ::write(fd, text, static_cast<std::size_t>(length));
  const int error = written == length ? 0 : (written < 0 ? errno : EIO);
  ::close(fd);
  return error;
}

/// Both limits, in the order that never has the least above the greatest.
int write_limits(const std::string& folder, std::uint64_t min_khz, std::uint64_t max_khz,
                 std::uint64_t current_min_khz) noexcept {
  const std::string low = folder + "/scaling_min_freq", high = folder + "/scaling_max_freq";
  if (max_khz < current_min_khz) {
    const int error = write_khz(low, min_khz);
    return error != 0 ? error : write_khz(high, max_khz);
  }
  const int error = write_khz(high, max_khz);
  return error != 0 ? error : write_khz(low, min_khz);
}

}  // namespace

FrequencyLimit::FrequencyLimit(const std::string& sysfs_root) {
  const std::string root = sysfs_root + "/devices/system/cpu/cpufreq";
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root, none)) {
    const std::string folder = entry.path().string();
    if (!entry.path().filename().string().starts_with("policy")) continue;
    Policy policy;
    policy.folder = folder;
    policy.least_khz = read_khz(folder + "/cpuinfo_min_freq");
    policy.greatest_khz = read_khz(folder + "/cpuinfo_max_freq");
    policy.found_min_khz = read_khz(folder + "/scaling_min_freq");
    policy.found_max_khz = read_khz(folder + "/scaling_max_freq");
    if (fs::exists(folder + "/scaling_available_frequencies", none)) {
      std::istringstream listed(read_file(folder + "/scaling_available_frequencies"));
      for (std::uint64_t khz = 0; listed >> khz;) policy.listed_khz.push_back(khz);
      std::sort(policy.listed_khz.begin(), policy.listed_khz.end());
    }
    if (::access((folder + "/scaling_max_freq").c_str(), W_OK) != 0)
      throw DeviceError(
          fmt::format("{}/scaling_max_freq: {}; the clock rate is root's to set: run with sudo",
                      folder, std::strerror(errno)));
    policies_.push_back(std::move(policy));
  }
  if (policies_.empty())
    throw DeviceError(
        fmt::format("{}: this machine does not let its clock rate be set (no cpufreq: usual in "
                    "virtual machines)",
                    root));
  std::sort(policies_.begin(), policies_.end(),
            [](const Policy& a, const Policy& b) { return a.folder < b.folder; });
}

FrequencyLimit::~FrequencyLimit() { restore(); }

std::vector<double> FrequencyLimit::rates(int count) const {
  std::uint64_t least = 0, greatest = UINT64_MAX;
  for (const Policy& p : policies_) {
    least = std::max(least, p.least_khz);
    greatest = std::min(greatest, p.greatest_khz);
  }
  std::vector<double> out;
  for (const std::uint64_t khz : policies_.front().listed_khz) {
    const bool everywhere = std::all_of(policies_.begin(), policies_.end(), [&](const Policy& p) {
      return std::binary_search(p.listed_khz.begin(), p.listed_khz.end(), khz);
    });
    if (everywhere) out.push_back(1e3 * static_cast<double>(khz));
  }
  if (!out.empty()) return out;
  const int steps = std::max(count, 2) - 1;
  for (int i = 0; i <= steps && greatest >= least; ++i)
    out.push_back(1e3 *
                  (static_cast<double>(least) + static_cast<double>(greatest - least) * i / steps));
  return out;
}

void FrequencyLimit::set(double hz) {
  const auto wanted = static_cast<std::uint64_t>(std::max(hz, 0.0) / 1e3 + 0.5);
  for (const Policy& p : policies_)
    if (wanted < p.least_khz || wanted > p.greatest_khz)
      throw InputError(fmt::format("clock rate: {:.3g} ... {:.3g} GHz ({})",
                                   1e-6 * static_cast<double>(p.least_khz),
                                   1e-6 * static_cast<double>(p.greatest_khz), p.folder));
  changed_ = true;
  for (const Policy& p : policies_) {
    const std::uint64_t now = read_khz(p.folder + "/scaling_min_freq");
    if (const int error = write_limits(p.folder, wanted, wanted, now); error != 0)
      throw DeviceError(
          fmt::format("{}: setting {} kHz: {}", p.folder, wanted, std::strerror(error)));
  }
}

void FrequencyLimit::restore() noexcept {
  if (!changed_) return;
  for (const Policy& p : policies_)
    write_limits(p.folder, p.found_min_khz, p.found_max_khz, p.found_max_khz + 1);
  changed_ = false;
}

}  // namespace carnot::measure
