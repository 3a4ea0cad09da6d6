// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// What the policies share: how long a job may wait, the cheapest time for one job on its own, and
/// the
/// makers of all rules. A rule's sources stand in `policy_list`.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/state_bytes.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/control/registry.hpp"

namespace carnot::control {

/// What the signal is thought to be, or will be, for a policy that knows.
inline ForecastView ahead(const World& world, SiteIndex site, Signal signal) {
  return world.future != nullptr ? world.future->signal(site, signal)
                                 : world.view.forecast(site, signal);
}

/// Relative: sums of the same numbers taken in another order differ by less.
inline constexpr double kEqual = 1e-9;
/// True if `a` is below `b` by more than the rounding of what they were summed from: numbers of
/// size `magnitude`. What waits for less than that waits for noise.
inline bool clearly_less(double a, double b, double magnitude) {
  return a < b - kEqual * magnitude;
}
/// For each value how many clearly smaller ones there are, sets of equals counting once: an order
/// that rounding does not make. Infinite values come last.
std::vector<std::uint32_t> ranks(const std::vector<double>& values);

/// A policy with a name, what it may know, and what it was told.
class Rule : public Policy {
 public:
  Rule(std::string name, Knowledge knowledge, FleetPolicyOptions options)
      : name_(std::move(name)), knowledge_(knowledge), options_(std::move(options)) {}
  std::string_view name() const noexcept override { return name_; }
  Knowledge knowledge() const noexcept override { return knowledge_; }
  void save(StateWriter& state) const final {
    Policy::save(state);
    save_state(state);
  }
  void restore(StateReader& state) final {
    Policy::restore(state);
    restore_state(state);
  }

 protected:
  const FleetPolicyOptions& options() const noexcept { return options_; }
  /// Of running undisturbed in the first mode, as far as it is known.
  Duration length(const World& world, JobIndex job) const {
    return knowledge_.lengths ? world.lengths->length(job) : world.view.request(job).estimate;
  }
  /// How long after it became eligible the job may start at the latest; >= 0.
  Duration wait(const World& world, JobIndex job) const {
    const Duration allowed = world.view.request(job).allowed;
    if (allowed == kNoDeadline) return options_.max_wait;
    const Duration gone = world.view.eligible(job) - world.view.arrival(job);
    return std::clamp(allowed - gone - length(world, job), Duration{}, options_.max_wait);
  }

 private:
  /// State of the rule beyond what the fleet shows.
  virtual void save_state(StateWriter&) const {}
  virtual void restore_state(StateReader&) {}

  std::string name_;
  Knowledge knowledge_;
  FleetPolicyOptions options_;
};

/// Time from `from` to `to`.
struct Piece {
  Instant from, to;
  bool operator==(const Piece&) const = default;
};

/// A step function that is wanted small: value[i] over [start + i step, start + (i + 1) step);
/// infinite where it must not be used.
struct StepCost {
  Instant start;
  Duration step;
  std::vector<double> value;
};
/// The steps of a view that [from, to) touches; beyond its end the last value is kept.
StepCost steps(const ForecastView& view, Instant from, Instant to);

struct Timing {
  std::vector<Piece> pieces;  ///< in order, disjoint, `length` in all; empty: there is no room
  double cost = 0;            ///< integral of the cost over them
};
/// The cheapest `length` of [from, to), in as many pieces as it takes; the earliest of equals, and
/// of the dearest step its beginning. O(n log n).
Timing cheapest_pieces(const StepCost& cost, Instant from, Instant to, Duration length);
/// The cheapest `length` of [from, to) in one piece, the earliest of equals. The integral over a
/// window bends only where an end of it meets a step's edge, so these starts are enough. O(n length
/// / step).
Timing cheapest_window(const StepCost& cost, Instant from, Instant to, Duration length);

/// The cheapest of both where each piece takes `overhead` besides its share of the work. A job that
/// may not be stopped has one piece.
Timing cheapest_timing(const StepCost& cost, Instant from, Instant to, Duration work,
                       Duration overhead, bool stoppable);

/// Plans `job` at `site` in `mode` over the pieces.
void plan_pieces(const World& world, JobIndex job, SiteIndex site, std::uint8_t mode,
                 const std::vector<Piece>& pieces);

using RuleMaker = std::unique_ptr<Policy> (*)(std::string name, Knowledge knowledge,
                                              const FleetPolicyOptions& options);
template <class T>
std::unique_ptr<Policy> make_rule(std::string name, Knowledge knowledge,
                                  const FleetPolicyOptions& options) {
  return std::make_unique<T>(std::move(name), knowledge, options);
}

// In the files named after them.
std::unique_ptr<Policy> make_no_wait(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_lowest_slot(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_lowest_window(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_carbon_time(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_wait_awhile(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_ecovisor(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_carbonscaler(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_lowest_carbon(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_lowest_price(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_most_available(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_round_robin(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_price_greedy(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_carbon_greedy(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_easy(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_stranded(std::string, Knowledge, const FleetPolicyOptions&);
std::unique_ptr<Policy> make_carnot(std::string, Knowledge, const FleetPolicyOptions&);

}  // namespace carnot::control
