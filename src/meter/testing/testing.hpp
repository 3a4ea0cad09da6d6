// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: a source whose true energy is known and that fails on command, and the contract that
/// every source keeps. Needs no test framework.

#include <cstdint>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/meter/counters/source.hpp"

namespace carnot::meter::testing {

/// Domains with a spec a RAPL package has (2^-14 J, 32 bits) or a gauge.
Domain package_domain(const std::string& id, int socket = 0);
Domain counter_domain(const std::string& id, DomainKind kind, int socket = -1);
Domain gauge_domain(const std::string& id, DomainKind kind);

/// Simulated counters and gauges on a simulated clock. Counters show what hardware would: the
/// energy at the last edge of their update period, in whole steps, modulo the modulus. True energy
/// is kept in whole picojoules.
class FakeSource : public Source {
 public:
  explicit FakeSource(std::string name = "fake") : name_(std::move(name)) {}

  /// \param start  raw count at the beginning (counters)
  /// \param gain   what the sensor shows for one true joule or watt
  std::size_t add(const Domain& domain, Power power, std::uint64_t start = 0, double gain = 1.0);

  void set_power(std::size_t domain, Power power) { sensors_.at(domain).power = power; }
  /// Lets time pass at the present powers; nothing is spent asleep.
  void pass(Duration awake, Duration asleep = {});
  /// The next `times` polls of the domain answer so; Ok is "as ever".
  void fail(std::size_t domain, PollStatus status, int times, int error);
  /// The counter begins again from zero, as after a driver reload.
  void reset(std::size_t domain);
  /// Every later poll answers Ended.
  void vanish(std::size_t domain);

  Energy truth(std::size_t domain) const;  ///< spent since the beginning
  const Stamp& now() const noexcept { return now_; }
  int polls() const noexcept { return polls_; }

  std::string_view name() const noexcept override { return name_; }
  const std::vector<Domain>& domains() const noexcept override { return domains_; }
  void poll(std::span<Reading> readings) noexcept override;

 private:
  struct Sensor {
    Power power;
    double gain = 1.0;
    detail::Uint128 spent_pj = 0;  // true
    detail::Uint128 shown_pj = 0;  // since the last reset, with the gain, at the last edge
    detail::Uint128 gross_pj = 0;  // likewise, now
    std::uint64_t start = 0;
    PollStatus failing = PollStatus::Ok;
    int failures = 0, error = 0;
    bool gone = false;
  };
  std::uint64_t raw(std::size_t domain) const noexcept;

  std::string name_;
  std::vector<Domain> domains_;
  std::vector<Sensor> sensors_;
  Stamp now_{1'000'000'000, 1'000'000'000};
  int polls_ = 0;
};

/// What of the contract of source.hpp the source breaks, in words; empty: nothing. Polls it some
/// times. Allocation is looked for where the program counts it (`allocations` not null).
std::vector<std::string> check_source_contract(Source& source,
                                               std::uint64_t (*allocations)() = nullptr);

}  // namespace carnot::meter::testing
