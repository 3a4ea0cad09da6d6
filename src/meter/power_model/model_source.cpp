// SPDX-License-Identifier: Apache-2.0
// The power model as a source: utilisation out of /proc/stat, power out of the fitted table.
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "carnot/meter/power_model/power_model.hpp"

#include "meter/counters/pinned_file.hpp"
#include "meter/power_model/power_facts.hpp"

namespace carnot::meter {

namespace {

/// Ticks of all CPUs since boot. Stolen time is neither: others used it.
struct Ticks {
  std::uint64_t busy = 0, idle = 0;
};

bool parse_stat(std::string_view text, Ticks& ticks) noexcept {
  if (text.substr(0, 4) != "cpu ") return false;
  text.remove_prefix(4);
  std::array<std::uint64_t, 7> field{};  // user nice system idle iowait irq softirq
  for (auto& value : field) {
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{}) return false;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  ticks = {field[0] + field[1] + field[2] + field[5] + field[6], field[3] + field[4]};
  return true;
}

constexpr std::int64_t kTickNs = 10'000'000;  // of /proc/stat

class ModelSource final : public Source {
 public:
  ModelSource(const HostFacts& facts, const std::string& procfs_root, Clock& clock)
      : clock_(clock), powers_(log_powers(facts)), stat_(procfs_root + "/stat") {
    const auto half = interpolate(powers_, 0.5);
    const auto full = interpolate(powers_, 1.0);
    Domain domain;
    domain.id = "model/node";
    domain.label = "power model";
    domain.source = "model";
    domain.kind = DomainKind::Model;
    domain.boundary = Boundary::Node;
    domain.origin = Origin::Modelled;
    domain.is_counter = false;
    domain.gauge.window = Duration{};
    domain.gauge.update_period = Duration::nanoseconds(kTickNs);
    domain.gauge.power_cap = std::exp(full.high) * watt;
    domain.gauge.gain = gain_of(half);
    const auto idle = interpolate(powers_, 0.0);
    domain.at_rest = {
        {std::exp(idle.value) * watt, std::exp(idle.low) * watt, std::exp(idle.high) * watt}};
    domains_.push_back(std::move(domain));
    // Until a utilisation has been seen it may be any.
    last_.status = PollStatus::Ok;
    last_.power = std::exp(half.value) * watt;
    last_.gain = {std::exp(std::min(idle.low, half.low) - half.value),
                  std::exp(std::max(full.high, half.high) - half.value)};
    read_ns_ = clock_.now().monotonic_ns;
    read_ticks(before_);  // the first utilisation is that since now
  }

  std::string_view name() const noexcept override { return "model"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }

  void poll(std::span<Reading> readings) noexcept override {
    Reading& reading = readings[0];
    reading = last_;
    reading.at = clock_.now();
    // Less than a tick tells of no utilisation.
    if (reading.at.monotonic_ns - read_ns_ < kTickNs && stat_.is_open()) return;
    Ticks now;
    if (!read_ticks(now)) {
      reading.status = PollStatus::Broken;
      reading.error = stat_.error();
      return;
    }
    read_ns_ = reading.at.monotonic_ns;
    // Idle ticks of a CPU that goes offline and comes back may count backwards.
    const bool forward = now.busy >= before_.busy && now.idle >= before_.idle;
    const double busy = forward ? static_cast<double>(now.busy - before_.busy) : 0;
    const double all = forward ? busy + static_cast<double>(now.idle - before_.idle) : 0;
    if (all > 0) {
      const auto band = interpolate(powers_, busy / all);
      reading.power = std::exp(band.value) * watt;
      reading.gain = gain_of(band);
      last_ = reading;
    }
    if (all > 0 || !forward) before_ = now;
  }

 private:
  static Gain gain_of(const LogBand& band) noexcept {
    return {std::exp(band.low - band.value), std::exp(band.high - band.value)};
  }

  bool read_ticks(Ticks& into) noexcept {
    std::array<char, 512> buffer;
    const auto text = stat_.read(buffer);
    return !text.empty() && parse_stat(text, into);
  }

  Clock& clock_;
  LogPowers powers_;
  PinnedFile stat_;
  std::vector<Domain> domains_;
  Ticks before_;
  std::int64_t read_ns_ = 0;  // CLOCK_MONOTONIC, of the ticks
  Reading last_;              // repeated where no tick has passed
};

}  // namespace

std::unique_ptr<Source> open_model(const HostFacts& facts, const std::string& procfs_root,
                                   Clock& clock) {
  return std::make_unique<ModelSource>(facts, procfs_root, clock);
}

}  // namespace carnot::meter
