// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// For tests: work, the machine it runs on and the time they take, all simulated. Time passes in
/// `wait` alone, in steps of a millisecond; each wait may come late by what a seed says.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "carnot/base/random.hpp"
#include "carnot/live/local/follow.hpp"

namespace carnot::live::testing {

struct WorkPlan {
  double threads = 1;    ///< CPUs that it keeps busy when it may run
  double cpus = 2;       ///< of the machine
  double others = 0;     ///< CPUs' worth that other work has of them while it runs
  double length_s = 60;  ///< until it ends
  double idle_from_s = 1e9, idle_to_s = 1e9;  ///< it asks for nothing
  double late_ms = 0;                         ///< greatest delay of a wait
  std::uint64_t seed = 1;
  /// True power: rest_w always, dynamic_w(cpus busy by this work) besides.
  double rest_w = 0, per_cpu_w = 10, curve = 1.0;  ///< per_cpu_w * busy^curve
};

inline ActuatorInfo named(const std::string& name, ActuatorKind kind) {
  ActuatorInfo info;
  info.name = name;
  info.kind = kind;
  info.available = true;
  return info;
}

class SimulatedWork final : public FollowedWork, public meter::Clock {
 public:
  explicit SimulatedWork(const WorkPlan& plan) : plan_(plan), random_(plan.seed, "late") {}

  // FollowedWork
  double cpu_s() override { return cpu_s_; }
  bool ended() override { return now_s() >= plan_.length_s; }
  bool crowded() override {
    return plan_.others > 0 && plan_.others + plan_.threads > 0.95 * plan_.cpus;
  }

  // Clock
  meter::Stamp now() const noexcept override { return {start_ns_ + now_ns_, start_ns_ + now_ns_}; }
  bool wait(Duration length, int) noexcept override {
    std::int64_t left = length.nanoseconds();
    if (plan_.late_ms > 0)
      left += static_cast<std::int64_t>(1e6 * plan_.late_ms * random_.uniform(draws_++));
    while (left > 0) {
      const std::int64_t step = std::min<std::int64_t>(left, 1'000'000);
      pass(step);
      left -= step;
    }
    return false;
  }

  double now_s() const { return 1e-9 * static_cast<double>(now_ns_); }
  double true_energy_j() const { return energy_j_; }  ///< of the work: what it adds to the rest
  double machine_energy_j() const { return energy_j_ + plan_.rest_w * now_s(); }
  double machine_cpu_s() const { return cpu_s_ + plan_.others * now_s(); }
  double ran_until_s() const { return ran_until_s_; }  ///< last moment in which it ran
  /// True energy in each second of the clock.
  const std::vector<double>& seconds() const { return seconds_; }

  /// What the orders do to it.
  class Switch final : public Actuator {
   public:
    explicit Switch(SimulatedWork& work)
        : Actuator(named("freezer", ActuatorKind::Switch)), work_(work) {}
    void apply(const Order& order) noexcept override {
      if (work_.may_run_ != order.run) changed(0, "");
      work_.may_run_ = order.run;
    }

   private:
    SimulatedWork& work_;
  };
  class Rate final : public Actuator {
   public:
    explicit Rate(SimulatedWork& work)
        : Actuator(named("quota", ActuatorKind::Rate)), work_(work) {}
    void apply(const Order& order) noexcept override {
      work_.most_cpus_ = std::max(0.05, order.cpus);
    }

   private:
    SimulatedWork& work_;
  };

 private:
  void pass(std::int64_t ns) {
    const double length = 1e-9 * static_cast<double>(ns), at = now_s();
    const bool asks = at < plan_.idle_from_s || at >= plan_.idle_to_s;
    double busy = 0;
    if (may_run_ && asks)
      busy = std::min({plan_.threads, std::max(0.0, plan_.cpus - plan_.others), most_cpus_});
    now_ns_ += ns;
    cpu_s_ += busy * length;
    const double joules = plan_.per_cpu_w * std::pow(busy, plan_.curve) * length;
    energy_j_ += joules;
    if (busy > 0) ran_until_s_ = now_s();
    const auto second = static_cast<std::size_t>(at);
    if (seconds_.size() <= second) seconds_.resize(second + 1);
    seconds_[second] += joules;
  }

  WorkPlan plan_;
  RandomStream random_;
  std::uint64_t draws_ = 0;
  std::int64_t start_ns_ = 5'000'000'000, now_ns_ = 0;
  double cpu_s_ = 0, energy_j_ = 0, ran_until_s_ = 0;
  double most_cpus_ = 1e9;
  bool may_run_ = true;
  std::vector<double> seconds_;
};

inline Estimate<Power> watts(double w) {
  return Estimate<Power>::exact(w * watt, Origin::Assumed, Boundary::Node);
}

}  // namespace carnot::live::testing
