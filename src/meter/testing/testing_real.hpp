// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests of threads and forks: counters on the real clock, of a machine of constant power.

#include <atomic>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "carnot/meter/counters/source.hpp"

#include "meter/testing/testing.hpp"

namespace carnot::meter::testing {

/// Every domain shows `watts` times CLOCK_MONOTONIC, all the same.
class RealSource : public Source {
 public:
  RealSource(std::vector<Domain> domains, double watts)
      : domains_(std::move(domains)), watts_(watts) {}
  std::string_view name() const noexcept override { return "real"; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  Duration shortest_interval() const noexcept override { return shortest; }
  void poll(std::span<Reading> readings) noexcept override {
    ++polls;
    const Stamp now = Stamp::now();
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
};

/// A package counter of microjoules that never turns.
inline Domain real_domain(const std::string& id, int socket) {
  Domain d = package_domain(id, socket);
  d.counter.unit = 1e-6 * joule;
  d.counter.modulus = 0;
  return d;
}

}  // namespace carnot::meter::testing
