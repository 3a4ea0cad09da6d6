// SPDX-License-Identifier: Apache-2.0
#pragma once

/// \file
/// Every policy by its name. Thread-safe.
///
/// A policy's `Scope` is what it steers, and so which worlds can carry out what it commands: one
/// job that learns (`Scope::Job`, commands `follow`), or many jobs over sites (`Scope::Fleet`, all
/// the others).

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "carnot/base/instant.hpp"
#include "carnot/base/quantity.hpp"
#include "carnot/base/stop.hpp"
#include "carnot/control/policy.hpp"
#include "carnot/site/mode.hpp"
#include "carnot/site/scenario.hpp"

namespace carnot::control {

enum class Scope : std::uint8_t { Job, Fleet };

/// A policy there is.
struct PolicyInfo {
  std::string_view name;
  std::string_view what;    ///< it does, in one line
  std::string_view source;  ///< who stated it
  Scope scope = Scope::Fleet;
};

/// What policies of one job are made for.
struct JobPolicyOptions {
  std::span<const site::Mode> modes;  ///< >= 1; must outlive the call only
  site::ObjectiveOptions objective;   ///< what is minimised
};

/// What some policies of fleets want to be told.
struct FleetPolicyOptions {
  /// Longest delay of a start that is chosen. A job with a deadline waits no longer than that
  /// leaves, by its length as far as it is known.
  Duration max_wait = Duration::seconds(24 * 3600);
  double carbon_price_eur_per_t = 0.0;      ///< for rules that weigh both
  double stranded_below_eur_per_mwh = 5.0;  ///< price under which power counts as stranded
  /// What carrying a job to a site costs, for rules that weigh it; none: nothing.
  std::function<Money(const JobRequest&, SiteIndex)> move_cost;
  StopToken stop{};  ///< asked by rules that plan for long; they then throw Stopped
};

/// Every policy there is, in report order: those of one job, then those of fleets. `fixed` stands
/// for one policy a mode, `fixed:int8`; `oracle` is built from a run's truth, not by name
/// (control/training/foresight.hpp).
std::span<const PolicyInfo> policy_list() noexcept;

/// Names in report order: of one job with these modes, `oracle` last; of fleets.
std::vector<std::string> policy_names(std::span<const site::Mode> modes);
std::vector<std::string> policy_names();

/// \param name  as above; `fixed:int8` names a mode, `fixed:8` its bits
/// \throws InputError for an unknown name (nearest known one named), for a mode that does not exist
///         and for a policy of fleets
std::unique_ptr<Policy> make_policy(std::string_view name, const JobPolicyOptions& options);

/// \param name  of a policy of fleets, as it is or with what it may know besides:
///              `lowest-window:future`, `:lengths`, `:oracle` (both)
/// \throws InputError for an unknown name (nearest known one named) and for a policy of one job
std::unique_ptr<Policy> make_policy(std::string_view name, const FleetPolicyOptions& options);

}  // namespace carnot::control
