// SPDX-License-Identifier: Apache-2.0
//
// Batteries: <sysfs>/class/power_supply. While a battery discharges, what it gives is what the
// whole machine draws; on mains it says nothing about the machine. All batteries of the machine are
// one domain: they take turns. The sign of a current differs between drivers and is ignored.

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <filesystem>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "carnot/meter/counters/source.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/counters/plain_text.hpp"
#include "meter/sources/hwmon_attributes.hpp"
#include "meter/sources/sensor_read.hpp"

namespace carnot::meter {
namespace {

namespace fs = std::filesystem;

// Embedded controllers renew their figures every few seconds at most; fuel gauges are specified to
// a few percent of the current. Assumed where the driver says nothing, and none does.
constexpr Duration kUpdatePeriod = Duration::seconds(2);
constexpr Gain kAssumedGain{0.95, 1.05};

struct Battery {
  std::string name;
  PinnedFile status;
  PinnedFile power;             // uW
  PinnedFile voltage, current;  // uV, uA; where there is no power

  bool measures() const {
    return status.is_open() && (power.is_open() || (voltage.is_open() && current.is_open()));
  }
};

bool read_value(PinnedFile& file, double& value, int& error) noexcept {
  std::array<char, 40> buffer;
  std::int64_t whole = 0;
  const std::string_view text = file.read(buffer);
  error = file.error();
  if (error == 0 && !parse_decimal(text, whole)) error = EBADMSG;
  value = static_cast<double>(whole);
  return error == 0;
}

class BatterySource final : public Source {
 public:
  explicit BatterySource(std::vector<Battery> batteries) : batteries_(std::move(batteries)) {
    Domain domain;
    for (const Battery& battery : batteries_)
      domain.label += (domain.label.empty() ? "" : "+") + battery.name;
    domain.id = "battery/" + domain.label;
    domain.source = "battery";
    domain.kind = DomainKind::Battery;
    domain.boundary = Boundary::Node;
    domain.is_counter = false;
    domain.gauge.update_period = kUpdatePeriod;
    domain.gauge.gain = kAssumedGain;
    domains_.push_back(std::move(domain));
  }

  std::string_view name() const noexcept override { return "battery"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    const Stamp before = Stamp::now();
    Reading& reading = readings[0];
    reading = Reading{};
    reading.gain = kAssumedGain;
    bool discharging = false;
    for (Battery& battery : batteries_) {
      const PollStatus status = add(battery, reading, discharging);
      if (status == PollStatus::Ok) continue;
      reading.status = status;
      reading.at = middle(before, Stamp::now());
      return;
    }
    reading.at = middle(before, Stamp::now());
    reading.status = discharging ? PollStatus::Ok : PollStatus::Retry;
    if (!discharging) reading.error = ENODATA;  // on mains
  }

 private:
  static PollStatus add(Battery& battery, Reading& reading, bool& discharging) noexcept {
    std::array<char, 40> buffer;
    std::string_view state = battery.status.read(buffer);
    reading.error = battery.status.error();
    if (reading.error != 0) return sensor_status(reading.error);
    state = state.substr(0, state.find('\n'));
    if (state == "Charging") {  // mains feed both the machine and this one
      reading.error = ENODATA;
      return PollStatus::Retry;
    }
    if (state != "Discharging") return PollStatus::Ok;  // full, idle or unknown: gives nothing

    double first = 0, second = 1e6;
    const bool direct = battery.power.is_open();
    if (!read_value(direct ? battery.power : battery.voltage, first, reading.error) ||
        (!direct && !read_value(battery.current, second, reading.error)))
      return sensor_status(reading.error);
    reading.power += std::abs(first * second) * 1e-12 * watt;
    discharging = true;
    return PollStatus::Ok;
  }

  std::vector<Battery> batteries_;
  std::vector<Domain> domains_;
};

}  // namespace

std::unique_ptr<Source> open_battery(const SourceOptions& options, std::vector<Note>& notes) {
  std::vector<Battery> batteries;
  std::error_code ignored;
  const fs::path root = fs::path(options.sysfs_root) / "class/power_supply";
  for (fs::directory_iterator it(root, ignored), end; it != end; it.increment(ignored)) {
    const fs::path folder = it->path();
    const auto text = [&](const char* file) { return first_line((folder / file).string()); };
    // Scope Device: a mouse or a headset, not this machine.
    if (text("type") != "Battery" || text("scope") == "Device" || text("present") == "0") continue;
    const auto pin = [&](const char* file) {
      PinnedFile pinned((folder / file).string());
      double value = 0;
      int error = 0;
      // Some drivers keep a file they cannot fill.
      if (pinned.is_open() && !read_value(pinned, value, error) && error == ENODEV)
        return PinnedFile();
      return pinned;
    };
    Battery battery{folder.filename().string(), PinnedFile((folder / "status").string()),
                    pin("power_now"), pin("voltage_now"), pin("current_now")};
    if (battery.measures()) {
      batteries.push_back(std::move(battery));
    } else {
      notes.push_back({"battery", battery.name + " tells neither its power nor its current", ""});
    }
  }
  if (batteries.empty()) return nullptr;
  std::sort(batteries.begin(), batteries.end(),
            [](const Battery& a, const Battery& b) { return a.name < b.name; });
  return std::make_unique<BatterySource>(std::move(batteries));
}

}  // namespace carnot::meter
