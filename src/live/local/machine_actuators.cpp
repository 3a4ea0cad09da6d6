// SPDX-License-Identifier: Apache-2.0
// cpufreq, rapl and gpu: settings of the whole machine.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "carnot/meter/power_limit.hpp"

#include "live/local/actuators.hpp"

namespace carnot::live {

namespace {

namespace fs = std::filesystem;

std::optional<double> number_in(const std::string& path) {
  const std::string line = read_line(path);
  long long value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end == line.data()) return std::nullopt;
  return static_cast<double>(value);
}

/// Folders of `above` whose name begins with `prefix`, sorted.
std::vector<std::string> folders(const std::string& above, std::string_view prefix) {
  std::vector<std::string> found;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(above, none)) {
    if (entry.path().filename().string().starts_with(prefix))
      found.push_back(entry.path().string());
  }
  std::sort(found.begin(), found.end());
  return found;
}

/// A file with a whole number that is set within bounds, from what was found.
struct Setting {
  std::string file;
  double found, least, most;
  long written = -1;
};

/// Settings that an order moves; written where they change by 1 % or more.
class Settings : public Actuator {
 protected:
  Settings(ActuatorInfo info, std::vector<Setting> settings)
      : Actuator(std::move(info)), settings_(std::move(settings)) {}

  void put_all(double (*wanted)(const Setting&, double), double order) noexcept {
    for (Setting& s : settings_) {
      // Never above what was found: a cap that somebody else set stays.
      const double value = std::clamp(wanted(s, order), s.least, std::max(s.least, s.found));
      const long whole = std::lround(value);
      if (whole == s.written) continue;
      if (s.written > 0 && std::labs(whole - s.written) * 100 < s.written && value < s.found)
        continue;
      s.written = whole;
      changed(put(s.file.c_str(), std::to_string(whole).c_str()), s.file);
    }
  }
  std::size_t size() const noexcept { return settings_.size(); }

 private:
  std::vector<Setting> settings_;
};

class Cpufreq final : public Settings {
 public:
  using Settings::Settings;
  Cpufreq(ActuatorInfo info, std::vector<Setting> settings)
      : Settings(std::move(info), std::move(settings)) {}
  void apply(const Order& order) noexcept override {
    put_all([](const Setting& s, double share) { return s.least + share * (s.found - s.least); },
            std::clamp(order.clock, 0.0, 1.0));
  }
};

class Rapl final : public Settings {
 public:
  Rapl(ActuatorInfo info, std::vector<Setting> settings)
      : Settings(std::move(info), std::move(settings)) {}
  void apply(const Order& order) noexcept override {
    const double each = 1e6 * order.power.in(watt) / static_cast<double>(size());
    put_all([](const Setting& s, double uw) { return std::min(uw, s.found); }, each);
  }
};

class Gpu final : public Actuator {
 public:
  Gpu(ActuatorInfo info, std::string library, std::vector<meter::GpuPowerLimit> boards)
      : Actuator(std::move(info)), library_(std::move(library)), boards_(std::move(boards)) {
    for (const meter::GpuPowerLimit& board : boards_) set_.push_back(board.limit_mw);
  }
  void apply(const Order& order) noexcept override {
    const double each = 1e3 * order.power.in(watt) / static_cast<double>(boards_.size());
    for (std::size_t i = 0; i < boards_.size(); ++i) {
      const meter::GpuPowerLimit& board = boards_[i];
      const double most = std::max(board.limit_mw, board.least_mw);
      const auto wanted = static_cast<std::uint32_t>(
          std::lround(std::clamp(each, static_cast<double>(board.least_mw), most)));
      const double step = std::abs(static_cast<double>(wanted) - set_[i]);
      // Boards take a limit in some milliseconds: watts, not milliwatts.
      if (step == 0 || (step < 0.01 * set_[i] && wanted != board.limit_mw)) continue;
      std::string why;
      const bool done = meter::put_gpu_power_limit(library_, board.board, wanted, &why);
      if (done) set_[i] = wanted;
      changed(done ? 0 : EIO, fmt::format("power limit of GPU {}: {}", board.board, why));
    }
  }

 private:
  std::string library_;
  std::vector<meter::GpuPowerLimit> boards_;
  std::vector<std::uint32_t> set_;
};

/// What is common to settings that are files: found ones are remembered.
bool usable(const ActuatorSite& site, const std::vector<Setting>& settings, const char* no_files,
            ActuatorInfo& info) {
  if (settings.empty()) {
    info.why = no_files;
    return false;
  }
  for (const Setting& s : settings) {
    if (may_write(s.file)) continue;
    info.why = s.file + " may not be written";
    info.remedy = "root";
    return false;
  }
  info.available = true;
  if (site.restorer == nullptr) return false;
  for (const Setting& s : settings) site.restorer->remember_file(s.file, read_line(s.file));
  return true;
}

}  // namespace

std::unique_ptr<Actuator> make_cpufreq(const ActuatorSite& site, ActuatorInfo& info) {
  std::vector<Setting> settings;
  for (const std::string& policy :
       folders(site.options.sysfs_root + "/devices/system/cpu/cpufreq", "policy")) {
    const std::string file = policy + "/scaling_max_freq";
    const auto found = number_in(file), least = number_in(policy + "/cpuinfo_min_freq"),
               most = number_in(policy + "/cpuinfo_max_freq");
    if (!found || !least || !most) continue;
    settings.push_back({file, *found, *least, *most});
  }
  info.how = fmt::format("scaling_max_freq of {} clocks", settings.size());
  if (!usable(site, settings, "the clocks of this machine cannot be set (no cpufreq)", info))
    return nullptr;
  return std::make_unique<Cpufreq>(info, std::move(settings));
}

std::unique_ptr<Actuator> make_rapl(const ActuatorSite& site, ActuatorInfo& info) {
  std::vector<Setting> settings;
  for (const std::string& zone :
       folders(site.options.sysfs_root + "/class/powercap", "intel-rapl:")) {
    if (!read_line(zone + "/name").starts_with("package")) continue;
    const std::string file = zone + "/constraint_0_power_limit_uw";
    const auto found = number_in(file), least = number_in(zone + "/constraint_0_min_power_uw"),
               most = number_in(zone + "/constraint_0_max_power_uw");
    if (!found || !(*found > 0)) continue;
    // Where no least is stated a tenth: far below it processors throttle to a crawl.
    const double top = most && *most > 0 ? *most : *found;
    settings.push_back({file, *found, least && *least > 0 ? *least : 0.1 * top, top});
  }
  info.how = fmt::format("powercap limit of {} packages", settings.size());
  if (!usable(site, settings, "no power limit of a processor package (no powercap)", info))
    return nullptr;
  return std::make_unique<Rapl>(info, std::move(settings));
}

std::unique_ptr<Actuator> make_gpu(const ActuatorSite& site, ActuatorInfo& info) {
  std::vector<meter::GpuPowerLimit> boards = meter::gpu_power_limits(site.options.nvml, info.why);
  if (boards.empty()) return nullptr;
  info.why.clear();
  info.how = fmt::format("power limit of {} boards", boards.size());
  info.available = true;
  if (site.restorer == nullptr) return nullptr;
  // Whether it may be set is only told by setting: to what it is.
  for (const meter::GpuPowerLimit& board : boards) {
    site.restorer->remember_gpu(site.options.nvml, board.board, board.limit_mw);
    if (meter::put_gpu_power_limit(site.options.nvml, board.board, board.limit_mw, &info.why))
      continue;
    info.available = false;
    info.remedy = "root";
    return nullptr;
  }
  return std::make_unique<Gpu>(info, site.options.nvml, std::move(boards));
}

}  // namespace carnot::live
