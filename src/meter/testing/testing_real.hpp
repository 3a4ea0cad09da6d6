// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: counters of a machine of constant power, on the real clock (threads and forks) or one
/// of the test's.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "carnot/meter/counters/clock.hpp"
#include "carnot/meter/counters/source.hpp"
#include "carnot/meter/meter.hpp"

#include "meter/testing/testing.hpp"

namespace carnot::meter::testing {

/// Every domain shows `watts` times the clock's monotonic time, all the same.
class RealSource : public Source {
 public:
  RealSource(std::vector<Domain> domains, double watts, Clock& clock = Clock::machine())
      : domains_(std::move(domains)), watts_(watts), clock_(clock) {}
  std::string_view name() const noexcept override { return "real"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  Duration shortest_interval() const noexcept override { return shortest; }
  void poll(std::span<Reading> readings) noexcept override {
    ++polls;
    const Stamp now = clock_.now();
    for (std::size_t i = 0; i < domains_.size(); ++i) {
      readings[i].status = PollStatus::Ok;
      readings[i].at = now;
      const double joules = watts_ * 1e-9 * static_cast<double>(now.monotonic_ns);
      readings[i].raw = static_cast<std::uint64_t>(joules / domains_[i].counter.unit.in(joule));
    }
  }
  Duration shortest;
  std::atomic<int> polls{0};

 private:
  std::vector<Domain> domains_;
  double watts_;
  Clock& clock_;
};

/// A meter over one source and its clock.
inline Meter meter_over(std::unique_ptr<Source> source, Clock& clock = Clock::machine()) {
  std::vector<std::unique_ptr<Source>> sources;
  sources.push_back(std::move(source));
  MeterOptions options;
  options.sources.clock = &clock;
  return Meter::over(std::move(sources), options);
}

/// A package counter of microjoules that never turns.
inline Domain real_domain(const std::string& id, int socket) {
  Domain d = package_domain(id, socket);
  d.counter.unit = 1e-6 * joule;
  d.counter.modulus = 0;
  return d;
}

}  // namespace carnot::meter::testing
