// SPDX-License-Identifier: Apache-2.0
#include "measure/interval.hpp"

#include <algorithm>
#include <cmath>

#include "carnot/base/error.hpp"

namespace carnot::measure::detail {

namespace {

constexpr Duration kShortest = Duration::nanoseconds(10'000'000);
constexpr Duration kLongest = Duration::seconds(1);
constexpr double kMoved = 0.1;       // of the greater of two neighbours
constexpr double kUpdates_s = 2e-3;  // two updates of a counter: what jitter alone may shift
constexpr double kTicks_s = 20e-3;   // two ticks of /proc/stat, likewise
constexpr double kIdleCpus = 0.1;    // below, load is the machine's own housekeeping

bool moved(double before, double now, double slack) {
  return std::abs(now - before) > kMoved * std::max(before, now) + slack;
}

}  // namespace

AdaptiveInterval::AdaptiveInterval(std::optional<Duration> fixed, Duration longest)
    : fixed_(fixed.has_value()), longest_(fixed_ ? *fixed : kLongest) {
  if (fixed && *fixed <= Duration{}) throw InputError("interval: must be positive");
  if (longest > Duration{}) longest_ = std::min(longest_, longest);
  current_ = fixed_ ? longest_ : std::min(kShortest, longest_);
}

void AdaptiveInterval::seen(double power_w, double busy_cpus, Duration length) noexcept {
  if (fixed_ || length <= Duration{}) return;
  const double length_s = static_cast<double>(length.nanoseconds()) * 1e-9;
  if (power_w_) {
    const bool either =
        moved(*power_w_, power_w, std::max(*power_w_, power_w) * kUpdates_s / length_s) ||
        moved(*busy_cpus_, busy_cpus, kIdleCpus + kTicks_s / length_s);
    const std::int64_t next = either ? current_.nanoseconds() / 2 : current_.nanoseconds() * 2;
    const Duration shortest = std::min(kShortest, longest_);
    current_ = std::clamp(Duration::nanoseconds(next), shortest, longest_);
  }
  power_w_ = power_w;
  busy_cpus_ = busy_cpus;
}

}  // namespace carnot::measure::detail
